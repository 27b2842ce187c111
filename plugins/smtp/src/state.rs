//! What a session is between two turns: all of it can be frozen.

use serde::{Deserialize, Serialize};
use waxwing_sdk::Frozen;
use waxwing_sdk::sasl::Exchange;

use crate::parse::{MailFrom, RcptTo};

/// Which of the three protocols is spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "FrozenDialect", into = "FrozenDialect")]
pub(crate) enum Dialect {
    Smtp,
    Lmtp,
    Submission(Submission),
}

/// The order is part of the frozen format. What came later came at the end with what it must know: sessions of the others freeze to
/// the same octets as before, so an older version takes them back, and those that it must not take it cannot read.
#[derive(Serialize, Deserialize)]
enum FrozenDialect {
    Smtp,
    Lmtp,
    Submission(Submission),
    /// Within a transaction that asked for REQUIRETLS.
    RequiringTls(Submission),
}

impl From<Dialect> for FrozenDialect {
    fn from(dialect: Dialect) -> FrozenDialect {
        match dialect {
            Dialect::Smtp => FrozenDialect::Smtp,
            Dialect::Lmtp => FrozenDialect::Lmtp,
            Dialect::Submission(submission) if submission.require_tls => {
                FrozenDialect::RequiringTls(submission)
            }
            Dialect::Submission(submission) => FrozenDialect::Submission(submission),
        }
    }
}

impl From<FrozenDialect> for Dialect {
    fn from(frozen: FrozenDialect) -> Dialect {
        match frozen {
            FrozenDialect::Smtp => Dialect::Smtp,
            FrozenDialect::Lmtp => Dialect::Lmtp,
            FrozenDialect::Submission(submission) => Dialect::Submission(submission),
            FrozenDialect::RequiringTls(submission) => Dialect::Submission(Submission {
                require_tls: true,
                ..submission
            }),
        }
    }
}

/// What only submission needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Submission {
    /// Who is logged in.
    pub(crate) principal: Option<String>,
    /// A log-in that waits for the client's next line.
    pub(crate) exchange: Option<Exchange>,
    /// RFC 4865, of the transaction: seconds since 1970.
    pub(crate) hold_until: Option<u64>,
    /// RFC 8689, of the transaction; frozen as the dialect's variant.
    #[serde(skip)]
    pub(crate) require_tls: bool,
}

/// The body that is being received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Receiving {
    Data,
    Chunk {
        last: bool,
    },
    /// Octets of a BDAT that was refused, to be thrown away (RFC 3030 section 2).
    Refused,
}

/// RFC 5321 3.3: from MAIL to the end of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) mail: MailFrom,
    pub(crate) recipients: Vec<RcptTo>,
    /// Octets received with BDAT so far.
    pub(crate) chunked: u64,
    /// Whether BDAT has begun: DATA is then out of order.
    pub(crate) in_chunks: bool,
}

/// The frozen session, format 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
pub(crate) struct State {
    pub(crate) dialect: Dialect,
    /// Set by STARTTLS as well as from the beginning: protocol and cipher for the trace header.
    pub(crate) tls: Option<(String, String)>,
    /// What the client calls itself, and whether it said so with EHLO or LHLO.
    pub(crate) client: Option<(String, bool)>,
    pub(crate) transaction: Option<Transaction>,
    pub(crate) receiving: Option<Receiving>,
    /// The rest of an overlong line is being skipped.
    pub(crate) skipping_line: bool,
    /// Commands that were errors since the last message that arrived.
    pub(crate) errors: u32,
    /// Tokens of the chunks kept by the host over a freeze.
    pub(crate) kept_chunks: Vec<u64>,
}

impl State {
    pub(crate) fn submission(&mut self) -> Option<&mut Submission> {
        match &mut self.dialect {
            Dialect::Submission(submission) => Some(submission),
            Dialect::Smtp | Dialect::Lmtp => None,
        }
    }

    pub(crate) fn new(dialect: Dialect, tls: Option<(String, String)>) -> State {
        State {
            dialect,
            tls,
            client: None,
            transaction: None,
            receiving: None,
            skipping_line: false,
            errors: 0,
            kept_chunks: Vec::new(),
        }
    }
}

#[cfg(test)]
mod formats;
