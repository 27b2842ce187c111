//! Clients that cost little: one buffer a connection, answers are counted and not parsed.

pub(crate) mod http;
pub(crate) mod imap;
pub(crate) mod lmtp;
pub(crate) mod pop3;
mod wire;

pub(crate) use wire::Wire;
