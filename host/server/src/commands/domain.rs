//! `waxwing domain …`

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;
use waxwing_admin::protocol::{DomainCommand, Request};

use super::confirmed;
use crate::console::Console;

#[derive(Debug, Subcommand)]
pub(crate) enum Domain {
    /// Accept mail for a domain.
    #[command(after_help = "Example:\n  waxwing domain add example.org")]
    Add {
        /// Its name; international names may be given as people write them.
        name: String,
    },
    /// List the domains and how many users are in each.
    List,
    /// Remove a domain.
    #[command(
        after_help = "Examples:\n  waxwing domain remove example.org\n  waxwing domain remove example.org --with-users --keep-mail"
    )]
    Remove {
        /// Its name.
        name: String,
        /// Remove its users, aliases and groups with it; without this a domain that has any is kept.
        #[arg(long)]
        with_users: bool,
        /// Leave the mailboxes of removed users on disk.
        #[arg(long)]
        keep_mail: bool,
        /// Do not ask whether users may be removed.
        #[arg(long)]
        yes: bool,
    },
}

impl Domain {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            Domain::Add { name } => DomainCommand::Add { name },
            Domain::List => DomainCommand::List,
            Domain::Remove {
                name,
                with_users,
                keep_mail,
                yes,
            } => {
                if with_users && !yes && !confirmed(&format!("Remove {name} with all its users?")) {
                    bail!("nothing removed (--yes removes without asking)");
                }
                DomainCommand::Remove {
                    name,
                    with_users,
                    keep_mail,
                }
            }
        };
        console.execute(Request::Domain(command)).await
    }
}
