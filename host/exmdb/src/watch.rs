//! Watches: a commit publishes (mailbox, folder, change number) after it is durable, and whoever watches wakes up.
//!
//! A watcher holds one slot with the newest change number per folder, so that any number of commits costs it one entry and
//! one wake-up; a slow watcher cannot grow the store's memory. The slot keeps what was not taken, so a dropped `changed`
//! future loses nothing. A channel per watcher would have to choose between a bound that loses and none that grows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use dashmap::DashMap;
use tokio::sync::Notify;

use crate::{ChangeNumber, FolderId, MailboxGuid};

/// A commit, told to watchers after it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The mailbox that changed.
    pub mailbox: MailboxGuid,
    /// The folder that changed.
    pub folder: FolderId,
    /// The newest change number of the folder.
    pub change_number: ChangeNumber,
}

#[derive(Debug, Default)]
struct Interest {
    watched: Vec<(MailboxGuid, Option<FolderId>)>,
    pending: HashMap<(MailboxGuid, FolderId), ChangeNumber>,
}

#[derive(Debug, Default)]
struct Slot {
    interest: Mutex<Interest>,
    woken: Notify,
}

impl Slot {
    fn offer(&self, change: Change) {
        let mut interest = self.interest.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = interest.watched.iter().any(|(mailbox, folder)| {
            *mailbox == change.mailbox && folder.is_none_or(|folder| folder == change.folder)
        });
        if wanted {
            let newest = interest
                .pending
                .entry((change.mailbox, change.folder))
                .or_insert(change.change_number);
            *newest = (*newest).max(change.change_number);
            self.woken.notify_one();
        }
    }
}

/// Who watches which mailbox.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    slots: DashMap<MailboxGuid, Vec<Weak<Slot>>>,
}

impl Hub {
    pub(crate) fn publish(&self, change: Change) {
        if let Some(slots) = self.slots.get(&change.mailbox) {
            slots
                .iter()
                .filter_map(Weak::upgrade)
                .for_each(|slot| slot.offer(change));
        }
    }

    fn subscribe(&self, mailbox: MailboxGuid, slot: &Arc<Slot>) {
        let mut slots = self.slots.entry(mailbox).or_default();
        slots.retain(|other| other.strong_count() > 0);
        slots.push(Arc::downgrade(slot));
    }

    fn unsubscribe(&self, mailbox: MailboxGuid, slot: &Arc<Slot>) {
        if let Some(mut slots) = self.slots.get_mut(&mailbox) {
            slots.retain(|other| {
                other.strong_count() > 0 && !std::ptr::eq(other.as_ptr(), Arc::as_ptr(slot))
            });
        }
        self.slots.remove_if(&mailbox, |_, slots| slots.is_empty());
    }
}

/// Coalescing: many commits may be one wake-up; none is missed.
#[derive(Debug)]
pub struct Watcher {
    hub: Arc<Hub>,
    slot: Arc<Slot>,
}

impl Watcher {
    pub(crate) fn new(hub: Arc<Hub>) -> Watcher {
        Watcher {
            hub,
            slot: Arc::default(),
        }
    }

    /// Replaces the set of watched folders; `None` watches all folders of the mailbox. Changes of folders that stay
    /// watched are kept.
    pub fn watch(&mut self, folders: Vec<(MailboxGuid, Option<FolderId>)>) {
        let before = {
            let mut interest = self
                .slot
                .interest
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            interest.pending.retain(|(mailbox, folder), _| {
                folders.iter().any(|(other, wanted)| {
                    other == mailbox && wanted.is_none_or(|wanted| wanted == *folder)
                })
            });
            std::mem::replace(&mut interest.watched, folders.clone())
        };
        let mut gone: Vec<_> = before.into_iter().map(|(mailbox, _)| mailbox).collect();
        let mut come: Vec<_> = folders.into_iter().map(|(mailbox, _)| mailbox).collect();
        for list in [&mut gone, &mut come] {
            list.sort_unstable();
            list.dedup();
        }
        come.iter()
            .filter(|mailbox| !gone.contains(mailbox))
            .for_each(|mailbox| self.hub.subscribe(*mailbox, &self.slot));
        gone.iter()
            .filter(|mailbox| !come.contains(mailbox))
            .for_each(|mailbox| self.hub.unsubscribe(*mailbox, &self.slot));
    }

    /// What changed since the last call, one entry per folder. Cancel-safe. Pending for ever when nothing is watched.
    pub async fn changed(&mut self) -> Vec<Change> {
        loop {
            let pending = {
                let mut interest = self
                    .slot
                    .interest
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut interest.pending)
            };
            if !pending.is_empty() {
                return pending
                    .into_iter()
                    .map(|((mailbox, folder), change_number)| Change {
                        mailbox,
                        folder,
                        change_number,
                    })
                    .collect();
            }
            self.slot.woken.notified().await;
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.watch(Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HERE: MailboxGuid = MailboxGuid([1; 16]);
    const ELSEWHERE: MailboxGuid = MailboxGuid([2; 16]);

    fn change(mailbox: MailboxGuid, folder: u64, number: u64) -> Change {
        Change {
            mailbox,
            folder: FolderId(folder),
            change_number: ChangeNumber(number),
        }
    }

    #[tokio::test]
    async fn many_commits_are_one_wake_up_with_the_newest_number() {
        let hub = Arc::new(Hub::default());
        let mut watcher = Watcher::new(hub.clone());
        watcher.watch(vec![(HERE, Some(FolderId(5)))]);
        for number in [7, 9, 8] {
            hub.publish(change(HERE, 5, number));
        }
        hub.publish(change(HERE, 6, 10));
        hub.publish(change(ELSEWHERE, 5, 11));
        assert_eq!(watcher.changed().await, vec![change(HERE, 5, 9)]);
        assert!(
            tokio::time::timeout(Duration::from_millis(20), watcher.changed())
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn a_cancelled_wait_loses_nothing() {
        let hub = Arc::new(Hub::default());
        let mut watcher = Watcher::new(hub.clone());
        watcher.watch(vec![(HERE, None)]);
        assert!(
            tokio::time::timeout(Duration::from_millis(5), watcher.changed())
                .await
                .is_err()
        );
        hub.publish(change(HERE, 6, 10));
        assert_eq!(watcher.changed().await, vec![change(HERE, 6, 10)]);
    }

    #[tokio::test]
    async fn a_dropped_watcher_leaves_the_hub_empty() {
        let hub = Arc::new(Hub::default());
        let mut watcher = Watcher::new(hub.clone());
        watcher.watch(vec![
            (HERE, None),
            (HERE, Some(FolderId(1))),
            (ELSEWHERE, None),
        ]);
        assert_eq!(hub.slots.len(), 2);
        drop(watcher);
        assert!(hub.slots.is_empty());
    }
}
