//! What lasts between two turns: plain data, frozen as format 1.

use serde::{Deserialize, Serialize};
use waxwing_sdk::Frozen;
use waxwing_sdk::sasl::Exchange;

/// What the next event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Pending {
    /// A line.
    Line,
    /// A literal.
    Literal,
    /// The rest of an overlong line.
    Skip,
    /// The TLS handshake.
    StartTls,
}

/// A line that announced a literal, and what became of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gathered {
    /// Without its end.
    pub(crate) line: Vec<u8>,
    /// Under which the host keeps the literal while the session is frozen; 0 in a live one, and when it was dropped.
    pub(crate) token: u64,
    /// It passed the limit, or could not be kept.
    pub(crate) dropped: bool,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
pub(crate) struct State {
    /// The number of the mailbox and the address of its owner, once somebody is logged in.
    pub(crate) owner: Option<(u32, String)>,
    pub(crate) pending: Pending,
    /// An exchange that waits for a response.
    pub(crate) exchange: Option<Exchange>,
    /// The beginning of the command that is arriving.
    pub(crate) gathered: Vec<Gathered>,
    /// Commands that were none, in a row.
    pub(crate) refused: u32,
}

impl State {
    pub(crate) fn new() -> State {
        State {
            owner: None,
            pending: Pending::Line,
            exchange: None,
            gathered: Vec::new(),
            refused: 0,
        }
    }
}

#[cfg(test)]
mod formats;
