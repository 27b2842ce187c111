//! What lasts between two turns: plain data, frozen as format 1.

use serde::{Deserialize, Serialize};
use waxwing_sdk::Frozen;
use waxwing_sdk::sasl::Exchange;

use crate::maildrop::Maildrop;

/// RFC 1939 section 3. UPDATE is the turn of QUIT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// `user` is what USER said.
    Authorization {
        user: Option<String>,
    },
    Transaction(Box<Maildrop>),
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Listed {
    Sizes,
    UniqueIds,
}

/// What the next event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Pending {
    /// A command.
    Command,
    /// A SASL response.
    Auth(Exchange),
    /// Pages of LIST or UIDL are being sent; `next` is the first message that was not.
    Listing { listed: Listed, next: u32 },
    /// The TLS handshake.
    StartTls,
    /// The rest of an overlong line.
    Skip,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
pub(crate) struct State {
    pub(crate) stage: Stage,
    pub(crate) pending: Pending,
    /// RFC 6856 section 2.
    pub(crate) utf8: bool,
    /// Commands that were none, in a row.
    pub(crate) refused: u32,
}

impl State {
    pub(crate) fn new() -> State {
        State {
            stage: Stage::Authorization { user: None },
            pending: Pending::Command,
            utf8: false,
            refused: 0,
        }
    }
}

#[cfg(test)]
mod formats;
