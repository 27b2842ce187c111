//! One message that comes twice to one mailbox within a short time: by a list and directly, or by two aliases on two servers.
//!
//! It is known by its Message-ID, with From and Date, and by all that stands below the header: programs give different mail one Message-ID,
//! and no message may be lost over that. What a list has added a line to is therefore another message. Noted is only what has arrived, so 250 for the second one is the truth: the first one is on disk. A message without a Message-ID is never a
//! duplicate. Bounds: [`MAX_KNOWN`] in memory, for the time that the operator says; a restart forgets, and a message may show up twice then.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use waxwing_exmdb::{Body, MailboxGuid};
use waxwing_formats_mime::header as mime;

use crate::header::Header;

/// Messages that are known.
const MAX_KNOWN: usize = 100_000;
/// Octets that are read at a time.
const CHUNK: usize = 256 * 1024;

/// A message in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Arrived(MailboxGuid, [u8; 32]);

impl Arrived {
    /// None without a Message-ID, and when the message cannot be read.
    pub(crate) async fn of(
        mailbox: MailboxGuid,
        message: &Body,
        header: &Header,
    ) -> Option<Arrived> {
        let mut digest = blake3::Hasher::new();
        let mut is_named = false;
        for field in mime::fields(header.octets()) {
            let place = ["Message-ID", "From", "Date"]
                .iter()
                .position(|name| field.is(name));
            let Some(place) = place else {
                continue;
            };
            is_named |= place == 0 && !field.value.trim_ascii().is_empty();
            let value = field.value.trim_ascii();
            digest
                .update(&(place as u64).to_le_bytes())
                .update(&(value.len() as u64).to_le_bytes())
                .update(value);
        }
        if !is_named {
            return None;
        }
        let mut offset = header.octets().len() as u64;
        loop {
            let chunk = message.read(offset, CHUNK).await.ok()?;
            if chunk.is_empty() {
                return Some(Arrived(mailbox, *digest.finalize().as_bytes()));
            }
            digest.update(&chunk);
            offset += chunk.len() as u64;
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Duplicates(Mutex<HashMap<Arrived, Instant>>);

impl Duplicates {
    /// Whether it has come within the time.
    pub(crate) fn has(&self, arrived: Arrived, window: Duration, now: Instant) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = known.get(&arrived);
        since.is_some_and(|since| now.duration_since(*since) < window)
    }

    pub(crate) fn note(&self, arrived: Arrived, window: Duration, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.retain(|_, since| now.duration_since(*since) < window);
        }
        if known.len() < MAX_KNOWN {
            known.insert(arrived, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DeliveryOptions, Envelope,
        testing::{Fixture, envelope},
    };

    async fn arrived(header: &str) -> Option<Arrived> {
        arrived_with(header, "hello\r\n").await
    }

    async fn arrived_with(header: &str, body: &str) -> Option<Arrived> {
        let message = Body::from_bytes(format!("{header}\r\n{body}").into());
        let header = Header::read(&message).await.unwrap();
        Arrived::of(MailboxGuid([1; 16]), &message, &header).await
    }

    #[tokio::test]
    async fn different_mail_under_one_message_id_is_not_lost() {
        let header = "Message-ID: <1@a>\r\nFrom: a\r\nDate: x\r\n";
        let one = arrived_with(header, "one\r\n").await;
        assert!(one.is_some() && one != arrived_with(header, "two\r\n").await);
    }

    #[tokio::test]
    async fn a_message_is_known_by_its_id_author_and_date() {
        let one = arrived("Message-ID: <1@a>\r\nFrom: a\r\nDate: x\r\n").await;
        let again = "Received: y\r\nMessage-ID:  <1@a>\r\nFrom: a\r\nDate: x\r\nSubject: z\r\n";
        assert_eq!(arrived(again).await, one);
        for other in [
            "Message-ID: <1@a>\r\nFrom: b\r\nDate: x\r\n",
            "Message-ID: <1@a>\r\nFrom: a\r\nDate: y\r\n",
            "Message-ID: <2@a>\r\nFrom: a\r\nDate: x\r\n",
        ] {
            assert_ne!(arrived(other).await, one, "{other}");
        }
        assert_eq!(arrived("From: a\r\nDate: x\r\n").await, None);
    }

    #[tokio::test]
    async fn the_second_one_is_taken_and_not_stored_but_over_lmtp() {
        let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        fixture.delivery.configure(DeliveryOptions {
            duplicate_window: Duration::from_secs(60),
            ..DeliveryOptions::default()
        });
        let message = "Message-ID: <1@a>\r\n\r\nhello\r\n";
        let to = envelope("", &["anna@example.org", "bob@example.org"]);
        let lmtp = Envelope {
            source: "lmtp".into(),
            ..envelope("", &["anna@example.org"])
        };
        for envelope in [&envelope("", &["anna@example.org"]), &to, &lmtp] {
            for outcome in fixture.deliver(envelope, message).await {
                assert_eq!(outcome.code, 250);
            }
        }
        assert_eq!(fixture.inbox("anna@example.org").await.len(), 2);
        assert_eq!(fixture.inbox("bob@example.org").await.len(), 1);
    }

    #[test]
    fn what_is_long_ago_is_another_one() {
        let (known, now) = (Duplicates::default(), Instant::now());
        let (arrived, window) = (
            Arrived(MailboxGuid([1; 16]), [2; 32]),
            Duration::from_secs(60),
        );
        known.note(arrived, window, now);
        assert!(known.has(arrived, window, now + Duration::from_secs(59)));
        assert!(!known.has(arrived, window, now + Duration::from_secs(60)));
    }
}
