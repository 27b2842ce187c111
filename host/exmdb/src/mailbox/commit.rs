//! One transaction and all that follows from it.
//!
//! An operation works on a clone of the state and notes what it does to items; [`Work::commit`] writes the counter and the
//! folder rows that changed, commits, and only then brings memory up to date, unlinks files of blobs that are gone and wakes
//! watchers. When the operation or the commit fails, nothing was published and the clone goes.
//!
//! After a failed commit the connection goes on if it can roll back: SQLite then writes the next commit over the frames of the
//! failed one, so none stands behind a hole, and what is there can be read while the disk is full. In a crash before that the
//! failed commit may come back whole: it was not acknowledged, so it may. When it cannot roll back, nobody knows what is on
//! disk: connection and memory are thrown away and read again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use sqlx::SqliteConnection;

use super::{
    core::{Core, Reader},
    state::{FolderState, State},
};
use crate::{
    Change, ChangeNumber, Error, FolderId, ItemFlags, Result, Uid,
    flag_log::fold_when_quiet,
    ids::COUNTER_MAX,
    index::{FolderIndex, IndexChange, IndexRow, Reflagged},
};

/// Writes one folder; what is added may bind values from the fifteenth.
macro_rules! update_folder { ($rest:literal) => { concat!(
    "UPDATE folders SET parent = ?1, name = ?2, container_class = ?3, cn = ?4, acl_cn = ?5, uid_next = ?6, recent_uid = ?7,
        highest_modseq = ?8, tombstone_floor = ?9, items = ?10, unread = ?11, deleted = ?12, size = ?13 WHERE id = ?14",
    $rest
) } }

/// An open transaction.
#[derive(Debug)]
pub(crate) struct Work {
    reader: Reader,
    /// The state as it will be.
    pub(crate) state: State,
    counter_before: u64,
    dirty: BTreeSet<FolderId>,
    index: BTreeMap<FolderId, Vec<IndexChange>>,
    told: BTreeMap<FolderId, u64>,
    files_to_remove: Vec<[u8; 32]>,
    pub(crate) bounded: bool,
}

impl Work {
    pub(crate) async fn begin(mut reader: Reader) -> Result<Work> {
        let state = State::clone(&*reader.state()?);
        reader.set_unfinished(true)?;
        sqlx::query("BEGIN IMMEDIATE")
            .execute(reader.conn()?)
            .await?;
        Ok(Work {
            counter_before: state.counter,
            reader,
            state,
            dirty: BTreeSet::new(),
            index: BTreeMap::new(),
            told: BTreeMap::new(),
            files_to_remove: Vec::new(),
            bounded: true,
        })
    }

    pub(crate) fn conn(&mut self) -> Result<&mut SqliteConnection> {
        self.reader.conn()
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        self.reader.core()
    }

    /// The folder's index as of the last commit; ask for it before the folder's items are changed.
    pub(crate) async fn index(&mut self, folder: FolderId) -> Result<Arc<FolderIndex>> {
        if let Some(index) = self.core().loaded_index(folder) {
            return Ok(index);
        }
        self.fold().await?;
        let state = self.state.folder(folder)?.clone();
        let index = Arc::new(FolderIndex::load(self.conn()?, &state).await?);
        self.core().keep_index(folder, index.clone());
        Ok(index)
    }

    /// The next number of the mailbox's counter.
    pub(crate) fn next_number(&mut self) -> Result<u64> {
        self.reserve_numbers(1)
    }

    /// The first of a run of numbers.
    pub(crate) fn reserve_numbers(&mut self, count: u64) -> Result<u64> {
        let last = self
            .state
            .counter
            .checked_add(count)
            .filter(|last| *last <= COUNTER_MAX);
        let first = self.state.counter + 1;
        self.state.counter =
            last.ok_or_else(|| Error::Limit("the mailbox's 48-bit counter is used up".into()))?;
        Ok(first)
    }

    /// The folder, to be changed; it is written with the commit.
    pub(crate) fn folder(&mut self, id: FolderId) -> Result<&mut FolderState> {
        let folder = self
            .state
            .folders
            .get_mut(&id)
            .ok_or_else(|| Error::NotFound(format!("folder {id}")))?;
        let folder = Arc::make_mut(folder);
        if self.dirty.insert(id) {
            folder.recent_uid = self.reader.core().first_recent(folder);
        }
        Ok(folder)
    }

    /// The UID of an item that comes to the folder now: commit order, because the lock is held until the commit.
    pub(crate) fn next_uid(&mut self, folder: FolderId) -> Result<u32> {
        let folder = self.folder(folder)?;
        let uid = folder.uid_next;
        folder.uid_next = uid
            .checked_add(1)
            .ok_or_else(|| Error::Limit("the folder's UIDs are used up".into()))?;
        Ok(uid)
    }

    /// Watchers of the folder will be told this number.
    pub(crate) fn tell(&mut self, folder: FolderId, number: u64) {
        let told = self.told.entry(folder).or_default();
        *told = number.max(*told);
    }

    fn moved_on(&mut self, folder: FolderId, modseq: u64) -> Result<()> {
        let state = self.folder(folder)?;
        state.highest_modseq = state.highest_modseq.max(modseq);
        self.index.entry(folder).or_default();
        self.tell(folder, modseq);
        Ok(())
    }

    /// A live, normal item came to the folder; its row is written already.
    pub(crate) fn came(&mut self, folder: FolderId, row: IndexRow) -> Result<()> {
        self.folder(folder)?.count(&row, true);
        self.moved_on(folder, row.modseq)?;
        self.index
            .entry(folder)
            .or_default()
            .push(IndexChange::Insert(row));
        Ok(())
    }

    /// A live, normal item changed in place.
    pub(crate) fn changed(
        &mut self,
        folder: FolderId,
        before: &IndexRow,
        after: IndexRow,
    ) -> Result<()> {
        let state = self.folder(folder)?;
        state.count(before, false);
        state.count(&after, true);
        self.moved_on(folder, after.modseq)?;
        self.index
            .entry(folder)
            .or_default()
            .push(IndexChange::Update(after));
        Ok(())
    }

    /// Live, normal items got other flags, which were these.
    pub(crate) fn reflagged(
        &mut self,
        folder: FolderId,
        before: impl Iterator<Item = ItemFlags>,
        after: Reflagged,
    ) -> Result<()> {
        let state = self.folder(folder)?;
        for before in before {
            state.count_flags(before, after.flags);
        }
        self.moved_on(folder, after.last())?;
        self.index
            .entry(folder)
            .or_default()
            .push(IndexChange::Reflag(after));
        Ok(())
    }

    /// A live, normal item left the folder.
    pub(crate) fn left(&mut self, folder: FolderId, row: &IndexRow, number: u64) -> Result<()> {
        self.folder(folder)?.count(row, false);
        self.moved_on(folder, number)?;
        self.index
            .entry(folder)
            .or_default()
            .push(IndexChange::Remove(Uid(row.uid)));
        Ok(())
    }

    /// Something of the folder that no list shows changed (an associated or soft-deleted item).
    pub(crate) fn touched(&mut self, folder: FolderId, number: u64) -> Result<()> {
        self.moved_on(folder, number)
    }

    /// The blob's row is gone; its file, if it has one, goes after the commit.
    pub(crate) fn remove_blob_file(&mut self, digest: [u8; 32]) {
        self.files_to_remove.push(digest);
    }

    pub(crate) async fn roll_back(mut self) {
        if !self.reader.end_transaction().await {
            self.reader.abandon();
        }
    }

    /// The lock is held on by what it answers.
    pub(crate) async fn commit(mut self) -> Result<Reader> {
        let began = Instant::now();
        if let Err(error) = self.write_and_commit().await {
            self.roll_back().await;
            return Err(error);
        }
        self.reader.set_unfinished(false)?;
        let core = self.reader.core().clone();
        core.commons.counters.committed(core.guid, began.elapsed());
        for (folder, changes) in std::mem::take(&mut self.index) {
            if let (Some(index), Some(state)) =
                (core.loaded_index(folder), self.state.folders.get(&folder))
            {
                index.apply(changes, state);
            }
        }
        let logged = !self.state.flag_log.is_empty();
        core.publish(self.state);
        if logged {
            fold_when_quiet(&core);
        }
        for (folder, number) in self.told {
            let change = Change {
                mailbox: core.guid,
                folder,
                change_number: ChangeNumber(number),
            };
            core.commons.hub.publish(change);
        }
        if !self.files_to_remove.is_empty() {
            let kept = core.kept_files();
            crate::blob::remove_files(&core.folder, kept, self.files_to_remove).await;
        }
        Ok(self.reader)
    }

    /// Most commits change one folder and the counter. These are one statement for the database's thread, because to wake it and
    /// be woken costs more than what it does.
    async fn write_and_commit(&mut self) -> Result<()> {
        let dirty = std::mem::take(&mut self.dirty);
        let mut folders: Vec<_> = dirty
            .iter()
            .filter_map(|folder| self.state.folders.get(folder).cloned())
            .collect();
        let last = folders.pop();
        for folder in folders {
            let update = sqlx::query(update_folder!(""));
            bind_folder(update, &folder)
                .execute(self.reader.conn()?)
                .await?;
        }
        let counter = self.state.counter.cast_signed();
        let uid_validity = self.state.uid_validity;
        let counted = self.state.counter != self.counter_before;
        let commit = match &last {
            Some(folder) if counted => {
                let all =
                    update_folder!("; UPDATE meta SET counter = ?15, uid_validity = ?16; COMMIT");
                bind_folder(sqlx::query(all), folder)
                    .bind(counter)
                    .bind(uid_validity)
            }
            Some(folder) => bind_folder(sqlx::query(update_folder!("; COMMIT")), folder),
            None if counted => {
                sqlx::query("UPDATE meta SET counter = ?1, uid_validity = ?2; COMMIT")
                    .bind(counter)
                    .bind(uid_validity)
            }
            None => sqlx::query("COMMIT"),
        };
        commit.execute(self.reader.conn()?).await?;
        Ok(())
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// The fourteen values of `update_folder`.
fn bind_folder<'q>(update: Query<'q>, folder: &FolderState) -> Query<'q> {
    update
        .bind(folder.parent.map(|parent| parent.0.cast_signed()))
        .bind(folder.name.clone())
        .bind(folder.container_class.clone())
        .bind(folder.cn.cast_signed())
        .bind(folder.acl_cn.cast_signed())
        .bind(folder.uid_next)
        .bind(folder.recent_uid)
        .bind(folder.highest_modseq.cast_signed())
        .bind(folder.tombstone_floor.cast_signed())
        .bind(folder.items)
        .bind(folder.unread)
        .bind(folder.deleted)
        .bind(folder.size.cast_signed())
        .bind(folder.id.0.cast_signed())
}

impl FolderState {
    /// Counts an item in or out.
    pub(crate) fn count(&mut self, row: &IndexRow, come: bool) {
        let step = |count: u32, by: bool| match (by, come) {
            (false, _) => count,
            (true, true) => count.saturating_add(1),
            (true, false) => count.saturating_sub(1),
        };
        self.items = step(self.items, true);
        self.unread = step(self.unread, !row.flags.has(ItemFlags::SEEN));
        self.deleted = step(self.deleted, row.flags.has(ItemFlags::DELETED));
        self.size = if come {
            self.size.saturating_add(row.size)
        } else {
            self.size.saturating_sub(row.size)
        };
    }

    /// Counts an item with other flags.
    fn count_flags(&mut self, before: ItemFlags, after: ItemFlags) {
        let step = |count: u32, before: bool, after: bool| match (before, after) {
            (false, true) => count.saturating_add(1),
            (true, false) => count.saturating_sub(1),
            _ => count,
        };
        let unread = |flags: ItemFlags| !flags.has(ItemFlags::SEEN);
        let deleted = |flags: ItemFlags| flags.has(ItemFlags::DELETED);
        self.unread = step(self.unread, unread(before), unread(after));
        self.deleted = step(self.deleted, deleted(before), deleted(after));
    }
}
