//! The bound on open databases. sqlx keeps a thread and SQLite several files per connection, so at most `max_open` mailboxes
//! have one; each open [`Database`] holds a permit.
//!
//! Who needs a permit when none is free closes the database that was idle longest. When all are in use, it waits, and
//! the next operation that ends finds it waiting and closes its own database. Databases that nobody used for five minutes are
//! closed by one task per store, which ends with the store.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Commons;
use crate::{Error, MailboxGuid, Result, mailbox::Core};

/// An open database of a mailbox.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) conn: SqliteConnection,
    /// A transaction was left behind by somebody who did not finish.
    pub(crate) unfinished: bool,
    _permit: OwnedSemaphorePermit,
}

impl Database {
    pub(crate) fn new(conn: SqliteConnection, permit: OwnedSemaphorePermit) -> Database {
        Database {
            conn,
            unfinished: false,
            _permit: permit,
        }
    }

    /// Ends a transaction that somebody left behind. False when the connection is of no use any more.
    pub(crate) async fn end_transaction(&mut self) -> bool {
        if self.unfinished {
            let ended = sqlx::raw_sql("ROLLBACK").execute(&mut self.conn).await;
            self.unfinished = match ended {
                Ok(_) => false,
                // SQLite rolls back by itself after some failures.
                Err(error) => !error.to_string().contains("no transaction is active"),
            };
        }
        !self.unfinished
    }

    /// Checkpoints and closes.
    pub(crate) async fn close(self) {
        if let Err(error) = self.conn.close().await {
            tracing::warn!(%error, "closing a mailbox database");
        }
    }
}

/// A database is closed when it was idle for this long.
const IDLE: Duration = Duration::from_secs(300);
/// How often the idle ones are looked for.
const SWEEP: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
struct Open {
    used: Instant,
    core: Weak<Core>,
}

/// Who has a database open.
#[derive(Debug)]
pub(crate) struct Connections {
    max_open: usize,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    open: Mutex<HashMap<MailboxGuid, Open>>,
}

impl Connections {
    pub(crate) fn new(max_open: usize) -> Connections {
        let max_open = max_open.max(1);
        Connections {
            max_open,
            permits: Arc::new(Semaphore::new(max_open)),
            waiting: AtomicUsize::new(0),
            open: Mutex::default(),
        }
    }

    /// How many are open, and how many may be.
    pub(super) fn open_of(&self) -> (usize, usize) {
        let free = self.permits.available_permits();
        (self.max_open.saturating_sub(free), self.max_open)
    }

    /// Somebody waits for a permit: close what is not needed.
    pub(crate) fn wanted(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// A permit to open one database.
    pub(crate) async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::new(&self.waiting);
        self.close_idlest().await;
        self.permits
            .clone()
            .acquire_owned()
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))
    }

    pub(crate) fn used(&self, core: &Arc<Core>) {
        let now = Open {
            used: Instant::now(),
            core: Arc::downgrade(core),
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(core.guid, now);
    }

    pub(crate) fn closed(&self, guid: MailboxGuid) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&guid);
    }

    async fn close_idlest(&self) {
        let mut candidates: Vec<_> = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.values().cloned().collect()
        };
        candidates.sort_unstable_by_key(|open| open.used);
        for core in candidates.iter().filter_map(|open| open.core.upgrade()) {
            if core.close_if_idle().await {
                return;
            }
        }
    }

    async fn close_idle_since(&self, limit: Instant) {
        let idle: Vec<_> = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.values()
                .filter(|open| open.used < limit)
                .cloned()
                .collect()
        };
        for core in idle.iter().filter_map(|open| open.core.upgrade()) {
            core.close_if_idle().await;
        }
    }
}

/// Closes idle databases for as long as the store is in use.
pub(super) fn sweep(commons: &Arc<Commons>) {
    let commons = Arc::downgrade(commons);
    let _ends_with_the_store = tokio::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            let Some(commons) = commons.upgrade() else {
                return;
            };
            if let Some(limit) = Instant::now().checked_sub(IDLE) {
                commons.connections.close_idle_since(limit).await;
            }
        }
    });
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Waiting<'a> {
        count.fetch_add(1, Ordering::AcqRel);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
