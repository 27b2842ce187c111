//! POP3 (RFC 1939) with CAPA (RFC 2449), STLS (RFC 2595), AUTH (RFC 5034), response codes (RFC 2449, RFC 3206), UTF8 and LANG
//! (RFC 6856).
//!
//! The maildrop is the INBOX as it was at log-in: its messages keep their numbers, sizes and names while IMAP works in the same
//! folder, and a lock of the host keeps a second POP3 session away. Nothing is changed but by QUIT, which removes what DELE has
//! marked; flags are IMAP's. A message never enters this component: it is opened by the host, which sends it with its dots
//! stuffed.
//!
//! Layers, each knowing only the ones before: `parse` (octets to `Command`, pure), `reply` (text of answers), `marks` (which
//! messages are deleted), `maildrop` (the snapshot), `state` (what is frozen), `commands` (one file each), `session` (events in,
//! turns out).

mod commands;
mod maildrop;
mod marks;
pub mod parse;
mod reply;
mod session;
mod state;

pub use session::Pop3;

waxwing_sdk::stream_plugin!(Pop3);
