//! What the store counts of itself.
#![allow(clippy::unwrap_used, reason = "tests")]

use waxwing_exmdb::{Body, ItemFlags, MailboxGuid, NewMail, Role, Store, StoreConfig};

const GUID: MailboxGuid = MailboxGuid([0xab; 16]);

fn mail() -> Vec<NewMail> {
    vec![NewMail {
        message: Body::from_bytes("Subject: one\r\n\r\nbody\r\n".into()),
        flags: ItemFlags(0),
        keywords: vec![],
        internal_date: None,
    }]
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_that_share_a_commit_are_one_group() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig {
        root: folder.path().into(),
        max_open: 8,
        index_cache: 1 << 20,
    };
    let store = Store::open(config).await.unwrap();
    let mailbox = store.create(GUID, "alice@example.org").await.unwrap();
    let inbox = mailbox.folder_by_role(Role::Inbox).await.unwrap().id;
    let before = store.metrics();
    let appends = (0..20).map(|_| {
        let mailbox = mailbox.clone();
        tokio::spawn(async move { mailbox.append(inbox, mail()).await })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    let after = store.metrics();
    assert_eq!(after.appends - before.appends, 20);
    let groups = after.append_groups - before.append_groups;
    assert!((1..=20).contains(&groups), "{groups}");
    assert_eq!(after.commits - before.commits, groups);
    assert!(after.commit_time > before.commit_time);
    assert_eq!((after.open_databases, after.max_open_databases), (1, 8));
    assert_eq!((after.index_cache, after.index_cache_limit), (0, 1 << 20));
    mailbox.open_view(inbox, true).await.unwrap();
    assert!(store.metrics().index_cache > 0);
    store.shutdown().await;
    assert_eq!(store.metrics().open_databases, 0);
}
