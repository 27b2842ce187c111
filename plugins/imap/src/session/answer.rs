//! How a command ends: the tagged line (RFC 9051 section 7.1) and its response codes (RFC 5530).

use waxwing_sdk::fault::{Fault, FaultClass};

/// A command that did what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Completion {
    /// The text behind `OK`, code included.
    Done(String),
    /// The tagged line is sent by a later turn.
    Later,
}

impl Completion {
    pub(crate) fn text(text: &str) -> Self {
        Completion::Done(text.to_owned())
    }
}

/// One that did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The text behind `NO`, code included.
    No(String),
    /// The text behind `BAD`.
    Bad(String),
}

impl Refusal {
    pub(crate) fn no(text: &str) -> Self {
        Refusal::No(text.to_owned())
    }

    /// This one where it says that something is not there; any other says more.
    pub(crate) fn or_missing(self, missing: Refusal) -> Self {
        match &self {
            Refusal::No(text) if text.starts_with("[NONEXISTENT]") => missing,
            _ => self,
        }
    }
}

pub(crate) type Answer = Result<Completion, Refusal>;

/// [MS-OXCDATA] 2.4.
const QUOTA_EXCEEDED: u32 = 0x0000_04D9;
const NOT_ENOUGH_DISK: u32 = 0x8004_010D;
const CORRUPT_STORE: u32 = 0x8004_0600;

/// The store's detail is for the log; the client learns the class, and the response codes of RFC 5530.
impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let text = match fault.class {
            FaultClass::Denied => "[NOPERM] Permission denied",
            FaultClass::NotFound => "[NONEXISTENT] It does not exist",
            FaultClass::AlreadyExists => "[ALREADYEXISTS] It exists already",
            FaultClass::Conflict => "[INUSE] It was changed meanwhile, try again",
            FaultClass::Limit if fault.code == QUOTA_EXCEEDED => "[OVERQUOTA] The mailbox is full",
            FaultClass::Limit => "[LIMIT] A limit was reached",
            FaultClass::Expired => {
                "[UNAVAILABLE] The selection has expired, select the mailbox again"
            }
            FaultClass::Unavailable if fault.code == NOT_ENOUGH_DISK => {
                "[UNAVAILABLE] The server has no room left, try later"
            }
            FaultClass::Unavailable => "[UNAVAILABLE] Temporarily unavailable, try later",
            FaultClass::Invalid | FaultClass::Unsupported => "[CANNOT] This cannot be done",
            FaultClass::Internal if fault.code == CORRUPT_STORE => {
                "[CORRUPTION] What is stored is damaged, tell the administrator"
            }
            FaultClass::Internal => "[SERVERBUG] Internal error",
        };
        match fault.class {
            FaultClass::Internal | FaultClass::Invalid => {
                waxwing_sdk::error!("a call to the host failed", detail = fault.detail);
            }
            _ => waxwing_sdk::debug!("a call to the host was refused", detail = fault.detail),
        }
        Refusal::no(text)
    }
}
