//! What SEARCH TEXT and BODY ask before they read a message: the signature of its text, which says for most messages that a text is
//! not in them.
//!
//! It is a Bloom filter with one hash over the trigrams (three octets in a row) of the folded text: header and readable parts,
//! exactly those texts that are searched. A text can only be in a message that has all its trigrams, so nothing is
//! missed, whatever the language and wherever in a word the text begins; what the signature does not rule out is read and decided as if
//! there were none. Not an index of words: IMAP searches for substrings, a word index would miss them, and
//! one that finds them (a trigram list for each) costs milliseconds for each message that is delivered. This costs some
//! microseconds and about a tenth of a message's size, and a search reads that tenth.
//!
//! A signature stands with the blob, so copies share it, and goes with it. It is written in the commit of the append. Mail that has
//! none, or one of another [`VERSION`] (from before, or because what is read as text has changed since), is read by the first search
//! that comes by, which then writes it. A text of less than three octets, or a message with more than [`MAX_TEXT`] of text, is
//! always read.

use std::collections::HashMap;

use sqlx::Row;
use waxwing_formats_mapi::fold::fold;
use waxwing_formats_mime::{Structure, text};

use super::load;
use crate::{
    ItemId, Result,
    mailbox::{Reader, commit::Work},
};

/// Raise it whenever `text::header`, `text::body` or `fold` give another text for the same message.
pub(crate) const VERSION: i64 = 1;
/// Octets of text of which a signature still rules something out.
const MAX_TEXT: usize = 256 * 1024;
/// Bits.
const SMALLEST: usize = 512;
/// Bits; a power of two as all sizes are.
const LARGEST: usize = 128 * 1024;

/// A set of trigrams; may say of others that they are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature(Vec<u8>);

impl Signature {
    /// None: there is too much text.
    pub(crate) fn of(message: &[u8], structure: &Structure) -> Option<Signature> {
        let mut texts = vec![fold(&text::header(message, structure))];
        let mut octets = texts.iter().map(String::len).sum::<usize>();
        for part in text::body(message, structure) {
            octets += part.len();
            if octets > MAX_TEXT {
                return None;
            }
            texts.push(fold(&part));
        }
        Some(Signature::of_texts(&texts, octets))
    }

    fn of_texts(texts: &[String], octets: usize) -> Signature {
        let bits = octets.next_power_of_two().clamp(SMALLEST, LARGEST);
        let mut signature = Signature(vec![0; bits / 8]);
        for text in texts {
            for hash in trigrams(text) {
                signature.set(hash);
            }
        }
        signature.fold_up();
        signature
    }

    fn bits(&self) -> usize {
        self.0.len() * 8
    }

    /// Where the bit of a hash stands.
    fn place(&self, hash: u32) -> (usize, u8) {
        // The size is a power of two and not 0: `of_texts` and `stored` see to it.
        let bit = hash as usize & (self.bits() - 1);
        (bit / 8, 1 << (bit % 8))
    }

    fn set(&mut self, hash: u32) {
        let (octet, mask) = self.place(hash);
        if let Some(octet) = self.0.get_mut(octet) {
            *octet |= mask;
        }
    }

    /// Halves it while hardly anything is in it: the same few trigrams again and again need no more.
    fn fold_up(&mut self) {
        while self.bits() > SMALLEST {
            let ones: usize = self.0.iter().map(|octet| octet.count_ones() as usize).sum();
            if ones * 8 > self.bits() {
                return;
            }
            let upper = self.0.split_off(self.0.len() / 2);
            for (octet, more) in self.0.iter_mut().zip(upper) {
                *octet |= more;
            }
        }
    }

    /// Whether the text may be in the message; false: it is not.
    pub(crate) fn may_contain(&self, wanted: &str) -> bool {
        trigrams(&fold(wanted)).all(|hash| {
            let (octet, mask) = self.place(hash);
            self.0.get(octet).is_none_or(|octet| octet & mask != 0)
        })
    }

    /// As [`Signature::stored`] reads it: a sum, then the bits.
    pub(crate) fn to_stored(&self) -> Vec<u8> {
        [&sum(&self.0)[..], &self.0].concat()
    }

    /// None when a damaged page has changed it: a message must not be hidden by that.
    fn stored(octets: &[u8]) -> Option<Signature> {
        let (stored_sum, bits) = octets.split_at_checked(SUM)?;
        let is_whole = bits.len().is_power_of_two() && sum(bits) == *stored_sum;
        is_whole.then(|| Signature(bits.to_vec()))
    }
}

/// Octets.
const SUM: usize = 8;

fn sum(bits: &[u8]) -> [u8; SUM] {
    let mut sum = [0; SUM];
    for (octet, hashed) in sum.iter_mut().zip(blake3::hash(bits).as_bytes()) {
        *octet = *hashed;
    }
    sum
}

/// The hash of each three octets in a row.
fn trigrams(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.as_bytes().windows(3).map(|window| {
        let number = window
            .iter()
            .fold(0, |number, octet| number << 8 | u32::from(*octet));
        // The lower bits of a product depend on the lower bits alone; the middle ones on all.
        number.wrapping_mul(0x9E37_79B1) >> 11
    })
}

/// Those of the items that have one.
pub(super) async fn of_items(
    reader: &mut Reader,
    items: &[ItemId],
) -> Result<HashMap<ItemId, Signature>> {
    let select = "SELECT i.id, s.bits FROM json_each(?1) j JOIN items i ON i.id = j.value
        JOIN signatures s ON s.blob = i.blob WHERE s.version = ?2";
    let rows = sqlx::query(select)
        .bind(load::ids(items))
        .bind(VERSION)
        .fetch_all(reader.conn()?)
        .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        if let Some(signature) = Signature::stored(row.try_get::<&[u8], _>(1)?) {
            found.insert(ItemId(row.try_get::<i64, _>(0)?.cast_unsigned()), signature);
        }
    }
    Ok(found)
}

impl Work {
    /// Writes the signature of a blob.
    pub(crate) async fn sign(&mut self, blob: i64, signature: &Signature) -> Result<()> {
        sqlx::query("INSERT OR REPLACE INTO signatures (blob, version, bits) VALUES (?, ?, ?)")
            .bind(blob)
            .bind(VERSION)
            .bind(signature.to_stored())
            .execute(self.conn()?)
            .await?;
        Ok(())
    }

    /// Writes what a search has found out; items that went meanwhile are passed over.
    pub(super) async fn sign_items(&mut self, learnt: &[(ItemId, Signature)]) -> Result<()> {
        for (item, signature) in learnt {
            let blob = sqlx::query_scalar("SELECT blob FROM items WHERE id = ?")
                .bind(item.0.cast_signed());
            let blob: Option<Option<i64>> = blob.fetch_optional(self.conn()?).await?;
            if let Some(Some(blob)) = blob {
                self.sign(blob, signature).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use waxwing_formats_mapi::fold;

    use super::*;

    fn of(message: &str) -> Signature {
        Signature::of(message.as_bytes(), &Structure::parse(message.as_bytes())).unwrap()
    }

    #[test]
    fn a_text_that_is_not_there_is_mostly_ruled_out() {
        let body = "the quick brown fox jumps over the lazy dog. ".repeat(100);
        let signature = of(&format!(
            "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n{body}"
        ));
        assert!(signature.may_contain("BROWN fox") && signature.may_contain("grüße"));
        assert!(!signature.may_contain("invoice") && !signature.may_contain("zebra"));
        assert!(
            signature.may_contain("zz"),
            "nothing is known of two octets"
        );
    }

    #[test]
    fn a_damaged_signature_is_none() {
        let signature = of("Subject: a\r\n\r\nhello");
        let mut stored = signature.to_stored();
        assert_eq!(Signature::stored(&stored), Some(signature));
        stored[20] ^= 1;
        assert_eq!(Signature::stored(&stored), None);
        assert_eq!(Signature::stored(&stored[..4]), None);
    }

    #[test]
    fn the_same_few_words_take_little_room() {
        let signature = of(&format!("Subject: a\r\n\r\n{}", "hello ".repeat(10_000)));
        assert_eq!(signature.bits(), SMALLEST);
    }

    #[test]
    fn a_text_that_would_fill_it_has_none() {
        let message = format!("Subject: a\r\n\r\n{}", "x".repeat(MAX_TEXT));
        assert_eq!(
            Signature::of(message.as_bytes(), &Structure::parse(message.as_bytes())),
            None
        );
    }

    proptest! {
        #[test]
        fn nothing_that_is_there_is_ruled_out(text in "\\PC{0,400}", from in 0usize..400, len in 0usize..20) {
            let characters: Vec<char> = text.chars().collect();
            let wanted: String = characters.iter().skip(from % (characters.len() + 1)).take(len).collect();
            let signature = of(&format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}"));
            prop_assert!(fold::contains(&text, &wanted));
            prop_assert!(signature.may_contain(&wanted));
        }
    }
}
