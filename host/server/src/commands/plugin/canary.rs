//! `waxwing plugin canary`

use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgGroup, Args};
use waxwing_admin::protocol::{PluginCommand, Request};

use super::{WAIT, swap};
use crate::console::Console;

const EXAMPLES: &str = "\
A session runs the active version until its user has logged in, and is handed over then. A share is taken by mailbox: the
same mailbox always gets the same version, and keeps it while the percentage grows. Said again, the command changes whom
the canary serves. When more of its turns fail than its [slo] allows, the canary is taken back by itself.

Examples:
  waxwing plugin canary imap --user alice@example.org bob@example.org
  waxwing plugin canary imap 1.1.0 --percent 5
  waxwing plugin canary imap --percent 25 --user alice@example.org
  waxwing plugin activate imap              # give it to everybody
  waxwing plugin canary imap --stop         # or take it back";

#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("whom").args(["user", "percent", "stop"]).multiple(true).required(true)
)]
pub(crate) struct Canary {
    /// Its name.
    plugin: String,
    /// The version, or its key where several packages have the same number; without it the canary that runs, else the
    /// newest that is staged.
    version: Option<String>,
    /// Serve these users.
    #[arg(long, value_name = "ADDRESS", num_args = 1.., value_delimiter = ',')]
    user: Vec<String>,
    /// Serve this share of all mailboxes, 1 to 100.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    percent: Option<u8>,
    /// Take the canary back; its sessions go on with the active version.
    #[arg(long, conflicts_with_all = ["user", "percent", "version"])]
    stop: bool,
    /// With --stop: seconds to wait until its sessions are handed over.
    #[arg(long, default_value_t = WAIT, value_name = "SECONDS")]
    wait: u64,
}

impl Canary {
    pub(super) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let plugin = self.plugin;
        if self.stop {
            let command = PluginCommand::StopCanary {
                plugin: plugin.clone(),
            };
            return swap(console, &plugin, self.wait, command).await;
        }
        let command = PluginCommand::Canary {
            plugin,
            version: self.version,
            users: self.user,
            percent: self.percent.unwrap_or(0),
        };
        console.execute(Request::Plugin(command)).await
    }
}
