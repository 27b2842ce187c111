//! PidTagConversationTopic and PidTagConversationIndex (MS-OXOMSG 2.2.1.2, 2.2.1.3; MS-OXCMAIL 2.2.3.2.8).
//!
//! Outlook sends both as Thread-Topic and Thread-Index. For other mail the index is derived: its identity from the oldest
//! message id that the message names, so that a whole thread shares it whatever the order of arrival.

use super::message::Properties;
use crate::summary::{self, Summary};
use crate::{header, transfer, word};
use waxwing_formats_mapi::{Value, tags};

/// Octets of an index without replies: a reserved one, five of a time, a GUID.
const HEADER_LEN: usize = 22;

pub(super) fn properties(block: &[u8], summary: &Summary, out: &mut Properties) {
    let topic = header::find(block, "Thread-Topic").map(|field| word::decode(field.value));
    let topic = topic.unwrap_or_else(|| summary.normalized_subject.clone());
    out.push(tags::CONVERSATION_TOPIC, Value::Text(topic));
    let sent = summary::field(block, "Thread-Index").map(|value| transfer::base64(&value));
    let sent = sent.filter(|index| index.len() >= HEADER_LEN && index.first() == Some(&1));
    let index = sent.or_else(|| derived(summary));
    if let Some(index) = index {
        out.push(tags::CONVERSATION_INDEX, Value::Binary(index));
    }
}

fn derived(summary: &Summary) -> Option<Vec<u8>> {
    let ids = summary.references.iter().chain(&summary.in_reply_to);
    let oldest = ids.chain(&summary.message_id).next()?;
    let Value::Time(time) = Value::time(summary.date.map_or(0, |date| date.seconds)) else {
        return None;
    };
    // The five octets below the highest, which is 1 for as long as anyone will read this.
    let [_, time @ .., _, _] = time.to_be_bytes();
    let mut index = vec![1];
    index.extend_from_slice(&time);
    index.extend_from_slice(&fnv1a(oldest.as_bytes()).to_be_bytes());
    Some(index)
}

/// FNV-1a of 128 bits. Whoever wants to join a thread can name its ids anyway, so nothing is gained by
/// a collision and a cryptographic hash is not needed.
fn fnv1a(bytes: &[u8]) -> u128 {
    bytes
        .iter()
        .fold(0x6C62_272E_07BB_0142_62B8_2175_6295_C58D, |hash, byte| {
            (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013B)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Structure;

    fn index(header: &str) -> Option<Vec<u8>> {
        let message = format!("{header}\n\n");
        let structure = Structure::parse(message.as_bytes());
        let mut properties = super::super::properties(message.as_bytes(), &structure).into_iter();
        match properties
            .find(|p| p.tag == tags::CONVERSATION_INDEX)?
            .value
        {
            Value::Binary(index) => Some(index),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_thread_shares_the_identity_of_its_first_message() {
        let first = index("Message-ID: <1@x>\nDate: 1 Jan 2024 00:00 GMT").unwrap();
        let reply = index("Message-ID: <2@x>\nIn-Reply-To: <1@x>").unwrap();
        let third = index("Message-ID: <3@x>\nReferences: <1@x> <2@x>").unwrap();
        assert_eq!(first.len(), HEADER_LEN);
        assert_eq!(first[6..], reply[6..]);
        assert_eq!(first[6..], third[6..]);
        assert_ne!(first[6..], index("Message-ID: <9@x>").unwrap()[6..]);
        assert_eq!(index("Subject: x"), None);
    }

    #[test]
    fn an_index_that_was_sent_is_kept() {
        let sent = "Thread-Index: AQECAwQFAAECAwQFBgcICQoLDA0ODw==";
        let expected = [&[1, 1, 2, 3, 4, 5][..], &(0..16).collect::<Vec<u8>>()].concat();
        assert_eq!(index(sent), Some(expected));
        assert_eq!(index("Thread-Index: AQ=="), None);
    }
}
