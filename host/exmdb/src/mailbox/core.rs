//! The one object per mailbox that all its handles share: the database slot behind an async lock, the state snapshot, the
//! loaded folder indexes, the views and the queue of appends.
//!
//! Order of locks: database, then state, then an index, then a view; the last three are held for memory work only,
//! never across an await.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::AtomicBool, atomic::Ordering},
};

use futures_util::{FutureExt, future::BoxFuture};
use sqlx::SqliteConnection;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tracing::Instrument as _;

use super::{
    commit::Work,
    create::sync_folder,
    open::{DATABASE, connect, reopen},
    state::{FolderState, State},
    trouble::{Trouble, explained},
};
use crate::{
    Error, FolderId, MailboxGuid, Result, Span, ViewId,
    append::Queue,
    blob::Shards,
    body::blocking,
    index::FolderIndex,
    snapshot::KeptFiles,
    store::{Commons, Database},
    view::ViewRecord,
};

/// One mailbox, shared by its handles.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) guid: MailboxGuid,
    pub(crate) folder: PathBuf,
    pub(crate) commons: Arc<Commons>,
    database: Arc<AsyncMutex<Option<Database>>>,
    state: Mutex<Option<Arc<State>>>,
    indexes: Mutex<HashMap<FolderId, Arc<FolderIndex>>>,
    views: Mutex<HashMap<ViewId, Arc<ViewRecord>>>,
    /// The first UID of a folder that no read-write view has claimed as `\Recent`, when newer than the folder's row. It is
    /// written with the folder's next change: losing it in a crash shows some items as recent once more.
    recent: Mutex<HashMap<FolderId, u32>>,
    pub(crate) appends: Queue,
    /// Where files of blobs go that a snapshot still reads; none lives: they are unlinked.
    kept: Mutex<Weak<KeptFiles>>,
    pub(crate) shards: Shards,
    /// The last connection was thrown away: what it left is to be settled before anything is written.
    doubtful: AtomicBool,
    trouble: Trouble,
    removed: AtomicBool,
    /// Somebody waits to fold the flag log.
    pub(crate) fold_waits: AtomicBool,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    pub(crate) fn new(commons: Arc<Commons>, guid: MailboxGuid) -> Core {
        let folder = commons.folder_of(guid);
        Core::at(commons, guid, folder)
    }

    /// A mailbox whose files are elsewhere than at their place.
    pub(crate) fn at(commons: Arc<Commons>, guid: MailboxGuid, folder: PathBuf) -> Core {
        Core {
            guid,
            folder,
            commons,
            database: Arc::default(),
            state: Mutex::default(),
            indexes: Mutex::default(),
            views: Mutex::default(),
            recent: Mutex::default(),
            appends: Queue::default(),
            kept: Mutex::default(),
            shards: Shards::default(),
            doubtful: AtomicBool::new(false),
            trouble: Trouble::default(),
            removed: AtomicBool::new(false),
            fold_waits: AtomicBool::new(false),
        }
    }

    /// The database, opened if needed, for reading. Rows of items are as they are: the flag log is folded.
    pub(crate) async fn read(self: &Arc<Self>) -> Result<Reader> {
        let reader = self.read_unfolded().await?;
        if reader.state()?.flag_log.is_empty() {
            return Ok(reader);
        }
        let fold = transaction(reader, |work| work.fold().boxed());
        let ((), reader) = self.carried_out(fold).await?;
        Ok(reader)
    }

    /// As [`Core::read`], for who reads no flags, keywords or change numbers of items: those in the rows may be old.
    pub(crate) async fn read_unfolded(self: &Arc<Self>) -> Result<Reader> {
        match self.open().await {
            Ok(reader) => Ok(reader),
            Err(error) => Err(self.note(error).await),
        }
    }

    async fn open(self: &Arc<Self>) -> Result<Reader> {
        let mut slot = self.database.clone().lock_owned().await;
        if self.removed.load(Ordering::Acquire) {
            return Err(Error::NotFound(format!("mailbox {}", self.guid)));
        }
        if let Some(database) = slot.as_mut()
            && !database.end_transaction().await
        {
            // What the connection would answer is not known; the file is.
            slot.take();
            self.doubtful.store(true, Ordering::Release);
            self.commons.connections.closed(self.guid);
            self.forget_memory();
        }
        if slot.is_none() {
            let permit = self.commons.connections.permit().await?;
            let conn = self.reconnect().await?;
            *slot = Some(Database::new(conn, permit));
        }
        self.commons.connections.used(self);
        let mut reader = Reader {
            core: self.clone(),
            slot: Some(slot),
        };
        reader.load_state().await?;
        Ok(reader)
    }

    /// The log that is there may be that of a snapshot, whose connection was not the one that closed last. Then nothing was left
    /// in the middle, and nothing must wait for the snapshot; unless our own connection was thrown away.
    async fn reconnect(&self) -> Result<SqliteConnection> {
        if self.kept_files().is_some() && !self.doubtful.load(Ordering::Acquire) {
            return connect(&self.folder, false).await;
        }
        let conn = reopen(&self.folder).await?;
        self.doubtful.store(false, Ordering::Release);
        Ok(conn)
    }

    /// Names the mailbox and the cause of a failure, and tells the operator.
    pub(crate) async fn note(&self, error: Error) -> Error {
        let error = explained(error, &self.folder).await.of(self.guid);
        self.trouble
            .failed((self.guid, &self.folder.join(DATABASE)), &error);
        error
    }

    /// Tells the operator when a trouble is over.
    pub(crate) fn works(&self) {
        self.trouble.works((self.guid, &self.folder.join(DATABASE)));
    }

    /// Runs an operation in a transaction and commits it; durable when this returns. It goes on when the caller goes away.
    /// Rows of items are as they are: the flag log is folded in the same transaction.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        operation: impl for<'w> FnOnce(&'w mut Work) -> BoxFuture<'w, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let folded = self.write_unfolded(move |work| {
            async move {
                work.fold().await?;
                operation(work).await
            }
            .boxed()
        });
        folded.await
    }

    /// As [`Core::write`], for who reads and writes no flags, keywords or change numbers of items that are stored already: those
    /// in the rows may be old.
    pub(crate) async fn write_unfolded<T: Send + 'static>(
        self: &Arc<Self>,
        operation: impl for<'w> FnOnce(&'w mut Work) -> BoxFuture<'w, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let core = self.clone();
        let written = async move {
            let reader = core.read_unfolded().await?;
            let (value, _unlocks) = transaction(reader, operation).await?;
            Ok(value)
        };
        self.carried_out(written).await
    }

    async fn carried_out<T: Send + 'static>(
        &self,
        transaction: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        // On a task of its own, and in the log still the caller's work.
        let task = tokio::spawn(transaction.in_current_span());
        match task.await {
            Ok(Ok(value)) => {
                self.works();
                Ok(value)
            }
            Ok(Err(error)) => Err(self.note(error).await),
            Err(error) => Err(Error::mailbox(self.guid, error)),
        }
    }

    /// The newest published state.
    pub(crate) async fn state(self: &Arc<Self>) -> Result<Arc<State>> {
        if let Some(state) = held(&self.state).clone() {
            return Ok(state);
        }
        self.read_unfolded().await?.state()
    }

    /// The newest state, if memory has one.
    pub(crate) fn published(&self) -> Option<Arc<State>> {
        held(&self.state).clone()
    }

    pub(super) fn publish(&self, state: State) {
        *held(&self.state) = Some(Arc::new(state));
    }

    /// The folder's index, loaded if needed.
    pub(crate) async fn index(self: &Arc<Self>, folder: FolderId) -> Result<Arc<FolderIndex>> {
        if let Some(index) = self.loaded_index(folder) {
            self.commons.indexes.used(self.guid, folder);
            return Ok(index);
        }
        let mut reader = self.read().await?;
        if let Some(index) = self.loaded_index(folder) {
            return Ok(index);
        }
        let state = reader.state()?.folder(folder)?.clone();
        let index = Arc::new(
            FolderIndex::load(reader.conn()?, &state)
                .await
                .map_err(|error| error.of(self.guid))?,
        );
        self.keep_index(folder, index.clone());
        Ok(index)
    }

    /// Puts an index that was loaded under the lock where others find it.
    pub(crate) fn keep_index(self: &Arc<Self>, folder: FolderId, index: Arc<FolderIndex>) {
        held(&self.indexes).insert(folder, index.clone());
        self.counted_anew(folder, &index);
    }

    /// The index has grown by more than single rows.
    pub(crate) fn counted_anew(self: &Arc<Self>, folder: FolderId, index: &FolderIndex) {
        self.commons.indexes.loaded(self, folder, index.octets());
    }

    pub(crate) fn loaded_index(&self, folder: FolderId) -> Option<Arc<FolderIndex>> {
        held(&self.indexes).get(&folder).cloned()
    }

    pub(crate) fn forget_index(&self, folder: FolderId) {
        held(&self.indexes).remove(&folder);
    }

    /// Memory may disagree with the disk: load it again at next use.
    pub(super) fn forget_memory(&self) {
        held(&self.indexes).clear();
        *held(&self.state) = None;
    }

    pub(crate) fn views(&self) -> MutexGuard<'_, HashMap<ViewId, Arc<ViewRecord>>> {
        held(&self.views)
    }

    /// Has files of blobs kept from now on, while the answer lives.
    pub(crate) fn keep_files(&self) -> Result<Arc<KeptFiles>> {
        let mut kept = held(&self.kept);
        if let Some(kept) = kept.upgrade() {
            return Ok(kept);
        }
        let new = Arc::new(KeptFiles::new(&self.commons.spool)?);
        *kept = Arc::downgrade(&new);
        Ok(new)
    }

    pub(crate) fn kept_files(&self) -> Option<Arc<KeptFiles>> {
        held(&self.kept).upgrade()
    }

    /// The first UID that is `\Recent` for the next read-write view.
    pub(crate) fn first_recent(&self, folder: &FolderState) -> u32 {
        held(&self.recent)
            .get(&folder.id)
            .copied()
            .unwrap_or_default()
            .max(folder.recent_uid)
    }

    /// UIDs that are `\Recent` in a view of the folder; a read-write one takes them from all others.
    pub(crate) fn claim_recent(
        &self,
        folder: &FolderState,
        uid_next: u32,
        read_only: bool,
    ) -> Vec<Span> {
        let first = self.first_recent(folder);
        if first >= uid_next || read_only {
            return if first < uid_next {
                vec![first..=uid_next - 1]
            } else {
                Vec::new()
            };
        }
        held(&self.recent).insert(folder.id, uid_next);
        vec![first..=uid_next - 1]
    }

    /// How many items are `\Recent` for the next view.
    pub(crate) fn recent(&self, folder: &FolderState) -> u32 {
        let first = self.first_recent(folder);
        let given = folder.uid_next.saturating_sub(first);
        match self.loaded_index(folder.id) {
            Some(index) if given > 0 => {
                let columns = index.read();
                u32::try_from(columns.len() - columns.lower_bound(first)).unwrap_or(u32::MAX)
            }
            _ => given.min(folder.items),
        }
    }

    /// Closes the database unless it is in use. True when it did.
    pub(crate) async fn close_if_idle(&self) -> bool {
        let Ok(mut slot) = self.database.try_lock() else {
            return false;
        };
        let Some(database) = slot.take() else {
            return false;
        };
        self.commons.connections.closed(self.guid);
        database.close().await;
        true
    }

    pub(crate) async fn close_database(&self) {
        if let Some(database) = self.database.lock().await.take() {
            self.commons.connections.closed(self.guid);
            database.close().await;
        }
    }

    /// Locks everybody out and closes the database, to put other files in its place; with what clients may know of it, if
    /// it can still be read.
    pub(crate) async fn lock_out(self: &Arc<Self>) -> Result<(LockedOut, Option<Living>)> {
        // What is thrown away needs no folding.
        let (slot, living) = match self.read_unfolded().await {
            Ok(mut reader) => {
                let living = Living::of(&mut reader).await.ok();
                (reader.slot.take(), living)
            }
            Err(_) => (None, None),
        };
        let mut slot = match slot {
            Some(slot) => slot,
            None => self.database.clone().lock_owned().await,
        };
        if self.removed.load(Ordering::Acquire) {
            return Err(Error::NotFound(format!("mailbox {}", self.guid)));
        }
        if let Some(database) = slot.take() {
            self.commons.connections.closed(self.guid);
            database.close().await;
        }
        Ok((LockedOut(slot), living))
    }

    /// Locks everybody out of a mailbox whose file cannot be trusted: it is closed, and not opened for a look.
    pub(crate) async fn lock_out_damaged(self: &Arc<Self>) -> Result<LockedOut> {
        let mut slot = self.database.clone().lock_owned().await;
        if self.removed.load(Ordering::Acquire) {
            return Err(Error::NotFound(format!("mailbox {}", self.guid)));
        }
        if let Some(database) = slot.take() {
            self.commons.connections.closed(self.guid);
            database.close().await;
        }
        Ok(LockedOut(slot))
    }

    /// Forgets all of the mailbox that was in its place; call it locked out.
    pub(crate) fn begin_anew(&self) {
        self.forget_memory();
        held(&self.views).clear();
        held(&self.recent).clear();
        self.shards.forget();
    }

    /// Closes the mailbox for ever and removes its files.
    pub(crate) async fn remove(&self) -> Result<()> {
        let mut slot = self.database.lock().await;
        self.removed.store(true, Ordering::Release);
        if let Some(database) = slot.take() {
            self.commons.connections.closed(self.guid);
            database.close().await;
        }
        self.forget_memory();
        let (folder, spool) = (self.folder.clone(), self.commons.spool.clone());
        blocking(move || remove_folder(&folder, &spool)).await
    }
}

/// An operation in a transaction, committed, and the lock that is held on.
async fn transaction<T>(
    reader: Reader,
    operation: impl for<'w> FnOnce(&'w mut Work) -> BoxFuture<'w, Result<T>> + Send,
) -> Result<(T, Reader)> {
    let before = reader.state()?;
    let mut work = Work::begin(reader).await?;
    let outcome = operation(&mut work).await;
    match outcome.and_then(|value| work.demand_quota(&before).map(|()| value)) {
        Ok(value) => Ok((value, work.commit().await?)),
        Err(error) => {
            work.roll_back().await;
            Err(error)
        }
    }
}

/// Out of its place in one step, so that no crash leaves half a mailbox there; the spool is emptied at every start.
fn remove_folder(folder: &Path, spool: &Path) -> Result<()> {
    let going = tempfile::Builder::new()
        .prefix("removed-")
        .tempdir_in(spool)?;
    std::fs::rename(folder, going.path())?;
    folder.parent().map_or(Ok(()), sync_folder)?;
    Ok(going.close()?)
}

/// The lock of a mailbox whose database is closed.
#[derive(Debug)]
pub(crate) struct LockedOut(
    #[expect(dead_code, reason = "held")] OwnedMutexGuard<Option<Database>>,
);

/// What clients may know of a mailbox.
#[derive(Debug)]
pub(crate) struct Living {
    pub(crate) counter: u64,
    pub(crate) uid_validity: u32,
    /// Folders that there are or were.
    pub(crate) folders: BTreeSet<FolderId>,
}

impl Living {
    async fn of(reader: &mut Reader) -> Result<Living> {
        let state = reader.state()?;
        let buried: Vec<i64> = sqlx::query_scalar("SELECT folder FROM folder_tombstones")
            .fetch_all(reader.conn()?)
            .await?;
        let buried = buried.into_iter().map(|id| FolderId(id.cast_unsigned()));
        Ok(Living {
            counter: state.counter,
            uid_validity: state.uid_validity,
            folders: state.folders.keys().copied().chain(buried).collect(),
        })
    }
}

/// The database of a mailbox, held: nobody else reads or writes it meanwhile.
#[derive(Debug)]
pub(crate) struct Reader {
    core: Arc<Core>,
    slot: Option<OwnedMutexGuard<Option<Database>>>,
}

impl Reader {
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn database(&mut self) -> Result<&mut Database> {
        let database = self.slot.as_mut().and_then(|slot| slot.as_mut());
        database.ok_or_else(|| Error::mailbox(self.core.guid, "its database is closed"))
    }

    pub(crate) fn conn(&mut self) -> Result<&mut SqliteConnection> {
        Ok(&mut self.database()?.conn)
    }

    /// The state as of the last commit.
    pub(crate) fn state(&self) -> Result<Arc<State>> {
        held(&self.core.state)
            .clone()
            .ok_or_else(|| Error::mailbox(self.core.guid, "its state was thrown away"))
    }

    pub(crate) fn set_unfinished(&mut self, unfinished: bool) -> Result<()> {
        self.database()?.unfinished = unfinished;
        Ok(())
    }

    pub(crate) async fn end_transaction(&mut self) -> bool {
        match self.database() {
            Ok(database) => database.end_transaction().await,
            Err(_) => false,
        }
    }

    /// Loads the state when memory does not have it.
    async fn load_state(&mut self) -> Result<()> {
        let loaded = held(&self.core.state).is_some();
        if !loaded {
            let state = State::load(self.conn()?).await?;
            self.core.publish(state);
        }
        Ok(())
    }

    /// Throws the connection away: what it would answer is not known.
    pub(crate) fn abandon(&mut self) {
        if let Some(slot) = &mut self.slot {
            slot.take();
        }
        self.core.doubtful.store(true, Ordering::Release);
        self.core.commons.connections.closed(self.core.guid);
        self.core.forget_memory();
    }
}

impl Drop for Reader {
    /// The lock goes first; who waits for a connection either finds it free or was counted before we look.
    fn drop(&mut self) {
        self.slot = None;
        if !self.core.commons.connections.wanted() {
            return;
        }
        if let Ok(mut slot) = self.core.database.clone().try_lock_owned()
            && slot.take().is_some()
        {
            self.core.commons.connections.closed(self.core.guid);
        }
    }
}
