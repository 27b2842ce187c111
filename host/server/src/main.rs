//! `waxwing`, the server and its command line.
//!
//! This crate is the wiring and nothing else: it reads the configuration ([`config`]), starts the rooms in order
//! ([`serve`]) and turns an administrator's words into requests of `waxwing-admin` ([`commands`]). A command that acts on
//! data means the same whether a server is running or not; which of the two does the work is decided in one place,
//! [`console`].

mod cli;
mod commands;
mod config;
mod console;
mod export;
mod import;
mod meter;
mod output;
mod password;
mod rooms;
mod serve;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("waxwing: {error:#}");
            ExitCode::FAILURE
        }
    }
}
