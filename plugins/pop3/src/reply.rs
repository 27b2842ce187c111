//! Answers: `+OK`, `-ERR`, and the response codes of RFC 2449 section 8, RFC 3206 and RFC 6856 section 5.

use waxwing_sdk::fault::{Fault, FaultClass};

use crate::parse::Bad;

/// Why a command was not done: the text behind `-ERR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The client could have known: a wrong command, a message that is not there.
    Client(String),
    /// The server could not, or would not.
    Server(String),
}

impl Refusal {
    pub(crate) fn client(text: impl Into<String>) -> Refusal {
        Refusal::Client(text.into())
    }

    pub(crate) fn server(text: impl Into<String>) -> Refusal {
        Refusal::Server(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Refusal::Client(text) | Refusal::Server(text) => text,
        }
    }
}

pub(crate) type Answer<T> = Result<T, Refusal>;

pub(crate) fn ok(text: &str) -> String {
    format!("+OK {text}\r\n")
}

pub(crate) fn err(text: &str) -> String {
    format!("-ERR {text}\r\n")
}

impl From<Bad> for Refusal {
    fn from(bad: Bad) -> Refusal {
        Refusal::Client(match bad {
            Bad::Unknown => "There is no such command".to_owned(),
            Bad::Arguments(expected) => format!("The command is followed by {expected}"),
            Bad::NotUtf8 => "The line is not UTF-8".to_owned(),
        })
    }
}

/// The store's detail is for the log; the client learns whether trying again may help (RFC 3206 section 4).
impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        match fault.class {
            FaultClass::Internal | FaultClass::Invalid => {
                waxwing_sdk::error!("a call to the host failed", detail = fault.detail);
            }
            _ => waxwing_sdk::debug!("a call to the host was refused", detail = fault.detail),
        }
        Refusal::server(match fault.class {
            FaultClass::Denied => "[SYS/PERM] Permission denied",
            FaultClass::NotFound => "The message is gone: somebody else has deleted it",
            FaultClass::Unavailable | FaultClass::Limit | FaultClass::Conflict => {
                "[SYS/TEMP] Temporarily unavailable, try later"
            }
            FaultClass::Expired => "[SYS/TEMP] The session has expired, connect again",
            FaultClass::Unsupported | FaultClass::AlreadyExists => "[SYS/PERM] This cannot be done",
            FaultClass::Internal | FaultClass::Invalid => "[SYS/TEMP] Internal error",
        })
    }
}
