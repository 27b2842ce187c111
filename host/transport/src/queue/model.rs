//! What the queue is about.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Notify, Outcome, TlsDemand};

/// The number of a queued message; in every log line about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QueueId(pub i64);

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A recipient that the message has not reached yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRecipient {
    /// Of the row.
    pub(crate) id: i64,
    /// Without angle brackets.
    pub address: String,
    /// Which reports the sender wants.
    pub notify: Notify,
    /// ORCPT, as given.
    pub original: Option<String>,
    /// When it is tried next, in milliseconds since 1970.
    pub due: i64,
    /// How often it was tried.
    pub attempts: u32,
    pub(crate) delay_told: bool,
    /// What the last attempt was answered, and by whom.
    pub last: Option<LastAttempt>,
}

/// How the last attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    /// Milliseconds since 1970.
    pub tried: i64,
    /// The host that answered; empty when none could be reached.
    pub host: String,
    /// Its answer, or ours about it.
    pub outcome: Outcome,
}

/// A queued message without its octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Its number.
    pub id: QueueId,
    /// Empty for the null reverse-path.
    pub sender: String,
    /// ENVID, as given.
    pub envelope_id: Option<String>,
    pub(crate) headers_only: bool,
    pub(crate) smtp_utf8: bool,
    pub(crate) eight_bit: bool,
    pub(crate) utf8_header: bool,
    /// What TLS it asks for.
    pub tls_demand: TlsDemand,
    /// How it came: `submission`, `smtp`, `report`, …
    pub source: String,
    /// The session that brought it.
    pub session: String,
    /// Octets.
    pub size: u64,
    /// Milliseconds since 1970.
    pub arrived: i64,
    pub(crate) since: i64,
    /// An administrator holds it back.
    pub held: bool,
    /// Those that it has not reached yet.
    pub recipients: Vec<QueuedRecipient>,
}

/// Which messages; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueFilter {
    /// One of these, if any are named.
    pub ids: Vec<QueueId>,
    /// Part of the sender's address; `<>` for the null reverse-path.
    pub sender: Option<String>,
    /// Part of a recipient's address.
    pub recipient: Option<String>,
    /// Only those that are held, or only those that are not.
    pub held: Option<bool>,
}

/// What becomes of a recipient after an attempt.
#[derive(Debug, Clone)]
pub(crate) enum Settled {
    /// It has the message, or never will: it leaves the queue.
    Done,
    /// Another time.
    Later { due: i64, delay_told: bool },
}

/// One recipient's line of a settlement.
#[derive(Debug, Clone)]
pub(crate) struct Settlement {
    pub(crate) recipient: i64,
    pub(crate) settled: Settled,
    pub(crate) last: LastAttempt,
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

pub(crate) fn tls_demand_number(demand: TlsDemand) -> i64 {
    match demand {
        TlsDemand::Usual => 0,
        TlsDemand::Required => 1,
        TlsDemand::Waived => 2,
    }
}

pub(crate) fn tls_demand_of(number: i64) -> TlsDemand {
    match number {
        1 => TlsDemand::Required,
        2 => TlsDemand::Waived,
        _ => TlsDemand::Usual,
    }
}

pub(crate) fn notify_bits(notify: Notify) -> i64 {
    i64::from(notify.never)
        | i64::from(notify.success) << 1
        | i64::from(notify.failure) << 2
        | i64::from(notify.delay) << 3
}

pub(crate) fn notify_of(bits: i64) -> Notify {
    Notify {
        never: bits & 1 != 0,
        success: bits & 2 != 0,
        failure: bits & 4 != 0,
        delay: bits & 8 != 0,
    }
}
