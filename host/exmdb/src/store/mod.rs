//! All mailboxes of this machine: `<root>/<aa>/<guid>/` holds `mailbox.sqlite` and `blobs/`, where `aa` are the first two
//! digits of the guid.
//!
//! The store owns what mailboxes share: the lock that keeps a second process out, the bound on open databases, the folder
//! index cache and the watch hub. A [`Mailbox`] handle is a name: the database behind it opens at first use and may be
//! closed under it.

mod connections;
mod lock;
mod metrics;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use dashmap::DashMap;

pub(crate) use connections::{Connections, Database};
pub use metrics::StoreMetrics;

use crate::{
    Body, BodyWriter, Error, Mailbox, MailboxGuid, Result,
    body::blocking,
    index::IndexCache,
    mailbox::{
        Core,
        create::{self, sync_folder},
    },
    quota::{Quota, Quotas},
    watch::{Hub, Watcher},
};

/// What a store is opened with.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The folder that holds everything.
    pub root: PathBuf,
    /// Mailboxes with an open database at the same time; others are closed when idle.
    pub max_open: usize,
    /// Bytes of folder indexes kept in memory.
    pub index_cache: usize,
}

/// All mailboxes of this machine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    commons: Arc<Commons>,
    mailboxes: Arc<DashMap<MailboxGuid, Arc<Core>>>,
}

/// What the mailboxes of a store share. A mailbox keeps it (and so the lock) alive; it keeps no mailbox alive.
#[derive(Debug)]
pub(crate) struct Commons {
    root: PathBuf,
    pub(crate) spool: Arc<PathBuf>,
    pub(crate) connections: Connections,
    pub(crate) indexes: IndexCache,
    pub(crate) hub: Arc<Hub>,
    pub(crate) counters: metrics::Counters,
    pub(crate) quotas: Quotas,
    _lock: lock::StoreLock,
}

impl Commons {
    pub(crate) fn folder_of(&self, guid: MailboxGuid) -> PathBuf {
        let name = guid.to_string();
        let shard = name.get(..2).unwrap_or("00");
        self.root.join(shard).join(&name)
    }
}

impl Store {
    /// Opens the store, making its folders if needed, and locks it against other processes.
    ///
    /// # Errors
    /// `Unavailable` when another process has it open.
    pub async fn open(config: StoreConfig) -> Result<Store> {
        let root = config.root.clone();
        let (lock, spool) = blocking(move || {
            let spool = root.join("spool");
            std::fs::create_dir_all(&spool)?;
            // A mailbox is only as durable as the folders above it.
            sync_folder(&root)?;
            let above = root.parent().filter(|above| above.is_absolute());
            sync_folder(above.unwrap_or(Path::new(".")))?;
            let lock = lock::StoreLock::take(&root)?;
            for left_over in std::fs::read_dir(&spool)? {
                let path = left_over?.path();
                if path.is_dir() {
                    std::fs::remove_dir_all(path)?
                } else {
                    std::fs::remove_file(path)?
                }
            }
            Ok((lock, spool))
        })
        .await?;
        let commons = Commons {
            root: config.root,
            spool: Arc::new(spool),
            connections: Connections::new(config.max_open),
            indexes: IndexCache::new(config.index_cache),
            hub: Arc::default(),
            counters: metrics::Counters::default(),
            quotas: Quotas::default(),
            _lock: lock,
        };
        let commons = Arc::new(commons);
        connections::sweep(&commons);
        Ok(Store {
            commons,
            mailboxes: Arc::default(),
        })
    }

    pub(crate) fn commons(&self) -> &Arc<Commons> {
        &self.commons
    }

    /// A new mailbox with its special folders (inbox, drafts, sent, trash, junk, archive, outbox, calendar, contacts, tasks,
    /// notes, journal).
    ///
    /// # Errors
    /// `AlreadyExists` when the guid is taken.
    pub async fn create(&self, guid: MailboxGuid, owner: &str) -> Result<Mailbox> {
        create::create(&self.commons, guid, owner).await?;
        self.mailbox(guid).await
    }

    /// # Errors
    /// `NotFound` when there is none.
    pub async fn mailbox(&self, guid: MailboxGuid) -> Result<Mailbox> {
        if let Some(core) = self.mailboxes.get(&guid) {
            return Ok(Mailbox::of_owner(core.clone()));
        }
        let file = self.commons.folder_of(guid).join("mailbox.sqlite");
        let exists = blocking(move || Ok(file.try_exists()?)).await?;
        if !exists {
            return Err(Error::NotFound(format!("mailbox {guid}")));
        }
        let core = self
            .mailboxes
            .entry(guid)
            .or_insert_with(|| Arc::new(Core::new(self.commons.clone(), guid)))
            .clone();
        Ok(Mailbox::of_owner(core))
    }

    /// Removes a mailbox with all it holds; handles to it answer `NotFound` from then on.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn remove(&self, guid: MailboxGuid) -> Result<()> {
        let mailbox = self.mailbox(guid).await?;
        self.mailboxes.remove(&guid);
        mailbox.core.remove().await?;
        self.set_quota(guid, Quota::default());
        Ok(())
    }

    /// The guids of all mailboxes, sorted.
    ///
    /// # Errors
    /// `Io` when a folder cannot be read.
    pub async fn list(&self) -> Result<Vec<MailboxGuid>> {
        let root = self.commons.root.clone();
        blocking(move || {
            let mut guids = Vec::new();
            for shard in std::fs::read_dir(&root)? {
                let shard = shard?;
                if shard.file_name().len() != 2 || !shard.file_type()?.is_dir() {
                    continue;
                }
                for entry in std::fs::read_dir(shard.path())? {
                    let entry = entry?;
                    let guid = entry
                        .file_name()
                        .to_str()
                        .and_then(|name| name.parse::<MailboxGuid>().ok());
                    if entry.path().join("mailbox.sqlite").try_exists()? {
                        guids.extend(guid);
                    }
                }
            }
            guids.sort_unstable();
            Ok(guids)
        })
        .await
    }

    /// A place for bytes that arrive: memory at first, a temporary file when they grow.
    #[must_use]
    pub fn spool(&self) -> BodyWriter {
        BodyWriter::new(self.commons.spool.clone())
    }

    /// Bodies one behind the other, as one; many of them, or much in memory, are copied into one.
    ///
    /// # Errors
    /// `Unavailable` or `Io` when the copy cannot be written.
    pub async fn compose(&self, pieces: Vec<Body>) -> Result<Body> {
        Body::compose(pieces, self.spool()).await
    }

    /// A watcher that watches nothing yet.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        self.watcher_that_rings(Arc::default())
    }

    /// A watcher that rings a bell for [`Watcher::take`]: one who waits for other things too needs one bell for all.
    #[must_use]
    pub fn watcher_that_rings(&self, bell: Arc<tokio::sync::Notify>) -> Watcher {
        Watcher::new(self.commons.hub.clone(), bell)
    }

    /// Checkpoints and closes every database. The store must not be used afterwards.
    pub async fn shutdown(&self) {
        let cores: Vec<_> = self
            .mailboxes
            .iter()
            .map(|entry| entry.value().clone())
            .collect();
        for core in cores {
            core.close_database().await;
        }
    }
}
