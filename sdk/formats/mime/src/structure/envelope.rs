//! ENVELOPE of RFC 9051 section 7.5.2.

use super::MAX_FIELD;
use crate::address::{self, Address, MAX_ADDRESSES};
use crate::header;
use serde::{Deserialize, Serialize};

/// The envelope, undecoded and unfolded. A field that is missing is None, one that is empty is empty. Its texts are its own, or
/// (`Envelope<&[u8]>`) stand in the encoded structure that it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(bound(
    serialize = "T: serde_bytes::Serialize",
    deserialize = "T: serde_bytes::Deserialize<'de>"
))]
pub struct Envelope<T = Vec<u8>> {
    /// Date.
    #[serde(with = "serde_bytes")]
    pub date: Option<T>,
    /// Subject.
    #[serde(with = "serde_bytes")]
    pub subject: Option<T>,
    /// From. Empty lists are NIL.
    pub from: Vec<Address<T>>,
    /// Sender; the same as `from` when the message has none.
    pub sender: Vec<Address<T>>,
    /// Reply-To; the same as `from` when the message has none.
    pub reply_to: Vec<Address<T>>,
    /// To.
    pub to: Vec<Address<T>>,
    /// Cc.
    pub cc: Vec<Address<T>>,
    /// Bcc.
    pub bcc: Vec<Address<T>>,
    /// In-Reply-To.
    #[serde(with = "serde_bytes")]
    pub in_reply_to: Option<T>,
    /// Message-ID with its angle brackets.
    #[serde(with = "serde_bytes")]
    pub message_id: Option<T>,
}

/// The value of a field as the structure keeps it.
pub(super) fn field_text(value: &[u8]) -> Vec<u8> {
    let mut text = header::unfold(value);
    text.truncate(MAX_FIELD);
    text
}

impl Envelope {
    /// Reads a header block. Of a text field that is there twice the first counts; addresses are
    /// joined, so that none can be hidden from one reader and shown to another.
    pub fn parse(block: &[u8]) -> Envelope {
        let mut envelope = Envelope::default();
        for field in header::fields(block) {
            envelope.take(&field);
        }
        if !envelope.sender.iter().any(Address::is_mailbox) {
            envelope.sender.clone_from(&envelope.from);
        }
        if !envelope.reply_to.iter().any(Address::is_mailbox) {
            envelope.reply_to.clone_from(&envelope.from);
        }
        envelope
    }

    fn take(&mut self, field: &header::Field<'_>) {
        let text = match field.name.to_ascii_lowercase().as_slice() {
            b"date" => &mut self.date,
            b"subject" => &mut self.subject,
            b"in-reply-to" => &mut self.in_reply_to,
            b"message-id" => &mut self.message_id,
            name => return self.take_addresses(name, field.value),
        };
        if text.is_none() {
            *text = Some(field_text(field.value));
        }
    }

    fn take_addresses(&mut self, lower_name: &[u8], value: &[u8]) {
        let list = match lower_name {
            b"from" => &mut self.from,
            b"sender" => &mut self.sender,
            b"reply-to" => &mut self.reply_to,
            b"to" => &mut self.to,
            b"cc" => &mut self.cc,
            b"bcc" => &mut self.bcc,
            _ => return,
        };
        list.extend(address::parse(&field_text(value)));
        list.truncate(MAX_ADDRESSES);
    }

    /// Addresses in all lists.
    pub(super) fn addresses(&self) -> usize {
        let own = self.from.len() + self.to.len() + self.cc.len() + self.bcc.len();
        own + self.sender.len() + self.reply_to.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sender_and_reply_to_default_to_from() {
        let envelope = Envelope::parse(b"From: a@b\r\nSender: \r\nReply-To: c@d\r\n\r\n");
        assert_eq!(envelope.sender, envelope.from);
        assert_eq!(envelope.reply_to, address::parse(b"c@d"));
    }

    #[test]
    fn a_missing_field_differs_from_an_empty_one() {
        let envelope = Envelope::parse(b"Subject:\r\nSUBJECT: second\r\n\r\nDate: in the body");
        assert_eq!(envelope.subject, Some(Vec::new()));
        assert_eq!(envelope.date, None);
    }

    #[test]
    fn addresses_of_repeated_fields_are_all_told() {
        let envelope = Envelope::parse(b"From: a@b\nFrom: c@d\n\n");
        assert_eq!(envelope.from.len(), 2);
    }
}
