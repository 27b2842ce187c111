//! `waxwing group …`

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use waxwing_admin::protocol::{GroupCommand, Request};
use waxwing_directory::Posting;

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
    /// Say who may write to a group.
    #[command(
        after_help = "Examples:\n  waxwing group posting team@example.org members --allow boss@example.net\n  waxwing group posting team@example.org --disallow boss@example.net\n\nSenders of this server count when they are logged in."
    )]
    Posting {
        /// The group's address.
        address: String,
        /// By default as before.
        #[arg(value_enum)]
        who: Option<Who>,
        /// This sender may besides; can be said several times.
        #[arg(long, value_name = "ADDRESS")]
        allow: Vec<String>,
        /// This sender may no more.
        #[arg(long, value_name = "ADDRESS")]
        disallow: Vec<String>,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Who {
    /// Everybody.
    Anyone,
    /// Whoever the group reaches.
    Members,
    /// Addresses of the group's domain.
    Domain,
    /// Only those named with --allow.
    Listed,
}

impl From<Who> for Posting {
    fn from(who: Who) -> Posting {
        match who {
            Who::Anyone => Posting::Anyone,
            Who::Members => Posting::Members,
            Who::Domain => Posting::Domain,
            Who::Listed => Posting::Listed,
        }
    }
}

impl Group {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            Group::Add { address, members } => GroupCommand::Add { address, members },
            Group::List { domain } => GroupCommand::List { domain },
            Group::Remove { address } => GroupCommand::Remove { address },
            Group::AddMembers { address, members } => GroupCommand::AddMembers { address, members },
            Group::Posting {
                address,
                who,
                allow,
                disallow,
            } => {
                if who.is_none() && allow.is_empty() && disallow.is_empty() {
                    bail!("who? anyone, members, domain, listed, --allow or --disallow");
                }
                GroupCommand::Posting {
                    address,
                    who: who.map(Into::into),
                    allow,
                    disallow,
                }
            }
            Group::RemoveMembers { address, members } => {
                GroupCommand::RemoveMembers { address, members }
            }
        };
        console.execute(Request::Group(command)).await
    }
}
