//! Drives servers from outside, over sockets, like a client does, and tells how fast they were.
//!
//! `cargo xtask bench FAMILY` builds what this needs and starts it. A family ([`bench`]) starts a Waxwing of its own
//! ([`server::Waxwing`]) on free loopback ports in a temporary folder, often another server beside it, and gives rows
//! ([`row::Row`]). What is compared is measured in the same run, by the same client, in turns: on a machine with other work
//! a figure alone says little, a ratio of medians something. The client ([`client`]) is lean on purpose: it counts lines
//! and literals and parses nothing, so that the server's time is what is seen.

#![allow(
    dead_code,
    reason = "clients and servers are there for every family, also those to come"
)]

mod bench;
mod client;
mod message;
mod row;
mod server;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// Drives a server and reports how fast it was; `cargo xtask bench` starts this.
#[derive(Debug, Parser)]
#[command(name = "waxwing-load", max_term_width = 100)]
struct Load {
    /// The binary `waxwing` to measure.
    #[arg(long, value_name = "FILE")]
    server: PathBuf,
    /// The folder of plugin packages to load.
    #[arg(long, value_name = "DIR")]
    packages: PathBuf,
    #[command(subcommand)]
    family: bench::Family,
}

fn main() -> ExitCode {
    raise_limit_on_open_files();
    let load = Load::parse();
    let built = server::Built {
        binary: load.server,
        packages: load.packages,
    };
    // One thread: the rest of a small machine is the server's.
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(load.family.run(&built)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("waxwing-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A client of ten thousand connections needs as many descriptors.
fn raise_limit_on_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        eprintln!(
            "waxwing-load: the limit on open files stays at {:?}: {error}",
            limit.current
        );
    }
}
