//! The check finds planted damage, repairs what can be repaired, and finds nothing afterwards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use waxwing_exmdb::{
    Body, Error, ItemFlags, Mailbox, MailboxGuid, NewMail, Role, Store, StoreConfig,
};
use waxwing_formats_mapi::tags;

struct Damaged {
    root: TempDir,
    folder: PathBuf,
}

impl Damaged {
    async fn new() -> Damaged {
        let root = tempfile::tempdir().unwrap();
        let damaged = Damaged {
            folder: root.path().join("05").join("05".repeat(16)),
            root,
        };
        let store = damaged.store().await;
        let mailbox = store
            .create(MailboxGuid([5; 16]), "a@example.org")
            .await
            .unwrap();
        let inbox = mailbox.folder_by_role(Role::Inbox).await.unwrap().id;
        let noise: Vec<String> = (0..30_000u64)
            .map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
            .collect();
        for body in ["small", &noise.concat()] {
            let message = Body::from_bytes(format!("Subject: s\r\n\r\n{body}").into());
            let mail = NewMail {
                message,
                flags: ItemFlags(0),
                keywords: vec!["k".into()],
                internal_date: None,
            };
            let items = mailbox.append(inbox, vec![mail]).await.unwrap().items;
            mailbox
                .item_properties(&items, &[tags::BODY])
                .await
                .unwrap();
        }
        let report = mailbox.check(true).await.unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        assert_eq!((report.items, report.blobs, report.folders), (2, 2, 12));
        store.shutdown().await;
        damaged
    }

    async fn store(&self) -> Store {
        Store::open(StoreConfig {
            root: self.root.path().into(),
            max_open: 2,
            index_cache: 1 << 20,
        })
        .await
        .unwrap()
    }

    async fn mailbox(&self) -> Mailbox {
        self.store()
            .await
            .mailbox(MailboxGuid([5; 16]))
            .await
            .unwrap()
    }

    async fn plant(&self, sql: &'static str) {
        let options = SqliteConnectOptions::new()
            .filename(self.folder.join("mailbox.sqlite"))
            .foreign_keys(false);
        let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }

    fn blob_files(&self) -> Vec<PathBuf> {
        let shards = std::fs::read_dir(self.folder.join("blobs"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        shards
            .flat_map(|shard| {
                std::fs::read_dir(shard)
                    .unwrap()
                    .map(|entry| entry.unwrap().path())
            })
            .collect()
    }
}

/// Finds exactly this, repairs it, and finds nothing after that.
async fn repairs(damaged: &Damaged, invariants: &[&str]) {
    let names = |report: waxwing_exmdb::CheckReport| -> Vec<&str> {
        let mut names: Vec<_> = report
            .findings
            .iter()
            .map(|finding| finding.invariant)
            .collect();
        names.dedup();
        names
    };
    let mailbox = damaged.mailbox().await;
    let looked = mailbox.check(false).await.unwrap();
    assert!(
        looked
            .findings
            .iter()
            .all(|finding| finding.repaired.is_none())
    );
    assert_eq!(names(looked), invariants);
    let repaired = mailbox.check(true).await.unwrap();
    assert!(
        repaired
            .findings
            .iter()
            .all(|finding| finding.repaired.is_some()),
        "{:?}",
        repaired.findings
    );
    drop(mailbox);
    let left = damaged.mailbox().await.check(false).await.unwrap().findings;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn wrong_numbers_are_computed_anew() {
    let damaged = Damaged::new().await;
    damaged.plant("UPDATE folders SET items = 9, unread = 7, uid_next = 1, highest_modseq = 1 WHERE role = 1").await;
    repairs(
        &damaged,
        &["folder-counts", "uid-below-next", "highest-modseq"],
    )
    .await;
    damaged.plant("UPDATE meta SET counter = 5").await;
    repairs(&damaged, &["number-below-counter"]).await;
    damaged
        .plant("UPDATE items SET modseq = 1, size = 3, keywords = '0,77'")
        .await;
    repairs(
        &damaged,
        &[
            "modseq-is-the-maximum",
            "size-of-the-blob",
            "keyword-exists",
            "folder-counts",
        ],
    )
    .await;
    damaged.plant("INSERT INTO tombstones SELECT folder, 1, 99, uid, NULL, 0, 2, 0 FROM items WHERE uid = 1").await;
    repairs(
        &damaged,
        &["tombstone-above-floor", "tombstone-of-a-live-uid"],
    )
    .await;
}

#[tokio::test]
async fn an_entry_of_the_flag_log_that_cannot_be_read_is_given_up() {
    let damaged = Damaged::new().await;
    damaged
        .plant(
            "INSERT INTO flag_log SELECT 1, id, 2, 1, '', 5, x'0100' FROM folders WHERE role = 1",
        )
        .await;
    let reading = damaged.mailbox().await;
    let inbox = reading.folder_by_role(Role::Inbox).await.unwrap().id;
    let opened = reading.open_view(inbox, true).await;
    assert!(
        matches!(opened, Err(Error::Corrupt(_))),
        "no flags rather than old ones"
    );
    drop(reading);
    repairs(&damaged, &["flag-log-decodes"]).await;
}

#[tokio::test]
async fn derived_things_are_derived_again() {
    let damaged = Damaged::new().await;
    damaged.plant("UPDATE blobs SET structure = x'ff'").await;
    repairs(&damaged, &["structure-decodes"]).await;
    damaged
        .plant("UPDATE bags SET derived = zeroblob(32)")
        .await;
    repairs(&damaged, &["derived-digest"]).await;
    let items = damaged.mailbox().await;
    let view = items
        .open_view(items.folder_by_role(Role::Inbox).await.unwrap().id, true)
        .await
        .unwrap();
    assert_eq!(view.info().exists, 2);
}

#[tokio::test]
async fn rows_and_files_that_nothing_names_go() {
    let damaged = Damaged::new().await;
    damaged
        .plant("INSERT INTO blobs (digest, size, header_size, header_packed, frames) VALUES (zeroblob(32), 0, 0, 0, x'')")
        .await;
    repairs(&damaged, &["row-without-use"]).await;
    std::fs::write(damaged.folder.join("blobs/orphan"), "x").unwrap();
    repairs(&damaged, &["file-without-row"]).await;
    assert_eq!(damaged.blob_files().len(), 1);
}

#[tokio::test]
async fn lost_bytes_are_reported_and_left_alone() {
    let damaged = Damaged::new().await;
    let file = damaged.blob_files().remove(0);
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let findings = damaged.mailbox().await.check(true).await.unwrap().findings;
    assert_eq!(
        findings
            .iter()
            .map(|finding| finding.invariant)
            .collect::<Vec<_>>(),
        ["blob-file"]
    );
    assert_eq!(findings[0].repaired, None);
    assert!(
        findings[0].what.contains("INBOX UID 2"),
        "{}",
        findings[0].what
    );
    std::fs::remove_file(&file).unwrap();
    let findings = damaged.mailbox().await.check(true).await.unwrap().findings;
    assert_eq!(findings[0].invariant, "blob-file");
    std::fs::write(&file, &bytes).unwrap();
    assert!(
        damaged
            .mailbox()
            .await
            .check(false)
            .await
            .unwrap()
            .findings
            .is_empty()
    );
}
