//! `waxwing mailbox backup`, and `list` and `verify` below it, which read the folder themselves and need neither server nor data.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use waxwing_admin::protocol::{
    BackupScope, BackupStart, BackupSummary, MailboxCommand, Progress, Request, Response,
};
use waxwing_backup::Repository;

use crate::{
    console::Console,
    meter::{Meter, octets},
    output,
};

const EXAMPLES: &str = "\
Each run makes a generation of every mailbox: the mailbox as it was at one commit. A run copies what is not in DIR yet, so
the first is long and the next are short. One that was interrupted is simply started again and goes on; until a
generation is whole, it is none. With --all the directory of users is in it too, and everything can be restored on an
empty machine. Mail goes on being delivered and read meanwhile.

DIR is written by the server, under its user; it holds mail and password hashes in the clear.

Exit status: 0 when all mailboxes are backed up, else 1.

Examples:
  waxwing mailbox backup --all --keep 14 --to /backup/waxwing
  waxwing mailbox backup alice@example.org --to /backup/alice
  waxwing mailbox backup list /backup/waxwing
  waxwing mailbox backup verify /backup/waxwing";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Backup {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// Users' addresses, or the 32 hex digits of mailboxes.
    #[arg(value_name = "ADDRESS", required_unless_present_any = ["all", "domain"], conflicts_with_all = ["all", "domain"])]
    mailboxes: Vec<String>,
    /// All mailboxes, and the directory of users.
    #[arg(long, conflicts_with = "domain")]
    all: bool,
    /// The mailboxes of a domain's users.
    #[arg(long)]
    domain: Option<String>,
    /// The folder of the backup; made when it is not there.
    #[arg(long, value_name = "DIR", required = true)]
    to: Option<PathBuf>,
    /// Keep the newest N generations of each mailbox, and remove older ones. Without it, all are kept.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// List what a backup holds.
    List {
        /// The folder of the backup.
        dir: PathBuf,
    },
    /// Recompute every digest of a backup.
    #[command(
        after_help = "Exit status: 0 when every generation can be restored as it was, else 1."
    )]
    Verify {
        /// The folder of the backup.
        dir: PathBuf,
        /// Drop what is damaged, so that the next backup copies it again from mailboxes that still have it.
        #[arg(long)]
        repair: bool,
    },
}

impl Backup {
    /// What can be done without a server and without its data.
    pub(crate) fn apart(&self, json: bool) -> Option<Result<ExitCode>> {
        match self.command.as_ref()? {
            BackupCommand::List { dir } => Some(list(dir, json)),
            BackupCommand::Verify { dir, repair } => Some(verify(dir, *repair, json)),
        }
    }

    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let Some(to) = self.to else {
            bail!("--to DIR says where the backup goes");
        };
        let of = match self.domain {
            Some(domain) => BackupScope::Domain(domain),
            None if self.all => BackupScope::All,
            None => BackupScope::Mailboxes(self.mailboxes),
        };
        let start = BackupStart {
            of,
            to: std::path::absolute(&to).with_context(|| to.display().to_string())?,
            keep: self.keep,
        };
        let mut meter = Meter::new();
        let mut progress = |progress: Progress| {
            if let Progress::Backup(step) = progress {
                meter.tell(|_| {
                    let place = match step.total {
                        1 => String::new(),
                        total => format!("{} of {total} mailboxes, ", step.done),
                    };
                    format!(
                        "{place}{}: {} of {} messages, {} copied",
                        step.mailbox,
                        step.messages,
                        step.messages_total,
                        octets(step.copied_octets)
                    )
                });
            }
        };
        let request = Request::Mailbox(MailboxCommand::Backup(start));
        let response = console.connection().call(request, &mut progress).await;
        meter.end();
        let response = response?;
        console.print(&response)?;
        let Response::BackedUp(BackupSummary { mailboxes, .. }) = response else {
            return Ok(ExitCode::SUCCESS);
        };
        let whole = mailboxes
            .iter()
            .all(|row| row.error.is_none() && row.missing == 0);
        Ok(ExitCode::from(u8::from(!whole)))
    }
}

#[derive(Serialize)]
struct Listed {
    mailbox: String,
    owner: Option<String>,
    generation: String,
    /// Seconds since 1970.
    time: i64,
    change_number: u64,
    items: u64,
    octets: u64,
    copied_octets: u64,
    /// Part of a whole run, with the directory of users.
    whole_run: bool,
    error: Option<String>,
}

fn list(dir: &Path, json: bool) -> Result<ExitCode> {
    let repository = Repository::to_read(dir)?;
    let mut rows = Vec::new();
    let mut runs = std::collections::HashSet::new();
    for name in repository.run_names()? {
        let mailboxes = repository.run(&name)?.mailboxes.into_iter();
        runs.extend(mailboxes.filter_map(|held| Some((held.mailbox, held.generation?))));
    }
    for backup in repository.mailboxes()? {
        for generation in backup.generations()? {
            let mailbox = backup.guid().to_string();
            let row = Listed {
                time: generation.seconds(),
                whole_run: runs.contains(&(mailbox.clone(), generation.clone())),
                generation: generation.to_string(),
                mailbox,
                owner: None,
                change_number: 0,
                items: 0,
                octets: 0,
                copied_octets: 0,
                error: None,
            };
            rows.push(match backup.manifest(&generation) {
                Ok(manifest) => Listed {
                    owner: (!manifest.owner.is_empty()).then_some(manifest.owner),
                    change_number: manifest.change_number,
                    items: manifest.items,
                    octets: manifest.octets,
                    copied_octets: manifest.copied_octets,
                    ..row
                },
                Err(error) => Listed {
                    error: Some(error.to_string()),
                    ..row
                },
            });
        }
    }
    rows.sort_by(|one, other| {
        (&one.owner, &one.generation).cmp(&(&other.owner, &other.generation))
    });
    output::out(&if json {
        output::pretty(&rows)?
    } else {
        listed(rows)
    });
    Ok(ExitCode::SUCCESS)
}

fn listed(rows: Vec<Listed>) -> String {
    let cells = rows.into_iter().map(|row| {
        vec![
            row.owner.unwrap_or(row.mailbox),
            row.generation,
            output::time(row.time),
            row.change_number.to_string(),
            row.items.to_string(),
            row.octets.to_string(),
            row.copied_octets.to_string(),
            row.error
                .unwrap_or_else(|| if row.whole_run { "whole run" } else { "" }.to_owned()),
        ]
    });
    let header = [
        "MAILBOX",
        "GENERATION",
        "TIME",
        "CHANGE",
        "ITEMS",
        "OCTETS",
        "COPIED",
        "",
    ];
    output::table(&header, cells.collect())
}

#[derive(Serialize)]
struct VerifiedRow {
    mailbox: String,
    owner: Option<String>,
    generation: String,
    damages: Vec<String>,
}

fn verify(dir: &Path, repair: bool, json: bool) -> Result<ExitCode> {
    let repository = match repair {
        true => Repository::to_write(dir)?,
        false => Repository::to_read(dir)?,
    };
    let (mut rows, mut meter) = (Vec::new(), Meter::new());
    let (mut objects, mut packs) = (0, 0);
    let backups = repository.mailboxes()?;
    let total = backups.len();
    for (done, backup) in backups.iter().enumerate() {
        let (verified, damage) = backup.verify(repair, &mut |pack, of| {
            meter
                .tell(|_| format!("{done} of {total} mailboxes, {pack} of {of} packs of the next"));
        })?;
        objects += damage.objects;
        packs += damage.packs;
        rows.extend(verified.into_iter().map(|verified| VerifiedRow {
            mailbox: backup.guid().to_string(),
            owner: verified.owner.filter(|owner| !owner.is_empty()),
            generation: verified.generation.to_string(),
            damages: verified.damages,
        }));
    }
    meter.end();
    let mut runs = Vec::new();
    for name in repository.run_names()? {
        let checked = repository
            .run(&name)
            .and_then(|run| repository.verify_directory(&run));
        if let Err(error) = checked {
            runs.push(format!("run {name}: {error}"));
        }
    }
    let damaged = rows.iter().filter(|row| !row.damages.is_empty()).count();
    let whole = damaged == 0 && runs.is_empty() && objects == 0 && packs == 0;
    let text = if json {
        output::pretty(&serde_json::json!({
            "generations": rows, "runs": runs, "damaged_objects": objects, "damaged_packs": packs,
        }))?
    } else {
        verified(&rows, &runs, (objects, packs), repair)
    };
    output::out(&text);
    Ok(ExitCode::from(u8::from(!whole)))
}

fn verified(rows: &[VerifiedRow], runs: &[String], damage: (u64, u64), repair: bool) -> String {
    let mut text = String::new();
    for row in rows.iter().filter(|row| !row.damages.is_empty()) {
        let name = row.owner.as_ref().unwrap_or(&row.mailbox);
        text.push_str(&format!("{name} {}: damaged\n", row.generation));
        for damage in &row.damages {
            text.push_str(&format!("  {damage}\n"));
        }
    }
    for run in runs {
        text.push_str(&format!("{run}\n"));
    }
    if damage != (0, 0) {
        let (objects, packs) = damage;
        let next = match repair {
            true => "dropped; the next backup copies them again where it can",
            false => {
                "`--repair` drops them, so that the next backup copies them again where it can"
            }
        };
        text.push_str(&format!(
            "{objects} damaged objects, {packs} damaged packs: {next}\n"
        ));
    }
    let damaged = rows.iter().filter(|row| !row.damages.is_empty()).count();
    text.push_str(&match damaged {
        0 => format!("{} generations, nothing wrong with any\n", rows.len()),
        damaged => format!("{damaged} of {} generations are damaged\n", rows.len()),
    });
    text
}
