//! What a store keeps of a message in columns: derived once at delivery, decoded.

use crate::address::Address;
use crate::date::{self, Date};
use crate::structure::Structure;
use crate::subject;
use crate::{class, header, text, word};

/// The hot columns of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Subject; empty when there is none.
    pub subject: String,
    /// RFC 5256 section 2.1.
    pub base_subject: String,
    /// Whether the subject says that this is a reply or a forward (RFC 5256 section 3, THREAD).
    pub is_reply_or_forward: bool,
    /// PidTagNormalizedSubject: the subject without one short prefix. Also the conversation's topic.
    pub normalized_subject: String,
    /// Local part of the first From address (RFC 5256, SORT FROM); empty when there is none.
    pub first_from: String,
    /// Local part of the first To address.
    pub first_to: String,
    /// Local part of the first Cc address.
    pub first_cc: String,
    /// Display name of the first From address, its address when it has none.
    pub sender_name: String,
    /// Address of the first From address, `local@domain`.
    pub sender_address: String,
    /// Names (or addresses) of the To recipients, `; ` between them: PidTagDisplayTo.
    pub display_to: String,
    /// Names (or addresses) of the Cc recipients: PidTagDisplayCc.
    pub display_cc: String,
    /// Message-ID with its angle brackets.
    pub message_id: Option<String>,
    /// The ids in In-Reply-To, with angle brackets.
    pub in_reply_to: Vec<String>,
    /// The ids in References, with angle brackets, oldest first.
    pub references: Vec<String>,
    /// The Date field; None when it is missing or cannot be read.
    pub date: Option<Date>,
    /// PidTagImportance.
    pub importance: Importance,
    /// PidTagPriority: -1 not urgent, 0 normal, 1 urgent.
    pub priority: i32,
    /// PidTagSensitivity: 0 none, 1 personal, 2 private, 3 confidential.
    pub sensitivity: i32,
    /// Whether a user would find an attachment; inline images and signatures are none.
    pub has_attachment: bool,
    /// PidTagMessageClass.
    pub message_class: &'static str,
}

/// PidTagImportance (MS-OXCMSG 2.2.1.11), by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Importance {
    /// Low.
    Low = 0,
    /// Normal.
    Normal = 1,
    /// High.
    High = 2,
}

impl Summary {
    /// Reads header and structure; does not look into the content of parts but for reports.
    pub fn of(message: &[u8], structure: &Structure) -> Summary {
        let envelope = &structure.envelope;
        let block = text::block(message, structure);
        let subject = word::decode(envelope.subject.as_deref().unwrap_or_default());
        let base = subject::base(&subject);
        let (_, normalized) = subject::split_prefix(&subject);
        let sender = envelope.from.iter().find(|address| address.is_mailbox());
        let urgency = Urgency::of(block);
        let id = envelope.message_id.as_deref().unwrap_or_default();
        Summary {
            base_subject: base.text,
            is_reply_or_forward: base.is_reply_or_forward,
            normalized_subject: normalized.to_owned(),
            first_from: first_mailbox(&envelope.from),
            first_to: first_mailbox(&envelope.to),
            first_cc: first_mailbox(&envelope.cc),
            sender_name: sender.map(display_name).unwrap_or_default(),
            sender_address: sender.map(smtp_address).unwrap_or_default(),
            display_to: display_list(&envelope.to),
            display_cc: display_list(&envelope.cc),
            message_id: message_ids(id).into_iter().next(),
            in_reply_to: message_ids(envelope.in_reply_to.as_deref().unwrap_or_default()),
            references: field(block, "References").map_or_else(Vec::new, |v| message_ids(&v)),
            date: envelope.date.as_deref().and_then(date::parse),
            importance: urgency.importance,
            priority: urgency.priority,
            sensitivity: sensitivity(block),
            has_attachment: class::has_attachment(structure),
            message_class: class::message_class(message, structure),
            subject,
        }
    }
}

/// What DISPLAYFROM and DISPLAYTO sort by (RFC 5957 section 3): the display name of the first address, or the address itself; of a
/// group, the group's name; nothing where there is no address.
pub fn display_of_first<T: AsRef<[u8]>>(addresses: &[Address<T>]) -> String {
    addresses.first().map(display_name).unwrap_or_default()
}

/// The decoded display name of an address, or the address itself.
pub(crate) fn display_name<T: AsRef<[u8]>>(address: &Address<T>) -> String {
    let name = address.name.as_ref();
    let name = name.map(|name| word::decode(name.as_ref()));
    name.filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| smtp_address(address))
}

/// `local@domain`; the local part alone when there is no domain.
pub(crate) fn smtp_address<T: AsRef<[u8]>>(address: &Address<T>) -> String {
    let text = |part: &Option<T>| {
        let part = part.as_ref();
        part.map(|part| word::decode(part.as_ref()))
            .unwrap_or_default()
    };
    let (mailbox, host) = (text(&address.mailbox), text(&address.host));
    if host.is_empty() {
        mailbox
    } else {
        format!("{mailbox}@{host}")
    }
}

pub(crate) fn display_list(addresses: &[Address]) -> String {
    let mailboxes = addresses.iter().filter(|address| address.is_mailbox());
    mailboxes.map(display_name).collect::<Vec<_>>().join("; ")
}

/// RFC 5256 section 3: the mailbox of the first address; of a group, the group's name.
fn first_mailbox(addresses: &[Address]) -> String {
    let first = addresses.first().and_then(|first| first.mailbox.as_deref());
    first.map(word::decode).unwrap_or_default()
}

/// The ids of an unfolded Message-ID, In-Reply-To or References value: what stands in angle brackets.
pub fn message_ids(value: &[u8]) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = value;
    while let Some(start) = memchr::memchr(b'<', rest) {
        let from_start = rest.get(start..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'>', from_start) else {
            break;
        };
        let (id, after) = from_start.split_at(end + 1);
        ids.push(word::decode(id));
        rest = after;
    }
    if ids.is_empty() && !value.trim_ascii().is_empty() {
        // Some senders leave the brackets out.
        let words = value.split(u8::is_ascii_whitespace);
        let bare = words.filter(|word| word.contains(&b'@'));
        ids.extend(bare.map(|word| format!("<{}>", String::from_utf8_lossy(word))));
    }
    ids
}

/// The unfolded value of the first field of that name.
pub(crate) fn field(block: &[u8], name: &str) -> Option<Vec<u8>> {
    header::find(block, name).map(|field| header::unfold(field.value))
}

/// MS-OXCMAIL 2.2.3.2.5 and 2.2.3.2.6: several fields say how urgent a message is.
struct Urgency {
    importance: Importance,
    priority: i32,
}

impl Urgency {
    fn of(block: &[u8]) -> Urgency {
        let lower = |name| field(block, name).map(|value| value.to_ascii_lowercase());
        let importance = lower("Importance").and_then(|value| match value.as_slice() {
            b"low" => Some(Importance::Low),
            b"normal" => Some(Importance::Normal),
            b"high" => Some(Importance::High),
            _ => None,
        });
        let x_priority = || {
            let value = field(block, "X-Priority")?;
            match value.first()? {
                b'1' | b'2' => Some(Importance::High),
                b'3' => Some(Importance::Normal),
                b'4' | b'5' => Some(Importance::Low),
                _ => None,
            }
        };
        let priority = lower("Priority").and_then(|value| match value.as_slice() {
            b"urgent" => Some(1),
            b"normal" => Some(0),
            b"non-urgent" => Some(-1),
            _ => None,
        });
        let from_priority = match priority {
            Some(1) => Importance::High,
            Some(-1) => Importance::Low,
            _ => Importance::Normal,
        };
        let importance = importance.or_else(x_priority).unwrap_or(from_priority);
        let from_importance = match importance {
            Importance::Low => -1,
            Importance::Normal => 0,
            Importance::High => 1,
        };
        Urgency {
            importance,
            priority: priority.unwrap_or(from_importance),
        }
    }
}

/// MS-OXCMAIL 2.2.3.2.7.
fn sensitivity(block: &[u8]) -> i32 {
    let value = field(block, "Sensitivity").map(|value| value.to_ascii_lowercase());
    match value.as_deref() {
        Some(b"personal") => 1,
        Some(b"private") => 2,
        Some(b"company-confidential") => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(message: &str) -> Summary {
        Summary::of(message.as_bytes(), &Structure::parse(message.as_bytes()))
    }

    #[test]
    fn names_are_sorted_by_what_is_shown_of_the_first_address() {
        for (field, shown) in [
            ("\"Zoe\" <a@b.c>, d@e.f", "Zoe"),
            ("=?utf-8?q?=C3=81d=C3=A1m?= <z@b.c>", "Ádám"),
            ("<a@b.c>", "a@b.c"),
            ("Friends: a@b.c, d@e.f;", "Friends"),
            ("", ""),
        ] {
            let structure = Structure::parse(format!("To: {field}\r\n\r\n").as_bytes());
            assert_eq!(display_of_first(&structure.envelope.to), shown, "{field}");
        }
    }

    #[test]
    fn columns_are_decoded_from_the_header() {
        let summary = summary(
            "From: =?utf-8?q?J=C3=B6?= <jo@x.org>\r\nTo: a@b, \"C, D\" <c@d>\r\nCc: g: e@f;\r\n\
             Subject: RE: [l] =?utf-8?q?=C3=A4?=\r\n b\r\nMessage-ID: <1@x>\r\n\
             In-Reply-To: your mail <0@x> of today\r\nReferences: <a@x>\r\n <0@x>\r\n\
             Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nX-Priority: 1 (Highest)\r\n\
             Sensitivity: Private\r\n\r\nhi",
        );
        assert_eq!(summary.subject, "RE: [l] \u{e4} b");
        assert_eq!(summary.base_subject, "\u{e4} b");
        assert_eq!(summary.normalized_subject, "[l] \u{e4} b");
        assert!(summary.is_reply_or_forward);
        assert_eq!(
            (summary.first_from.as_str(), summary.first_to.as_str()),
            ("jo", "a")
        );
        assert_eq!(summary.first_cc, "g");
        assert_eq!(summary.sender_name, "J\u{f6}");
        assert_eq!(summary.sender_address, "jo@x.org");
        assert_eq!(summary.display_to, "a@b; C, D");
        assert_eq!(summary.display_cc, "e@f");
        assert_eq!(summary.message_id.as_deref(), Some("<1@x>"));
        assert_eq!(summary.in_reply_to, ["<0@x>"]);
        assert_eq!(summary.references, ["<a@x>", "<0@x>"]);
        assert_eq!(summary.date.map(|date| date.local_day), Some(10_186));
        assert_eq!(
            (summary.importance, summary.priority),
            (Importance::High, 1)
        );
        assert_eq!(summary.sensitivity, 2);
        assert_eq!(summary.message_class, "IPM.Note");
    }

    #[test]
    fn a_message_without_header_has_empty_columns() {
        let summary = summary("");
        assert_eq!(summary.subject, "");
        assert_eq!(summary.sender_address, "");
        assert_eq!(summary.message_id, None);
        assert_eq!(summary.date, None);
        assert_eq!(summary.importance, Importance::Normal);
    }

    #[test]
    fn importance_prefers_its_own_field() {
        let of = |header: &str| summary(&format!("{header}\n\n"));
        assert_eq!(
            of("Importance: low\nX-Priority: 1").importance,
            Importance::Low
        );
        assert_eq!(of("Priority: urgent").importance, Importance::High);
        assert_eq!(of("Importance: high").priority, 1);
        assert_eq!(of("X-Priority: x").importance, Importance::Normal);
    }

    #[test]
    fn message_ids_are_found_with_and_without_brackets() {
        assert_eq!(message_ids(b"<a@b> (x) <c@d"), ["<a@b>"]);
        assert_eq!(message_ids(b"a@b c"), ["<a@b>"]);
        assert!(message_ids(b"nothing").is_empty());
    }
}
