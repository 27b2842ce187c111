//! The subjects of a folder's items, for searches: the one header field that clients search in folders of any size. They are
//! loaded at the first such search, stand behind each other in one string, and are counted with the index they belong to.
//!
//! A mail's subject never changes while the mail keeps its id, so nothing here is ever updated. Items that came since are read
//! from the database by the search itself while they are few ([`FEW`]) and added when they are more; what left the folder goes
//! with the next addition.

use std::{collections::HashMap, sync::Arc};

use sqlx::Row;

use super::FolderIndex;
use crate::{FolderId, ItemId, Result, append::MAX_TEXT, item::load::ids, mailbox::Core};

/// Items without a subject here that a search may still meet.
const FEW: usize = 256;
/// Items whose subjects are read with one statement.
const BATCH: usize = 4096;

/// Decoded subjects, by item.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    /// Ascending, each with where its subject ends.
    items: Vec<(ItemId, u32)>,
    text: String,
}

impl Subjects {
    fn place(&self, item: ItemId) -> Option<usize> {
        self.items
            .binary_search_by_key(&item, |(item, _)| *item)
            .ok()
    }

    /// The subject of an item; none when it is empty or not whole, too: what the header says then, only the header tells.
    pub(crate) fn of(&self, item: ItemId) -> Option<&str> {
        self.at(self.place(item)?)
            .filter(|subject| !subject.is_empty())
    }

    fn at(&self, place: usize) -> Option<&str> {
        let (_, end) = self.items.get(place)?;
        let before = place
            .checked_sub(1)
            .and_then(|before| self.items.get(before));
        let start = before.map_or(0, |(_, end)| *end);
        self.text.get(start as usize..*end as usize)
    }

    fn push(&mut self, item: ItemId, subject: &str) {
        // A text of the column's full length may have been cut.
        let whole =
            subject.len() + 4 <= MAX_TEXT && self.text.len() + subject.len() < u32::MAX as usize;
        self.text.push_str(if whole { subject } else { "" });
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.items.push((item, end));
    }

    pub(super) fn octets(&self) -> usize {
        self.items.capacity() * size_of::<(ItemId, u32)>() + self.text.capacity()
    }
}

/// The subjects of the folder's items, all but a few.
pub(crate) async fn of_folder(
    core: &Arc<Core>,
    folder: FolderId,
    index: &Arc<FolderIndex>,
) -> Result<Arc<Subjects>> {
    let known = index.subjects();
    let (items, missing) = sorted(index, &known);
    if missing.len() <= FEW {
        return Ok(known);
    }
    let mut read = HashMap::with_capacity(missing.len());
    for some in missing.chunks(BATCH) {
        // The mailbox is free for others between batches. No flag is read, and no flag moves a subject.
        let mut reader = core.read_unfolded().await?;
        let select = "SELECT id, subject FROM items WHERE id IN (SELECT value FROM json_each(?))";
        let rows = sqlx::query(select)
            .bind(ids(some))
            .fetch_all(reader.conn()?)
            .await?;
        for row in rows {
            read.insert(
                ItemId(row.try_get::<i64, _>(0)?.cast_unsigned()),
                row.try_get::<String, _>(1)?,
            );
        }
    }
    let mut subjects = Subjects::default();
    for item in items {
        let subject = known.place(item).and_then(|place| known.at(place));
        // One of neither left meanwhile.
        if let Some(subject) = subject.or_else(|| read.get(&item).map(String::as_str)) {
            subjects.push(item, subject);
        }
    }
    let subjects = Arc::new(subjects);
    index.keep_subjects(subjects.clone());
    core.counted_anew(folder, index);
    Ok(subjects)
}

/// All items of the folder, ascending, and those of them without a subject.
fn sorted(index: &FolderIndex, known: &Subjects) -> (Vec<ItemId>, Vec<ItemId>) {
    let mut items = index.read().items();
    items.sort_unstable();
    let missing = items
        .iter()
        .copied()
        .filter(|item| known.place(*item).is_none());
    let missing = missing.collect();
    (items, missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_found_by_its_item_and_one_that_may_be_cut_is_not() {
        let mut subjects = Subjects::default();
        subjects.push(ItemId(3), "apples");
        subjects.push(ItemId(5), "");
        subjects.push(ItemId(7), &"x".repeat(MAX_TEXT));
        subjects.push(ItemId(9), "pears");
        let found = [3, 5, 7, 9, 4].map(|item| subjects.of(ItemId(item)));
        assert_eq!(found, [Some("apples"), None, None, Some("pears"), None]);
    }
}
