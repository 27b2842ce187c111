//! The change log: range scans on (folder, number), never a scan of the folder. Items that changed come from the log index over
//! `items`, those that are gone from the tombstones; both in the order of the one counter, so any number is a place to continue.

use futures_util::FutureExt;
use sqlx::Row;

use crate::{
    ChangeNumber, Delta, Error, FolderId, HierarchyDelta, ItemChange, ItemFlags, ItemId, Mailbox,
    Result, Rights, Tombstone, TombstoneKind, Uid,
};

/// Changes of one call.
const MAX_CHANGES: u32 = 10_000;
/// Numbers that a client may reserve at once ([MS-OXCFXICS] 2.2.3.2.4.9).
const MAX_RESERVED: u32 = 0x0010_0000;

fn number(row: &sqlx::sqlite::SqliteRow, column: usize) -> Result<u64> {
    Ok(row.try_get::<i64, _>(column)?.cast_unsigned())
}

fn change(row: &sqlx::sqlite::SqliteRow) -> Result<(u64, ItemChange)> {
    let flags = ItemFlags(row.try_get(6)?);
    let change = ItemChange {
        item: ItemId(number(row, 1)?),
        uid: Uid(row.try_get(2)?),
        cn: ChangeNumber(number(row, 3)?),
        read_cn: ChangeNumber(number(row, 4)?),
        flag_cn: ChangeNumber(number(row, 5)?),
        associated: flags.has(ItemFlags::ASSOCIATED),
    };
    Ok((number(row, 0)?, change))
}

fn tombstone(row: &sqlx::sqlite::SqliteRow) -> Result<Tombstone> {
    let kind: u32 = row.try_get(5)?;
    Ok(Tombstone {
        cn: ChangeNumber(number(row, 0)?),
        item: ItemId(number(row, 1)?),
        uid: Uid(row.try_get(2)?),
        outside_name: row.try_get(3)?,
        associated: row.try_get(4)?,
        kind: match kind {
            1 => TombstoneKind::Soft,
            2 => TombstoneKind::Hard,
            3 => TombstoneKind::Moved,
            _ => return Err(Error::Corrupt(format!("tombstone of kind {kind}"))),
        },
    })
}

impl Mailbox {
    /// Changes of a folder with numbers above `since`, oldest first, at most `limit`. Soft-deleted items are gone.
    ///
    /// # Errors
    /// `Expired` when tombstones that old are gone: start over from 0, which is never expired.
    pub async fn changes_of_folder(
        &self,
        folder: FolderId,
        since: ChangeNumber,
        limit: u32,
    ) -> Result<Delta> {
        let mut reader = self.core.read().await?;
        let state = reader.state()?;
        state.demand(&self.actor, folder, Rights::READ_ANY)?;
        let known = state.folder(folder)?;
        if since.0 != 0 && since.0 < known.tombstone_floor {
            return Err(Error::Expired(format!(
                "change number {since} of folder {folder}"
            )));
        }
        let limit = limit.clamp(1, MAX_CHANGES);
        let (id, since_number) = (folder.0.cast_signed(), since.0.cast_signed());
        let scan = "SELECT modseq, id, uid, cn, read_cn, flag_cn, flags FROM items
            WHERE folder = ? AND modseq > ? AND deleted_at IS NULL ORDER BY modseq LIMIT ?";
        let rows = sqlx::query(scan)
            .bind(id)
            .bind(since_number)
            .bind(limit)
            .fetch_all(reader.conn()?)
            .await?;
        let mut changed = rows.iter().map(change).collect::<Result<Vec<_>>>()?;
        let scan = "SELECT cn, item, uid, outside_name, associated, kind FROM tombstones
            WHERE folder = ? AND cn > ? ORDER BY cn LIMIT ?";
        let rows = sqlx::query(scan)
            .bind(id)
            .bind(since_number)
            .bind(limit)
            .fetch_all(reader.conn()?)
            .await?;
        let mut deleted = rows.iter().map(tombstone).collect::<Result<Vec<_>>>()?;
        let full = usize::try_from(limit).unwrap_or(usize::MAX);
        let end = |numbers: Option<u64>, count: usize| if count >= full { numbers } else { None };
        let ends = [
            end(changed.last().map(|(modseq, _)| *modseq), changed.len()),
            end(
                deleted.last().map(|tombstone| tombstone.cn.0),
                deleted.len(),
            ),
        ];
        let cut = ends.into_iter().flatten().min();
        if let Some(cut) = cut {
            changed.retain(|(modseq, _)| *modseq <= cut);
            deleted.retain(|tombstone| tombstone.cn.0 <= cut);
        }
        Ok(Delta {
            changed: changed.into_iter().map(|(_, change)| change).collect(),
            deleted,
            until: ChangeNumber(cut.unwrap_or(known.highest_modseq).max(since.0)),
            more: cut.is_some_and(|cut| cut < known.highest_modseq),
        })
    }

    /// Folders made, changed (also in their permissions) or deleted above `since`.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn changes_of_hierarchy(&self, since: ChangeNumber) -> Result<HierarchyDelta> {
        let mut reader = self.core.read().await?;
        let state = reader.state()?;
        let shown = state
            .folders
            .values()
            .filter(|folder| folder.parent.is_some());
        let newer = shown.filter(|folder| folder.cn.max(folder.acl_cn) > since.0);
        let visible = |folder: FolderId| {
            state
                .rights(&self.actor, folder)
                .intersects(Rights::FOLDER_VISIBLE | Rights::READ_ANY)
        };
        let changed = newer
            .map(|folder| folder.id)
            .filter(|folder| visible(*folder))
            .collect();
        let scan =
            sqlx::query_scalar("SELECT folder FROM folder_tombstones WHERE cn > ? ORDER BY cn")
                .bind(since.0.cast_signed());
        let deleted: Vec<i64> = scan.fetch_all(reader.conn()?).await?;
        Ok(HierarchyDelta {
            changed,
            deleted: deleted
                .into_iter()
                .map(|folder| FolderId(folder.cast_unsigned()))
                .collect(),
            until: ChangeNumber(state.counter),
        })
    }

    /// The mailbox's counter now.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn latest(&self) -> Result<ChangeNumber> {
        Ok(ChangeNumber(self.core.state().await?.counter))
    }

    /// The first of a run of `count` numbers that the store will never give to anything itself.
    ///
    /// # Errors
    /// `Limit` for more than 0x100000.
    pub async fn reserve_ids(&self, count: u32) -> Result<u64> {
        if count == 0 || count > MAX_RESERVED {
            return Err(Error::Limit(format!(
                "1 to {MAX_RESERVED} ids are reserved at once"
            )));
        }
        self.core
            .write(move |work| async move { work.reserve_numbers(u64::from(count)) }.boxed())
            .await
    }
}
