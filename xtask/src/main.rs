//! `cargo xtask`: what a newcomer types. [`up`] builds everything and starts a server to try; [`test`] runs every check;
//! [`bench`] measures; [`soak`] kills a server again and again.
//!
//! This crate depends on little, so that it is built in seconds on a machine that has built nothing yet. It only calls other
//! programs; what needs the host's libraries is a program of its own (`sdk/rust/wasm-test-runner`) or a test (`tests/wit_compatibility`).

mod bench;
mod debian;
mod metadata;
mod package;
mod run;
mod soak;
mod test;
mod tools;
mod up;
mod virtual_environment;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, runs and tests Waxwing.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build host and plugins and start a server with two users on loopback ports, in the foreground.
    Up(up::Up),
    /// Run every check: formatting, lints, unit tests natively and on wasm, contracts, documents, end-to-end tests.
    Test(test::Test),
    /// Measure a release build on loopback, beside other servers where there are any.
    Bench(bench::Bench),
    /// Kill the server under load, or cut its power, again and again, and check that nothing acknowledged is lost.
    Soak(soak::Soak),
    /// Build the plugins and put each into a package under the target folder.
    Package,
}

fn main() -> ExitCode {
    let done = match Xtask::parse().command {
        Command::Up(up) => up.run(),
        Command::Test(test) => test.run(),
        Command::Bench(bench) => bench.run(),
        Command::Soak(soak) => soak.run(),
        Command::Package => tools::check()
            .and_then(|()| package::build_all())
            .map(|packages| {
                for package in packages {
                    println!("{}", package.display());
                }
            }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
