//! vCard as an address book server sees it: 3.0 (RFC 2426) and 4.0 (RFC 6350). Octets in, octets out, no clock and no I/O.
//!
//! - [`Card`]: one that CardDAV lets into a collection, with the precondition that a wrong one breaks.
//! - [`filter`]: does it match a query (RFC 6352 section 10.5)?
//! - [`AddressData`]: what of it a query wants (section 10.4), also in the other version.
//!
//! With the feature `mapi`: [`mapi`], contacts as Exchange's protocols see them (MS-OXVCARD), both ways.
//!
//! Truth is the tree of content lines ([`waxwing_formats_contentline`]): what nobody understands survives. `calcard` is not used: it reads
//! into a typed model that forgets how things were written.

mod card;
mod convert;
mod data;
mod error;
pub mod filter;
#[cfg(feature = "mapi")]
pub mod mapi;

pub use card::{Card, Kind, Limits, Version};
pub use data::{AddressData, Prop};
pub use error::{Error, Precondition};

pub use waxwing_formats_contentline as contentline;

/// What this crate answers.
pub type Result<T> = std::result::Result<T, Error>;
