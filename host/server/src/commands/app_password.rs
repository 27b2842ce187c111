//! `waxwing app-password …`

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use waxwing_admin::protocol::{AppPasswordCommand, Request};

use crate::console::Console;

#[derive(Debug, Subcommand)]
pub(crate) enum AppPassword {
    /// Make a password for one device; it is shown once.
    #[command(after_help = "Example:\n  waxwing app-password add alice@example.org phone")]
    Add {
        /// Whose.
        user: String,
        /// What it is for.
        name: String,
    },
    /// List a user's app passwords by name.
    List {
        /// Whose.
        user: String,
    },
    /// Revoke an app password at once.
    Remove {
        /// Whose.
        user: String,
        /// Its name.
        name: String,
    },
}

impl AppPassword {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            AppPassword::Add { user, name } => AppPasswordCommand::Add { user, name },
            AppPassword::List { user } => AppPasswordCommand::List { user },
            AppPassword::Remove { user, name } => AppPasswordCommand::Remove { user, name },
        };
        console.execute(Request::AppPassword(command)).await
    }
}
