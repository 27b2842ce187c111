//! What a mailbox may hold, through the public door.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "support/fresh.rs"]
mod fresh;

use fresh::{GUID, fresh};
use tempfile::TempDir;
use waxwing_exmdb::{
    Body, Error, FolderId, Holding, ItemFlags, Mailbox, NewMail, Quota, Role, Selection, Store,
};

const MAIL: &str = "From: Bob <bob@example.org>\r\n\r\nfifty octets\r\n";

async fn bounded(quota: Quota) -> (TempDir, Store, Mailbox) {
    let (folder, store, mailbox) = fresh().await;
    store.set_quota(GUID, quota);
    (folder, store, mailbox)
}

fn octets(mails: u64) -> Quota {
    Quota {
        storage: Some(mails * MAIL.len() as u64),
        messages: None,
    }
}

async fn folder(mailbox: &Mailbox, role: Role) -> FolderId {
    mailbox.folder_by_role(role).await.unwrap().id
}

async fn append(mailbox: &Mailbox, count: usize) -> Result<(), Error> {
    let mail = || NewMail {
        message: Body::from_bytes(MAIL.into()),
        flags: ItemFlags(0),
        keywords: Vec::new(),
        internal_date: None,
    };
    let messages = std::iter::repeat_with(mail).take(count).collect();
    let inbox = folder(mailbox, Role::Inbox).await;
    mailbox.append(inbox, messages).await.map(drop)
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::OverQuota(_)))
}

#[tokio::test]
async fn a_full_mailbox_takes_nothing_and_gives_everything() {
    let (_guard, _store, mailbox) = bounded(octets(2)).await;
    append(&mailbox, 2).await.unwrap();
    assert!(refused(append(&mailbox, 1).await));
    assert!(refused(mailbox.demand_room(1).await));
    let inbox = folder(&mailbox, Role::Inbox).await;
    let trash = folder(&mailbox, Role::Trash).await;
    let view = mailbox.open_view(inbox, false).await.unwrap();
    assert!(refused(
        view.copy(Selection::Positions(vec![1..=1]), trash).await
    ));
    view.move_to(Selection::Positions(vec![1..=1]), trash)
        .await
        .unwrap();
    let holding = mailbox.holding().await.unwrap();
    assert_eq!(
        holding,
        Holding {
            storage: 2 * MAIL.len() as u64,
            messages: 2
        }
    );
}

#[tokio::test]
async fn room_that_is_made_can_be_used() {
    let (_guard, _store, mailbox) = bounded(Quota {
        messages: Some(1),
        storage: None,
    })
    .await;
    append(&mailbox, 1).await.unwrap();
    assert!(refused(append(&mailbox, 1).await));
    let inbox = folder(&mailbox, Role::Inbox).await;
    let all = mailbox.open_view(inbox, false).await.unwrap();
    let deleted = waxwing_exmdb::FlagUpdate {
        selection: Selection::Positions(vec![1..=1]),
        mode: waxwing_exmdb::FlagMode::Add,
        flags: ItemFlags(ItemFlags::DELETED),
        keywords: Vec::new(),
        unchanged_since: None,
    };
    all.set_flags(deleted).await.unwrap();
    all.expunge(None).await.unwrap();
    append(&mailbox, 1).await.unwrap();
}

#[tokio::test]
async fn an_append_is_taken_whole_or_not_at_all() {
    let (_guard, _store, mailbox) = bounded(octets(2)).await;
    assert!(refused(append(&mailbox, 3).await));
    assert_eq!(mailbox.holding().await.unwrap(), Holding::default());
}

#[tokio::test]
async fn one_append_too_many_does_not_spoil_those_committed_with_it() {
    let (_guard, _store, mailbox) = bounded(octets(4)).await;
    let outcomes = futures_util::future::join_all([
        append(&mailbox, 1),
        append(&mailbox, 9),
        append(&mailbox, 1),
        append(&mailbox, 2),
    ])
    .await;
    let refused: Vec<bool> = outcomes.into_iter().map(refused).collect();
    assert_eq!(refused, [false, true, false, false]);
}

#[tokio::test]
async fn who_is_not_named_any_more_has_no_limit() {
    let (_guard, store, mailbox) = bounded(octets(0)).await;
    assert!(refused(append(&mailbox, 1).await));
    store.set_quotas([]);
    append(&mailbox, 1).await.unwrap();
    assert_eq!(mailbox.quota(), Quota::default());
}
