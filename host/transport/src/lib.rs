//! The mail flow: a message and its envelope in, one outcome per recipient out.
//!
//! **Owns** local delivery ([`deliver`]), loop protection ([`header`]), the memory that keeps a retry from arriving twice
//! ([`retries`]) and reports to the sender ([`report`]). **Promises** that an outcome of 250 is durable in every mailbox that
//! the recipient reaches, and that nothing is put into a message but one Return-Path before it. The queue and outbound
//! delivery will stand beside it; until then a foreign recipient is refused, so this cannot be an open relay.

mod deliver;
mod envelope;
mod header;
mod outcome;
mod report;
mod retries;
#[cfg(test)]
mod testing;

pub use deliver::Delivery;
pub use envelope::{Envelope, Notify, Recipient};
pub use outcome::Outcome;
