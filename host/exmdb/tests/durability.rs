//! What a crash and time leave of a mailbox.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use waxwing_exmdb::{
    Body, ChangeNumber, Columns, Error, FlagMode, FlagUpdate, ItemFlags, Mailbox, MailboxGuid,
    NewMail, PruneBefore, Query, Role, Selection, Store, StoreConfig, View,
};

use support::copy_tree;

const GUID: MailboxGuid = MailboxGuid([5; 16]);
const NEVER: PruneBefore = PruneBefore {
    tombstones: i64::MIN,
    deleted: i64::MIN,
};

struct Fixture {
    root: TempDir,
    store: Store,
    mailbox: Mailbox,
}

impl Fixture {
    async fn with_messages(count: usize) -> Fixture {
        let root = tempfile::tempdir().unwrap();
        let store = open(root.path()).await;
        let mailbox = store.create(GUID, "a@example.org").await.unwrap();
        let fixture = Fixture {
            root,
            store,
            mailbox,
        };
        fixture.append((0..count).map(message).collect()).await;
        fixture
    }

    async fn append(&self, messages: Vec<String>) {
        let mail = |text: String| NewMail {
            message: Body::from_bytes(text.into()),
            flags: ItemFlags(0),
            keywords: vec!["k".into()],
            internal_date: None,
        };
        let inbox = self.mailbox.folder_by_role(Role::Inbox).await.unwrap().id;
        let mails = messages.into_iter().map(mail).collect();
        self.mailbox.append(inbox, mails).await.unwrap();
    }

    async fn view(&self) -> View {
        let inbox = self.mailbox.folder_by_role(Role::Inbox).await.unwrap();
        self.mailbox.open_view(inbox.id, false).await.unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("05").join("05".repeat(16))
    }

    /// Dies here and now: nothing is closed.
    fn crash(self) -> TempDir {
        std::mem::forget(self.mailbox);
        std::mem::forget(self.store);
        self.root
    }
}

async fn open(root: &Path) -> Store {
    let config = StoreConfig {
        root: root.into(),
        max_open: 2,
        index_cache: 1 << 20,
    };
    Store::open(config).await.unwrap()
}

fn message(number: usize) -> String {
    format!(
        "Subject: number {number}\r\n\r\n{}\r\n",
        "text ".repeat(number % 300)
    )
}

/// Does not shrink, so it is kept as a file.
fn large() -> String {
    let noise: Vec<String> = (0..30_000u64)
        .map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        .collect();
    format!("Subject: large\r\n\r\n{}", noise.concat())
}

fn everything() -> Query {
    Query {
        selection: Selection::Uids(vec![1..=u32::MAX]),
        columns: Columns(0),
        tags: Vec::new(),
        changed_since: None,
        after: 0,
        limit: 10_000,
    }
}

async fn delete_all(view: &View, uids: std::ops::RangeInclusive<u32>) {
    let update = FlagUpdate {
        selection: Selection::Uids(vec![uids]),
        mode: FlagMode::Add,
        flags: ItemFlags(ItemFlags::DELETED),
        keywords: Vec::new(),
        unchanged_since: None,
    };
    view.set_flags(update).await.unwrap();
    view.expunge(None).await.unwrap();
}

#[tokio::test]
async fn blob_files_of_an_append_that_did_not_come_to_its_commit_go_at_the_next_opening() {
    let fixture = Fixture::with_messages(1).await;
    fixture.append(vec![large()]).await;
    let orphan = fixture.folder().join("blobs/ab/orphan");
    std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    std::fs::write(&orphan, "x").unwrap();
    let copied = tempfile::tempdir().unwrap();
    let root = fixture.crash();
    copy_tree(root.path(), copied.path());
    let store = open(copied.path()).await;
    let mailbox = store.mailbox(GUID).await.unwrap();
    assert_eq!(mailbox.size().await.unwrap().items, 2);
    assert!(
        !copied
            .path()
            .join("05")
            .join("05".repeat(16))
            .join("blobs/ab/orphan")
            .exists()
    );
    let report = mailbox.check(false).await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

#[tokio::test]
async fn old_tombstones_go_and_older_tokens_expire() {
    let fixture = Fixture::with_messages(6).await;
    let (mailbox, inbox) = (
        &fixture.mailbox,
        fixture
            .mailbox
            .folder_by_role(Role::Inbox)
            .await
            .unwrap()
            .id,
    );
    let before = mailbox.latest().await.unwrap();
    let view = fixture.view().await;
    delete_all(&view, 1..=3).await;
    let between = mailbox.latest().await.unwrap();
    assert_eq!(mailbox.prune(NEVER).await.unwrap().tombstones, 0);
    let everything = PruneBefore {
        tombstones: i64::MAX,
        ..NEVER
    };
    assert_eq!(mailbox.prune(everything).await.unwrap().tombstones, 3);
    assert_eq!(mailbox.prune(everything).await.unwrap().tombstones, 0);
    delete_all(&view, 5..=5).await;
    let told = mailbox
        .changes_of_folder(inbox, between, 100)
        .await
        .unwrap();
    assert_eq!(
        told.deleted.len(),
        1,
        "a token from after the floor goes on"
    );
    assert!(matches!(
        mailbox.changes_of_folder(inbox, before, 100).await,
        Err(Error::Expired(_))
    ));
    let anew = mailbox
        .changes_of_folder(inbox, ChangeNumber(0), 100)
        .await
        .unwrap();
    assert_eq!(anew.changed.len(), 2);
    let all = Selection::Uids(vec![1..=u32::MAX]);
    assert_eq!(
        view.vanished(all.clone(), before.0).await.unwrap(),
        [1..=3, 5..=5],
        "QRESYNC from below the floor is told all that is gone"
    );
    assert_eq!(view.vanished(all, between.0).await.unwrap(), [5..=5]);
    assert!(mailbox.check(false).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn items_deleted_softly_go_when_their_time_is_over_and_nobody_is_told_again() {
    let fixture = Fixture::with_messages(4).await;
    fixture.append(vec![large()]).await;
    let rows = fixture.view().await.fetch(everything()).await.unwrap().rows;
    let items: Vec<_> = rows.iter().map(|row| row.item).collect();
    let (mailbox, inbox) = (
        &fixture.mailbox,
        fixture
            .mailbox
            .folder_by_role(Role::Inbox)
            .await
            .unwrap()
            .id,
    );
    let deleted = mailbox.delete_items(&items[3..], true).await.unwrap();
    assert_eq!(mailbox.prune(NEVER).await.unwrap().items, 0);
    let everything = PruneBefore {
        deleted: i64::MAX,
        ..NEVER
    };
    assert_eq!(mailbox.prune(everything).await.unwrap().items, 2);
    assert_eq!(mailbox.size().await.unwrap().items, 3);
    assert!(mailbox.restore_items(&items[3..4]).await.is_err());
    let told = mailbox
        .changes_of_folder(inbox, deleted, 100)
        .await
        .unwrap();
    assert!(told.changed.is_empty() && told.deleted.is_empty());
    let report = mailbox.check(false).await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

#[tokio::test]
async fn a_removed_mailbox_leaves_nothing_behind() {
    let fixture = Fixture::with_messages(2).await;
    fixture.append(vec![large()]).await;
    fixture.store.remove(GUID).await.unwrap();
    assert!(!fixture.folder().exists());
    assert_eq!(
        std::fs::read_dir(fixture.root.path().join("spool"))
            .unwrap()
            .count(),
        0
    );
    assert!(matches!(
        fixture.mailbox.latest().await,
        Err(Error::NotFound(_))
    ));
}
