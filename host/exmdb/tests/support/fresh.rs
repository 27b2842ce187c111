//! A store in a temporary folder with one mailbox, Alice's.

use tempfile::TempDir;
use waxwing_exmdb::{Mailbox, MailboxGuid, Store, StoreConfig};

/// Of her mailbox.
pub(crate) const GUID: MailboxGuid = MailboxGuid([0xab; 16]);

pub(crate) async fn open(folder: &TempDir) -> Store {
    let config = StoreConfig {
        root: folder.path().into(),
        max_open: 8,
        index_cache: 1 << 20,
    };
    Store::open(config).await.unwrap()
}

pub(crate) async fn fresh() -> (TempDir, Store, Mailbox) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mailbox = store.create(GUID, "alice@example.org").await.unwrap();
    (folder, store, mailbox)
}
