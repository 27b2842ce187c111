//! `cargo xtask test`: every check, in the order in which they fail cheapest. Nothing is skipped silently: a tool that is
//! missing is a failure that names it.
//!
//! Lints, unit tests and the server for the end-to-end tests are built in one profile, `dev`, whose dependencies are
//! optimised: wasmtime and SQLite are then compiled once for all three, in half the time of a release build, and the
//! end-to-end tests find arithmetic that overflows. Plugins are built as they are shipped.

mod documents;
mod end_to_end;

pub(crate) use end_to_end::python_against_the_server;

use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::{
    metadata::Metadata,
    run::{cargo, run},
    tools,
};

/// Where cargo puts what the profile `dev` builds, below the target folder.
const BUILT: &str = "debug";

/// Run every check.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --quick\n  cargo xtask test --only e2e -- -k swap"
)]
pub(crate) struct Test {
    /// Only these steps; may be given several times.
    #[arg(long, value_enum)]
    only: Vec<Step>,
    /// Leave out the end-to-end tests.
    #[arg(long)]
    quick: bool,
    /// Given to pytest.
    #[arg(last = true)]
    pytest: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting.
    Fmt,
    /// References in the documents lead somewhere.
    Docs,
    /// Lints, as errors.
    Clippy,
    /// Unit tests on this machine.
    Unit,
    /// Unit tests of the code of plugins, in the sandbox.
    Wasm,
    /// The contracts are compatible with the released ones.
    Wit,
    /// Other people's clients against a real server.
    E2e,
}

const ALL: [Step; 7] = [
    Step::Fmt,
    Step::Docs,
    Step::Clippy,
    Step::Unit,
    Step::Wit,
    Step::Wasm,
    Step::E2e,
];

impl Test {
    pub(crate) fn run(self) -> Result<()> {
        tools::check()?;
        let wanted = |step: &Step| {
            let chosen = self.only.is_empty() || self.only.contains(step);
            chosen && !(self.quick && *step == Step::E2e)
        };
        // Told before half an hour of building, not after.
        if wanted(&Step::E2e) {
            end_to_end::check()?;
        }
        let mut told = Vec::new();
        for step in ALL.iter().filter(|step| wanted(step)) {
            println!("\n== {}", step.name());
            let started = Instant::now();
            let done = step.run(&self.pytest);
            let outcome = if done.is_ok() { "passed" } else { "FAILED" };
            told.push((
                done,
                format!(
                    "{:<8}{outcome} in {:.0} s",
                    step.name(),
                    started.elapsed().as_secs_f64()
                ),
            ));
        }
        println!();
        for (done, line) in &told {
            println!("{line}");
            if let Err(error) = done {
                println!("        {error:#}");
            }
        }
        let failed = told.iter().filter(|(done, _)| done.is_err()).count();
        if failed > 0 {
            bail!("{failed} of {} steps failed", told.len());
        }
        Ok(())
    }
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Fmt => "fmt",
            Step::Docs => "docs",
            Step::Clippy => "clippy",
            Step::Unit => "unit",
            Step::Wasm => "wasm",
            Step::Wit => "wit",
            Step::E2e => "e2e",
        }
    }

    fn run(self, pytest: &[String]) -> Result<()> {
        match self {
            Step::Fmt => run(&mut cargo(&["fmt", "--all", "--check"])),
            Step::Docs => documents::check(),
            Step::Clippy => run(&mut cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])),
            Step::Unit => {
                run(&mut cargo(&["test", "--workspace"])).and_then(|()| forgetful_disk("test"))
            }
            Step::Wit => run(&mut cargo(&[
                "test",
                "--workspace",
                "--test",
                "wit_compatibility",
            ])),
            Step::Wasm => wasm(),
            Step::E2e => end_to_end::run_suites(pytest),
        }
    }
}

/// The server and the tools. With the tests, because their dependencies ask for more features: without them cargo would
/// build wasmtime's and tokio's dependants anew.
fn build_binaries() -> Result<()> {
    run(&mut cargo(&["build", "--workspace", "--bins", "--tests"]))
}

/// The disk of the power and fault tests: a workspace of its own, because its dependencies would change the server's.
fn forgetful_disk(command: &str) -> Result<()> {
    run(&mut cargo(&[
        command,
        "--manifest-path",
        "tests/forgetful-disk/Cargo.toml",
    ]))
}

/// Unit tests of what runs in the sandbox, on the sandbox's machine.
fn wasm() -> Result<()> {
    let metadata = Metadata::read()?;
    build_binaries()?;
    let mut tests = cargo(&[
        "test",
        "--target",
        "wasm32-wasip2",
        "--lib",
        "--features",
        "waxwing-sdk/testing",
    ]);
    for package in metadata.sandboxed() {
        tests.args(["-p", &package]);
    }
    tests.env(
        "CARGO_TARGET_WASM32_WASIP2_RUNNER",
        metadata
            .target_directory
            .join(BUILT)
            .join("waxwing-wasm-test-runner"),
    );
    run(&mut tests)
}
