//! What others may do in a mailbox with the rights that they were given, and copies from one mailbox into another.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

#[path = "support/fresh.rs"]
mod fresh;

use fresh::fresh;
use waxwing_exmdb::{
    Actor, Body, Columns, Error, FlagMode, FlagUpdate, FolderId, Identity, ItemFlags, Mailbox,
    MailboxGuid, NewMail, Permission, Query, Rights, Role, Row, Selection, Store, View,
};

const BOB: &str = "bob@example.org";

fn mail(subject: &str) -> NewMail {
    NewMail {
        message: Body::from_bytes(format!("Subject: {subject}\r\n\r\nhello\r\n").into()),
        flags: ItemFlags(ItemFlags::FLAGGED),
        keywords: vec!["$Label1".into()],
        internal_date: Some(1_000_000),
    }
}

async fn inbox(mailbox: &Mailbox) -> FolderId {
    mailbox.folder_by_role(Role::Inbox).await.unwrap().id
}

/// Alice's inbox with two messages, and what Bob sees of her mailbox with these rights.
async fn shared(alice: &Mailbox, rights: Rights) -> Mailbox {
    let folder = inbox(alice).await;
    if alice.folder(folder).await.unwrap().items == 0 {
        let messages = vec![mail("one"), mail("two")];
        alice.append(folder, messages).await.unwrap();
    }
    let entry = Permission {
        member: BOB.into(),
        rights: rights.bits(),
    };
    alice.set_permissions(folder, vec![entry]).await.unwrap();
    alice.acting(Actor::User(BOB.into()))
}

async fn open(mailbox: &Mailbox) -> View {
    mailbox
        .open_view(inbox(mailbox).await, false)
        .await
        .unwrap()
}

fn all() -> Selection {
    Selection::Uids(vec![1..=u32::MAX])
}

async fn rows(view: &View) -> Vec<Row> {
    let query = Query {
        selection: all(),
        columns: Columns(0),
        tags: vec![],
        changed_since: None,
        after: 0,
        limit: 100,
    };
    view.fetch(query).await.unwrap().rows
}

async fn add(view: &View, flags: u32) -> Result<u32, Error> {
    let update = FlagUpdate {
        selection: all(),
        mode: FlagMode::Add,
        flags: ItemFlags(flags),
        keywords: vec![],
        unchanged_since: None,
    };
    Ok(view.set_flags(update).await?.rows[0].flags.0 & !ItemFlags::RECENT)
}

#[tokio::test]
async fn deleted_asks_for_the_right_to_delete_and_other_flags_for_the_right_to_edit() {
    let (_folder, _store, alice) = fresh().await;
    let reader = Rights::READ_ANY | Rights::FOLDER_VISIBLE;
    let bob = shared(&alice, reader | Rights::EDIT_ANY).await;
    let view = open(&bob).await;
    let denied = add(&view, ItemFlags::DELETED).await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    let both = ItemFlags::DELETED | ItemFlags::SEEN;
    let kept = add(&view, both).await.unwrap();
    assert_eq!(kept, ItemFlags::FLAGGED | ItemFlags::SEEN);
    shared(&alice, reader | Rights::DELETE_ANY).await;
    let kept = add(&view, ItemFlags::DELETED | ItemFlags::ANSWERED).await;
    assert_eq!(
        kept.unwrap(),
        ItemFlags::FLAGGED | ItemFlags::SEEN | ItemFlags::DELETED
    );
    shared(&alice, reader).await;
    let denied = add(&view, ItemFlags::SEEN).await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
}

#[tokio::test]
async fn a_view_shows_nothing_more_once_the_right_to_read_is_gone() {
    let (_folder, _store, alice) = fresh().await;
    let bob = shared(&alice, Rights::READ_ANY | Rights::FOLDER_VISIBLE).await;
    let view = open(&bob).await;
    assert_eq!(rows(&view).await.len(), 2);
    shared(&alice, Rights::empty()).await;
    assert!(matches!(view.sync(true).await, Err(Error::NotFound(_))));
    assert!(bob.folders().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_member_of_a_group_has_what_the_group_has() {
    let (_folder, _store, alice) = fresh().await;
    shared(&alice, Rights::empty()).await;
    let folder = inbox(&alice).await;
    let entry = Permission {
        member: "team@example.org".into(),
        rights: Rights::READ_ANY.bits(),
    };
    alice.set_permissions(folder, vec![entry]).await.unwrap();
    assert_eq!(alice.members().await.unwrap(), ["team@example.org"]);
    let carol = Identity {
        address: "carol@example.org".into(),
        groups: ["team@example.org".to_owned()].into(),
    };
    let carol = alice.acting(Actor::User(carol));
    assert_eq!(carol.folders().await.unwrap().len(), 1);
    let denied = carol.members().await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
}

#[tokio::test]
async fn who_may_only_add_adds_without_flags() {
    let (_folder, _store, alice) = fresh().await;
    let reader = Rights::READ_ANY | Rights::FOLDER_VISIBLE;
    let bob = shared(&alice, reader | Rights::CREATE).await;
    let folder = inbox(&alice).await;
    bob.append(folder, vec![mail("three")]).await.unwrap();
    let all = rows(&open(&bob).await).await;
    assert_eq!(all[2].flags.0 & !ItemFlags::RECENT, 0);
    assert!(all[2].keywords.is_empty());
}

async fn bobs_own(store: &Store) -> Mailbox {
    store.create(MailboxGuid([0xcd; 16]), BOB).await.unwrap()
}

#[tokio::test]
async fn a_copy_into_another_mailbox_keeps_text_flags_keywords_and_date() {
    let (_folder, store, alice) = fresh().await;
    let own = bobs_own(&store).await;
    let bob = shared(&alice, Rights::READ_ANY | Rights::FOLDER_VISIBLE).await;
    let target = inbox(&own).await;
    let view = open(&bob).await;
    let copied = view.copy_across(all(), (&own, target), false);
    let copied = copied.await.unwrap();
    assert_eq!((copied.source, copied.target), (vec![1..=2], vec![1..=2]));
    let view = open(&own).await;
    let row = &rows(&view).await[0];
    assert_eq!(row.flags.0 & !ItemFlags::RECENT, ItemFlags::FLAGGED);
    assert_eq!((row.keywords.len(), row.internal_date), (1, 1_000_000));
    assert_eq!(own.keywords().await.unwrap(), ["$Label1"]);
    let body = view.open_bodies(&[row.item]).await.remove(0).unwrap();
    assert_eq!(body.size(), mail("one").message.size());
    assert_eq!(alice.folder(inbox(&alice).await).await.unwrap().items, 2);
}

#[tokio::test]
async fn a_move_into_another_mailbox_asks_for_the_right_to_delete_before_it_copies() {
    let (_folder, store, alice) = fresh().await;
    let own = bobs_own(&store).await;
    let reader = Rights::READ_ANY | Rights::FOLDER_VISIBLE;
    let bob = shared(&alice, reader).await;
    let view = open(&bob).await;
    let target = inbox(&own).await;
    let denied = view.copy_across(all(), (&own, target), true).await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    // What others have made is not his to take away either.
    shared(&alice, reader | Rights::DELETE_OWNED).await;
    let denied = view.copy_across(all(), (&own, target), true).await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    assert_eq!(own.folder(target).await.unwrap().items, 0);
    shared(&alice, reader | Rights::DELETE_ANY).await;
    view.copy_across(all(), (&own, target), true).await.unwrap();
    assert_eq!(own.folder(target).await.unwrap().items, 2);
    assert_eq!(alice.folder(inbox(&alice).await).await.unwrap().items, 0);
    assert_eq!(view.sync(true).await.unwrap().expunged, [2, 1]);
}

#[tokio::test]
async fn who_may_not_add_to_the_other_mailbox_moves_nothing_there() {
    let (_folder, store, alice) = fresh().await;
    let own = bobs_own(&store).await;
    let bob = shared(&alice, Rights::READ_ANY | Rights::FOLDER_VISIBLE).await;
    let folder = inbox(&own).await;
    own.append(folder, vec![mail("mine")]).await.unwrap();
    let target = (&bob, inbox(&alice).await);
    let view = open(&own).await;
    let denied = view.copy_across(all(), target, true).await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    assert_eq!(own.folder(folder).await.unwrap().items, 1);
}
