//! Where a message has arrived already whose delivery the sender must repeat: in mailboxes, and in the queue for others.
//!
//! A message for ten mailboxes of which one is unavailable is answered 451, since only an acknowledged message is ours; the
//! sender comes again with all of them, and the nine must not get it twice. So after a partial temporary failure this
//! remembers (digest of what its author wrote, sender) with the mailboxes that have it.
//!
//! A delivery that wholly succeeds is not remembered and costs no digest. Bounds: [`MAX_MESSAGES`] of them, the oldest is
//! forgotten first; [`KEPT_FOR`], longer than senders retry; this process (a restart in between may show up as one
//! message twice, never as a lost one). The size of an entry is bounded by the recipients of one transaction.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use waxwing_exmdb::{Body, MailboxGuid, Result};

use crate::header::{Header, fields, is_field};

/// Messages remembered.
const MAX_MESSAGES: usize = 10_000;
/// RFC 5321 section 4.5.4.1: senders give up after four to five days.
const KEPT_FOR: Duration = Duration::from_secs(5 * 24 * 3600);
const CHUNK: usize = 256 * 1024;

/// Where a message can arrive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Mailbox(MailboxGuid),
    /// The queue, for an address elsewhere.
    Foreign(String),
}

/// Fields that a message is known by: those that its author writes. What hops and filters put into a header is another in each attempt.
const KNOWN_BY: [&[u8]; 6] = [b"from", b"to", b"cc", b"subject", b"date", b"message-id"];

/// A message and its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) async fn of(sender: &str, message: &Body, header: &Header) -> Result<Fingerprint> {
        let mut digest = blake3::Hasher::new();
        digest
            .update(&(sender.len() as u64).to_le_bytes())
            .update(sender.as_bytes());
        for field in fields(header.octets())
            .filter(|field| KNOWN_BY.iter().any(|name| is_field(field, name)))
        {
            digest.update(field);
        }
        let mut offset = header.octets().len() as u64;
        loop {
            let chunk = message.read(offset, CHUNK).await?;
            if chunk.is_empty() {
                break;
            }
            digest.update(&chunk);
            offset += chunk.len() as u64;
        }
        Ok(Fingerprint(*digest.finalize().as_bytes()))
    }
}

#[derive(Debug)]
struct Partial {
    since: Instant,
    delivered: HashSet<Place>,
}

#[derive(Debug, Default)]
pub(crate) struct Retries(Mutex<HashMap<Fingerprint, Partial>>);

impl Retries {
    /// Whether a fingerprint is worth making.
    pub(crate) fn is_empty(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    /// Where the message is from an earlier attempt.
    pub(crate) fn delivered(&self, message: Fingerprint, now: Instant) -> HashSet<Place> {
        let partials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let partial = partials
            .get(&message)
            .filter(|partial| now.duration_since(partial.since) < KEPT_FOR);
        partial
            .map(|partial| partial.delivered.clone())
            .unwrap_or_default()
    }

    /// After an attempt that the sender must repeat.
    pub(crate) fn remember(
        &self,
        message: Fingerprint,
        delivered: impl Iterator<Item = Place>,
        now: Instant,
    ) {
        let mut partials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if partials.len() >= MAX_MESSAGES && !partials.contains_key(&message) {
            partials.retain(|_, partial| now.duration_since(partial.since) < KEPT_FOR);
            let oldest = partials
                .iter()
                .min_by_key(|(_, partial)| partial.since)
                .map(|(message, _)| *message);
            if let (true, Some(oldest)) = (partials.len() >= MAX_MESSAGES, oldest) {
                partials.remove(&oldest);
            }
        }
        let partial = partials.entry(message).or_insert_with(|| Partial {
            since: now,
            delivered: HashSet::new(),
        });
        partial.delivered.extend(delivered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: Place = Place::Mailbox(MailboxGuid([1; 16]));

    fn message(number: u32) -> Fingerprint {
        Fingerprint(*blake3::hash(&number.to_le_bytes()).as_bytes())
    }

    async fn fingerprint(sender: &str, text: &str) -> Fingerprint {
        let body = Body::from_bytes(text.to_owned().into());
        Fingerprint::of(sender, &body, &Header::read(&body).await.unwrap())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_retry_is_known_by_what_its_author_wrote() {
        let first = fingerprint(
            "a@b.c",
            "Received: now\r\n\tby us\r\nSubject: x\r\n\r\nbody",
        )
        .await;
        assert_eq!(
            first,
            fingerprint("a@b.c", "Received: later\r\nSubject: x\r\n\r\nbody").await
        );
        assert_eq!(
            first,
            fingerprint(
                "a@b.c",
                "X-Checked: at noon\r\nReceived: now\r\nSubject: x\r\nX-Spam: 7\r\n\r\nbody"
            )
            .await
        );
        assert_ne!(
            first,
            fingerprint("a@b.c", "Received: now\r\nSubject: y\r\n\r\nbody").await
        );
        assert_ne!(
            first,
            fingerprint("a@b.d", "Received: now\r\nSubject: x\r\n\r\nbody").await
        );
        assert_ne!(
            first,
            fingerprint("a@b.c", "Received: now\r\nSubject: x\r\n\r\nBody").await
        );
    }

    #[test]
    fn what_was_delivered_is_known_for_as_long_as_senders_retry() {
        let (retries, now) = (Retries::default(), Instant::now());
        assert!(retries.is_empty());
        retries.remember(message(1), [ANNA].into_iter(), now);
        assert_eq!(retries.delivered(message(1), now), HashSet::from([ANNA]));
        assert!(retries.delivered(message(2), now).is_empty());
        assert!(retries.delivered(message(1), now + KEPT_FOR).is_empty());
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let (retries, now) = (Retries::default(), Instant::now());
        for number in 0..=MAX_MESSAGES as u32 {
            retries.remember(
                message(number),
                [ANNA].into_iter(),
                now + Duration::from_millis(number.into()),
            );
        }
        assert_eq!(retries.0.lock().unwrap().len(), MAX_MESSAGES);
        assert!(retries.delivered(message(0), now).is_empty());
        assert!(!retries.delivered(message(1), now).is_empty());
    }
}
