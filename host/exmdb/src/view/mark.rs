//! Taking back what a client was told. Whoever answers a client does so in turns, and a turn that fails tells nothing: the
//! expunges, arrivals and flags that it learned from the view must be told by the next. So a view is marked when a turn
//! begins, and the turn's end either commits it or rolls it back.
//!
//! A mark costs three counts of references: positions are shared with it and copied only when a sync changes them. What the
//! turn has written is not taken back; a roll-back makes the next sync tell it.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard},
};

use super::{Positions, Shown, View};
use crate::{Error, Result};

/// What the client was told when the turn began. `\Recent` is no part of it: what a view has claimed stays its own.
#[derive(Debug)]
pub(super) struct Mark {
    positions: Arc<Positions>,
    uid_next: u32,
    modseq: u64,
    expunges: u64,
    own: Arc<HashMap<u32, u64>>,
}

impl View {
    /// A turn begins; a mark that is there already is moved.
    pub fn mark(&self) {
        let mut shown = self.shown();
        shown.mark = Some(Mark {
            positions: shown.positions.clone(),
            uid_next: shown.uid_next,
            modseq: shown.modseq,
            expunges: shown.expunges,
            own: shown.own.clone(),
        });
    }

    /// The turn is complete: what it was told is told.
    pub fn commit(&self) {
        self.shown().mark = None;
    }

    /// The turn failed: the client knows what it knew at the mark. Calls of the turn that still run change nothing any more.
    /// Without a mark nothing happens.
    pub fn roll_back(&self) {
        let mut shown = self.shown();
        let Some(mark) = shown.mark.take() else {
            return;
        };
        shown.positions = mark.positions;
        shown.uid_next = mark.uid_next;
        shown.modseq = mark.modseq;
        shown.expunges = mark.expunges;
        shown.own = mark.own;
        shown.generation += 1;
    }

    /// What is shown, for a call that began in this generation.
    pub(super) fn shown_since(&self, generation: u64) -> Result<MutexGuard<'_, Shown>> {
        let shown = self.shown();
        if shown.generation == generation {
            Ok(shown)
        } else {
            Err(Error::Expired(format!(
                "the turn that asked view {} failed meanwhile",
                self.id()
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Body, FlagMode, FlagUpdate, ItemFlags, Mailbox, MailboxGuid, NewMail, Role, Selection,
        Store, StoreConfig, ViewChanges,
    };

    struct Fixture {
        _folder: tempfile::TempDir,
        mailbox: Mailbox,
        here: View,
        there: View,
    }

    impl Fixture {
        /// Two views of an inbox of five.
        async fn new() -> Fixture {
            let folder = tempfile::tempdir().unwrap();
            let config = StoreConfig {
                root: folder.path().into(),
                max_open: 2,
                index_cache: 1 << 20,
            };
            let store = Store::open(config).await.unwrap();
            let mailbox = store.create(MailboxGuid([7; 16]), "a@x").await.unwrap();
            arrive(&mailbox, 5).await;
            let (here, there) = (open(&mailbox).await, open(&mailbox).await);
            Fixture {
                _folder: folder,
                mailbox,
                here,
                there,
            }
        }

        /// Somebody else marks 4 seen, removes 2 and adds one.
        async fn others_work(&self) {
            flag(&self.there, 4, ItemFlags::SEEN).await;
            flag(&self.there, 2, ItemFlags::DELETED).await;
            self.there.expunge(None).await.unwrap();
            arrive(&self.mailbox, 1).await;
        }
    }

    async fn open(mailbox: &Mailbox) -> View {
        let inbox = mailbox.folder_by_role(Role::Inbox).await.unwrap().id;
        mailbox.open_view(inbox, false).await.unwrap()
    }

    async fn arrive(mailbox: &Mailbox, count: usize) {
        let mail = || NewMail {
            message: Body::from_bytes("Subject: x\r\n\r\nx\r\n".into()),
            flags: ItemFlags(0),
            keywords: vec![],
            internal_date: None,
        };
        let inbox = mailbox.folder_by_role(Role::Inbox).await.unwrap().id;
        let messages = (0..count).map(|_| mail()).collect();
        mailbox.append(inbox, messages).await.unwrap();
    }

    async fn flag(view: &View, uid: u32, flags: u32) {
        let update = FlagUpdate {
            selection: Selection::Uids(vec![uid..=uid]),
            mode: FlagMode::Add,
            flags: ItemFlags(flags),
            keywords: vec![],
            unchanged_since: None,
        };
        view.set_flags(update).await.unwrap();
    }

    /// What a client hears: positions that go, how many there are then, UIDs with new flags.
    fn heard(changes: &ViewChanges) -> (Vec<u32>, u32, Vec<u32>) {
        let changed = changes.changed.iter().map(|row| row.uid.0).collect();
        (changes.expunged.clone(), changes.exists, changed)
    }

    #[tokio::test]
    async fn what_a_failed_turn_was_told_is_told_again() {
        let fixture = Fixture::new().await;
        let before = format!("{:?}", fixture.here.info());
        fixture.others_work().await;
        fixture.here.mark();
        let told = fixture.here.sync(true).await.unwrap();
        assert_eq!(heard(&told), (vec![2], 5, vec![4]));
        // Whatever else the turn asks, it hears nothing twice.
        let nothing = fixture.here.sync(true).await.unwrap();
        assert_eq!(heard(&nothing), (vec![], 5, vec![]));
        fixture.here.roll_back();
        assert_eq!(format!("{:?}", fixture.here.info()), before);
        let again = fixture.here.sync(true).await.unwrap();
        assert_eq!(format!("{again:?}"), format!("{told:?}"));
    }

    #[tokio::test]
    async fn what_a_completed_turn_was_told_is_not_told_again() {
        let fixture = Fixture::new().await;
        fixture.others_work().await;
        fixture.here.mark();
        fixture.here.sync(true).await.unwrap();
        fixture.here.commit();
        fixture.here.roll_back();
        let nothing = fixture.here.sync(true).await.unwrap();
        assert_eq!(heard(&nothing), (vec![], 5, vec![]));
    }

    #[tokio::test]
    async fn flags_that_a_failed_turn_has_set_are_told_by_the_next() {
        let fixture = Fixture::new().await;
        flag(&fixture.here, 1, ItemFlags::FLAGGED).await;
        fixture.here.mark();
        flag(&fixture.here, 3, ItemFlags::SEEN).await;
        fixture.here.roll_back();
        let told = fixture.here.sync(true).await.unwrap();
        assert_eq!(heard(&told), (vec![], 5, vec![3]));
    }

    #[tokio::test]
    async fn a_call_that_outlives_its_failed_turn_changes_nothing() {
        let fixture = Fixture::new().await;
        fixture.others_work().await;
        fixture.here.mark();
        let late = fixture.here.sync(true);
        fixture.here.roll_back();
        assert!(matches!(late.await, Err(Error::Expired(_))));
        let told = fixture.here.sync(true).await.unwrap();
        assert_eq!(heard(&told), (vec![2], 5, vec![4]));
    }

    #[tokio::test]
    async fn recent_stays_with_the_view_that_has_claimed_it() {
        let fixture = Fixture::new().await;
        assert_eq!(fixture.here.info().recent, 5);
        fixture.others_work().await;
        fixture.here.mark();
        assert_eq!(fixture.here.sync(true).await.unwrap().recent, 5);
        fixture.here.roll_back();
        assert_eq!(fixture.here.sync(true).await.unwrap().recent, 5);
        assert_eq!(fixture.there.sync(true).await.unwrap().recent, 0);
    }
}
