//! A protocol is replaced again and again while its clients are connected: a thousand in IDLE, and two hundred in the
//! middle of something: half of them read a long FETCH slowly, half send the literal of an APPEND in two pieces.
//!
//! Every answer is checked octet for octet by whoever asked ([`busy`]), and after it all each message that was acknowledged
//! must be there once ([`busy::Ledger`]). The same load runs for the same time without a swap first; what the longest wait
//! of a client grew by is the swap's.

mod busy;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use futures_util::future::try_join_all;

use super::idle;
use crate::{
    client::imap::Imap,
    row::{Row, Wanted, median},
    server::{Built, PASSWORD, Settings, Waxwing, address},
};

/// `swap …`
#[derive(Debug, Args)]
pub(crate) struct Swap {
    #[command(flatten)]
    wanted: Wanted,
    /// Connections in IDLE.
    #[arg(long, default_value_t = 1_000)]
    idle: usize,
    /// Connections in the middle of FETCH or APPEND.
    #[arg(long, default_value_t = 200)]
    busy: usize,
    /// How often the plugin is replaced.
    #[arg(long, default_value_t = 100)]
    swaps: usize,
    /// Milliseconds from one swap to the next.
    #[arg(long, default_value_t = 150)]
    every: u64,
}

const DROPPED: &str = "swap_dropped";
const TORN: &str = "swap_torn";
const ALL_IDLE: &str = "swap_all_idle_ms";
const ALL_IDLE_WORST: &str = "swap_all_idle_worst_ms";
const ADDED: &str = "swap_added_wait_ms";
const ADDED_P99: &str = "swap_added_wait_p99_ms";
const QUIET: &str = "swap_quiet_wait_ms";
const ROWS: &[&str] = &[
    DROPPED,
    TORN,
    ALL_IDLE,
    ALL_IDLE_WORST,
    ADDED,
    ADDED_P99,
    QUIET,
];

/// Users that the idle connections are shared out to.
const IDLERS: usize = 50;
/// The versions that replace one another; the same component under two numbers.
const VERSIONS: [&str; 2] = ["99.0.1", "99.0.2"];

impl Swap {
    pub(crate) async fn run(self, built: &Built) -> Result<()> {
        self.wanted.check(ROWS)?;
        self.wanted.progress("starting a server");
        let users: Vec<String> = (0..IDLERS).map(idler).chain(busy::users()).collect();
        let waxwing = Waxwing::start(built, &Settings::default(), &users)?;
        self.load_versions(built, &waxwing)?;
        self.wanted
            .progress(&format!("{} connections in IDLE", self.idle));
        let mut idlers = Vec::with_capacity(self.idle);
        for number in 0..self.idle {
            idlers.push(self.idler(&waxwing, number).await?);
        }
        let ledger = Arc::new(busy::Ledger::default());
        busy::fill(&waxwing.site).await?;
        let load = busy::Load::start(&waxwing.site, self.busy, &ledger).await?;
        // What is first always takes longest.
        tokio::time::sleep(Duration::from_secs(2)).await;
        ledger.forget_waits();
        let lasting = Duration::from_millis(self.every) * u32::try_from(self.swaps)?;
        self.wanted.progress("the load without swaps");
        tokio::time::sleep(lasting).await;
        let quiet = ledger.forget_waits();
        self.wanted
            .progress(&format!("the load with {} swaps", self.swaps));
        let moved = self.swap(&waxwing).await?;
        let swapped = ledger.forget_waits();
        let (dropped_busy, mut torn) = load.stop().await;
        let dropped = dropped_busy + self.finish(&waxwing, idlers, &mut torn).await?;
        torn += busy::unaccounted(&waxwing.site, &ledger).await?;
        self.report(Outcome {
            dropped,
            torn,
            moved,
            quiet,
            swapped,
        });
        Ok(())
    }

    fn report(&self, outcome: Outcome) {
        let Outcome {
            dropped,
            torn,
            mut moved,
            quiet,
            swapped,
        } = outcome;
        self.wanted.head();
        moved.sort_by(f64::total_cmp);
        let worst = moved.last().copied().unwrap_or(f64::NAN);
        let rows = [
            (DROPPED, dropped as f64, "conns"),
            (TORN, torn as f64, "answers"),
            (ALL_IDLE, median(moved), "ms"),
            (ALL_IDLE_WORST, worst, "ms"),
            (ADDED, swapped.longest - quiet.longest, "ms"),
            (ADDED_P99, swapped.p99 - quiet.p99, "ms"),
            (QUIET, quiet.longest, "ms"),
        ];
        for (name, value, unit) in rows {
            if self.wanted.wants(name) {
                self.wanted.show(&Row::alone(name, value, unit));
            }
        }
    }

    fn load_versions(&self, built: &Built, waxwing: &Waxwing) -> Result<()> {
        let folder = tempfile::tempdir()?;
        for version in VERSIONS {
            let package = folder.path().join(version);
            std::fs::create_dir(&package)?;
            for entry in std::fs::read_dir(built.packages.join("imap"))? {
                let file = entry?.path();
                std::fs::copy(&file, package.join(file.file_name().unwrap_or_default()))?;
            }
            let manifest = package.join("plugin.toml");
            let text = std::fs::read_to_string(&manifest)?;
            let numbered = text.lines().map(|line| match line.strip_prefix("version") {
                Some(_) => format!("version = \"{version}\"\n"),
                None => format!("{line}\n"),
            });
            std::fs::write(&manifest, numbered.collect::<String>())?;
            waxwing.run(&["plugin", "load", &package.to_string_lossy()])?;
        }
        Ok(())
    }

    async fn idler(&self, waxwing: &Waxwing, number: usize) -> Result<Imap> {
        let user = address(&idler(number % IDLERS));
        let mut client = Imap::login(waxwing.site.imap, &user, PASSWORD).await?;
        client.command("SELECT INBOX").await?;
        idle::idle(&mut client).await?;
        Ok(client)
    }

    /// Replaces the plugin again and again; milliseconds each time from the command to when every idle session stands on
    /// the new version.
    async fn swap(&self, waxwing: &Waxwing) -> Result<Vec<f64>> {
        let mut moved = Vec::with_capacity(self.swaps);
        let mut next = Instant::now();
        for version in VERSIONS.iter().cycle().take(self.swaps) {
            next += Duration::from_millis(self.every);
            let began = Instant::now();
            waxwing
                .administer(&serde_json::json!({"plugin": {"activate": {"plugin": "imap", "version": version, "force": false}}}))
                .await?;
            while standing_elsewhere(waxwing, version).await? > 0 {
                if began.elapsed() > Duration::from_secs(20) {
                    bail!("sessions stay on an old version after {version} was activated");
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            moved.push(began.elapsed().as_secs_f64() * 1_000.0);
            tokio::time::sleep_until(next.into()).await;
        }
        Ok(moved)
    }

    /// Every idle client must hear of a new message, end its IDLE, and be served by the last version. Counts the
    /// connections that are gone, and answers that are not what they should be.
    async fn finish(
        &self,
        waxwing: &Waxwing,
        idlers: Vec<Imap>,
        torn: &mut usize,
    ) -> Result<usize> {
        self.wanted.progress("asking everybody");
        let mut posters = Vec::new();
        for number in 0..IDLERS.min(self.idle) {
            let user = address(&idler(number));
            posters.push(async move {
                let mut poster = Imap::login(waxwing.site.imap, &user, PASSWORD).await?;
                poster
                    .append("INBOX", "", b"Subject: wake\r\n\r\nup\r\n")
                    .await
            });
        }
        try_join_all(posters).await?;
        let last = VERSIONS.iter().cycle().nth(self.swaps.saturating_sub(1));
        let version = last.context("no version")?;
        let mut dropped = 0;
        for mut client in idlers {
            match said(&mut client, version).await {
                Ok(true) => {}
                Ok(false) => *torn += 1,
                Err(_) => dropped += 1,
            }
        }
        Ok(dropped)
    }
}

struct Outcome {
    dropped: usize,
    torn: usize,
    moved: Vec<f64>,
    quiet: busy::Waits,
    swapped: busy::Waits,
}

fn idler(number: usize) -> String {
    format!("idler{number}")
}

/// Whether a client in IDLE hears of the one message in its inbox, once, and is then told this version.
async fn said(client: &mut Imap, version: &str) -> Result<bool> {
    let mut lines = Vec::new();
    while !lines.iter().any(|line: &String| line.ends_with(" EXISTS")) {
        lines.push(soon(client.line()).await?);
    }
    client.send_line("DONE").await?;
    loop {
        let line = soon(client.line()).await?;
        let ended = line.starts_with("i ");
        lines.push(line);
        if ended {
            break;
        }
    }
    let fits = |line: &String| {
        matches!(line.as_str(), "* 1 EXISTS" | "* 1 RECENT" | "* 0 RECENT")
            || line.starts_with("i OK")
    };
    let exists = lines
        .iter()
        .filter(|line| line.ends_with(" EXISTS"))
        .count();
    let mut served = false;
    let asked = client.command_showing("ID (\"name\" \"bench\")", |line| {
        served |= String::from_utf8_lossy(line).contains(version);
    });
    soon(asked).await?;
    Ok(exists == 1 && served && lines.iter().all(fits))
}

/// A client that waits longer for an answer has lost its connection.
async fn soon<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(Duration::from_secs(20), answer)
        .await
        .context("no answer")?
}

/// Sessions of the imap plugin that are frozen on another version than this.
async fn standing_elsewhere(waxwing: &Waxwing, version: &str) -> Result<u64> {
    let answer = waxwing
        .administer(&serde_json::json!({"plugin": {"status": {"plugin": "imap"}}}))
        .await?;
    let rows = answer
        .get("plugins")
        .and_then(|rows| rows.as_array())
        .context("no list of plugins")?;
    let elsewhere = rows.iter().filter(|row| row["version"] != version);
    Ok(elsewhere.filter_map(|row| row["frozen"].as_u64()).sum())
}
