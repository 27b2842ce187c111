//! How a host call fails: with a fault that the guest gets, or with a trap that ends its turn.

use crate::{
    bindings::waxwing::types::faults::{Fault, FaultClass, Host},
    state::State,
};

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// The failure of a host call.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub enum Failure {
    /// An answer to the guest.
    Fault(Fault),
    /// The end of its turn.
    Trap(wasmtime::Error),
}

/// A limit of the runtime ended the turn; kept apart from traps in the counts.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct LimitReached(pub(crate) String);

impl Failure {
    fn fault(class: FaultClass, detail: impl Into<String>) -> Failure {
        Failure::Fault(Fault {
            code: 0,
            class,
            detail: detail.into(),
        })
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Failure {
        Failure::fault(FaultClass::Invalid, detail)
    }

    pub(crate) fn denied(detail: impl Into<String>) -> Failure {
        Failure::fault(FaultClass::Denied, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Failure {
        Failure::fault(FaultClass::NotFound, detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Failure {
        Failure::fault(FaultClass::Conflict, detail)
    }

    pub(crate) fn limit(detail: impl Into<String>) -> Failure {
        Failure::fault(FaultClass::Limit, detail)
    }

    pub(crate) fn expired(detail: impl Into<String>) -> Failure {
        Failure::fault(FaultClass::Expired, detail)
    }

    pub(crate) fn unsupported(detail: impl Into<String>) -> Failure {
        Failure::fault(FaultClass::Unsupported, detail)
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Failure {
        Failure::fault(FaultClass::Internal, detail)
    }

    pub(crate) fn limit_trap(message: String) -> Failure {
        Failure::Trap(wasmtime::Error::new(LimitReached(message)))
    }

    /// For calls whose signature has no fault.
    pub(crate) fn into_trap(self) -> wasmtime::Error {
        match self {
            Failure::Fault(fault) => wasmtime::Error::msg(fault.detail),
            Failure::Trap(trap) => trap,
        }
    }

    /// For lists of results, where a fault is an element.
    pub(crate) fn into_fault(self) -> wasmtime::Result<Fault> {
        match self {
            Failure::Fault(fault) => Ok(fault),
            Failure::Trap(trap) => Err(trap),
        }
    }
}

impl From<wasmtime::Error> for Failure {
    fn from(trap: wasmtime::Error) -> Self {
        Failure::Trap(trap)
    }
}

/// [MS-OXCDATA] 2.4: what a plugin tells its client apart.
const QUOTA_EXCEEDED: u32 = 0x0000_04D9;
const NOT_ENOUGH_DISK: u32 = 0x8004_010D;
const DISK_ERROR: u32 = 0x8004_0116;
const CORRUPT_STORE: u32 = 0x8004_0600;

impl From<waxwing_exmdb::Error> for Failure {
    fn from(error: waxwing_exmdb::Error) -> Self {
        use waxwing_exmdb::Error as E;
        let (class, code) = match &error {
            E::NotFound(_) => (FaultClass::NotFound, 0),
            E::AlreadyExists(_) => (FaultClass::AlreadyExists, 0),
            E::Invalid(_) => (FaultClass::Invalid, 0),
            E::Denied(_) => (FaultClass::Denied, 0),
            E::Conflict(_) => (FaultClass::Conflict, 0),
            E::Limit(_) => (FaultClass::Limit, 0),
            E::OverQuota(_) => (FaultClass::Limit, QUOTA_EXCEEDED),
            E::Expired(_) => (FaultClass::Expired, 0),
            E::Full(_) => (FaultClass::Unavailable, NOT_ENOUGH_DISK),
            E::Unavailable(_) => (FaultClass::Unavailable, 0),
            E::Io(_) => (FaultClass::Unavailable, DISK_ERROR),
            E::Corrupt(_) => (FaultClass::Internal, CORRUPT_STORE),
            E::Database(_) => (FaultClass::Internal, 0),
        };
        if matches!(error, E::Corrupt(_) | E::Database(_) | E::Io(_)) {
            tracing::error!(%error, "the store failed");
        }
        Failure::Fault(Fault {
            code,
            class,
            detail: error.to_string(),
        })
    }
}

impl From<waxwing_directory::Error> for Failure {
    fn from(error: waxwing_directory::Error) -> Self {
        use waxwing_directory::Error as E;
        let class = match &error {
            E::NotFound(_) => FaultClass::NotFound,
            E::AlreadyExists(_) => FaultClass::AlreadyExists,
            E::Invalid(_) => FaultClass::Invalid,
            E::Denied | E::Refused(_) => FaultClass::Denied,
            E::Limit(_) => FaultClass::Limit,
            E::Unavailable(_) => FaultClass::Unavailable,
            E::Database(_) => {
                tracing::error!(%error, "the directory failed");
                FaultClass::Internal
            }
        };
        Failure::fault(class, error.to_string())
    }
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Store(error) => error.into(),
            crate::Error::Directory(error) => error.into(),
            other => Failure::internal(other.to_string()),
        }
    }
}

impl Host for State {
    fn convert_fault(&mut self, failure: Failure) -> wasmtime::Result<Fault> {
        failure.into_fault()
    }
}
