//! Commands and rows about the queue of outgoing mail.

use serde::{Deserialize, Serialize};

/// `waxwing queue …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueCommand {
    /// A page of the messages, in the order of their numbers.
    List {
        /// Which.
        filter: QueueSelection,
        /// Where the page before ended; 0 at first.
        after: i64,
    },
    /// All that is known of one.
    Show {
        /// Its number.
        id: i64,
    },
    /// Does something to messages.
    Act {
        /// What.
        action: QueueAction,
        /// To which.
        filter: QueueSelection,
    },
}

/// What can be done to a queued message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueAction {
    /// Try it now.
    Retry,
    /// Keep it back.
    Hold,
    /// Let it go on.
    Release,
    /// Throw it away, and tell nobody.
    Delete,
}

/// Which messages; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueSelection {
    /// One of these numbers, if any are named.
    pub ids: Vec<i64>,
    /// Part of the sender's address; `<>` for reports.
    pub sender: Option<String>,
    /// Part of a recipient's address.
    pub recipient: Option<String>,
    /// Its next hop, as `queue list` names it.
    pub next_hop: Option<String>,
    /// Only those that are held.
    pub held: bool,
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuePage {
    /// In the order of their numbers.
    pub messages: Vec<QueueRow>,
    /// Where the next page begins; none: this was the last.
    pub next: Option<i64>,
}

/// A queued message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    /// Its number.
    pub id: i64,
    /// Empty for a report.
    pub sender: String,
    /// Octets.
    pub size: u64,
    /// Seconds since 1970.
    pub arrived: i64,
    /// An administrator holds it back.
    pub held: bool,
    /// How it came: `submission`, `smtp`, `report`, …
    pub source: String,
    /// The session that brought it.
    pub session: String,
    /// Those that it has not reached yet.
    pub recipients: Vec<QueueRecipientRow>,
}

/// A recipient of a queued message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRecipientRow {
    /// Its address.
    pub address: String,
    /// A domain, a host and port, or `local`.
    pub next_hop: String,
    /// When it is tried next, in seconds since 1970.
    pub due: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried last, in seconds since 1970.
    pub tried: Option<i64>,
    /// Who answered then; empty when nobody was reached.
    pub host: Option<String>,
    /// The answer.
    pub answer: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueActed {
    /// What.
    pub action: QueueAction,
    /// To these.
    pub ids: Vec<i64>,
}
