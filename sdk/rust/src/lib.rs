//! What the author of a Waxwing plugin imports.
//!
//! **A protocol plugin is a state machine: an event comes in, a turn of actions goes out.** It holds no socket and no
//! thread. Between two turns its whole state is one Rust value, which can be frozen into bytes and read back by another
//! version of the plugin: that is what lets an operator replace it while clients stay connected.
//!
//! | to write | look at |
//! |---|---|
//! | a protocol over one connection | [`stream`]: [`stream::StreamPlugin`], [`stream::Handoff`], [`stream_plugin!`] |
//! | a protocol over HTTP | [`http`]: [`http::HttpPlugin`], [`http_plugin!`] |
//! | what filters all mail on its way | [`mail_flow`]: [`mail_flow::MailFlowHook`], [`mail_flow_hook!`] |
//! | what filters a person's mail at delivery | [`filter`]: [`filter::DeliveryFilter`], [`delivery_filter!`] |
//! | state that survives an upgrade | [`frozen`]: `#[derive(Frozen)]` |
//! | a parser of lines and literals | [`reader`] |
//! | AUTH of a line protocol | [`sasl`] |
//! | mail | [`accounts`], [`store`], [`delivery`], [`bodies`], [`kv`] |
//! | meetings | [`scheduling`] |
//! | tests | `testing` (feature `testing`): transcripts of what a client says and must hear |
//! | what the operator sees and sets | [`log`], [`config`] |
//! | what programs of people find at this server | [`site`] |
//!
//! A whole plugin, `examples/hello`, has less than 60 lines.
//!
//! Inside Waxwing the host answers the imports. Elsewhere (tests, on any target) [`standin`] does: log and settings work,
//! and what needs a mailbox answers `unsupported`, unless the test says otherwise.

#[cfg(test)]
extern crate self as waxwing_sdk;

pub mod accounts;
pub mod bindings;
pub mod bodies;
pub mod config;
pub mod delivery;
pub mod fault;
pub mod filter;
pub mod frozen;
pub mod http;
pub mod kv;
pub mod log;
pub mod mail_flow;
pub mod reader;
pub mod sasl;
pub mod scheduling;
pub mod site;
#[cfg(not(in_host))]
pub mod standin;
pub mod store;
pub mod stream;
#[cfg(feature = "testing")]
pub mod testing;
mod turn;

pub use fault::Fault;
pub use waxwing_sdk_derive::Frozen;
