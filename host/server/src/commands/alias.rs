//! `waxwing alias …`

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use waxwing_admin::protocol::{AliasCommand, Request};

use crate::console::Console;

#[derive(Debug, Subcommand)]
pub(crate) enum Alias {
    /// Add an alias.
    #[command(
        after_help = "Example:\n  waxwing alias add postmaster@example.org alice@example.org"
    )]
    Add {
        /// The new address.
        address: String,
        /// The local address that it stands for.
        target: String,
    },
    /// List aliases.
    List {
        /// Only this domain's.
        domain: Option<String>,
    },
    /// Remove an alias.
    Remove {
        /// The alias.
        address: String,
    },
}

impl Alias {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            Alias::Add { address, target } => AliasCommand::Add { address, target },
            Alias::List { domain } => AliasCommand::List { domain },
            Alias::Remove { address } => AliasCommand::Remove { address },
        };
        console.execute(Request::Alias(command)).await
    }
}
