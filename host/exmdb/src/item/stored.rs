//! What every change of items begins with: where they stand and what they are.

use sqlx::{Row, SqliteConnection};

use super::{
    columns::{ItemColumns, select_columns},
    load::ids,
};
use crate::{
    Error, FolderId, ItemFlags, ItemId, MailboxGuid, Result, Rights,
    index::IndexRow,
    mailbox::{Actor, commit::Work, state::State},
};

/// An item as it is stored, without its bag.
#[derive(Debug, Clone)]
pub(crate) struct StoredItem {
    pub(crate) columns: ItemColumns,
    pub(super) folder: FolderId,
    pub(super) soft_deleted: bool,
    /// It has a source blob.
    pub(super) sourced: bool,
    /// It is mail: views show it. An object has a source, and a name of a client's.
    pub(super) shown: bool,
}

impl StoredItem {
    pub(super) fn id(&self) -> ItemId {
        self.columns.item()
    }

    /// It counts in its folder.
    pub(super) fn is_live_and_normal(&self) -> bool {
        !self.soft_deleted && !self.columns.index.flags.has(ItemFlags::ASSOCIATED)
    }
}

/// The items, in the order asked for.
///
/// # Errors
/// `NotFound` when one does not exist.
pub(super) async fn load(
    conn: &mut SqliteConnection,
    mailbox: MailboxGuid,
    items: &[ItemId],
) -> Result<Vec<StoredItem>> {
    let select = select_columns!(
        ", folder, deleted_at IS NOT NULL AS soft_deleted, blob IS NOT NULL AS sourced, blob IS NOT NULL AND outside_name IS NULL AS shown FROM items WHERE id IN (SELECT value FROM json_each(?))"
    );
    let rows = sqlx::query(select).bind(ids(items)).fetch_all(conn).await?;
    let mut found = std::collections::HashMap::with_capacity(rows.len());
    for row in rows {
        let item = StoredItem {
            columns: ItemColumns::of(&row, mailbox)?,
            folder: FolderId(row.try_get::<i64, _>("folder")?.cast_unsigned()),
            soft_deleted: row.try_get("soft_deleted")?,
            sourced: row.try_get("sourced")?,
            shown: row.try_get("shown")?,
        };
        found.insert(item.id(), item);
    }
    let one = |item: &ItemId| {
        found
            .get(item)
            .cloned()
            .ok_or_else(|| Error::NotFound(format!("item {item}")))
    };
    items.iter().map(one).collect()
}

/// Refuses unless the actor may read the folders of all the items.
pub(super) fn demand_readable(state: &State, actor: &Actor, items: &[StoredItem]) -> Result<()> {
    let mut last = None;
    for item in items {
        if last.replace(item.folder) != Some(item.folder) {
            state.demand(actor, item.folder, Rights::READ_ANY)?;
        }
    }
    Ok(())
}

impl Work {
    /// Loads items to be changed and refuses unless the actor may.
    pub(crate) async fn items_to_change(
        &mut self,
        actor: &Actor,
        rights: (Rights, Rights),
        items: &[ItemId],
    ) -> Result<Vec<StoredItem>> {
        let mailbox = self.core().guid;
        let stored = load(self.conn()?, mailbox, items).await?;
        let mut folders: Vec<FolderId> = stored.iter().map(|item| item.folder).collect();
        folders.sort_unstable();
        folders.dedup();
        for folder in folders {
            let here: Vec<ItemId> = stored
                .iter()
                .filter(|item| item.folder == folder)
                .map(StoredItem::id)
                .collect();
            self.demand_for_items(actor, folder, rights, &here).await?;
        }
        Ok(stored)
    }

    /// Brings counts, index and watchers in line with a change of one item: what counted before, what counts after.
    pub(crate) fn account(
        &mut self,
        (folder, shown): (FolderId, bool),
        before: Option<&IndexRow>,
        after: Option<IndexRow>,
        number: u64,
    ) -> Result<()> {
        match (before, after) {
            (None, None) => self.touched(folder, number),
            (before, after) if !shown => {
                let state = self.folder(folder)?;
                if let Some(row) = before {
                    state.count(row, false);
                }
                if let Some(row) = after {
                    state.count(&row, true);
                }
                self.touched(folder, number)
            }
            (None, Some(after)) => self.came(folder, after),
            (Some(before), Some(after)) => self.changed(folder, before, after),
            (Some(before), None) => self.left(folder, before, number),
        }
    }
}
