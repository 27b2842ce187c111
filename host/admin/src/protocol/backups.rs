//! The commands that make backups and restore from them, and what came of them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Finding;

/// `waxwing mailbox backup`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BackupStart {
    /// Of which mailboxes.
    pub of: BackupScope,
    /// The folder of the backup, absolute.
    pub to: PathBuf,
    /// Generations that are kept of each mailbox; none: all.
    pub keep: Option<u32>,
}

/// Which mailboxes are backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupScope {
    /// These, by address or 32 hex digits.
    Mailboxes(Vec<String>),
    /// Those of the users of a domain.
    Domain(String),
    /// All, and the directory of users.
    All,
}

/// What came of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSummary {
    /// The directory of users is in it.
    pub directory: bool,
    /// Each mailbox.
    pub mailboxes: Vec<BackedUpMailbox>,
}

/// What came of the backup of one mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUpMailbox {
    /// 32 hex digits.
    pub mailbox: String,
    /// The address of its user; none: nobody's.
    pub owner: Option<String>,
    /// Names what was made; none: nothing was, and `error` says why.
    pub generation: Option<String>,
    /// The mailbox's counter at the commit that was backed up.
    pub change_number: u64,
    /// Items of all kinds.
    pub items: u64,
    /// Octets of the items.
    pub octets: u64,
    /// Octets that were not in the backup before.
    pub copied_octets: u64,
    /// Messages whose octets the mailbox had lost before.
    pub missing: u64,
    /// Why it was not backed up, or old generations not removed.
    pub error: Option<String>,
}

/// How far a backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupProgress {
    /// The mailbox it is at, as people call it.
    pub mailbox: String,
    /// Mailboxes before it.
    pub done: u64,
    /// All mailboxes.
    pub total: u64,
    /// Messages of this one that are in the backup.
    pub messages: u64,
    /// Messages of this one; 0 until they are counted.
    pub messages_total: u64,
    /// Octets copied so far, of all mailboxes.
    pub copied_octets: u64,
}

/// `waxwing mailbox restore`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreStart {
    /// The folder of the backup, absolute.
    pub from: PathBuf,
    /// Which one; none: the newest.
    pub generation: Option<String>,
    /// What is restored.
    pub what: RestoreScope,
}

/// What is restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestoreScope {
    /// One mailbox.
    Mailbox {
        /// Whose in the backup: an address or 32 hex digits.
        mailbox: String,
        /// Whose it shall be; none: the same.
        to_user: Option<String>,
        /// What happens to what is there.
        way: RestoreWay,
    },
    /// The directory of users and all mailboxes, where there is nothing yet.
    All,
}

/// What happens to the mailbox that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestoreWay {
    /// Nothing may be in it.
    Empty,
    /// It is replaced.
    Replace,
    /// It stays, and gets a new folder that holds what is restored.
    Into {
        /// From the root.
        folder: Vec<String>,
        /// Only this folder of the backup and those below it, from the root.
        only: Option<Vec<String>>,
    },
}

/// How far a restoration is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreProgress {
    /// The mailbox it is at, as people call it.
    pub mailbox: String,
    /// Mailboxes before it.
    pub done: u64,
    /// All mailboxes.
    pub total: u64,
    /// Messages of this one that are restored.
    pub messages: u64,
    /// Items of this one.
    pub messages_total: u64,
}

/// What came of a restoration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreSummary {
    /// Users that the directory got; none: it was not restored.
    pub users: Option<u64>,
    /// Each mailbox.
    pub mailboxes: Vec<RestoredRow>,
}

/// What came of the restoration of one mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredRow {
    /// 32 hex digits of where it is now.
    pub mailbox: String,
    /// The address of its user; none: nobody's.
    pub owner: Option<String>,
    /// What it was made from; none: `error` says why nothing was.
    pub generation: Option<String>,
    /// Items that are there.
    pub items: u64,
    /// Messages whose octets the backup does not have, or that could not be put into a folder.
    pub missing: u64,
    /// What was wrong with the mailbox when it was backed up.
    pub findings: Vec<Finding>,
    /// Why it was not restored.
    pub error: Option<String>,
}
