//! The frames of `waxwing import`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Opens an import into one mailbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportStart {
    /// The user's address.
    pub user: String,
    /// How many messages will come, when the client knows; given back in the progress.
    pub total: Option<u64>,
}

/// A message to import, as the CLI hands it to [`crate::Connection::import`].
#[derive(Debug, Clone)]
pub struct ImportMessage {
    /// Where it goes and what it carries.
    pub header: ImportHeader,
    /// RFC 5322 octets; line ends as the source has them (the import makes them CRLF, unless the header says otherwise).
    pub message: Bytes,
}

/// What the source says about one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportHeader {
    /// From the root: `["Archive", "2024"]`. Missing folders are created; `INBOX` in any case is the inbox.
    pub folder: Vec<String>,
    /// IMAP flags and keywords: `\Seen`, `\Flagged`, `$Forwarded`, `work`. `\Recent` is ignored.
    pub flags: Vec<String>,
    /// When it arrived, seconds since 1970; none: its Date header, else now.
    pub internal_date: Option<i64>,
    /// The octets are those that a mailbox had; without it, line ends become CRLF.
    #[serde(default)]
    pub as_is: bool,
    /// For error messages: `archive.mbox, message 17`.
    pub origin: String,
}

/// A line from the client after [`super::Request::Import`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportFrame {
    /// Followed by `size` raw octets.
    Message {
        /// Where it goes and what it carries.
        header: ImportHeader,
        /// How many octets follow the line.
        size: u64,
    },
    /// No more messages.
    End,
}

/// Counts so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProgress {
    /// In the mailbox, durable, by this run.
    pub imported: u64,
    /// There already, by an earlier run.
    pub skipped: u64,
    /// Not imported; the summary says why.
    pub failed: u64,
    /// As [`ImportStart::total`].
    pub total: Option<u64>,
}

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    /// In the mailbox, durable, by this run.
    pub imported: u64,
    /// There already, by an earlier run.
    pub skipped: u64,
    /// Not imported.
    pub failed: u64,
    /// The first hundred that failed.
    pub problems: Vec<ImportProblem>,
}

/// A message that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProblem {
    /// [`ImportHeader::origin`].
    pub origin: String,
    /// Why not.
    pub reason: String,
}
