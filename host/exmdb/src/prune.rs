//! What a mailbox forgets with time: tombstones, and items that were deleted softly.
//!
//! A tombstone tells a client that comes back what is gone. When one goes, its folder's floor moves up to its number: a
//! client whose token is older is told that it expired (or, for QRESYNC, everything that is gone) and starts over. No token
//! is ever answered from a log with a hole. Tombstones of folders stay: there are as many as folders were ever deleted.
//!
//! An item that was deleted softly left its tombstone when it was deleted; when it is destroyed, nothing changes for anybody
//! but those who could still have recovered it.

use futures_util::FutureExt;

use crate::{FolderId, ItemId, Mailbox, Result, mailbox::commit::Work};

/// Items that one commit destroys: others wait for the lock no longer than this takes.
const AT_ONCE: u32 = 500;

/// What is older than this goes; seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneBefore {
    /// Tombstones.
    pub tombstones: i64,
    /// When items were deleted softly.
    pub deleted: i64,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Tombstones.
    pub tombstones: u64,
    /// Items.
    pub items: u64,
}

impl Mailbox {
    /// Forgets what is older, in several commits.
    ///
    /// # Errors
    /// As every call that writes; what went before stays gone.
    pub async fn prune(&self, before: PruneBefore) -> Result<Pruned> {
        let mut pruned = Pruned {
            tombstones: self
                .core
                .write(move |work| async move { tombstones(work, before.tombstones).await }.boxed())
                .await?,
            items: 0,
        };
        loop {
            let destroyed = self
                .core
                .write(move |work| async move { deleted(work, before.deleted).await }.boxed())
                .await?;
            pruned.items += destroyed;
            if destroyed < u64::from(AT_ONCE) {
                return Ok(pruned);
            }
        }
    }
}

async fn tombstones(work: &mut Work, before: i64) -> Result<u64> {
    let oldest = "SELECT folder, max(cn) FROM tombstones WHERE at < ? GROUP BY folder";
    let floors: Vec<(i64, i64)> = sqlx::query_as(oldest)
        .bind(before)
        .fetch_all(work.conn()?)
        .await?;
    let mut gone = 0;
    for (folder, floor) in floors {
        let delete = sqlx::query("DELETE FROM tombstones WHERE folder = ? AND cn <= ?")
            .bind(folder)
            .bind(floor);
        gone += delete.execute(work.conn()?).await?.rows_affected();
        // Of a folder that is gone as well nobody asks.
        if let Ok(folder) = work.folder(FolderId(folder.cast_unsigned())) {
            folder.tombstone_floor = folder.tombstone_floor.max(floor.cast_unsigned());
        }
    }
    Ok(gone)
}

async fn deleted(work: &mut Work, before: i64) -> Result<u64> {
    let select = "SELECT id FROM items WHERE deleted_at < ? LIMIT ?";
    let items: Vec<i64> = sqlx::query_scalar(select)
        .bind(before)
        .bind(AT_ONCE)
        .fetch_all(work.conn()?)
        .await?;
    let items: Vec<ItemId> = items
        .into_iter()
        .map(|item| ItemId(item.cast_unsigned()))
        .collect();
    if !items.is_empty() {
        work.destroy(&items).await?;
    }
    Ok(items.len() as u64)
}
