//! The properties of the message itself (MS-OXCMAIL 2.1.3.2).

use super::{body, conversation};
use crate::structure::Structure;
use crate::summary::{self, Summary};
use crate::{Address, charset, date, header, subject, text, word};
use waxwing_formats_mapi::{Property, PropertyTag, Value, tags};

/// The properties of a message or of an embedded one, unsorted, each tag once.
pub fn properties(message: &[u8], structure: &Structure) -> Vec<Property> {
    let block = text::block(message, structure);
    let summary = Summary::of(message, structure);
    let mut out = Properties::default();
    describe(&summary, &mut out);
    senders(structure, &mut out);
    identify(&summary, structure, block, &mut out);
    requests(block, &mut out);
    conversation::properties(block, &summary, &mut out);
    body::properties(message, structure, &mut out);
    out.list
}

/// Collects properties; empty texts and absent values add none.
#[derive(Default)]
pub(super) struct Properties {
    list: Vec<Property>,
}

impl Properties {
    pub(super) fn push(&mut self, tag: PropertyTag, value: Value) {
        self.list.push(Property::new(tag, value));
    }

    pub(super) fn text(&mut self, tag: PropertyTag, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.push(tag, Value::Text(text));
        }
    }

    pub(super) fn into_list(self) -> Vec<Property> {
        self.list
    }
}

fn describe(summary: &Summary, out: &mut Properties) {
    let (prefix, normalized) = subject::split_prefix(&summary.subject);
    out.text(tags::MESSAGE_CLASS, summary.message_class);
    // A subject is always there, even if it is empty.
    for (tag, text) in [
        (tags::SUBJECT, summary.subject.as_str()),
        (tags::SUBJECT_PREFIX, prefix),
        (tags::NORMALIZED_SUBJECT, normalized),
    ] {
        out.push(tag, Value::Text(text.to_owned()));
    }
    let importance = summary.importance as i32;
    out.push(tags::IMPORTANCE, Value::Int32(importance));
    out.push(tags::PRIORITY, Value::Int32(summary.priority));
    out.push(tags::SENSITIVITY, Value::Int32(summary.sensitivity));
    out.push(
        tags::HAS_ATTACHMENTS,
        Value::Boolean(summary.has_attachment),
    );
    if let Some(date) = summary.date {
        out.push(tags::CLIENT_SUBMIT_TIME, Value::time(date.seconds));
    }
}

/// From is whom the message represents, Sender who sent it (MS-OXCMAIL 2.1.3.2.3 and 2.1.3.2.4).
fn senders(structure: &Structure, out: &mut Properties) {
    let envelope = &structure.envelope;
    let represented = Tags {
        name: tags::SENT_REPRESENTING_NAME,
        kind: tags::SENT_REPRESENTING_ADDRESS_TYPE,
        address: tags::SENT_REPRESENTING_EMAIL_ADDRESS,
        smtp: tags::SENT_REPRESENTING_SMTP_ADDRESS,
        search_key: tags::SENT_REPRESENTING_SEARCH_KEY,
    };
    let sender = Tags {
        name: tags::SENDER_NAME,
        kind: tags::SENDER_ADDRESS_TYPE,
        address: tags::SENDER_EMAIL_ADDRESS,
        smtp: tags::SENDER_SMTP_ADDRESS,
        search_key: tags::SENDER_SEARCH_KEY,
    };
    represented.take(&envelope.from, out);
    sender.take(&envelope.sender, out);
    for (tag, list) in [
        (tags::DISPLAY_TO, &envelope.to),
        (tags::DISPLAY_CC, &envelope.cc),
        (tags::DISPLAY_BCC, &envelope.bcc),
    ] {
        out.push(tag, Value::Text(summary::display_list(list)));
    }
    if envelope.reply_to != envelope.from {
        let names = summary::display_list(&envelope.reply_to);
        out.text(tags::REPLY_RECIPIENT_NAMES, names);
    }
}

struct Tags {
    name: PropertyTag,
    kind: PropertyTag,
    address: PropertyTag,
    smtp: PropertyTag,
    search_key: PropertyTag,
}

impl Tags {
    fn take(&self, list: &[Address], out: &mut Properties) {
        let Some(address) = list.iter().find(|address| address.is_mailbox()) else {
            return;
        };
        let smtp = summary::smtp_address(address);
        out.text(self.name, summary::display_name(address));
        out.text(self.kind, "SMTP");
        out.push(self.search_key, search_key(&smtp));
        out.text(self.smtp, smtp.clone());
        out.text(self.address, smtp);
    }
}

/// PidTagSearchKey of an address (MS-OXOABK 2.2.3.5): type and address in upper case, with an end.
pub(super) fn search_key(smtp: &str) -> Value {
    Value::Binary(format!("SMTP:{}\0", smtp.to_uppercase()).into_bytes())
}

fn identify(summary: &Summary, structure: &Structure, block: &[u8], out: &mut Properties) {
    let id = summary.message_id.as_deref().unwrap_or_default();
    out.text(tags::INTERNET_MESSAGE_ID, id);
    let in_reply_to = structure.envelope.in_reply_to.as_deref();
    let in_reply_to = in_reply_to.map(word::decode).unwrap_or_default();
    out.text(tags::IN_REPLY_TO_ID, in_reply_to);
    for (tag, name) in [
        (tags::INTERNET_REFERENCES, "References"),
        (tags::LIST_HELP, "List-Help"),
        (tags::LIST_SUBSCRIBE, "List-Subscribe"),
        (tags::LIST_UNSUBSCRIBE, "List-Unsubscribe"),
    ] {
        let value = header::find(block, name).map(|field| word::decode(field.value));
        out.text(tag, value.unwrap_or_default());
    }
    let headers = charset::decode(b"", block).replace('\0', "");
    out.text(tags::TRANSPORT_MESSAGE_HEADERS, headers);
}

/// What the sender asks the reader's side to do or not to do.
fn requests(block: &[u8], out: &mut Properties) {
    for (tag, name) in [
        (tags::READ_RECEIPT_REQUESTED, "Disposition-Notification-To"),
        (
            tags::ORIGINATOR_DELIVERY_REPORT_REQUESTED,
            "Return-Receipt-To",
        ),
    ] {
        if header::find(block, name).is_some() {
            out.push(tag, Value::Boolean(true));
        }
    }
    let first_date = |names: [&str; 2]| {
        let mut values = names.iter().filter_map(|name| summary::field(block, name));
        values.find_map(|value| date::parse(&value))
    };
    for (tag, names) in [
        (tags::EXPIRY_TIME, ["Expires", "Expiry-Date"]),
        (tags::REPLY_TIME, ["Reply-By", "Reply-By"]),
        (
            tags::DEFERRED_DELIVERY_TIME,
            ["Deferred-Delivery", "Deferred-Delivery"],
        ),
    ] {
        if let Some(date) = first_date(names) {
            out.push(tag, Value::time(date.seconds));
        }
    }
    if let Some(value) = summary::field(block, "X-Auto-Response-Suppress") {
        out.push(tags::AUTO_RESPONSE_SUPPRESS, Value::Int32(suppress(&value)));
    }
}

/// MS-OXCMAIL 2.2.3.2.14; bits of MS-OXOMSG 2.2.1.77.
fn suppress(value: &[u8]) -> i32 {
    let bits = value.split(|byte| *byte == b',').map(|word| {
        match word.trim_ascii().to_ascii_lowercase().as_slice() {
            b"all" => -1,
            b"dr" => 0x01,
            b"ndr" => 0x02,
            b"rn" => 0x04,
            b"nrn" => 0x08,
            b"oof" => 0x10,
            b"autoreply" => 0x20,
            _ => 0,
        }
    });
    bits.fold(0, |all, bit| all | bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(message: &str, tag: PropertyTag) -> Option<Value> {
        let structure = Structure::parse(message.as_bytes());
        let found = properties(message.as_bytes(), &structure).into_iter();
        let mut values: Vec<_> = found.filter(|p| p.tag == tag).map(|p| p.value).collect();
        assert!(values.len() <= 1);
        values.pop()
    }

    fn text(text: &str) -> Option<Value> {
        Some(Value::Text(text.to_owned()))
    }

    const MAIL: &str = "From: Boss <boss@x.org>\r\nSender: Secretary <sec@x.org>\r\nReply-To: Office <o@x>\r\n\
        To: A <a@b>, c@d\r\nBcc: e@f\r\nSubject: RE: =?utf-8?q?=C3=A4?=\r\nMessage-ID: <1@x>\r\n\
        References: <0@x>\r\n\t<00@x>\r\nImportance: high\r\nDate: Thu, 01 Jan 1970 00:00:01 +0000\r\n\
        Disposition-Notification-To: x\r\nX-Auto-Response-Suppress: OOF, DR\r\n\r\nhi\r\n";

    #[test]
    fn header_fields_become_properties() {
        let table = [
            (tags::MESSAGE_CLASS, "IPM.Note"),
            (tags::SUBJECT, "RE: \u{e4}"),
            (tags::SUBJECT_PREFIX, "RE: "),
            (tags::NORMALIZED_SUBJECT, "\u{e4}"),
            (tags::CONVERSATION_TOPIC, "\u{e4}"),
            (tags::SENT_REPRESENTING_NAME, "Boss"),
            (tags::SENT_REPRESENTING_SMTP_ADDRESS, "boss@x.org"),
            (tags::SENDER_NAME, "Secretary"),
            (tags::SENDER_EMAIL_ADDRESS, "sec@x.org"),
            (tags::SENDER_ADDRESS_TYPE, "SMTP"),
            (tags::REPLY_RECIPIENT_NAMES, "Office"),
            (tags::DISPLAY_TO, "A; c@d"),
            (tags::DISPLAY_CC, ""),
            (tags::DISPLAY_BCC, "e@f"),
            (tags::INTERNET_MESSAGE_ID, "<1@x>"),
            (tags::INTERNET_REFERENCES, "<0@x>\t<00@x>"),
            (tags::BODY, "hi\r\n"),
        ];
        for (tag, expected) in table {
            assert_eq!(get(MAIL, tag), text(expected), "{tag:?}");
        }
        assert_eq!(get(MAIL, tags::IMPORTANCE), Some(Value::Int32(2)));
        assert_eq!(get(MAIL, tags::CLIENT_SUBMIT_TIME), Some(Value::time(1)));
        assert_eq!(
            get(MAIL, tags::READ_RECEIPT_REQUESTED),
            Some(Value::Boolean(true))
        );
        assert_eq!(
            get(MAIL, tags::AUTO_RESPONSE_SUPPRESS),
            Some(Value::Int32(0x11))
        );
        let Some(Value::Text(headers)) = get(MAIL, tags::TRANSPORT_MESSAGE_HEADERS) else {
            panic!("no headers")
        };
        assert!(headers.starts_with("From: Boss") && headers.ends_with("\r\n\r\n"));
    }

    #[test]
    fn an_empty_message_has_a_class_and_a_subject() {
        assert_eq!(get("", tags::MESSAGE_CLASS), text("IPM.Note"));
        assert_eq!(get("", tags::SUBJECT), text(""));
        assert_eq!(get("", tags::SENDER_NAME), None);
        assert_eq!(get("", tags::CLIENT_SUBMIT_TIME), None);
    }
}
