//! ManageSieve (RFC 5804): how a mail program puts the scripts in place that filter its owner's mail.
//!
//! Scripts are kept by the store (`waxwing:store/scripts`), which knows nothing of the language; here each is checked before it is
//! taken, so that what is active can be run. A script comes as a literal and stays a body of the host until its command is whole:
//! a session in the middle of one freezes to a few octets.
//!
//! Layers, each knowing only the one before: `parse` (a whole command, pure), `reply` (the words of answers), `state` (what is
//! frozen), `commands`, `session` (events in, turns out).

mod commands;
pub mod parse;
mod reply;
mod session;
mod state;

pub use session::ManageSieve;

waxwing_sdk::stream_plugin!(ManageSieve);
