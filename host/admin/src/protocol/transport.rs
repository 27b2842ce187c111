//! Commands and rows about the mail flow.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// `waxwing transport …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransportCommand {
    /// `waxwing transport quarantine …`
    Quarantine(QuarantineCommand),
    /// `waxwing transport explain`
    Explain(Box<ExplainStart>),
}

/// `waxwing transport quarantine …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuarantineCommand {
    /// A page of the messages, in the order of their numbers.
    List {
        /// Where the page before ended; 0 at first.
        after: u64,
    },
    /// All that is known of one, and its beginning.
    Show {
        /// Its number.
        id: u64,
    },
    /// Lets messages go on to their recipients.
    Release {
        /// Their numbers.
        ids: Vec<u64>,
    },
    /// Throws messages away. Nobody is told.
    Delete {
        /// Their numbers.
        ids: Vec<u64>,
    },
}

/// A page of messages in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinePage {
    /// In the order of their numbers.
    pub messages: Vec<QuarantineRow>,
    /// Where the next page begins; none: this was the last.
    pub next: Option<u64>,
}

/// A message in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineRow {
    /// Its number.
    pub id: u64,
    /// Seconds since 1970.
    pub arrived: i64,
    /// Octets.
    pub size: u64,
    /// Empty for a report.
    pub sender: String,
    /// Those that do not have it yet.
    pub recipients: Vec<String>,
    /// Which hook stopped it.
    pub hook: String,
    /// At which stage of the mail flow.
    pub stage: String,
    /// In the hook's words.
    pub reason: String,
    /// How it came: `smtp`, `lmtp`, `submission`, …
    pub source: String,
    /// The session that brought it.
    pub session: String,
    /// Who had connected.
    pub peer: Option<String>,
    /// Who was logged in.
    pub principal: Option<String>,
}

/// A message in quarantine with its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedMessage {
    /// What is known of it.
    pub row: QuarantineRow,
    /// Its first octets, as text.
    pub beginning: String,
    /// Whether there are more.
    pub is_cut: bool,
}

/// A message that was let go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedRow {
    /// Its number.
    pub id: u64,
    /// What became of each recipient.
    pub recipients: Vec<ReleasedTo>,
    /// Whether it is still in quarantine, for those who did not get it.
    pub is_left: bool,
}

/// What became of a recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedTo {
    /// Who.
    pub address: String,
    /// In SMTP's words.
    pub answer: String,
}

/// A message that somebody asks about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExplainStart {
    /// The envelope's sender; empty for the null reverse-path.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Who would have connected.
    pub peer: Option<IpAddr>,
    /// The name that it would give.
    pub helo: String,
    /// `smtp` or `lmtp`.
    pub source: String,
    /// Who would be logged in, to submit it.
    pub principal: Option<String>,
    /// Ask neither DNS nor milters.
    pub offline: bool,
    /// The message in base64.
    pub message: String,
}

/// A step on a message's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedRow {
    /// Which: `on-connect`, `authentication`, `milter`, `recipient`, `script`, `folder`, …
    pub step: String,
    /// Who is asked, or about whom.
    pub who: String,
    /// What comes of it.
    pub answer: String,
    /// Whether it decides what becomes of the message, or of this recipient.
    pub decides: bool,
}
