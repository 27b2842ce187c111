//! Content lines: the syntax that iCalendar (RFC 5545 section 3.1) and vCard (RFC 6350 section 3.3) share.
//!
//! - [`Component`]: what stands between BEGIN and END, as a tree of [`Line`]s. Values are kept as they came, unfolded and
//!   otherwise untouched, so that whatever nobody understands survives an edit of its neighbours.
//! - [`text`]: the escapes of TEXT values, and lists and structures of them.
//! - [`filter`]: property and parameter filters with collations, as CalDAV (RFC 4791 section 9.7) and CardDAV (RFC 6352 section 10.5)
//!   ask for them.
//! - [`Limits`]: what bounds a parse. The name of the limit that was reached is in the error.
//!
//! The typed models of general parsers are not used, because they forget what a calendar or address book server must hand back:
//! the spelling of values, unknown parameters, which line a parameter stood on.

mod component;
mod error;
pub mod filter;
mod limits;
mod line;
mod parse;
pub mod text;
mod write;

pub use component::Component;
pub use error::Error;
pub use limits::Limits;
pub use line::{Line, Parameter};

/// What this crate answers.
pub type Result<T> = std::result::Result<T, Error>;
