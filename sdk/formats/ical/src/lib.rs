//! iCalendar (RFC 5545) as a calendar server sees it: octets in, octets out, no clock and no I/O.
//!
//! - [`Calendar`]: any VCALENDAR. [`Object`]: one that CalDAV lets into a collection, with the precondition that a wrong one breaks.
//! - [`Moment`], [`Duration`], [`Rule`], [`Zone`]: the values that time is made of. [`Zones`] finds the zone a TZID means.
//! - [`Object::occurrences`] and [`Object::index`]: when it happens, with rules, exceptions and overrides.
//! - [`filter`]: does it match a query (RFC 4791 section 9.7)? [`data`]: what of it a query wants (section 9.6).
//! - [`free_busy`]: what times it takes.
//! - [`schedule`]: whom a change of a meeting is to be told, and what a message changes (RFC 5546, RFC 6638).
//!
//! With the feature `jcal`: [`jcal`], iCalendar as JSON (RFC 7265).
//! With the feature `facts`: [`facts`], what a store keeps of an object beside its source.
//! With the feature `mapi`: [`mapi`], items as Exchange's protocols see them (MS-OXCICAL), both ways.
//!
//! Truth is the tree of content lines ([`waxwing_formats_contentline`]): what nobody understands survives. Values are read where they
//! are needed. `calcard` reads into a typed model that forgets spelling, expands from the first instance on without a range, and knows
//! no VTIMEZONE of its own; from it come Windows' names of time zones.
//!
//! **Bounds.** Parsing: [`Limits`]. Expansion: a rule may take [`rule::MAX_WORK`] steps between its begin and the end of the range asked for,
//! and the caller says how many occurrences it takes. What reaches a bound is an [`Error`], never a silent half.

mod calendar;
pub mod data;
mod duration;
mod error;
#[cfg(feature = "facts")]
pub mod facts;
pub mod filter;
pub mod free_busy;
mod index;
#[cfg(feature = "jcal")]
pub mod jcal;
#[cfg(feature = "mapi")]
pub mod mapi;
mod moment;
mod object;
mod overlap;
mod range;
#[cfg(test)]
mod rfc4791;
pub mod rule;
pub mod schedule;
mod series;
mod zone;

pub use calendar::Calendar;
pub use duration::Duration;
pub use error::{Error, Precondition};
pub use index::Index;
pub use moment::{Form, Moment};
pub use object::{Kind, Limits, Object};
pub use range::Range;
pub use rule::Rule;
pub use series::Occurrence;
pub use zone::{Zone, Zones};

pub use waxwing_formats_contentline as contentline;

/// What this crate answers.
pub type Result<T> = std::result::Result<T, Error>;
