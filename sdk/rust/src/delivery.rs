//! Handing a message to the mail flow, and asking which addresses exist here.

pub use crate::bindings::waxwing::directory::addresses::{AddressClass, Resolution};
pub use crate::bindings::waxwing::transport::delivery::{Envelope, Notify, Outcome, Recipient};
use crate::bodies::Body;
use crate::fault::Fault;

/// Delivers to local recipients; durable for every outcome of 250. One outcome per recipient, in their order.
///
/// # Errors
/// When nothing can be said about any recipient (the mail flow is down).
pub fn deliver(envelope: &Envelope, message: &Body) -> Result<Vec<Outcome>, Fault> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::transport::delivery::deliver(envelope, message);
    #[cfg(not(in_host))]
    crate::standin::deliver(envelope, message)
}

/// What each address is here, in their order.
#[must_use]
pub fn resolve(addresses: &[String]) -> Vec<Resolution> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::directory::addresses::resolve(addresses);
    #[cfg(not(in_host))]
    crate::standin::resolve(addresses)
}
