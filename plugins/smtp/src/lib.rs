//! SMTP (RFC 5321) and LMTP (RFC 2033) for local recipients.
//!
//! The listener's protocol decides which of the two is spoken; they differ in the greeting verb and in LMTP's one reply per
//! recipient. A message never enters this component: DATA and BDAT become `receive-body` actions, the trace header is
//! put before the body with `bodies.compose`, and `delivery.deliver` takes the result. Nothing is relayed: a recipient is
//! accepted only when the directory says that it is local.
//!
//! Layers, each knowing only the one before: `parse` (bytes to `Command`, pure), `reply` (text of answers), `state` (what
//! is frozen), `commands` (one file each), `session` (events in, turns out).

mod chunks;
mod commands;
mod date;
mod deliver;
pub mod parse;
mod received;
mod reply;
mod session;
mod state;

pub use session::Smtp;

waxwing_sdk::stream_plugin!(Smtp);
