//! Handing a message to the mail flow, for local recipients or, for somebody who is logged in, for anybody; and asking which addresses
//! exist here.

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

/// Whether a message of so many octets (0: not known) would be taken for an address of ours; the reply when not.
#[must_use]
pub fn receives(address: &str, size: u64) -> Option<Outcome> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::transport::delivery::receives(&[address.to_owned()], size)
        .pop()
        .flatten();
    #[cfg(not(in_host))]
    crate::standin::receives(address, size)
}

/// What each address is here, in their order.
#[must_use]
pub fn resolve(addresses: &[String]) -> Vec<Resolution> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::directory::addresses::resolve(addresses);
    #[cfg(not(in_host))]
    crate::standin::resolve(addresses)
}

/// Whether the principal of this session may write as an address; the reply for the client when not.
///
/// # Errors
/// `denied` when nobody is logged in.
pub fn may_send_as(address: &str) -> Result<Option<Outcome>, Fault> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::transport::submission::may_send_as(address);
    #[cfg(not(in_host))]
    Ok(crate::standin::may_send_as(address))
}

/// Delivers to anybody, for the principal of this session. Parameters are those of `waxwing:transport/submission`.
///
/// # Errors
/// `denied` when nobody is logged in, `unsupported` for a parameter that the host does not know.
pub fn submit(
    envelope: &Envelope,
    parameters: &[(String, String)],
    message: &Body,
) -> Result<Vec<Outcome>, Fault> {
    #[cfg(in_host)]
    return crate::bindings::waxwing::transport::submission::submit(envelope, parameters, message);
    #[cfg(not(in_host))]
    crate::standin::submit(envelope, parameters, message)
}
