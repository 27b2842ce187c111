//! `cargo xtask bench`: builds a release server, its plugins and the program that loads it (`tests/load`), and runs that.
//!
//! What families and rows there are is that program's to know: everything behind the family is handed on as it is.

use anyhow::Result;
use clap::Args;

use crate::{
    debian,
    metadata::Metadata,
    package,
    run::{cargo, run},
    tools, virtual_environment,
};

/// Programs, and the Debian packages that bring them.
type Peer = &'static [(&'static str, &'static str)];

/// What a family measures itself beside.
const PEERS: &[(&str, &[Peer])] = &[("mail", &[DOVECOT, POSTFIX]), ("idle", &[DOVECOT])];

const DOVECOT: Peer = &[
    ("dovecot", "dovecot-core"),
    ("/usr/lib/dovecot/imap", "dovecot-imapd"),
    ("/usr/lib/dovecot/lmtp", "dovecot-lmtpd"),
    ("/usr/lib/dovecot/pop3", "dovecot-pop3d"),
];

const POSTFIX: Peer = &[("postfix", "postfix")];

/// Measure a release build on loopback, beside other servers where there are any.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask bench mail\n  cargo xtask bench mail --only append_per_s_one --only lmtp_per_s --json\n  cargo xtask bench idle --no-peer --connections 1000\n  cargo xtask bench swap\n  cargo xtask bench dav\n  cargo xtask bench sandbox\n  cargo xtask bench mailboxes --most 1000\n  cargo xtask bench mail --help"
)]
pub(crate) struct Bench {
    /// Start what was built before.
    #[arg(long)]
    no_build: bool,
    /// What to measure: `mail`, `big`, and what `waxwing-load --help` lists.
    family: String,
    /// Given to the benchmark: `--json`, `--only ROW`, and what the family has.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    pub(crate) fn run(self) -> Result<()> {
        tools::check()?;
        let peers = PEERS.iter().find(|(family, _)| *family == self.family);
        let beside_peers = !self.arguments.iter().any(|word| word == "--no-peer");
        if let Some((_, peers)) = peers
            && beside_peers
        {
            debian::install(
                &debian::absent(&peers.concat()),
                "this benchmark compares with programs that are not here",
            )?;
        }
        let metadata = Metadata::read()?;
        if !self.no_build {
            run(&mut cargo(&[
                "build",
                "--release",
                "--quiet",
                "-p",
                "waxwing",
                "-p",
                "waxwing-load",
            ]))?;
            package::build_all()?;
        }
        let built = metadata.target_directory.join("release");
        let mut load = std::process::Command::new(built.join("waxwing-load"));
        load.arg("--server")
            .arg(built.join("waxwing"))
            .arg("--packages")
            .arg(package::folder(&metadata))
            .arg(&self.family)
            .args(&self.arguments);
        if self.family == "dav" && beside_peers {
            let programs =
                virtual_environment::programs("bench-python", "tests/bench-requirements.txt")?;
            load.arg("--radicale").arg(programs.join("radicale"));
        }
        run(&mut load)
    }
}
