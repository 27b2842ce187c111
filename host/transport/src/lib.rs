//! The mail flow: a message and its envelope in, one outcome per recipient out.
//!
//! **Owns** delivery into mailboxes and to the queue ([`deliver`], [`destination`]), what its owner's [`filter`] makes of a message
//! that arrives ([`arrive`], [`deposit`]), what somebody who is logged in may hand in
//! ([`submission`]), the outbound [`queue`], the [`courier`] that empties it, loop protection ([`header`]), the memory that keeps a
//! retry from arriving twice ([`retries`]), reports to the sender ([`report`]), signatures on what starts here ([`signing`]) and
//! the checks of what comes from elsewhere ([`authentication`]), the policies of domains that are written to ([`sts`]), the filters of others
//! ([`milter`]), those that are plugins ([`hook`]), what they keep apart ([`quarantine`]) and meetings that travel as mail ([`meetings`]). **Promises** that an outcome of 250 is durable
//! in every mailbox that the recipient reaches and in the queue for everybody else; that nothing is put into a message but one
//! Return-Path where it ends, signatures where it starts, and results where it comes in; that mail for others is taken only from who is logged in, so this cannot be an open relay.

mod arrive;
mod authentication;
mod client;
mod config;
mod courier;
mod deliver;
mod deposit;
mod destination;
mod duplicates;
mod edits;
mod envelope;
mod error;
mod explain;
mod filter;
mod header;
mod hook;
mod hop;
mod line_ends;
mod meetings;
mod metrics;
mod milter;
mod outbound;
mod outcome;
mod passed;
mod quarantine;
mod queue;
mod report;
mod report_values;
mod resolver;
mod retries;
mod sent;
mod signing;
mod sts;
mod submission;
#[cfg(test)]
mod testing;

pub use authentication::{AuthenticationConfig, AuthenticationMode};
pub use config::{HostPort, OutboundTls, Route, TransportConfig};
pub use courier::Courier;
pub use deliver::{Delivery, DeliveryOptions};
pub use deposit::{has_folder, has_special_use};
pub use envelope::{Envelope, Notify, Recipient, TlsDemand};
pub use error::{Error, Result};
pub use explain::{Explain, Explained};
pub use filter::{Arrival, Deposit, Filter, Post, Step};
pub use hook::{Edit, HookFailure, Hooks, Question, Refusal, Stage, Verdict};
pub use metrics::QueueMetrics;
pub use milter::{Milter, MilterAddress, MilterFailure};
pub use outbound::Outbound;
pub use outcome::Outcome;
pub use quarantine::{Held, Quarantine, QuarantineId, QuarantineLimits, Quarantined, Released};
pub use queue::{LastAttempt, Queue, QueueFilter, QueueId, QueuedMessage, QueuedRecipient};
pub use resolver::{Answer, DnsConfig, RecordKind, Resolver};
pub use submission::Submission;
