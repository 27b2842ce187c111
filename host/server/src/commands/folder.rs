//! `waxwing folder …`

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use waxwing_admin::protocol::{FolderCommand, Request};

use super::confirmed;
use crate::console::Console;

#[derive(Debug, Subcommand)]
pub(crate) enum Folder {
    /// List the folders of an account.
    List {
        /// A user's address.
        account: String,
    },
    /// Make a folder, and those above it that are missing.
    #[command(
        after_help = "Examples:\n  waxwing folder create public@example.org News/Releases\n  waxwing folder create public@example.org Holidays --for calendar"
    )]
    Create {
        /// A user's address.
        account: String,
        /// The folder, with `/` between the names.
        folder: String,
        /// What it holds; by default what the folder above it holds, or mail.
        #[arg(long = "for", value_enum, value_name = "KIND")]
        kind: Option<Kind>,
    },
    /// Remove a folder with everything in it.
    Delete {
        /// A user's address.
        account: String,
        /// The folder, with `/` between the names.
        folder: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// What a folder holds.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// Messages.
    Mail,
    /// Appointments.
    Calendar,
    /// Contacts.
    Contacts,
    /// Tasks.
    Tasks,
}

impl Kind {
    /// [MS-OXOSFLD] 2.2.1
    fn container_class(self) -> &'static str {
        match self {
            Kind::Mail => "IPF.Note",
            Kind::Calendar => "IPF.Appointment",
            Kind::Contacts => "IPF.Contact",
            Kind::Tasks => "IPF.Task",
        }
    }
}

impl Folder {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            Folder::List { account } => FolderCommand::List { account },
            Folder::Create {
                account,
                folder,
                kind,
            } => FolderCommand::Create {
                account,
                folder,
                class: kind.map_or("", Kind::container_class).to_owned(),
            },
            Folder::Delete {
                account,
                folder,
                yes,
            } => {
                if !yes
                    && !confirmed(&format!(
                        "Remove {folder} of {account} with all that is in it?"
                    ))
                {
                    bail!("nothing removed (--yes removes without asking)");
                }
                FolderCommand::Delete { account, folder }
            }
        };
        console.execute(Request::Folder(command)).await
    }
}
