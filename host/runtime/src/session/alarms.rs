//! What wakes a session besides its socket: timers and watched folders. Both belong to the session, not to the
//! instance, so they go on while it is frozen and survive a hand-over.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use tokio::time::Instant;
use waxwing_exmdb::{Change, FolderId, Store, Watcher};

use super::PendingEvent;
use crate::{host_side::HostSide, instance::Failed, limits::reached};

#[derive(Default)]
pub(crate) struct Alarms {
    timers: BTreeMap<u32, Instant>,
    watcher: Option<Box<Watcher>>,
    watched: HashSet<(u32, FolderId)>,
}

impl Alarms {
    pub(crate) fn set_timers(&mut self, timers: Vec<(u32, u64)>, most: u64) -> Result<(), Failed> {
        for (id, after_ms) in timers {
            if after_ms == 0 {
                self.timers.remove(&id);
                continue;
            }
            if self.timers.len() as u64 >= most && !self.timers.contains_key(&id) {
                return Err(Failed::limit(reached("timers", most)));
            }
            // Further away than a century is for ever.
            let after = Duration::from_millis(after_ms.min(100 * 365 * 86_400_000));
            self.timers.insert(id, Instant::now() + after);
        }
        Ok(())
    }

    /// Replaces the watched set. Mailboxes that the session has not opened watch nothing.
    pub(crate) fn watch(&mut self, folders: Vec<(u32, FolderId)>, host: &HostSide, store: &Store) {
        let known: Vec<_> = folders
            .iter()
            .filter_map(|(number, folder)| {
                Some((host.mailbox(*number)?.mailbox.guid(), Some(*folder)))
            })
            .collect();
        self.watched = folders.into_iter().collect();
        if known.is_empty() {
            self.watcher = None;
            return;
        }
        self.watcher
            .get_or_insert_with(|| Box::new(store.watcher()))
            .watch(known);
    }

    /// Timers that run, and folders that are watched.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.timers.len(), self.watched.len())
    }

    fn next_timer(&self) -> Option<(Instant, u32)> {
        self.timers.iter().map(|(id, at)| (*at, *id)).min()
    }

    /// The next thing to tell the session. Cancel-safe: nothing is taken before it is returned.
    pub(crate) async fn next(&mut self, host: &HostSide) -> PendingEvent {
        loop {
            let timer = self.next_timer();
            tokio::select! {
                biased;
                () = until(timer.map(|(at, _)| at)) => {
                    if let Some((_, id)) = timer {
                        self.timers.remove(&id);
                        return PendingEvent::Timer(id);
                    }
                }
                changes = changed(&mut self.watcher) => {
                    let folders = self.named(&changes, host);
                    if !folders.is_empty() {
                        return PendingEvent::Changed(folders);
                    }
                }
            }
        }
    }

    /// Changes under the numbers by which this session knows the mailboxes.
    fn named(&self, changes: &[Change], host: &HostSide) -> Vec<(u32, FolderId)> {
        let mut folders: Vec<_> = changes
            .iter()
            .flat_map(|change| {
                host.numbers(change.mailbox)
                    .into_iter()
                    .map(|number| (number, change.folder))
            })
            .filter(|folder| self.watched.contains(folder))
            .collect();
        folders.sort_unstable();
        folders.dedup();
        folders
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

async fn changed(watcher: &mut Option<Box<Watcher>>) -> Vec<Change> {
    match watcher {
        Some(watcher) => watcher.changed().await,
        None => std::future::pending().await,
    }
}
