//! Commands and rows about mailboxes.

use serde::{Deserialize, Serialize};
use waxwing_exmdb::Salvage;

use super::{BackupStart, RestoreStart};

/// `waxwing mailbox …`. A mailbox is named by its user's address, or by its 32 hex digits when it has no user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailboxCommand {
    /// Every mailbox on disk and whose it is, without opening them.
    List,
    /// Items and octets of one mailbox, or of all.
    Size {
        /// None: all.
        mailbox: Option<String>,
    },
    /// Verifies every invariant of one mailbox, or of all.
    Check {
        /// None: all.
        mailbox: Option<String>,
        /// Repairs what can be repaired.
        repair: bool,
    },
    /// Backs up mailboxes.
    Backup(BackupStart),
    /// Restores mailboxes from a backup.
    Restore(RestoreStart),
}

/// A line of `mailbox list` and `mailbox size`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxRow {
    /// 32 hex digits.
    pub mailbox: String,
    /// The address of its user; none: nobody's.
    pub owner: Option<String>,
    /// Only `size` tells: how many items.
    pub items: Option<u64>,
    /// Only `size` tells: octets of all items.
    pub bytes: Option<u64>,
    /// Only `size` tells: octets of the files.
    pub bytes_on_disk: Option<u64>,
    /// Only `size` tells: how many folders.
    pub folders: Option<u32>,
}

/// What `mailbox check` saw in one mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedMailbox {
    /// 32 hex digits.
    pub mailbox: String,
    /// The address of its user; none: nobody's.
    pub owner: Option<String>,
    /// Items looked at.
    pub items: u64,
    /// Folders looked at.
    pub folders: u32,
    /// Blobs looked at.
    pub blobs: u64,
    /// Invariants that did not hold.
    pub findings: Vec<Finding>,
    /// Its file was damaged and a new one was made of what could be read; only `--repair` does.
    pub salvage: Option<Salvage>,
    /// The mailbox could not be opened or read to its end, and why.
    pub error: Option<String>,
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name, such as `blob-without-row`.
    pub invariant: String,
    /// Where, for people.
    pub what: String,
    /// What was done about it; none: nothing.
    pub repaired: Option<String>,
}
