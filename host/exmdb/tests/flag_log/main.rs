//! STORE of many messages: whatever happens before, between and after, everybody sees the same flags and change numbers, in
//! memory and on disk.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod model;
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use waxwing_exmdb::{
    Body, ChangeNumber, FlagMode, FlagUpdate, FolderId, ItemFlags, Mailbox, MailboxGuid, NewMail,
    Role, Selection, Store, StoreConfig, View,
};
use waxwing_formats_mapi::{Value, tags};

use model::{Model, Step, step};
use support::copy_tree;

const GUID: MailboxGuid = MailboxGuid([5; 16]);

async fn open(root: &Path) -> Store {
    let config = StoreConfig {
        root: root.into(),
        max_open: 2,
        index_cache: 1 << 20,
    };
    Store::open(config).await.unwrap()
}

fn database(root: &Path) -> PathBuf {
    root.join("05").join("05".repeat(16)).join("mailbox.sqlite")
}

/// Through a connection of its own.
async fn sql(root: &Path, statements: &'static str) {
    let options = SqliteConnectOptions::new().filename(database(root));
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(statements).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// Entries of the log that are not folded.
async fn pending(root: &Path) -> i64 {
    let options = SqliteConnectOptions::new().filename(database(root));
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    let count = sqlx::query_scalar("SELECT count(*) FROM flag_log");
    let count = count.fetch_one(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    count
}

fn mail(flags: u32) -> NewMail {
    NewMail {
        message: Body::from_bytes("Subject: x\r\n\r\nx\r\n".into()),
        flags: ItemFlags(flags),
        keywords: vec![],
        internal_date: None,
    }
}

fn update(uids: std::ops::RangeInclusive<u32>, mode: FlagMode, flags: u32) -> FlagUpdate {
    FlagUpdate {
        selection: Selection::Uids(vec![uids]),
        mode,
        flags: ItemFlags(flags),
        keywords: vec![],
        unchanged_since: None,
    }
}

/// An inbox of 200.
async fn filled() -> (TempDir, Store, Mailbox, FolderId) {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path()).await;
    let mailbox = store.create(GUID, "a@example.org").await.unwrap();
    let inbox = mailbox.folder_by_role(Role::Inbox).await.unwrap().id;
    let messages = (0..200).map(|_| mail(0)).collect();
    mailbox.append(inbox, messages).await.unwrap();
    (root, store, mailbox, inbox)
}

async fn flags(view: &View) -> Vec<(u32, u32, u64)> {
    let rows = view.fetch(model::everything()).await.unwrap().rows;
    let flags = rows
        .iter()
        .map(|row| (row.uid.0, row.flags.0 & !ItemFlags::RECENT, row.modseq));
    flags.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_commands_leaves_what_a_plain_list_of_messages_would(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(mixed(steps));
    }
}

async fn mixed(steps: Vec<Step>) {
    let mut model = Model::new().await;
    for step in steps {
        model.apply(step).await;
        model.compare_views().await;
    }
    model.compare_rows().await;
}

#[tokio::test]
async fn a_store_of_many_is_one_entry_and_survives_a_crash() {
    let (root, _store, mailbox, inbox) = filled().await;
    let view = mailbox.open_view(inbox, false).await.unwrap();
    view.set_flags(update(1..=150, FlagMode::Add, ItemFlags::SEEN))
        .await
        .unwrap();
    let before = flags(&view).await;
    assert_eq!(pending(root.path()).await, 1);
    let copied = tempfile::tempdir().unwrap();
    copy_tree(root.path(), copied.path());
    assert_eq!(pending(copied.path()).await, 1);
    let store = open(copied.path()).await;
    let mailbox = store.mailbox(GUID).await.unwrap();
    assert_eq!(mailbox.folder(inbox).await.unwrap().unread, 50);
    let view = mailbox.open_view(inbox, false).await.unwrap();
    assert_eq!(flags(&view).await, before);
    assert_eq!(
        pending(copied.path()).await,
        0,
        "an index is loaded from folded rows"
    );
    assert!(mailbox.check(false).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn bodies_and_appends_leave_the_log_alone_and_who_reads_flags_folds_it() {
    let (root, _store, mailbox, inbox) = filled().await;
    let view = mailbox.open_view(inbox, false).await.unwrap();
    let store = update(1..=150, FlagMode::Add, ItemFlags::SEEN);
    let told = view.set_flags(store).await.unwrap().rows;
    let item = told[0].item;
    mailbox.append(inbox, vec![mail(0)]).await.unwrap();
    view.open_bodies(&[item]).await.remove(0).unwrap();
    assert_eq!(pending(root.path()).await, 1);
    let read = mailbox.item_properties(&[item], &[tags::READ]).await;
    let read = read.unwrap().remove(0).properties;
    assert_eq!(read[0].value, Value::Boolean(true));
    assert_eq!(pending(root.path()).await, 0);
    let changes = mailbox.changes_of_folder(inbox, ChangeNumber(told[0].modseq - 1), 1000);
    let changes = changes.await.unwrap().changed;
    let read: Vec<_> = changes.iter().map(|change| change.read_cn.0).collect();
    assert_eq!(
        read[..150],
        told.iter().map(|row| row.modseq).collect::<Vec<_>>()
    );
    assert!(
        changes[..150]
            .iter()
            .all(|change| change.cn < change.read_cn)
    );
}

#[tokio::test]
async fn a_log_is_folded_when_nothing_comes_any_more() {
    let (root, _store, mailbox, inbox) = filled().await;
    let view = mailbox.open_view(inbox, false).await.unwrap();
    for mode in [FlagMode::Add, FlagMode::Remove] {
        let store = update(1..=150, mode, ItemFlags::FLAGGED);
        view.set_flags(store).await.unwrap();
    }
    assert_eq!(pending(root.path()).await, 2);
    let folded = async {
        while pending(root.path()).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, folded).await.unwrap();
    assert!(mailbox.check(false).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn a_mailbox_of_version_2_gets_its_log() {
    let (root, store, mailbox, inbox) = filled().await;
    drop(mailbox);
    store.shutdown().await;
    drop(store);
    let old = "DROP TABLE objects; DROP INDEX items_outside_name; DROP TABLE signatures; DROP TABLE flag_log; PRAGMA user_version = 2";
    sql(root.path(), old).await;
    let store = open(root.path()).await;
    let mailbox = store.mailbox(GUID).await.unwrap();
    let view = mailbox.open_view(inbox, false).await.unwrap();
    view.set_flags(update(1..=200, FlagMode::Add, ItemFlags::DELETED))
        .await
        .unwrap();
    assert_eq!(pending(root.path()).await, 1);
    assert_eq!(mailbox.folder(inbox).await.unwrap().deleted, 200);
    assert!(mailbox.check(false).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn a_backup_of_a_log_that_is_not_folded_restores_the_flags() {
    let (root, store, mailbox, inbox) = filled().await;
    let view = mailbox.open_view(inbox, false).await.unwrap();
    view.set_flags(update(1..=150, FlagMode::Add, ItemFlags::ANSWERED))
        .await
        .unwrap();
    let before = flags(&view).await;
    let mut snapshot = mailbox.snapshot().await.unwrap();
    assert_eq!(pending(root.path()).await, 1);
    let mut draft = store.draft(snapshot.schema()).await.unwrap();
    for table in snapshot.tables().await.unwrap() {
        let rows: Vec<_> = {
            use futures_util::TryStreamExt;
            snapshot.rows(&table).unwrap().try_collect().await.unwrap()
        };
        if table.name != "blobs" {
            draft
                .insert(&table.name, &table.columns, rows)
                .await
                .unwrap();
            continue;
        }
        for (row, blob) in rows.into_iter().zip(snapshot.blobs().await.unwrap()) {
            let packed = snapshot.packed(&blob).await.unwrap();
            let insert = draft.insert_blob(&table.columns, row, Some(packed));
            insert.await.unwrap();
        }
    }
    let restored = draft.finish(GUID, "a@example.org").await.unwrap();
    let report = restored.check().await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let view = restored.mailbox().open_view(inbox, true).await.unwrap();
    assert_eq!(flags(&view).await, before);
}
