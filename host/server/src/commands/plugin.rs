//! `waxwing plugin …`

mod canary;
mod settled;
mod watch;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use serde::Serialize;
use waxwing_admin::protocol::{PluginCommand, PluginRow, PluginSwap, Request, Response};

use crate::{console::Console, output};

/// Seconds to wait for a hand-over, unless it is said.
const WAIT: u64 = 10;
/// Between two looks at how far a hand-over is.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// List every version that is loaded.
    List,
    /// Verify and compile a package; it is staged, and serves nobody yet.
    #[command(after_help = "Example:\n  waxwing plugin load ./imap-1.1.0")]
    Load {
        /// The folder with plugin.toml and plugin.wasm.
        package: PathBuf,
    },
    /// Put a version in place; live sessions are handed over to it and stay connected.
    #[command(after_help = ACTIVATE)]
    Activate {
        /// Its name.
        plugin: String,
        /// The version, or its key where several packages have the same number; without it the canary, else the newest
        /// that is staged.
        version: Option<String>,
        /// Although it was taken back by itself.
        #[arg(long, requires = "version")]
        force: bool,
        /// Seconds to wait until all live sessions are handed over.
        #[arg(long, default_value_t = WAIT, value_name = "SECONDS")]
        wait: u64,
    },
    /// Try a version on some users; all others stay on the active one.
    Canary(canary::Canary),
    /// Stop the canary; without one, go back to the version that was active before. Live sessions are handed over.
    Rollback {
        /// Its name.
        plugin: String,
        /// Seconds to wait until all live sessions are handed over.
        #[arg(long, default_value_t = WAIT, value_name = "SECONDS")]
        wait: u64,
    },
    /// Load and activate what changes in a folder, until Ctrl-C.
    #[command(after_help = WATCH)]
    Watch {
        /// A folder of packages, or one package.
        folder: PathBuf,
        /// Put a changed version in place as a canary for this share of all mailboxes, 1 to 100.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
        canary_percent: Option<u8>,
    },
    /// Tell sessions, turns, traps and hand-overs of each version.
    Status {
        /// Only this plugin's.
        plugin: Option<String>,
    },
}

const ACTIVATE: &str = "\
A version that was just activated is watched: when more of its turns fail than its [slo] allows, it is taken back by
itself, `waxwing plugin status` says why, and it is not activated again without --force or another `waxwing plugin load`.

Examples:
  waxwing plugin activate imap
  waxwing plugin activate imap 1.1.0 --wait 60";

const WATCH: &str = "\
A package is taken when its files have not changed for half a second. It may keep its version number: the server tells
packages apart by their content, and the number then means the one loaded last. What is there at the start is activated
only if the server does not know it yet. An error is told, and the watch goes on. With --json, one object a line.

Examples:
  waxwing plugin watch target/packages                          # while developing
  waxwing plugin watch /srv/waxwing/packages --canary-percent 5 # deploying by file";

/// What `activate`, `rollback` and `canary --stop` say.
#[derive(Debug, Serialize)]
struct Outcome {
    #[serde(flatten)]
    swap: PluginSwap,
    /// Sessions that the new version took over.
    handed_over: u64,
    /// Sessions that the new version refused.
    refused: u64,
    /// Sessions that cannot be handed over; they go on with the old one until they end.
    lingering: u64,
    /// Why the last of them cannot.
    last_refusal: Option<String>,
    /// Sessions that are still on another version.
    remaining: u64,
    /// Why the new version is not active any more, if it was taken back meanwhile.
    taken_back: Option<String>,
    seconds: f64,
}

impl Plugin {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        match self {
            Plugin::List => console.execute(Request::Plugin(PluginCommand::List)).await,
            Plugin::Status { plugin } => {
                console
                    .execute(Request::Plugin(PluginCommand::Status { plugin }))
                    .await
            }
            Plugin::Load { package } => {
                let package = package
                    .canonicalize()
                    .with_context(|| package.display().to_string())?;
                console
                    .execute(Request::Plugin(PluginCommand::Load { package }))
                    .await
            }
            Plugin::Activate {
                plugin,
                version,
                force,
                wait,
            } => {
                let command = PluginCommand::Activate {
                    plugin: plugin.clone(),
                    version,
                    force,
                };
                swap(console, &plugin, wait, command).await
            }
            Plugin::Watch {
                folder,
                canary_percent,
            } => watch::watch(console, &folder, canary_percent).await,
            Plugin::Canary(canary) => canary.run(console).await,
            Plugin::Rollback { plugin, wait } => {
                let command = PluginCommand::Rollback {
                    plugin: plugin.clone(),
                };
                swap(console, &plugin, wait, command).await
            }
        }
    }
}

/// Swaps, waits for the live sessions, and tells what became of them.
async fn swap(
    console: &mut Console,
    plugin: &str,
    wait: u64,
    command: PluginCommand,
) -> Result<ExitCode> {
    let outcome = carry_out(console, plugin, wait, command).await?;
    let text = if console.json() {
        output::pretty(&outcome)?
    } else {
        outcome.text()
    };
    output::out(&text);
    Ok(if outcome.taken_back.is_some() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Swaps and waits for the live sessions.
async fn carry_out(
    console: &mut Console,
    plugin: &str,
    wait: u64,
    command: PluginCommand,
) -> Result<Outcome> {
    let before = rows(console, plugin).await?;
    let started = Instant::now();
    let swapped = match console.ask(Request::Plugin(command)).await? {
        Response::PluginSwapped(swapped) => swapped,
        other => bail!("unexpected answer: {}", output::text(&other).trim()),
    };
    loop {
        let now = rows(console, plugin).await?;
        let outcome = Outcome::seen(&swapped, &before, &now, started.elapsed());
        if outcome.remaining <= outcome.lingering
            || outcome.taken_back.is_some()
            || started.elapsed() >= Duration::from_secs(wait)
        {
            return Ok(outcome);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

impl Outcome {
    fn seen(
        swap: &PluginSwap,
        before: &[PluginRow],
        now: &[PluginRow],
        elapsed: Duration,
    ) -> Outcome {
        let new = |row: &&PluginRow| row.key == swap.to_key;
        let grown = |count: fn(&PluginRow) -> u64| {
            let of = |rows: &[PluginRow]| rows.iter().filter(new).map(count).sum::<u64>();
            of(now).saturating_sub(of(before))
        };
        let others = || now.iter().filter(|row| !new(row));
        Outcome {
            swap: swap.clone(),
            handed_over: grown(|row| row.handovers),
            refused: grown(|row| row.refusals),
            lingering: others().map(|row| row.lingering).sum(),
            last_refusal: others()
                .filter(|row| row.lingering > 0)
                .find_map(|row| row.last_refusal.clone()),
            remaining: others().map(|row| row.sessions).sum(),
            taken_back: now.iter().find(new).and_then(|row| row.reason.clone()),
            seconds: elapsed.as_secs_f64(),
        }
    }

    fn text(&self) -> String {
        let mut text = output::text(&Response::PluginSwapped(self.swap.clone()));
        if let Some(why) = &self.taken_back {
            text.push_str(&format!("taken back by itself: {why}\n"));
            return text;
        }
        text.push_str(&format!(
            "{} sessions handed over in {:.1} s",
            self.handed_over, self.seconds
        ));
        if self.lingering > 0 {
            let why = self.last_refusal.as_deref();
            text.push_str(&format!(
                ", {} going on with the old version ({})",
                self.lingering,
                why.unwrap_or("no reason is known")
            ));
        }
        let busy = self.remaining.saturating_sub(self.lingering);
        if busy > 0 {
            text.push_str(&format!(
                ", {busy} are in the middle of an answer and follow when it is sent"
            ));
        }
        text.push('\n');
        text
    }
}

async fn rows(console: &mut Console, plugin: &str) -> Result<Vec<PluginRow>> {
    let status = PluginCommand::Status {
        plugin: Some(plugin.to_owned()),
    };
    match console.ask(Request::Plugin(status)).await? {
        Response::Plugins(rows) => Ok(rows),
        other => bail!("unexpected answer: {}", output::text(&other).trim()),
    }
}
