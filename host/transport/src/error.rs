//! Why the queue did not do something, in words for an operator.

/// An operation of the queue that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No message of that number is queued.
    #[error("no message {0} is in the queue; `waxwing queue list` names those that are")]
    NotFound(crate::QueueId),
    /// The file is of a newer server, or is none.
    #[error("{0}")]
    Invalid(String),
    /// SQLite says no.
    #[error("the queue's database: {0}")]
    Database(#[from] sqlx::Error),
    /// The message could not be read from where it was received.
    #[error("the message cannot be read: {0}")]
    Message(#[from] waxwing_exmdb::Error),
    /// A commit failed.
    #[error("the queue could not be written: {text}")]
    Commit {
        /// There is no room left.
        full: bool,
        /// SQLite's words.
        text: String,
    },
    /// No message of that number is in quarantine.
    #[error(
        "no message {0} is in quarantine; `waxwing transport quarantine list` names those that are"
    )]
    NotQuarantined(crate::QuarantineId),
    /// Somebody else is at it.
    #[error("message {0} is being let out of quarantine or thrown away by somebody else")]
    QuarantineBusy(crate::QuarantineId),
    /// The quarantine holds as much as it may.
    #[error("the quarantine is full: {0}")]
    QuarantineFull(String),
    /// A file of the quarantine could not be read or written.
    #[error("the quarantine: {0}")]
    Quarantine(#[from] std::io::Error),
    /// The queue is closed, or its writer broke.
    #[error("the queue is closed")]
    Closed,
}

/// This crate's results.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether there is no room left.
    pub(crate) fn is_full(&self) -> bool {
        /// <https://www.sqlite.org/rescode.html#full>
        const FULL: &str = "13";
        match self {
            Error::Commit { full, .. } => *full,
            Error::QuarantineFull(_) => true,
            Error::Quarantine(error) => error.kind() == std::io::ErrorKind::StorageFull,
            Error::Message(error) => matches!(error, waxwing_exmdb::Error::Full(_)),
            Error::Database(sqlx::Error::Database(cause)) => cause.code().as_deref() == Some(FULL),
            _ => false,
        }
    }
}
