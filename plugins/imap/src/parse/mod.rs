//! Bytes in, [`Request`] out: the whole IMAP command grammar of RFC 9051 section 9, with what RFC 3501 had before it.
//!
//! The parser is pure and total. It looks at everything that has arrived and was not consumed, and says either that a
//! command is whole, or that more is needed, or what is wrong; it never keeps anything between calls, so input torn
//! at any octet gives the same answer as input in one piece. Literals are gathered where they stand: nothing of a
//! command is consumed before all of it is there. The one exception is the message of APPEND, which may be larger than
//! any plugin's memory: such a command ends, for the parser, with the header of its literal; what follows it is read on.
//!
//! Everything is bounded by [`limits`], and a refusal names the limit.

mod acl;
mod append;
mod command;
mod cursor;
mod date;
mod fetch;
mod filter;
mod flags;
mod frame;
pub mod limits;
mod list;
mod metadata;
mod multi_search;
mod notify;
mod partial;
mod search;
mod select;
mod sequence;
mod sort;
mod thread;
mod url;

pub use acl::AclRequest;
pub use append::{
    AppendLiteral, AppendRole, AppendStretch, AppendWord, NextAppend, Replaced, parse_next_append,
};
pub use command::{Command, Request, StoreMode, StoreRequest, parse_command, parse_in, tag};
pub use date::{Date, days_from_civil, parse_date_time};
pub use fetch::{FetchItem, FetchRequest, Section, SectionPart};
pub use filter::MailboxFilter;
pub use flags::{FlagBits, FlagList};
pub use frame::{Frame, Literal, Rest, Skip, frame, skip};
pub use list::{ListRequest, ReturnOptions, SelectionOptions, StatusItem};
pub use metadata::{Depth, EntryName, MetadataQuery};
pub use multi_search::MultiSearchRequest;
pub use notify::{NotifyEvents, NotifyGroup, NotifyRequest, NotifyScope};
pub use partial::Partial;
pub use search::{Charset, SearchKey, SearchRequest, SearchReturn};
pub use select::QuickResync;
pub use sequence::{STAR, SequenceSet};
pub use sort::{SortCriterion, SortKeyName, SortRequest};
pub use thread::ThreadRequest;
pub use url::ImapUrl;

/// How the bytes are to be read, which ENABLE can change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mode {
    /// Mailbox names are UTF-8 (RFC 6855, RFC 9051); otherwise modified UTF-7 (RFC 3501 5.1.3).
    pub utf8: bool,
}

/// What is wrong with a command, as the text of its BAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad(pub String);

impl Bad {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Bad(text.into())
    }
}

/// What a look at the unconsumed input gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// The command is not whole. `continuations` of its synchronising literals have been announced so far: the client
    /// waits for that many `+` lines in all.
    Incomplete {
        /// Synchronising literals whose header has arrived.
        continuations: u32,
    },
    /// A whole command.
    Command {
        /// Octets it took.
        consumed: usize,
        /// As in `Incomplete`.
        continuations: u32,
        /// The command itself.
        request: Box<Request>,
    },
    /// Not a command.
    Bad {
        /// Octets to be done with.
        consumed: usize,
        /// As in `Incomplete`.
        continuations: u32,
        /// The tag, where there was one.
        tag: Option<String>,
        /// Why, for the BAD.
        text: String,
        /// What of the command is still to come and must be dropped before the answer.
        rest: Rest,
    },
}
