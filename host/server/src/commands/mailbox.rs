//! `waxwing mailbox …`

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use waxwing_admin::protocol::{CheckedMailbox, MailboxCommand, Request, Response};
use waxwing_exmdb::Salvage;

use super::{backup::Backup, export::Export, restore::Restore};
use crate::console::Console;

#[derive(Debug, Subcommand)]
pub(crate) enum Mailbox {
    /// List every mailbox on disk and whose it is.
    List,
    /// Tell items and octets of one mailbox, or of all.
    Size {
        /// A user's address, or the 32 hex digits of a mailbox.
        mailbox: Option<String>,
    },
    /// Verify every invariant of one mailbox, or of all.
    #[command(
        after_help = "Exit status: 0 when nothing is wrong any more and nothing was lost, else 1.\n\nExamples:\n  waxwing mailbox check\n  waxwing mailbox check alice@example.org --repair"
    )]
    Check {
        /// A user's address, or the 32 hex digits of a mailbox.
        mailbox: Option<String>,
        /// Repair what can be repaired, and say what was done. A damaged file is kept beside the new one that is made of it.
        #[arg(long)]
        repair: bool,
    },
    /// Back up mailboxes while they are in use; list and verify what was backed up.
    Backup(Backup),
    /// Restore mailboxes from a backup.
    Restore(Restore),
    /// Write a mailbox's mail as mbox files, a Maildir or .eml files.
    Export(Export),
}

impl Mailbox {
    /// What can be done without a server and without its data.
    pub(crate) fn apart(&self, json: bool) -> Option<Result<ExitCode>> {
        match self {
            Mailbox::Backup(backup) => backup.apart(json),
            _ => None,
        }
    }

    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let command = match self {
            Mailbox::List => MailboxCommand::List,
            Mailbox::Size { mailbox } => MailboxCommand::Size { mailbox },
            Mailbox::Check { mailbox, repair } => MailboxCommand::Check { mailbox, repair },
            Mailbox::Backup(backup) => return backup.run(console).await,
            Mailbox::Restore(restore) => return restore.run(console).await,
            Mailbox::Export(export) => return export.run(console).await,
        };
        let response = console.ask(Request::Mailbox(command)).await?;
        console.print(&response)?;
        let wrong = matches!(&response, Response::Checked(rows) if rows.iter().any(is_wrong));
        Ok(if wrong {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
}

fn is_wrong(row: &CheckedMailbox) -> bool {
    let lost = |salvage: &Salvage| !salvage.losses.is_empty();
    row.error.is_some()
        || row.salvage.as_ref().is_some_and(lost)
        || row
            .findings
            .iter()
            .any(|finding| finding.repaired.is_none())
}

#[cfg(test)]
mod tests {
    use waxwing_admin::protocol::Finding;

    use super::*;

    #[test]
    fn what_was_repaired_is_not_wrong_any_more() {
        let mut row = CheckedMailbox {
            mailbox: "00".repeat(16),
            owner: None,
            items: 1,
            folders: 1,
            blobs: 1,
            findings: vec![Finding {
                invariant: "count".into(),
                what: "inbox".into(),
                repaired: Some("counted".into()),
            }],
            salvage: None,
            error: None,
        };
        assert!(!is_wrong(&row));
        row.findings[0].repaired = None;
        assert!(is_wrong(&row));
    }
}
