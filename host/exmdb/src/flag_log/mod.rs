//! The flag log: what a STORE of many items did, in one row, until it is folded into the rows of the items.
//!
//! Flags and change numbers of an item stand in its row, beside its subject and addresses: to change 10,000 of them rewrites
//! some 700 pages and two indexes. So a STORE of many items writes what they became, which of their versions moved, their first
//! change number and their UIDs: one small row, durable with the commit, whatever the number of items. The folder index has the
//! new flags as after any commit; IMAP asks nothing else for them.
//!
//! **Nobody reads a row of an item that is not folded.** It is a rule of the two doors to a mailbox's database, not of those who
//! read: [`Core::read`](crate::mailbox::Core::read) and [`Core::write`](crate::mailbox::Core::write) fold what is pending
//! before they let anybody in, a write in its own transaction. Only who touches no flags, keywords or change numbers of stored
//! items may ask for [`read_unfolded`](crate::mailbox::Core::read_unfolded) or
//! [`write_unfolded`](crate::mailbox::Core::write_unfolded), and says there why it may: bodies and structures, appends, STORE
//! itself and EXPUNGE, which work on the folder index, a backup, which takes the log along. An index is loaded from folded rows.
//!
//! An entry says what items became, not what was done to them, so folding depends on nothing but the log: for each item the
//! newest entry that names it holds, and for each of its versions the newest that moved it. An entry is always newer than the
//! row: everything else that writes versions folds first. Items that are gone are passed over; UIDs are not given twice.
//!
//! The log is folded at the latest when a STORE finds it full ([`MAX_ENTRIES`], [`MAX_ITEMS`]), and otherwise when nothing was
//! added for [`QUIET`], so that the next reader need not wait, and a disk that fills up later finds nothing to fold.
//! It folds the same way after a crash.
//!
//! A table of flags alone would be narrower, and would still be rewritten row by row, with its index on change numbers.

mod entry;
mod settle;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

pub(crate) use entry::{Entry, Outcome, moves};

use crate::{
    Error, FolderId, Result,
    blob::json_numbers,
    index::print_keywords,
    mailbox::{Core, commit::Work},
};
use settle::{Settled, settle};

/// Entries of a log that takes no more.
const MAX_ENTRIES: u32 = 1024;
/// Items that the entries of such a log name together.
const MAX_ITEMS: u64 = 1 << 18;
/// Nothing came for so long: the log is folded.
const QUIET: Duration = Duration::from_secs(2);
/// Items that one statement folds.
const BATCH: usize = 16_384;

/// What waits to be folded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pending {
    entries: u32,
    items: u64,
    newest: u64,
}

impl Pending {
    pub(crate) async fn load(conn: &mut SqliteConnection) -> Result<Pending> {
        let select =
            "SELECT count(*), coalesce(sum(items), 0), coalesce(max(number), 0) FROM flag_log";
        let (entries, items, newest): (u32, i64, i64) =
            sqlx::query_as(select).fetch_one(conn).await?;
        Ok(Pending {
            entries,
            items: items.cast_unsigned(),
            newest: newest.cast_unsigned(),
        })
    }

    pub(crate) fn is_empty(self) -> bool {
        self.entries == 0
    }

    pub(crate) fn is_full(self) -> bool {
        self.entries >= MAX_ENTRIES || self.items >= MAX_ITEMS
    }
}

/// The rows of all entries, newest first.
async fn rows(conn: &mut SqliteConnection) -> Result<Vec<SqliteRow>> {
    let select = "SELECT number, folder, moves, flags, keywords, items, uids FROM flag_log ORDER BY number DESC";
    Ok(sqlx::query(select).fetch_all(conn).await?)
}

impl Work {
    /// Writes what items of a folder become; in ascending order of their UIDs they get the numbers from `first`.
    ///
    /// # Errors
    /// `Corrupt` when the UIDs do not ascend: such an entry could not be read again.
    pub(crate) async fn log_flags(
        &mut self,
        folder: FolderId,
        first: u64,
        outcome: &Outcome,
        uids: &[u32],
    ) -> Result<()> {
        if !uids.is_sorted_by(|uid, next| uid < next) {
            return Err(Error::Corrupt(format!(
                "the index of folder {folder} is not in the order of UIDs"
            )));
        }
        let items = uids.len() as u64;
        sqlx::query("INSERT INTO flag_log (number, folder, moves, flags, keywords, items, uids) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(first.cast_signed())
            .bind(folder.0.cast_signed())
            .bind(outcome.moves)
            .bind(outcome.flags)
            .bind(print_keywords(&outcome.keywords))
            .bind(items.cast_signed())
            .bind(entry::pack(uids))
            .execute(self.conn()?)
            .await?;
        let pending = &mut self.state.flag_log;
        pending.entries = pending.entries.saturating_add(1);
        pending.items = pending.items.saturating_add(items);
        pending.newest = first;
        Ok(())
    }

    /// Brings the rows of items up to date.
    pub(crate) async fn fold(&mut self) -> Result<()> {
        if self.state.flag_log.is_empty() {
            return Ok(());
        }
        let rows = rows(self.conn()?).await?;
        let entries: Vec<Entry> = rows.iter().map(Entry::of).collect::<Result<_>>()?;
        for settled in settle(entries) {
            write(self.conn()?, &settled).await?;
        }
        sqlx::query("DELETE FROM flag_log")
            .execute(self.conn()?)
            .await?;
        self.state.flag_log = Pending::default();
        Ok(())
    }

    /// The numbers of entries that cannot be read or name no folder; a fold fails while there is one.
    pub(crate) async fn damaged_entries(&mut self) -> Result<Vec<i64>> {
        let rows = rows(self.conn()?).await?;
        let damaged = rows.iter().filter(|row| {
            Entry::of(row).map_or(true, |entry| self.state.folder(entry.folder).is_err())
        });
        damaged.map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Gives those up: their items keep the flags that they had before.
    pub(crate) async fn drop_damaged_entries(&mut self) -> Result<Vec<i64>> {
        let damaged = self.damaged_entries().await?;
        sqlx::query("DELETE FROM flag_log WHERE number IN (SELECT value FROM json_each(?))")
            .bind(json_numbers(damaged.iter().copied()))
            .execute(self.conn()?)
            .await?;
        self.state.flag_log = Pending::load(self.conn()?).await?;
        Ok(damaged)
    }
}

/// A number of the list is the item's place after the first in the upper half, its UID in the lower: one that is no list itself
/// is parsed once, not for each of its parts. The subquery makes sure that the list is walked and items are looked up, not the
/// other way round.
const FOLD: &str = "UPDATE items SET flags = iif(?1 & 8, ?2, flags), keywords = iif(?1 & 8, ?3, keywords),
        modseq = iif(?1 & 8, ?4 + (j.value >> 32), modseq),
        cn = iif(?1 & 1, ?4 + (j.value >> 32), cn),
        read_cn = iif(?1 & 2, ?4 + (j.value >> 32), read_cn),
        flag_cn = iif(?1 & 4, ?4 + (j.value >> 32), flag_cn)
        FROM json_each(?5) j
        WHERE items.id = (SELECT i.id FROM items i WHERE i.folder = ?6 AND i.uid = (j.value & 0xFFFFFFFF))";

async fn write(conn: &mut SqliteConnection, settled: &Settled) -> Result<()> {
    for some in settled.items.chunks(BATCH) {
        let list = some
            .iter()
            .map(|(place, uid)| (i64::from(*place) << 32) | i64::from(*uid));
        sqlx::query(FOLD)
            .bind(settled.columns)
            .bind(settled.flags)
            .bind(&settled.keywords)
            .bind(settled.first.cast_signed())
            .bind(json_numbers(list))
            .bind(settled.folder.0.cast_signed())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Has the log folded when nothing came for a while. One task per mailbox waits for that.
pub(crate) fn fold_when_quiet(core: &Arc<Core>) {
    if core.fold_waits.swap(true, Ordering::AcqRel) {
        return;
    }
    let mut seen = core.published().map(|state| state.flag_log);
    let core = Arc::downgrade(core);
    let _ends_with_the_mailbox = tokio::spawn(async move {
        loop {
            tokio::time::sleep(QUIET).await;
            let Some(core) = core.upgrade() else {
                return;
            };
            // Thrown away: whoever loads it again folds.
            let pending = core.published().map(|state| state.flag_log);
            if pending.is_some() && seen != pending {
                seen = pending;
                continue;
            }
            // From here on others wait again: what they added is seen below, or theirs to fold.
            core.fold_waits.store(false, Ordering::Release);
            let state = core.published();
            if state.is_some_and(|state| !state.flag_log.is_empty()) {
                // What it could not do was noted, and the next who asks tries again.
                drop(core.read().await);
            }
            return;
        }
    });
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;

    #[tokio::test]
    async fn a_fold_looks_each_item_up_and_never_walks_the_folder_for_it() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        crate::schema::migrate(&mut conn).await.unwrap();
        let plan = format!("EXPLAIN QUERY PLAN {FOLD}");
        let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(plan))
            .fetch_all(&mut conn)
            .await
            .unwrap();
        let steps: Vec<_> = steps.into_iter().map(|(_, _, _, step)| step).collect();
        assert!(steps[0].starts_with("SCAN j"), "{steps:?}");
        assert!(
            steps
                .iter()
                .any(|step| step.contains("SEARCH items USING INTEGER PRIMARY KEY")),
            "{steps:?}"
        );
        assert!(
            steps
                .iter()
                .any(|step| step.contains("items_uid (folder=? AND uid=?)")),
            "{steps:?}"
        );
    }
}
