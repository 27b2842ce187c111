//! `cargo xtask soak`: `tests/soak/soak.py` against the server as the suites have it. What a round is and what is compared stands
//! there.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{run::run, test::python_against_the_server};

/// Kill the server under load, again and again, and check that nothing acknowledged is lost.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 when nothing was lost, else 1; then seed, round, difference and the kept data are printed.\n\n\
        Examples:\n  cargo xtask soak kill --rounds 50\n  cargo xtask soak power --rounds 1000 --json > result.json\n  \
        cargo xtask soak power --syncs none    # must fail: the disk ignores every sync"
)]
pub(crate) struct Soak {
    /// How the server goes.
    #[arg(value_enum)]
    kind: Kind,
    /// How often.
    #[arg(long, default_value_t = 50)]
    rounds: u32,
    /// The longest time of load in a round.
    #[arg(long, default_value_t = 1.6, value_name = "SECONDS")]
    seconds: f64,
    /// What clients do and when the server goes; by default a new one, which is printed.
    #[arg(long)]
    seed: Option<u32>,
    /// Which syncs the disk honours (`power`). With any but `all`, acknowledged things get lost, and the soak must tell.
    #[arg(long, value_enum, default_value_t = Syncs::All)]
    syncs: Syncs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// SIGKILL.
    Kill,
    /// The disk forgets what was not synced and tears the last writes; needs /dev/fuse and the right to mount.
    Power,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Syncs {
    All,
    None,
    Files,
    Folders,
}

fn word(value: impl ValueEnum) -> String {
    let word = value.to_possible_value();
    word.map_or_else(String::new, |word| word.get_name().to_owned())
}

impl Soak {
    pub(crate) fn run(self) -> Result<()> {
        let mut soak = python_against_the_server()?;
        soak.arg("tests/soak/soak.py")
            .arg(word(self.kind))
            .args(["--rounds", &self.rounds.to_string()])
            .args(["--seconds", &self.seconds.to_string()])
            .args(["--syncs", &word(self.syncs)]);
        if let Some(seed) = self.seed {
            soak.args(["--seed", &seed.to_string()]);
        }
        if self.json {
            soak.arg("--json");
        }
        run(&mut soak)
    }
}
