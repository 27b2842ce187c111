//! What programs of people find at this server: for plugins that tell them.

pub use crate::bindings::waxwing::config::site::Service;

/// The name to connect to.
#[must_use]
pub fn host_name() -> String {
    #[cfg(in_host)]
    return crate::bindings::waxwing::config::site::host_name();
    #[cfg(not(in_host))]
    crate::standin::host_name()
}

/// Registered names with their ports, sorted, each at most once; without TLS none.
#[must_use]
pub fn services() -> Vec<Service> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::config::site::services();
    #[cfg(not(in_host))]
    crate::standin::services()
}
