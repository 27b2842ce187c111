//! Why a backup was not made, read or restored; every text is for the operator.

use std::path::{Path, PathBuf};

/// Errors of a backup.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or what is in it cannot be used; the text says why.
    #[error("{0}")]
    Invalid(String),
    /// There is no such mailbox, generation or run in the backup.
    #[error("{0}")]
    NotFound(String),
    /// What the backup holds contradicts its digests.
    #[error("{0}: damaged: {1}; `waxwing mailbox backup verify` tells more")]
    Damaged(PathBuf, String),
    /// Reading or writing the backup.
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// The mailbox refused.
    #[error(transparent)]
    Store(#[from] waxwing_exmdb::Error),
    /// A thread of the work ended before the work did.
    #[error("the backup was broken off: {0}")]
    Broken(String),
}

/// This crate's results.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn damaged(path: &Path, why: impl ToString) -> Error {
        Error::Damaged(path.to_owned(), why.to_string())
    }
}

/// Names the file in what the system said.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|error| Error::Io(path.to_owned(), error))
    }
}
