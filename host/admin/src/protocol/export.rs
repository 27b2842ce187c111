//! The frames of `waxwing mailbox export`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::ImportProblem;

/// Opens an export of one mailbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportStart {
    /// A user's address, or the 32 hex digits of a mailbox.
    pub mailbox: String,
    /// Only this folder and those below it, from the root; none: all.
    pub folder: Option<Vec<String>>,
}

/// What comes out of an export, in order, as the CLI takes it from [`crate::Connection::export`].
#[derive(Debug, Clone)]
pub enum ExportItem {
    /// The messages that follow are in it.
    Folder(ExportFolder),
    /// A message, byte for byte.
    Message(ExportHeader, Bytes),
}

/// A folder of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFolder {
    /// From the root; the inbox is `INBOX`.
    pub path: Vec<String>,
    /// Messages of all folders, for the progress.
    pub total: u64,
}

/// What the mailbox says of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportHeader {
    /// IMAP flags and keywords.
    pub flags: Vec<String>,
    /// When it arrived, seconds since 1970.
    pub internal_date: i64,
}

/// A line from the server after [`super::Request::Export`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExportFrame {
    /// A folder begins.
    Folder(ExportFolder),
    /// Followed by `size` raw octets.
    Message {
        /// What is known of it.
        header: ExportHeader,
        /// How many octets follow the line.
        size: u64,
    },
}

/// What came of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportSummary {
    /// Messages that came out.
    pub exported: u64,
    /// Folders that came out.
    pub folders: u64,
    /// Items that did not.
    pub failed: u64,
    /// The first hundred things that did not come out, and why.
    pub problems: Vec<ImportProblem>,
}
