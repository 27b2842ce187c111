//! What lasts between two turns: plain data, frozen as format 2. Enums may grow at their ends without a new format: older bytes stay
//! what they are, and what only a newer version can write is refused by an older one.
//!
//! Handles on host objects are not state: they are found again by number (mailbox), id (view) or token (body).

use serde::{Deserialize, Serialize};
use waxwing_sdk::Frozen;
use waxwing_sdk::sasl::Exchange;

use crate::names::MailboxName;
use crate::parse::{AppendMessage, FetchRequest, FlagList, Rest};

/// Where in RFC 9051 section 3 the session is. Selected is Authenticated with a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    NotAuthenticated,
    Authenticated,
    /// After LOGOUT or BYE.
    Logout,
}

/// What ENABLE, or a command that implies it, switched on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enabled {
    pub(crate) condstore: bool,
    pub(crate) quick_resync: bool,
    pub(crate) utf8: bool,
    /// IMAP4rev2
    pub(crate) rev2: bool,
    /// UIDONLY (RFC 9586)
    pub(crate) uid_only: bool,
}

/// The selected mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selected {
    pub(crate) view: u64,
    pub(crate) folder: u64,
    pub(crate) read_only: bool,
    /// As the client was told.
    pub(crate) exists: u32,
    /// So many of the mailbox's keywords stood in the last FLAGS.
    pub(crate) keywords: u32,
    /// The result that `$` names (RFC 5182), as UIDs.
    pub(crate) saved: Vec<(u32, u32)>,
}

/// Why a FETCH told less than it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum LeftOut {
    /// It did not.
    Nothing,
    /// Another session had expunged a message.
    Gone,
    /// A message is there and cannot be read.
    Unreadable,
}

/// A FETCH between two pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fetching {
    pub(crate) tag: String,
    pub(crate) request: FetchRequest,
    /// Of the messages asked for: resolved numbers or UIDs.
    pub(crate) spans: Vec<(u32, u32)>,
    /// Whether `spans` are UIDs.
    pub(crate) by_uid: bool,
    /// The position that was shown last.
    pub(crate) after: u32,
    /// The worst that kept a message from being told.
    pub(crate) left_out: LeftOut,
    /// The text behind OK.
    pub(crate) conclusion: String,
}

/// A message that has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arrived {
    pub(crate) flags: FlagList,
    pub(crate) internal_date: Option<i64>,
    /// Under which its body is kept while the session is frozen; 0 in a live one.
    pub(crate) token: u64,
}

/// An APPEND whose messages are arriving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Appending {
    pub(crate) tag: String,
    pub(crate) mailbox: MailboxName,
    pub(crate) folder: u64,
    pub(crate) arrived: Vec<Arrived>,
    /// The one that is being received, or was received last.
    pub(crate) current: AppendMessage,
}

/// What the next input is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Pending {
    /// A command.
    Nothing,
    /// A SASL response.
    Authenticate { tag: String, exchange: Exchange },
    /// DONE.
    Idle { tag: String },
    /// Nothing: pages are being sent.
    Fetch(Box<Fetching>),
    /// Messages, and what stands between them.
    Append(Box<Appending>),
    /// The rest of a refused command; then `answer` is sent.
    Skip { answer: Vec<u8>, rest: Rest },
    /// The TLS handshake.
    StartTls,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Frozen)]
#[frozen(format = 2, accepts(StateOf1 as 1))]
pub(crate) struct State {
    pub(crate) stage: Stage,
    /// By which the session opened its mailbox.
    pub(crate) mailbox: Option<u32>,
    pub(crate) selected: Option<Selected>,
    pub(crate) enabled: Enabled,
    pub(crate) pending: Pending,
    /// Continuations sent for literals of the command that is arriving.
    pub(crate) continuations: u32,
    /// Commands answered BAD in a row.
    pub(crate) refused: u32,
    /// COMPRESS (RFC 4978)
    pub(crate) compressed: bool,
}

impl State {
    pub(crate) fn new() -> Self {
        State {
            stage: Stage::NotAuthenticated,
            mailbox: None,
            selected: None,
            enabled: Enabled::default(),
            pending: Pending::Nothing,
            continuations: 0,
            refused: 0,
            compressed: false,
        }
    }
}

/// [`Enabled`] before there were IMAP4rev2 and UIDONLY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EnabledOf1 {
    condstore: bool,
    quick_resync: bool,
    utf8: bool,
}

/// What versions up to 0.1.0 wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
pub(crate) struct StateOf1 {
    stage: Stage,
    mailbox: Option<u32>,
    selected: Option<Selected>,
    enabled: EnabledOf1,
    pending: Pending,
    continuations: u32,
    refused: u32,
}

impl From<StateOf1> for State {
    fn from(old: StateOf1) -> State {
        let EnabledOf1 {
            condstore,
            quick_resync,
            utf8,
        } = old.enabled;
        State {
            stage: old.stage,
            mailbox: old.mailbox,
            selected: old.selected,
            enabled: Enabled {
                condstore,
                quick_resync,
                utf8,
                ..Enabled::default()
            },
            pending: old.pending,
            continuations: old.continuations,
            refused: old.refused,
            compressed: false,
        }
    }
}
