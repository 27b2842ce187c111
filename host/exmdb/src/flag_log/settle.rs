//! What the entries of a log leave to be written, each column of each item once.

use std::collections::{BTreeMap, HashMap};

use super::Entry;
use crate::FolderId;

/// Flags, keywords and modseq, beside the versions of [`super::moves`].
const STATE: u8 = 8;

/// Columns of items that one entry settles.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) folder: FolderId,
    /// `moves`, and 8 for flags, keywords and modseq.
    pub(super) columns: u8,
    pub(super) first: u64,
    pub(super) flags: u32,
    pub(super) keywords: String,
    /// Distance from the first number, and UID.
    pub(super) items: Vec<(u32, u32)>,
}

/// From entries, newest first.
pub(super) fn settle(entries: Vec<Entry>) -> Vec<Settled> {
    let mut known: HashMap<(FolderId, u32), u8> = HashMap::new();
    let mut settled = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut groups: BTreeMap<u8, Vec<(u32, u32)>> = BTreeMap::new();
        for item in (0..).zip(entry.uids.iter().cloned().flatten()) {
            let columns = known.entry((entry.folder, item.1)).or_default();
            let open = (entry.moves | STATE) & !*columns;
            *columns |= open;
            if open != 0 {
                groups.entry(open).or_default().push(item);
            }
        }
        settled.extend(groups.into_iter().map(|(columns, items)| Settled {
            folder: entry.folder,
            columns,
            first: entry.first,
            flags: entry.flags,
            keywords: entry.keywords.clone(),
            items,
        }));
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(first: u64, moves: u8, uids: std::ops::RangeInclusive<u32>) -> Entry {
        Entry {
            first,
            folder: FolderId(1),
            moves,
            flags: 0,
            keywords: String::new(),
            uids: vec![uids],
        }
    }

    #[test]
    fn the_newest_entry_holds_and_older_ones_only_for_versions_that_it_left() {
        let entries = vec![entry(20, 4, 2..=3), entry(10, 2, 1..=3), entry(5, 4, 3..=3)];
        let settled = settle(entries);
        let written: Vec<_> = settled
            .iter()
            .map(|settled| (settled.first, settled.columns, settled.items.clone()))
            .collect();
        let expected = vec![
            (20, 4 | STATE, vec![(0, 2), (1, 3)]),
            (10, 2, vec![(1, 2), (2, 3)]),
            (10, 2 | STATE, vec![(0, 1)]),
        ];
        assert_eq!(written, expected);
    }
}
