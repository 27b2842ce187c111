//! What can go wrong, in words for an operator. Protocols map these at their edge.

/// An operation of the directory that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such domain, user, alias, group or app password; the text says how to make one where that helps.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken.
    #[error("{0} exists already")]
    AlreadyExists(String),
    /// The request makes no sense, or a rule forbids it; the text names the rule.
    #[error("{0}")]
    Invalid(String),
    /// Wrong user name or password, or a disabled account: on purpose nobody is told which.
    #[error("wrong user name or password")]
    Denied,
    /// A credential of a kind that this server does not accept, or acting as somebody else. No guess, so not counted.
    #[error("{0}")]
    Refused(String),
    /// Too many failures from this address or for this account; the password was not looked at.
    #[error("too many failed log-ins: {0}")]
    Limit(String),
    /// SQLite says no.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// May work later.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
}

/// This crate's results.
pub type Result<T> = std::result::Result<T, Error>;
