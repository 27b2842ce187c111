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
    watched: Box<[(MailboxGuid, Option<FolderId>)]>,
    /// One entry for each folder; few, and none while nothing happens.
    pending: Vec<Change>,
}

#[derive(Debug)]
struct Slot {
    interest: Mutex<Interest>,
    bell: Arc<Notify>,
}

impl Slot {
    fn offer(&self, change: Change) {
        let mut interest = self.interest.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = interest.watched.iter().any(|(mailbox, folder)| {
            *mailbox == change.mailbox && folder.is_none_or(|folder| folder == change.folder)
        });
        if wanted {
            let same = |pending: &&mut Change| {
                pending.mailbox == change.mailbox && pending.folder == change.folder
            };
            match interest.pending.iter_mut().find(same) {
                Some(pending) => {
                    pending.change_number = pending.change_number.max(change.change_number);
                }
                None => interest.pending.push(change),
            }
            self.bell.notify_one();
        }
    }
}

/// Who watches which mailbox; a slot by its address, so that one of ten thousand comes and goes as cheaply as one of ten.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    slots: DashMap<MailboxGuid, HashMap<usize, Weak<Slot>>>,
}

fn address(slot: &Arc<Slot>) -> usize {
    Arc::as_ptr(slot).addr()
}

impl Hub {
    pub(crate) fn publish(&self, change: Change) {
        if let Some(slots) = self.slots.get(&change.mailbox) {
            slots
                .values()
                .filter_map(Weak::upgrade)
                .for_each(|slot| slot.offer(change));
        }
    }

    fn subscribe(&self, mailbox: MailboxGuid, slot: &Arc<Slot>) {
        let mut slots = self.slots.entry(mailbox).or_default();
        slots.insert(address(slot), Arc::downgrade(slot));
    }

    fn unsubscribe(&self, mailbox: MailboxGuid, slot: &Arc<Slot>) {
        if let Some(mut slots) = self.slots.get_mut(&mailbox) {
            slots.remove(&address(slot));
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
    /// `bell` is rung when there is something to take.
    pub(crate) fn new(hub: Arc<Hub>, bell: Arc<Notify>) -> Watcher {
        Watcher {
            hub,
            slot: Arc::new(Slot {
                interest: Mutex::default(),
                bell,
            }),
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
            interest.pending.retain(|pending| {
                folders.iter().any(|(mailbox, wanted)| {
                    *mailbox == pending.mailbox
                        && wanted.is_none_or(|wanted| wanted == pending.folder)
                })
            });
            std::mem::replace(&mut interest.watched, folders.as_slice().into())
        };
        let mut gone: Vec<_> = before.iter().map(|(mailbox, _)| *mailbox).collect();
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

    /// What changed since it was last told, one entry per folder.
    pub fn take(&mut self) -> Vec<Change> {
        let interest = &self.slot.interest;
        let mut interest = interest.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut interest.pending)
    }

    /// Waits until something changed, and takes it. Cancel-safe. Pending for ever when nothing is watched.
    pub async fn changed(&mut self) -> Vec<Change> {
        loop {
            let pending = self.take();
            if !pending.is_empty() {
                return pending;
            }
            self.slot.bell.notified().await;
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
        let mut watcher = Watcher::new(hub.clone(), Arc::default());
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
        let mut watcher = Watcher::new(hub.clone(), Arc::default());
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
        let mut watcher = Watcher::new(hub.clone(), Arc::default());
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
