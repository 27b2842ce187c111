//! Answers: `OK`, `NO`, `BYE` with the response codes of RFC 5804 section 1.3, and strings.

use waxwing_sdk::fault::{Fault, FaultClass};

use crate::parse::Bad;

/// Octets of a quoted string (RFC 5804 section 1.2); a longer one is a literal.
const QUOTED: usize = 1024;

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// With its parentheses, or empty.
    code: &'static str,
    text: String,
    /// The client could have known.
    pub(crate) is_clients: bool,
}

pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn client(text: impl Into<String>) -> Refusal {
        Refusal {
            code: "",
            text: text.into(),
            is_clients: true,
        }
    }

    pub(crate) fn coded(code: &'static str, text: impl Into<String>) -> Refusal {
        Refusal {
            code,
            text: text.into(),
            is_clients: false,
        }
    }

    /// `NO (QUOTA/MAXSIZE) "…"`
    pub(crate) fn line(&self) -> String {
        match self.code {
            "" => format!("NO {}\r\n", string(&self.text)),
            code => format!("NO {code} {}\r\n", string(&self.text)),
        }
    }
}

pub(crate) fn ok(text: &str) -> String {
    format!("OK {}\r\n", string(text))
}

pub(crate) fn bye(code: &str, text: &str) -> String {
    match code {
        "" => format!("BYE {}\r\n", string(text)),
        code => format!("BYE {code} {}\r\n", string(text)),
    }
}

/// Quoted when it may be, else a literal.
pub(crate) fn string(text: &str) -> String {
    let plain = |c: char| !matches!(c, '\r' | '\n' | '\0');
    if text.len() > QUOTED || !text.chars().all(plain) {
        return format!("{{{}}}\r\n{text}", text.len());
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

impl From<Bad> for Refusal {
    fn from(bad: Bad) -> Refusal {
        Refusal::client(match bad {
            Bad::Unknown => "There is no such command".to_owned(),
            Bad::Arguments(expected) => format!("The command is followed by {expected}"),
            Bad::NotUtf8 => "A string is not UTF-8".to_owned(),
            Bad::Syntax => "This is not a command".to_owned(),
        })
    }
}

/// What the store says of a script.
impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        waxwing_sdk::debug!("a call to the host was refused", detail = fault.detail);
        match fault.class {
            FaultClass::NotFound => Refusal::coded("(NONEXISTENT)", "There is no such script"),
            FaultClass::AlreadyExists => {
                Refusal::coded("(ALREADYEXISTS)", "A script of that name is there")
            }
            FaultClass::Conflict => Refusal::coded("(ACTIVE)", "The script is active"),
            FaultClass::Limit if fault.detail.contains("octets of a script") => {
                Refusal::coded("(QUOTA/MAXSIZE)", fault.detail)
            }
            FaultClass::Limit if fault.detail.contains("scripts of a mailbox") => {
                Refusal::coded("(QUOTA/MAXSCRIPTS)", fault.detail)
            }
            FaultClass::Invalid => Refusal::client(fault.detail),
            FaultClass::Denied => Refusal::coded("", "Permission denied"),
            FaultClass::Unsupported => Refusal::coded("", "This cannot be done"),
            FaultClass::Limit | FaultClass::Unavailable | FaultClass::Expired => {
                Refusal::coded("(TRYLATER)", "Temporarily unavailable, try later")
            }
            FaultClass::Internal => {
                waxwing_sdk::error!("a call to the host failed", detail = fault.detail);
                Refusal::coded("(TRYLATER)", "Internal error")
            }
        }
    }
}
