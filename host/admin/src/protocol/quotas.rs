//! What mailboxes may hold, and hold.

use serde::{Deserialize, Serialize};
pub use waxwing_directory::{Limit, Limits, LimitsChange};

/// `waxwing quota …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaCommand {
    /// The quotas of all users, of a domain's, or of one.
    List {
        /// A domain, or a user's address.
        target: Option<String>,
    },
    /// Changes a quota.
    Set {
        /// A user's address, or a domain: then for all its users of whom nothing else is said.
        target: String,
        /// What changes.
        change: LimitsChange,
    },
}

/// One user's quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaRow {
    /// The primary address.
    pub address: String,
    /// In octets; none when the mailbox cannot be opened.
    pub storage_used: Option<u64>,
    /// In octets; none: no limit.
    pub storage_limit: Option<u64>,
    /// In items; none when the mailbox cannot be opened.
    pub messages_used: Option<u64>,
    /// In items; none: no limit.
    pub messages_limit: Option<u64>,
    /// What is said of this user apart from the domain.
    pub own: Limits,
}
