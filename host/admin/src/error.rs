//! Why a command was not done. Every text is for the operator who typed it.

/// A command that was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused or failed, in its words.
    #[error("{0}")]
    Failed(String),
    /// The people's side refused.
    #[error(transparent)]
    Directory(#[from] waxwing_directory::Error),
    /// The mailboxes' side refused.
    #[error(transparent)]
    Store(#[from] waxwing_exmdb::Error),
    /// A backup could not be written or read.
    #[error(transparent)]
    Backup(#[from] waxwing_backup::Error),
    /// The plugins' side refused.
    #[error(transparent)]
    Runtime(#[from] waxwing_runtime::Error),
    /// The other side speaks otherwise, or stopped in the middle.
    #[error("admin socket: {0}")]
    Channel(String),
    /// The queue refused.
    #[error(transparent)]
    Queue(#[from] waxwing_transport::Error),
    /// Reading or writing.
    #[error("admin socket: {0}")]
    Io(#[from] std::io::Error),
}

/// This crate's results.
pub type Result<T> = std::result::Result<T, Error>;
