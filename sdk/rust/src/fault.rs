//! How every call to the host fails.
//!
//! The class is coarse enough to choose a protocol's answer; `detail` is one line for the log, never for the client.

pub use crate::bindings::answered::faults::{Fault, FaultClass};

impl Fault {
    /// A fault of this class.
    #[must_use]
    pub fn new(class: FaultClass, detail: impl Into<String>) -> Fault {
        Fault {
            code: 0,
            class,
            detail: detail.into(),
        }
    }

    /// What the stand-in answers for what needs a host.
    #[cfg(not(in_host))]
    pub(crate) fn unsupported(call: &str) -> Fault {
        Fault::new(FaultClass::Unsupported, format!("`{call}` needs a host"))
    }

    /// Whether trying later may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.class == FaultClass::Unavailable
    }
}
