//! Sieve (RFC 5228) and its extensions: a script and a message in, a list of actions out. No clock and no I/O.
//!
//! - [`Script::parse`]: lexer, grammar, and a typed script that cannot be wrong in shape. Every error names its line.
//! - [`Script::run`]: runs it over an [`Arrival`]. What it must ask while it runs it asks its [`Surroundings`]: folders,
//!   other scripts, what was seen before, and the message itself, which a script without a `body` test never needs.
//! - [`Action`]: what is to be done, in order. The implicit keep is among them; an empty list throws the message away.
//! - [`limits`]: every bound, by name. A script within them takes time linear in the message.
//!
//! A failure while a script runs gives no actions at all: the caller keeps the message, as RFC 5228 section 2.10.6 wants, and
//! nothing of a script that did not end is carried out.
//!
//! Layers, each knowing only the one before: `lexer`, `tree` (commands and arguments by their form), `script` (typed),
//! `compile` (from one to the other), `evaluate`. Nothing here is made for one server: what a folder or a duplicate is, is the
//! caller's to say.

mod action;
mod capability;
mod compile;
mod evaluate;
mod header;
mod lexer;
pub mod limits;
mod matching;
mod reply;
mod script;
mod text;
mod tree;

pub use action::{Action, Reply, Store};
pub use capability::{Capability, capabilities};
pub use evaluate::{Arrival, Surroundings};
pub use script::Script;

/// What is wrong with a script, or went wrong while it ran.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Error {
    /// 1 is the first.
    pub line: u32,
    /// In words for its author.
    pub what: String,
}

impl Error {
    pub(crate) fn at(line: u32, what: impl Into<String>) -> Error {
        Error {
            line,
            what: what.into(),
        }
    }

    pub(crate) fn limit(line: u32, name: &str, most: impl std::fmt::Display) -> Error {
        Error::at(line, format!("limit reached: {name} = {most}"))
    }
}

/// What this crate answers.
pub type Result<T> = std::result::Result<T, Error>;
