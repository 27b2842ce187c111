//! SMTP (RFC 5321) and LMTP (RFC 2033) for local recipients, and submission (RFC 6409) for whoever is logged in.
//!
//! The listener's protocol decides which of the three is spoken; they differ in the greeting verb, in LMTP's one reply per
//! recipient, and in submission's log-in. A message never enters this component: DATA and BDAT become `receive-body` actions, the
//! trace header is put before the body with `bodies.compose`, and `delivery.deliver` takes the result. Nothing is relayed there: a
//! recipient is accepted only when the directory says that it is local. Of a submitted message the header is read, so that what
//! is missing can be added ([`fixups`]); `delivery.submit` takes it to anybody, and checks under whose name.
//!
//! Layers, each knowing only the one before: `parse` (bytes to `Command`, pure), `reply` (text of answers), `state` (what
//! is frozen), `commands` (one file each), `session` (events in, turns out).

mod chunks;
mod commands;
mod date;
mod deliver;
mod fixups;
pub mod parse;
mod received;
mod reply;
mod session;
mod state;

pub use session::Smtp;

waxwing_sdk::stream_plugin!(Smtp);
