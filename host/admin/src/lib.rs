//! The administrator's commands, and the channel between the CLI and a running server.
//!
//! While a server runs it alone opens the databases: the CLI sends its [`protocol::Request`] over a Unix socket that only
//! the server's own user may use ([`channel`]). When none runs, the CLI opens the databases itself and executes the very same
//! request. A caller asks [`Connection::to_server`] first and sees a [`Connection`] either way. Not a network API with its own
//! credentials: whoever may read the data directory is the administrator anyway.

mod admin;
mod channel;
mod commands;
mod data_dir;
mod error;
mod export;
mod flags;
mod import;
mod paths;
pub mod protocol;
mod records;
#[cfg(test)]
mod testing;

pub use admin::Admin;
pub use channel::{Connection, serve};
pub use data_dir::DataDir;
pub use error::{Error, Result};
