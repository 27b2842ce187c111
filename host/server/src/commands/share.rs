//! `waxwing share …`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Subcommand, builder::PossibleValuesParser};
use waxwing_admin::protocol::{Request, ShareCommand};
use waxwing_exmdb::Rights;

use crate::console::Console;

const LEVELS: &str = "Levels:
  none               nothing, also where a group or everybody has more
  contributor        sees that the folder exists, and adds items without reading any
  reviewer           reads
  nonediting-author  reads, adds, deletes own items
  author             and edits own items
  publishing-author  and makes subfolders
  editor             reads, adds, edits and deletes everything
  publishing-editor  and makes subfolders
  owner              and gives rights to others, renames and deletes the folder

Somebody's own entry counts before those of their groups, which count together, and these before `anyone`.

Examples:
  waxwing share grant alice@example.org Calendar bob@example.org editor
  waxwing share grant public@example.org News anyone reviewer --below
  waxwing share grant info@example.org INBOX team@example.org editor";

#[derive(Debug, Subcommand)]
pub(crate) enum Share {
    /// List who may do what in whose folders.
    #[command(
        after_help = "Examples:\n  waxwing share list\n  waxwing share list alice@example.org\n  waxwing share list --with bob@example.org --json"
    )]
    List {
        /// Only what this account shares.
        account: Option<String>,
        /// Only what this user or group has, what everybody has included.
        #[arg(long, value_name = "ADDRESS")]
        with: Option<String>,
    },
    /// Give somebody rights in a folder, in the place of those that they had there.
    #[command(after_help = LEVELS)]
    Grant {
        /// Whose folder: a user's address.
        account: String,
        /// The folder, as IMAP names it: `INBOX`, `Calendar`, `Projects/2026`.
        folder: String,
        /// A user, alias or group of this server; `anyone`: everybody who is logged in.
        member: String,
        /// How much they may do there.
        #[arg(value_parser = PossibleValuesParser::new(Rights::LEVELS.map(|(name, _)| name)))]
        level: String,
        /// In all folders below it too. Folders that are made later begin with the rights of the one above them anyway.
        #[arg(long)]
        below: bool,
    },
    /// Take somebody's rights away.
    #[command(
        after_help = "Examples:\n  waxwing share revoke alice@example.org bob@example.org\n  waxwing share revoke alice@example.org anyone --folder Calendar"
    )]
    Revoke {
        /// Whose folders: a user's address.
        account: String,
        /// A user, alias or group, or `anyone`.
        member: String,
        /// Only of this folder.
        #[arg(long, value_name = "FOLDER")]
        folder: Option<String>,
    },
}

impl Share {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            Share::List { account, with } => ShareCommand::List { account, with },
            Share::Grant {
                account,
                folder,
                member,
                level,
                below,
            } => ShareCommand::Grant {
                account,
                folder,
                member,
                level,
                below,
            },
            Share::Revoke {
                account,
                member,
                folder,
            } => ShareCommand::Revoke {
                account,
                folder,
                member,
            },
        };
        console.execute(Request::Share(command)).await
    }
}
