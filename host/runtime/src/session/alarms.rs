//! What wakes a session besides its socket: timers and watched folders. Both belong to the session, not to the
//! instance, so they go on while it is frozen and survive a hand-over.
//!
//! A waiting session has one bell. Whoever has something for it rings, and it looks what there is ([`Alarms::due`]): a future
//! for each possible cause would be most of what an idle client's task occupies.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time::Instant};
use waxwing_exmdb::{Change, FolderId, Store, Watcher};

use super::PendingEvent;
use crate::{host_side::HostSide, instance::Failed, limits::reached};

pub(crate) struct Alarms {
    bell: Arc<Notify>,
    timers: Vec<(u32, Instant)>,
    watcher: Option<Watcher>,
    watched: Vec<(u32, FolderId)>,
}

impl Alarms {
    pub(crate) fn new(bell: Arc<Notify>) -> Alarms {
        Alarms {
            bell,
            timers: Vec::new(),
            watcher: None,
            watched: Vec::new(),
        }
    }

    pub(crate) fn set_timers(&mut self, timers: Vec<(u32, u64)>, most: u64) -> Result<(), Failed> {
        for (id, after_ms) in timers {
            self.timers.retain(|(other, _)| *other != id);
            if after_ms == 0 {
                continue;
            }
            if self.timers.len() as u64 >= most {
                return Err(Failed::limit(reached("timers", most)));
            }
            // Further away than a century is for ever.
            let after = Duration::from_millis(after_ms.min(100 * 365 * 86_400_000));
            self.timers.reserve_exact(1);
            self.timers.push((id, Instant::now() + after));
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
        self.watched = folders;
        if known.is_empty() {
            self.watcher = None;
            return;
        }
        self.watcher
            .get_or_insert_with(|| store.watcher_that_rings(self.bell.clone()))
            .watch(known);
    }

    /// Timers that run, and folders that are watched.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.timers.len(), self.watched.len())
    }

    fn next_timer(&self) -> Option<(Instant, u32)> {
        self.timers.iter().map(|(id, at)| (*at, *id)).min()
    }

    /// What there is to tell the session now.
    pub(crate) fn due(&mut self, host: &HostSide) -> Option<PendingEvent> {
        if let Some((at, id)) = self.next_timer()
            && at <= Instant::now()
        {
            self.timers.retain(|(other, _)| *other != id);
            return Some(PendingEvent::Timer(id));
        }
        let changes = self.watcher.as_mut().map(Watcher::take)?;
        let folders = self.named(&changes, host);
        (!folders.is_empty()).then_some(PendingEvent::Changed(folders))
    }

    /// Until the bell rings, a timer runs out or the deadline comes. Cancel-safe: nothing is taken.
    pub(crate) async fn wait(&self, deadline: Option<Instant>) {
        let timer = self.next_timer().map(|(at, _)| at);
        let rung = self.bell.notified();
        match timer.into_iter().chain(deadline).min() {
            // Time being up is what is waited for, too.
            Some(at) => _ = tokio::time::timeout_at(at, rung).await,
            None => rung.await,
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
