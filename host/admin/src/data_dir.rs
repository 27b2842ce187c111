//! Where things are inside the data directory: the one place that knows, for server and CLI alike.

use std::path::{Path, PathBuf};

/// The data directory of one server.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Names the directory; creates nothing.
    pub fn new(root: impl Into<PathBuf>) -> DataDir {
        DataDir(root.into())
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// The directory's database.
    pub fn directory(&self) -> PathBuf {
        self.0.join("directory.sqlite")
    }

    /// The queue of outgoing mail.
    pub fn queue(&self) -> PathBuf {
        self.0.join("queue.sqlite")
    }

    /// What hooks have kept apart.
    pub fn quarantine(&self) -> PathBuf {
        self.0.join("quarantine")
    }

    /// The root of the mailbox store.
    pub fn mailboxes(&self) -> PathBuf {
        self.0.join("mailboxes")
    }

    /// Plugin packages, staged and active.
    pub fn plugins(&self) -> PathBuf {
        self.0.join("plugins")
    }

    /// Compiled components.
    pub fn plugin_cache(&self) -> PathBuf {
        self.0.join("plugin-cache")
    }

    /// The socket between CLI and a running server.
    pub fn admin_socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }
}
