//! `waxwing plugin …`

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
    /// Put a staged version in place; live sessions are handed over to it and stay connected.
    #[command(
        after_help = "Examples:\n  waxwing plugin activate imap\n  waxwing plugin activate imap 1.1.0 --wait 60"
    )]
    Activate {
        /// Its name.
        plugin: String,
        /// The version; without it, the newest that is staged.
        version: Option<String>,
        /// Seconds to wait until all live sessions are handed over.
        #[arg(long, default_value_t = 10, value_name = "SECONDS")]
        wait: u64,
    },
    /// Go back to the version that was active before; live sessions are handed over.
    Rollback {
        /// Its name.
        plugin: String,
        /// Seconds to wait until all live sessions are handed over.
        #[arg(long, default_value_t = 10, value_name = "SECONDS")]
        wait: u64,
    },
    /// Tell sessions, turns, traps and hand-overs of each version.
    Status {
        /// Only this plugin's.
        plugin: Option<String>,
    },
}

/// What `activate` and `rollback` say.
#[derive(Debug, Serialize)]
struct Outcome<'a> {
    #[serde(flatten)]
    swap: &'a PluginSwap,
    /// Sessions that the new version took over.
    handed_over: u64,
    /// Sessions that it refused; they go on with the old one.
    refused: u64,
    /// Sessions that are still on another version.
    remaining: u64,
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
                wait,
            } => {
                let command = PluginCommand::Activate {
                    plugin: plugin.clone(),
                    version,
                };
                swap(console, &plugin, wait, command).await
            }
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
    let before = rows(console, plugin).await?;
    let started = Instant::now();
    let response = console.ask(Request::Plugin(command)).await?;
    let Response::PluginSwapped(swapped) = &response else {
        bail!("unexpected answer: {}", output::text(&response).trim())
    };
    let outcome = loop {
        let now = rows(console, plugin).await?;
        let grown = |count: fn(&PluginRow) -> u64| {
            let of = |rows: &[PluginRow]| {
                rows.iter()
                    .filter(|row| row.version == swapped.to)
                    .map(count)
                    .sum::<u64>()
            };
            of(&now).saturating_sub(of(&before))
        };
        let outcome = Outcome {
            swap: swapped,
            handed_over: grown(|row| row.handovers),
            refused: grown(|row| row.refusals),
            remaining: now
                .iter()
                .filter(|row| row.version != swapped.to)
                .map(|row| row.sessions)
                .sum(),
            seconds: started.elapsed().as_secs_f64(),
        };
        if outcome.remaining <= outcome.refused || started.elapsed() >= Duration::from_secs(wait) {
            break outcome;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    let text = if console.json() {
        output::pretty(&outcome)?
    } else {
        told(&response, &outcome)
    };
    output::out(&text);
    Ok(ExitCode::SUCCESS)
}

fn told(response: &Response, outcome: &Outcome<'_>) -> String {
    let mut text = output::text(response);
    text.push_str(&format!(
        "{} sessions handed over in {:.1} s",
        outcome.handed_over, outcome.seconds
    ));
    if outcome.refused > 0 {
        text.push_str(&format!(
            ", {} refused by the new version and going on with the old",
            outcome.refused
        ));
    }
    let busy = outcome.remaining.saturating_sub(outcome.refused);
    if busy > 0 {
        text.push_str(&format!(
            ", {busy} are in the middle of an answer and follow when it is sent"
        ));
    }
    text.push('\n');
    text
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
