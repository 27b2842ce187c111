//! Commands and rows about what a domain publishes in DNS.

use serde::{Deserialize, Serialize};
use waxwing_directory::{DkimAlgorithm, DkimState};

/// `waxwing domain dkim DOMAIN …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DkimCommand {
    /// Makes keys.
    Create {
        /// The name of the one key that is made; none: one for each algorithm, called after the day.
        selector: Option<String>,
        /// None: both.
        algorithm: Option<DkimAlgorithm>,
    },
    /// The keys with their records, and what is published.
    Show {
        /// Only this one.
        selector: Option<String>,
    },
    /// Makes the next keys, or puts those that wait in place once their records are published.
    Rotate {
        /// Only keys of this algorithm; none: of each that signs.
        algorithm: Option<DkimAlgorithm>,
        /// Puts waiting keys in place whatever is published.
        now: bool,
    },
    /// The keys, without a look at DNS.
    List,
    /// Removes a key.
    Remove {
        /// Its name.
        selector: String,
    },
}

/// What DNS says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsState {
    /// It is published as it should be.
    Ok,
    /// Another is in its place, which may be meant.
    Other,
    /// Another is in its place, with which this cannot work.
    Wrong,
    /// It is not there.
    Missing,
    /// DNS did not answer.
    Unknown,
}

impl DnsState {
    /// Whether nothing has to be done.
    pub fn is_fine(self) -> bool {
        matches!(self, DnsState::Ok | DnsState::Other)
    }
}

/// A record to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsRecordRow {
    /// Without a final dot.
    pub name: String,
    /// `MX`, `TXT`, `SRV`, `CNAME`.
    pub kind: String,
    /// As a zone file has it, a TXT without quotes.
    pub value: String,
    /// What it is for.
    pub purpose: String,
    /// None: not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DnsState>,
    /// What is there in its place, or why nothing is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
}

/// A key of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimKeyRow {
    /// Whose mail it signs.
    pub domain: String,
    /// Its name.
    pub selector: String,
    /// Its kind.
    pub algorithm: DkimAlgorithm,
    /// Whether it signs.
    pub state: DkimState,
    /// Seconds since 1970.
    pub created: i64,
    /// What is to be published.
    pub record: DnsRecordRow,
}

/// The answer to `domain dkim`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimKeys {
    /// What was done, and what is to be done next; empty for a list.
    pub done: String,
    /// Whether the records are to be shown.
    pub records: bool,
    /// The keys that it is about.
    pub keys: Vec<DkimKeyRow>,
}
