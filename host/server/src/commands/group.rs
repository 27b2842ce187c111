//! `waxwing group …`

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use waxwing_admin::protocol::{GroupCommand, Request};

use crate::console::Console;

#[derive(Debug, Subcommand)]
pub(crate) enum Group {
    /// Add a group, empty or with members.
    #[command(
        after_help = "Example:\n  waxwing group add team@example.org alice@example.org bob@example.org"
    )]
    Add {
        /// The group's address.
        address: String,
        /// Users, aliases or other groups of this server, and addresses elsewhere.
        members: Vec<String>,
    },
    /// List groups and their members.
    List {
        /// Only this domain's.
        domain: Option<String>,
    },
    /// Remove a group; its members stay.
    Remove {
        /// The group's address.
        address: String,
    },
    /// Add members to a group.
    AddMembers {
        /// The group's address.
        address: String,
        /// Users, aliases or other groups of this server, and addresses elsewhere.
        #[arg(required = true)]
        members: Vec<String>,
    },
    /// Take members out of a group.
    RemoveMembers {
        /// The group's address.
        address: String,
        /// As `group list` shows them.
        #[arg(required = true)]
        members: Vec<String>,
    },
}

impl Group {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            Group::Add { address, members } => GroupCommand::Add { address, members },
            Group::List { domain } => GroupCommand::List { domain },
            Group::Remove { address } => GroupCommand::Remove { address },
            Group::AddMembers { address, members } => GroupCommand::AddMembers { address, members },
            Group::RemoveMembers { address, members } => {
                GroupCommand::RemoveMembers { address, members }
            }
        };
        console.execute(Request::Group(command)).await
    }
}
