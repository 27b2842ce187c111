//! `waxwing mailbox restore`

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;
use waxwing_admin::protocol::{
    MailboxCommand, Progress, Request, Response, RestoreScope, RestoreStart, RestoreWay,
};

use super::confirmed;
use crate::{console::Console, meter::Meter};

const EXAMPLES: &str = "\
Without more, the mailbox must be empty. --replace puts the restored one in the place of the one that is there, in one
step when it is whole and checked; clients read it anew, since every folder gets a new UIDVALIDITY. --into adds a new
folder to the mailbox that is there, with what the backup holds, and leaves the rest alone.

--all restores everything that a run of `mailbox backup --all` held, onto an empty data directory: the users with their
passwords, aliases, groups, and all mailboxes. Interrupted, it is started again and goes on.

Exit status: 0 when all was restored as it was, else 1.

Examples:
  waxwing mailbox restore alice@example.org --from /backup/waxwing --into Restored --folder Projects
  waxwing mailbox restore alice@example.org --from /backup/waxwing --generation 20261127T025233Z --replace
  waxwing mailbox restore alice@example.org --from /backup/waxwing --as archive@example.org
  waxwing --data /var/lib/waxwing mailbox restore --all --from /backup/waxwing";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Restore {
    /// Whose mailbox of the backup: an address, or 32 hex digits.
    #[arg(
        value_name = "ADDRESS",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    mailbox: Option<String>,
    /// Everything, onto an empty data directory.
    #[arg(long, conflicts_with_all = ["to_user", "replace", "into", "folder"])]
    all: bool,
    /// The folder of the backup.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Which generation; `waxwing mailbox backup list` shows them. Without it, the newest.
    #[arg(long, value_name = "NAME")]
    generation: Option<String>,
    /// The user whose mailbox it shall be, in place of the same.
    #[arg(long = "as", value_name = "OTHER")]
    to_user: Option<String>,
    /// Replace the mailbox that is there.
    #[arg(long, conflicts_with = "into")]
    replace: bool,
    /// Add a new folder of this name, with `/` between levels, to the mailbox that is there.
    #[arg(long, value_name = "FOLDER")]
    into: Option<String>,
    /// With --into: only this folder of the backup, and those below it.
    #[arg(long, value_name = "NAME", requires = "into")]
    folder: Option<String>,
    /// Do not ask before a mailbox is replaced.
    #[arg(long)]
    yes: bool,
}

impl Restore {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let what = match self.mailbox {
            None => RestoreScope::All,
            Some(mailbox) => {
                let target = self.to_user.as_ref().unwrap_or(&mailbox);
                let question = format!("Replace all mail of {target} by the backup?");
                if self.replace && !self.yes && !confirmed(&question) {
                    bail!("nothing replaced (--yes replaces without asking)");
                }
                let way = match self.into {
                    Some(folder) => RestoreWay::Into {
                        folder: levels(&folder)?,
                        only: self.folder.as_deref().map(levels).transpose()?,
                    },
                    None if self.replace => RestoreWay::Replace,
                    None => RestoreWay::Empty,
                };
                RestoreScope::Mailbox {
                    mailbox,
                    to_user: self.to_user,
                    way,
                }
            }
        };
        let from = std::path::absolute(&self.from);
        let start = RestoreStart {
            from: from.with_context(|| self.from.display().to_string())?,
            generation: self.generation,
            what,
        };
        let mut meter = Meter::new();
        let mut progress = |progress: Progress| {
            if let Progress::Restore(step) = progress {
                meter.tell(|_| {
                    format!(
                        "{} of {} mailboxes, {}: {} of {} messages",
                        step.done, step.total, step.mailbox, step.messages, step.messages_total
                    )
                });
            }
        };
        let request = Request::Mailbox(MailboxCommand::Restore(start));
        let response = console.connection().call(request, &mut progress).await;
        meter.end();
        let response = response?;
        console.print(&response)?;
        let Response::Restored(summary) = response else {
            return Ok(ExitCode::SUCCESS);
        };
        let whole = summary
            .mailboxes
            .iter()
            .all(|row| row.error.is_none() && row.missing == 0);
        Ok(ExitCode::from(u8::from(!whole)))
    }
}

fn levels(name: &str) -> Result<Vec<String>> {
    let levels: Vec<_> = name
        .split('/')
        .filter(|level| !level.is_empty())
        .map(str::to_owned)
        .collect();
    if levels.is_empty() {
        bail!("{name:?} names no folder");
    }
    Ok(levels)
}
