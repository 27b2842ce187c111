//! Commands and rows about sessions.

use serde::{Deserialize, Serialize};

/// `waxwing session …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionCommand {
    /// A page of the sessions that are open, in the order in which they were opened.
    List {
        /// Which.
        filter: SessionFilter,
        /// Where the page before ended; 0 at first.
        after: u64,
    },
    /// All that is known of one.
    Show {
        /// Its id.
        session: String,
    },
    /// Ends sessions with their protocol's goodbye.
    Kill {
        /// Which.
        filter: SessionFilter,
        /// How long to wait until they have gone.
        wait_seconds: u64,
    },
}

/// Which sessions; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFilter {
    /// One of these ids, if any are named.
    pub sessions: Vec<String>,
    /// Logged in as.
    pub user: Option<String>,
    /// Served by.
    pub plugin: Option<String>,
    /// Served by this version of its plugin.
    pub version: Option<String>,
    /// Came in there.
    pub listener: Option<String>,
    /// Speaks.
    pub protocol: Option<String>,
    /// Only those without an instance.
    pub frozen: bool,
}

/// Some lines of `session list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionPage {
    /// In the order in which they were opened.
    pub sessions: Vec<SessionRow>,
    /// `after` of the next page; none: this was the last.
    pub next: Option<u64>,
}

/// One session, as `session show` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Its id in every log line.
    pub session: String,
    /// Who is logged in.
    pub user: Option<String>,
    /// The client's address and port.
    pub peer: String,
    /// Where it connected to.
    pub local: String,
    /// The listener's name.
    pub listener: String,
    /// What it speaks.
    pub protocol: String,
    /// The plugin that serves it.
    pub plugin: String,
    /// The version it stands on.
    pub version: String,
    /// Whether its instance is dropped.
    pub frozen: bool,
    /// When it was opened: seconds since 1970.
    pub since: i64,
    /// When its last turn ended: seconds since 1970.
    pub last_turn: i64,
    /// Completed turns.
    pub turns: u64,
    /// Octets of the protocol from the client, inside TLS and compression.
    pub bytes_in: u64,
    /// Octets of the protocol to the client, inside TLS and compression.
    pub bytes_out: u64,
    /// Its frozen state, in octets; none when its last turn left none.
    pub frozen_octets: Option<u64>,
    /// Linear memory of its instance, in octets.
    pub memory: u64,
    /// Timers that run.
    pub timers: u64,
    /// Folders that it watches.
    pub watches: u64,
    /// Present when the stream is encrypted.
    pub tls: Option<SessionTls>,
    /// The last of its turns that failed.
    pub last_failure: Option<SessionFailure>,
}

/// The encryption of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTls {
    /// `TLSv1.3`
    pub protocol: String,
    /// The suite's IANA name.
    pub cipher: String,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// The verified subject of its certificate.
    pub client_identity: Option<String>,
}

/// A failed turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFailure {
    /// Seconds since 1970.
    pub at: i64,
    /// The version that failed.
    pub version: String,
    /// In one line.
    pub reason: String,
}

/// What `session kill` has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsKilled {
    /// Sessions that were asked to end.
    pub asked: u64,
    /// Those of them that have ended.
    pub ended: u64,
}
