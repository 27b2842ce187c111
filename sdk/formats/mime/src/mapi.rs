//! A mail as MAPI sees it (MS-OXCMAIL 2.1.3 "MIME to message"): properties, recipients, attachments.
//!
//! A pure function of the bytes and [`CONVERTER_VERSION`]: a store derives the bag when it first needs it and
//! may drop it again. What MAPI has no property for stays in the source.
//!
//! Embedded messages are not converted along: an [`Attachment`] names their structure, whose ranges lie in the
//! same bytes, and the same three functions convert it when someone opens it.
//!
//! Left to the store: what depends on the mailbox (ids, flags, delivery time, size) and on named properties.

mod attachments;
mod body;
mod code_page;
mod conversation;
mod message;
mod recipients;

pub use attachments::{Attachment, Content, attachments};
pub use message::properties;
pub use recipients::recipients;

/// Changes whenever the same bytes give other properties; a store then derives its bags anew.
pub const CONVERTER_VERSION: u32 = 1;
