//! What a well-behaved session notices of a plugin that does its worst. One IMAP client asks for the flags of its mails, again and
//! again; beside it many sessions of a hostile plugin do one bad thing each, as fast as they are let. Each row is the 99th
//! percentile of the client's waits, beside the same client's when it is alone, in turns.
//!
//! The hostile guest is the one that the runtime's tests of limits use. Its clients have a thread of their own, so that what
//! is measured is the server and not a queue in this program.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::mail::fill;
use crate::{
    client::{Wire, imap::Imap},
    row::{Better, Row, Wanted, median},
    server::{Built, PASSWORD, Settings, Waxwing, address, free_ports, temporary},
};

/// `neighbours …`
#[derive(Debug, Args)]
pub(crate) struct Neighbours {
    #[command(flatten)]
    wanted: Wanted,
    /// Sessions of the hostile plugin.
    #[arg(long, default_value_t = 16)]
    sessions: usize,
    /// Requests of the neighbour in a round.
    #[arg(long, default_value_t = 1_000)]
    requests: usize,
    /// Rounds of each row, alone and beside the hostile plugin; the medians count.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// A row, and what each hostile session says for ever.
const ROWS: &[(&str, &str)] = &[
    ("neighbour_spin_p99_ms", "spin"),
    ("neighbour_short_turns_p99_ms", "burn 4"),
    ("neighbour_memory_p99_ms", "eat"),
    ("neighbour_host_calls_p99_ms", "call 100000"),
    ("neighbour_log_lines_p99_ms", "lines 10000"),
    ("neighbour_handles_p99_ms", "handles 2000"),
];

const NEIGHBOUR: &str = "neighbour";
const MESSAGES: usize = 100;
const REQUEST: &str = "FETCH 1:100 (UID FLAGS)";

impl Neighbours {
    pub(crate) async fn run(self, built: &Built) -> Result<()> {
        let names: Vec<&str> = ROWS.iter().map(|(name, _)| *name).collect();
        self.wanted.check(&names)?;
        self.wanted.progress("building the hostile plugin");
        let package = package()?;
        let [hostile] = free_ports()?;
        let configuration = format!(
            "[plugin.hostile]\ngrants = [\"directory/accounts\", \"store\"]\n\n\
             [[listener]]\nname = \"hostile\"\nprotocol = \"hostile\"\naddress = \"{hostile}\"\nidle_timeout = 0\n"
        );
        let settings = Settings { configuration };
        let server = Waxwing::start(built, &settings, &[NEIGHBOUR.to_owned()])?;
        server.run(&["plugin", "load", &package.path().display().to_string()])?;
        server.run(&["plugin", "activate", "hostile"])?;
        fill::inbox(&server.site, NEIGHBOUR, MESSAGES, 2_000).await?;
        self.wanted.head();
        for (name, line) in ROWS.iter().filter(|(name, _)| self.wanted.wants(name)) {
            self.wanted.progress(name);
            let (mut alone, mut beside) = (Vec::new(), Vec::new());
            for _ in 0..self.rounds {
                alone.push(self.measure(&server).await?);
                let attack = Attack::begin(hostile, line, self.sessions);
                tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                beside.push(self.measure(&server).await?);
                attack.end()?;
            }
            let row = Row::alone(*name, median(beside), "ms");
            let row = row.beside("alone", median(alone), Better::Less);
            self.wanted.show(&row);
        }
        Ok(())
    }

    /// The 99th percentile of the neighbour's waits, in milliseconds.
    async fn measure(&self, server: &Waxwing) -> Result<f64> {
        let mut client = Imap::login(server.site.imap, &address(NEIGHBOUR), PASSWORD).await?;
        client.command("SELECT INBOX").await?;
        let mut waits = Vec::with_capacity(self.requests);
        for _ in 0..self.requests {
            let asked = Instant::now();
            client.command(REQUEST).await?;
            waits.push(asked.elapsed().as_secs_f64() * 1e3);
        }
        waits.sort_by(f64::total_cmp);
        let at = waits.len() * 99 / 100;
        waits.get(at).copied().context("no request was made")
    }
}

/// Sessions that say one line for ever.
struct Attack {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl Attack {
    fn begin(to: SocketAddr, line: &'static str, sessions: usize) -> Attack {
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let mut attackers = tokio::task::JoinSet::new();
                for _ in 0..sessions {
                    attackers.spawn(attack(to, line));
                }
                while !stop.load(Ordering::Relaxed) {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                attackers.abort_all();
            });
            Ok(())
        });
        Attack { over, thread }
    }

    fn end(self) -> Result<()> {
        self.over.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(ended) => ended,
            Err(_) => bail!("the attacker's thread panicked"),
        }
    }
}

/// Comes back when it is thrown out.
async fn attack(to: SocketAddr, line: &'static str) {
    loop {
        let conversation = async {
            let mut wire = Wire::connect(to).await?;
            wire.line().await?;
            loop {
                wire.send(format!("{line}\n").as_bytes()).await?;
                wire.line().await?;
            }
        };
        let _: Result<()> = conversation.await;
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// The hostile guest as a package of its own.
fn package() -> Result<tempfile::TempDir> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../host/runtime/tests/guests/hostile/Cargo.toml");
    let folder = temporary()?;
    let target = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/guests");
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--locked", "--release"])
        .args(["--target", "wasm32-wasip2", "--manifest-path"])
        .arg(source)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_BUILD_BUILD_DIR", &target)
        .status()?;
    if !built.success() {
        bail!("the hostile plugin does not build");
    }
    fs::copy(
        target.join("wasm32-wasip2/release/hostile.wasm"),
        folder.path().join("plugin.wasm"),
    )?;
    let manifest = "name = 'hostile'\nversion = '1.0.0'\nworld = 'stream-plugin'\nprotocols = ['hostile']\n\
                    needs = ['directory/accounts', 'store']\nhandoff = { writes = 1, accepts = [1] }\n";
    fs::write(folder.path().join("plugin.toml"), manifest)?;
    Ok(folder)
}
