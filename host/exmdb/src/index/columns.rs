//! The columns of a folder index.

use std::collections::HashMap;

use super::Reflagged;
use crate::{ItemFlags, ItemId};

/// One item, gathered from the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexRow {
    pub(crate) uid: u32,
    pub(crate) item: ItemId,
    pub(crate) modseq: u64,
    pub(crate) flags: ItemFlags,
    pub(crate) keywords: Vec<u16>,
    pub(crate) size: u64,
    pub(crate) internal_date: i64,
    pub(crate) save_date: i64,
    pub(crate) sent_date: i64,
    pub(crate) sent_day: i32,
}

/// What every sync and flag command walks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hot {
    pub(crate) modseq: u64,
    pub(crate) uid: u32,
    pub(crate) flags: u32,
    keywords: u32,
}

#[derive(Debug, Clone, Copy)]
struct Cold {
    item: u64,
    size: u64,
    internal_date: i64,
    save_date: i64,
    sent_date: i64,
    sent_day: i32,
}

/// The columns, in UID order.
#[derive(Debug, Default)]
pub(crate) struct IndexColumns {
    hot: Vec<Hot>,
    cold: Vec<Cold>,
    keyword_sets: Vec<Vec<u16>>,
    keyword_numbers: HashMap<Vec<u16>, u32>,
    pub(crate) highest_modseq: u64,
    pub(crate) uid_next: u32,
    /// The folder's modseq after the last removal since the index was loaded; its modseq then, before one.
    pub(crate) removed_modseq: u64,
}

impl IndexColumns {
    /// Columns of a folder without items.
    pub(crate) fn new(highest_modseq: u64, uid_next: u32) -> IndexColumns {
        IndexColumns {
            highest_modseq,
            uid_next,
            removed_modseq: highest_modseq,
            ..IndexColumns::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.hot.len()
    }

    /// The columns that every walk needs, in UID order.
    pub(crate) fn hot(&self) -> &[Hot] {
        &self.hot
    }

    /// All items, in UID order.
    pub(crate) fn items(&self) -> Vec<ItemId> {
        self.cold.iter().map(|cold| ItemId(cold.item)).collect()
    }

    /// The place of a UID.
    pub(crate) fn find(&self, uid: u32) -> Option<usize> {
        self.hot.binary_search_by_key(&uid, |hot| hot.uid).ok()
    }

    /// The first place with this UID or a higher one.
    pub(crate) fn lower_bound(&self, uid: u32) -> usize {
        self.hot.partition_point(|hot| hot.uid < uid)
    }

    pub(crate) fn row(&self, place: usize) -> Option<IndexRow> {
        let (hot, cold) = (self.hot.get(place)?, self.cold.get(place)?);
        Some(IndexRow {
            uid: hot.uid,
            item: ItemId(cold.item),
            modseq: hot.modseq,
            flags: ItemFlags(hot.flags),
            keywords: self
                .keyword_sets
                .get(hot.keywords as usize)
                .cloned()
                .unwrap_or_default(),
            size: cold.size,
            internal_date: cold.internal_date,
            save_date: cold.save_date,
            sent_date: cold.sent_date,
            sent_day: cold.sent_day,
        })
    }

    /// Sets the row of its UID; a new UID is nearly always the highest.
    pub(crate) fn put(&mut self, row: &IndexRow) {
        let keywords = self.keyword_set(&row.keywords);
        let hot = Hot {
            modseq: row.modseq,
            uid: row.uid,
            flags: row.flags.0,
            keywords,
        };
        let cold = Cold {
            item: row.item.0,
            size: row.size,
            internal_date: row.internal_date,
            save_date: row.save_date,
            sent_date: row.sent_date,
            sent_day: row.sent_day,
        };
        let place = self.lower_bound(row.uid);
        match (self.hot.get_mut(place), self.cold.get_mut(place)) {
            (Some(old_hot), Some(old_cold)) if old_hot.uid == row.uid => {
                *old_hot = hot;
                *old_cold = cold;
            }
            _ => {
                self.hot.insert(place, hot);
                self.cold.insert(place, cold);
            }
        }
    }

    /// Sets flags of rows that are there.
    pub(crate) fn reflag(&mut self, items: &Reflagged) {
        let keywords = self.keyword_set(&items.keywords);
        let mut next = 0;
        for (modseq, uid) in (items.first..).zip(items.uids.iter().copied()) {
            // Nearly always the neighbour of the last.
            if self.hot.get(next).is_none_or(|hot| hot.uid != uid) {
                next = self.lower_bound(uid);
            }
            if let Some(hot) = self.hot.get_mut(next).filter(|hot| hot.uid == uid) {
                hot.modseq = modseq;
                hot.flags = items.flags.0;
                hot.keywords = keywords;
            }
            next += 1;
        }
    }

    /// Removes rows in one pass.
    pub(crate) fn remove(&mut self, mut uids: Vec<u32>, modseq: u64) {
        if uids.is_empty() {
            return;
        }
        uids.sort_unstable();
        let keep: Vec<bool> = self
            .hot
            .iter()
            .map(|hot| uids.binary_search(&hot.uid).is_err())
            .collect();
        let mut verdicts = keep.iter();
        self.hot
            .retain(|_| verdicts.next().copied().unwrap_or(true));
        let mut verdicts = keep.iter();
        self.cold
            .retain(|_| verdicts.next().copied().unwrap_or(true));
        self.removed_modseq = modseq;
    }

    fn keyword_set(&mut self, keywords: &[u16]) -> u32 {
        if let Some(number) = self.keyword_numbers.get(keywords) {
            return *number;
        }
        let number = u32::try_from(self.keyword_sets.len()).unwrap_or(u32::MAX);
        self.keyword_sets.push(keywords.to_vec());
        self.keyword_numbers.insert(keywords.to_vec(), number);
        number
    }

    pub(crate) fn octets(&self) -> usize {
        self.hot.capacity() * size_of::<Hot>()
            + self.cold.capacity() * size_of::<Cold>()
            + self.keyword_sets.len() * 64
    }
}
