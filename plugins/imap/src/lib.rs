//! IMAP (RFC 9051, RFC 3501) as a plugin of Waxwing.
//!
//! | to find | look in |
//! |---|---|
//! | how bytes become commands, and every limit of that | [`parse`] |
//! | how answers become bytes | [`render`] |
//! | mailbox names and the folder tree | [`names`] |
//! | rights as RFC 4314 writes them and as the store keeps them | [`rights`] |
//! | what lasts between two turns, and how events reach commands | [`session`] |
//! | what a command does | `commands`, one file each |
//! | a plugin that fails on demand, for tests | `faults`, with the feature `fault-injection` |

mod commands;
#[cfg(feature = "fault-injection")]
mod faults;
pub mod names;
pub mod parse;
pub mod render;
pub mod rights;
pub mod session;

pub use session::Imap;

waxwing_sdk::stream_plugin!(Imap);
