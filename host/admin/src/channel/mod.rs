//! The Unix socket between the CLI and a running server.

mod client;
mod frames;
mod server;
mod socket;

pub use client::Connection;
pub use server::serve;
