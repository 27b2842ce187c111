/// Why a message was not brought to somebody.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The mailbox.
    #[error(transparent)]
    Store(#[from] waxwing_exmdb::Error),
    /// Who somebody is.
    #[error(transparent)]
    Directory(#[from] waxwing_directory::Error),
    /// What the message says.
    #[error(transparent)]
    Calendar(#[from] waxwing_formats_ical::Error),
    /// It is not from whom it says, or about what is not his.
    #[error("{0}")]
    NotTheirs(&'static str),
    /// What reads it broke.
    #[error("the message could not be read: {0}")]
    Broken(String),
    /// A bound, named.
    #[error("limit reached: {0}")]
    Limit(String),
}

/// What this room answers.
pub type Result<T> = std::result::Result<T, Error>;
