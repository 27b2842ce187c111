//! An entry of the log as it is stored.

use sqlx::{Row, sqlite::SqliteRow};

use crate::{Error, FolderId, Result, Span};

/// Which versions of an item an entry moves.
pub(crate) mod moves {
    /// Anything MAPI can see.
    pub(crate) const CN: u8 = 1;
    /// The read state.
    pub(crate) const READ: u8 = 2;
    /// Flags of IMAP alone.
    pub(crate) const FLAG: u8 = 4;
}

/// What an item becomes; most updates make few different ones. Those that become the same are written together, and get
/// consecutive change numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Outcome {
    pub(crate) flags: u32,
    pub(crate) keywords: Vec<u16>,
    pub(crate) moves: u8,
}

/// Items of a folder that became the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Change number of the first item; the others follow.
    pub(super) first: u64,
    pub(super) folder: FolderId,
    pub(super) moves: u8,
    pub(super) flags: u32,
    /// As an item's row has them.
    pub(super) keywords: String,
    pub(super) uids: Vec<Span>,
}

impl Entry {
    /// From its row.
    ///
    /// # Errors
    /// `Corrupt` when its UIDs are not as many as it says.
    pub(crate) fn of(row: &SqliteRow) -> Result<Entry> {
        let number = row.try_get::<i64, _>(0)?;
        let items = row.try_get::<i64, _>(5)?;
        let uids = unpack(row.try_get(6)?).filter(|uids| {
            let counted: i64 = uids
                .iter()
                .map(|span| i64::from(*span.end()) - i64::from(*span.start()) + 1)
                .sum();
            counted == items && i32::try_from(items).is_ok()
        });
        Ok(Entry {
            first: number.cast_unsigned(),
            folder: FolderId(row.try_get::<i64, _>(1)?.cast_unsigned()),
            moves: row.try_get(2)?,
            flags: row.try_get(3)?,
            keywords: row.try_get(4)?,
            uids: uids.ok_or_else(|| {
                Error::Corrupt(format!(
                    "the UIDs of entry {number} of the flag log; check the mailbox"
                ))
            })?,
        })
    }
}

/// Ascending UIDs as runs: for each, the distance from the end of the one before and how many follow its first, both in groups
/// of seven bits, lowest first.
pub(super) fn pack(uids: &[u32]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut end = 0;
    for run in uids.chunk_by(|uid, next| *next == uid.wrapping_add(1)) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            push(&mut packed, first.wrapping_sub(end));
            push(&mut packed, last.wrapping_sub(*first));
            end = *last;
        }
    }
    packed
}

fn push(packed: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        packed.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    packed.push(number.to_le_bytes()[0]);
}

/// None: nothing that [`pack`] made.
fn unpack(mut packed: &[u8]) -> Option<Vec<Span>> {
    let mut spans = Vec::new();
    let mut end = 0u32;
    while !packed.is_empty() {
        let distance = take(&mut packed).filter(|distance| *distance > 0)?;
        let first = end.checked_add(distance)?;
        end = first.checked_add(take(&mut packed)?)?;
        spans.push(first..=end);
    }
    Some(spans)
}

fn take(packed: &mut &[u8]) -> Option<u32> {
    let mut number = 0u64;
    for shift in [0, 7, 14, 21, 28] {
        let (byte, rest) = packed.split_first()?;
        *packed = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(number).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn uids_come_back_as_they_were(uids in prop::collection::btree_set(prop_oneof![1..300u32, any::<u32>().prop_map(|uid| uid.max(1))], 0..200)) {
            let uids: Vec<u32> = uids.into_iter().collect();
            let back: Vec<u32> = unpack(&pack(&uids)).unwrap().into_iter().flatten().collect();
            prop_assert_eq!(back, uids);
        }

        #[test]
        fn octets_that_are_no_uids_are_refused_or_ascend(packed in prop::collection::vec(any::<u8>(), 0..40)) {
            let ends = unpack(&packed).unwrap_or_default().into_iter().flat_map(|span| [u64::from(*span.start()), u64::from(*span.end()) + 1]);
            prop_assert!(ends.collect::<Vec<_>>().is_sorted());
        }
    }

    #[test]
    fn ten_thousand_in_a_row_are_a_few_octets_and_a_cut_entry_is_none() {
        let uids: Vec<u32> = (1..=10_000).collect();
        let packed = pack(&uids);
        assert_eq!(packed.len(), 3);
        assert_eq!(unpack(&packed[..2]), None);
    }
}
