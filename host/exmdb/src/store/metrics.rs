//! What a store counts of itself, for whoever watches it: written without locks beside the work, read at any time.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{MailboxGuid, Store};

/// A commit that takes longer is logged: the disk is the bottleneck of everybody who waits for it.
const SLOW: Duration = Duration::from_secs(1);

/// A store at one moment. Counts are since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreMetrics {
    /// Databases open now.
    pub open_databases: u64,
    /// The most that may be open.
    pub max_open_databases: u64,
    /// Octets of folder indexes in memory now.
    pub index_cache: u64,
    /// Octets that they may take.
    pub index_cache_limit: u64,
    /// Transactions that are on disk.
    pub commits: u64,
    /// Time spent in writing them, the sync to disk included.
    pub commit_time: Duration,
    /// Those that took longer than a second.
    pub slow_commits: u64,
    /// Commits that carried appends.
    pub append_groups: u64,
    /// Appends in them: divided by the groups, how many shared a sync.
    pub appends: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    commits: AtomicU64,
    commit_nanos: AtomicU64,
    slow_commits: AtomicU64,
    append_groups: AtomicU64,
    appends: AtomicU64,
}

impl Counters {
    pub(crate) fn committed(&self, mailbox: MailboxGuid, took: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.commit_nanos.fetch_add(nanos, Ordering::Relaxed);
        if took > SLOW {
            self.slow_commits.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%mailbox, ?took, "a commit was slow");
        }
    }

    pub(crate) fn appended(&self, appends: usize) {
        self.append_groups.fetch_add(1, Ordering::Relaxed);
        self.appends.fetch_add(appends as u64, Ordering::Relaxed);
    }
}

impl Store {
    /// What the store has done, and holds now.
    #[must_use]
    pub fn metrics(&self) -> StoreMetrics {
        let (commons, read) = (&self.commons, |counter: &AtomicU64| {
            counter.load(Ordering::Relaxed)
        });
        let counters = &commons.counters;
        let (open_databases, max_open_databases) = commons.connections.open_of();
        let (index_cache, index_cache_limit) = commons.indexes.octets_of();
        StoreMetrics {
            open_databases: open_databases as u64,
            max_open_databases: max_open_databases as u64,
            index_cache: index_cache as u64,
            index_cache_limit: index_cache_limit as u64,
            commits: read(&counters.commits),
            commit_time: Duration::from_nanos(read(&counters.commit_nanos)),
            slow_commits: read(&counters.slow_commits),
            append_groups: read(&counters.append_groups),
            appends: read(&counters.appends),
        }
    }
}
