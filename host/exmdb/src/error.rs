//! What the store answers when it cannot do what was asked. The edge maps each case to its protocol; the text is for logs
//! and names the mailbox or the rule, never the content of a message.

use crate::MailboxGuid;

/// Errors of the store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The named thing does not exist (or the actor may not see it).
    #[error("{0} does not exist")]
    NotFound(String),
    /// The name or the id is taken.
    #[error("{0} exists already")]
    AlreadyExists(String),
    /// The request breaks a rule that the text names.
    #[error("{0}")]
    Invalid(String),
    /// The actor lacks a right that the text names.
    #[error("access denied: {0}")]
    Denied(String),
    /// Somebody changed the thing since the caller looked.
    #[error("{0} changed meanwhile")]
    Conflict(String),
    /// A limit that the text names.
    #[error("limit reached: {0}")]
    Limit(String),
    /// The mailbox would hold more than it may; the text names the limit.
    #[error("over quota: {0}")]
    OverQuota(String),
    /// A token, view or change number that is too old.
    #[error("{0} expired")]
    Expired(String),
    /// The disk or the file system's quota is full: try again when there is room.
    #[error("no room left: {0}")]
    Full(String),
    /// Read-only medium, failing disk, too many open files, busy or closed store: try again later.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
    /// The stored bytes contradict themselves; `waxwing mailbox check` tells more.
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// The database refused; a defect of the store or of the file.
    #[error("database: {0}")]
    Database(String),
    /// The file system refused.
    #[error("input/output: {0}")]
    Io(String),
}

/// `std::result::Result` with the store's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether an operator must look: the request was right, and something below the store was not.
    #[must_use]
    pub(crate) fn is_trouble(&self) -> bool {
        matches!(
            self,
            Error::Full(_)
                | Error::Unavailable(_)
                | Error::Corrupt(_)
                | Error::Database(_)
                | Error::Io(_)
        )
    }

    pub(crate) fn mailbox(guid: MailboxGuid, why: impl std::fmt::Display) -> Error {
        Error::Unavailable(format!("mailbox {guid}: {why}"))
    }

    /// Puts the mailbox's name into what the database or the file system said.
    #[must_use]
    pub(crate) fn of(self, guid: MailboxGuid) -> Error {
        let name = |text: String| {
            if text.starts_with("mailbox ") {
                text
            } else {
                format!("mailbox {guid}: {text}")
            }
        };
        match self {
            Error::Full(text) => Error::Full(name(text)),
            Error::Unavailable(text) => Error::Unavailable(name(text)),
            Error::Corrupt(text) => Error::Corrupt(name(text)),
            Error::Database(text) => Error::Database(name(text)),
            Error::Io(text) => Error::Io(name(text)),
            other => other,
        }
    }
}

/// Primary result codes, <https://www.sqlite.org/rescode.html>.
fn of_result_code(code: i32, text: String) -> Error {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const OUT_OF_MEMORY: i32 = 7;
    const READ_ONLY: i32 = 8;
    const INPUT_OUTPUT: i32 = 10;
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const CANNOT_OPEN: i32 = 14;
    const NOT_A_DATABASE: i32 = 26;
    match code & 0xff {
        FULL => Error::Full(text),
        BUSY | LOCKED | OUT_OF_MEMORY | READ_ONLY | INPUT_OUTPUT | CANNOT_OPEN => {
            Error::Unavailable(text)
        }
        CORRUPT | NOT_A_DATABASE => Error::Corrupt(text),
        _ => Error::Database(text),
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        match &error {
            sqlx::Error::Database(cause) => {
                let code = cause
                    .code()
                    .and_then(|code| code.parse().ok())
                    .unwrap_or_default();
                of_result_code(code, error.to_string())
            }
            sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => {
                Error::Unavailable(error.to_string())
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Error::Corrupt(error.to_string())
            }
            _ => Error::Database(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full(error.to_string()),
            ErrorKind::ReadOnlyFilesystem | ErrorKind::ResourceBusy => {
                Error::Unavailable(error.to_string())
            }
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData => Error::Corrupt(error.to_string()),
            _ => Error::Io(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_and_names_the_mailbox() {
        let guid = MailboxGuid([7; 16]);
        let error = of_result_code(13, "database or disk is full".into()).of(guid);
        assert!(
            matches!(&error, Error::Full(text) if text.contains(&guid.to_string())),
            "{error}"
        );
        let io = Error::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert!(matches!(io, Error::Full(_)));
        let files = Error::from(std::io::Error::from_raw_os_error(24));
        assert!(matches!(files, Error::Io(text) if text.contains("open files")));
    }
}
