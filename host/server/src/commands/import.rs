//! `waxwing import`: reads the sources in a thread of their own and tells how far it is.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use tokio::sync::mpsc;
use waxwing_admin::protocol::{ImportProgress, ImportStart, Progress, Response};

use crate::{console::Console, import, meter::Meter};

/// Messages read ahead of the store.
const READ_AHEAD: usize = 16;

const EXAMPLES: &str = "\
A folder with cur/ and new/ is a Maildir; its subfolders (.Archive.2024) come with it, flags are taken from the file names and the time of arrival from the files. A file that begins with a From line is an mbox; flags are taken from Status, X-Status and X-Mozilla-Status. Other folders are searched for both and for .eml files, and folders below them become folders of the mailbox. An import that was interrupted is simply started again: what is there is skipped.

Examples:
  waxwing import --user alice@example.org ~/Maildir
  waxwing import --user alice@example.org --folder Old archive.mbox letters/";

/// Bring mail from mbox files, Maildirs and .eml files into a mailbox.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    /// The user whose mailbox it goes to.
    #[arg(long)]
    user: String,
    /// The folder to import into, with `/` between levels. Without it: the inbox for Maildirs and .eml files, a folder of its
    /// own name for an mbox file.
    #[arg(long, value_name = "NAME")]
    folder: Option<String>,
    /// Maildirs, mbox files, .eml files, or folders of these.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Import {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        let target = import::Target::new(self.folder.as_deref());
        let sources = import::find(&self.paths, &target)?;
        let start = ImportStart {
            user: self.user,
            total: import::total(&sources),
        };
        let (sender, messages) = mpsc::channel(READ_AHEAD);
        let reading = tokio::task::spawn_blocking(move || import::read(sources, sender));
        let mut meter = Meter::new();
        let mut progress = |progress: Progress| {
            if let Progress::Import(counts) = progress {
                meter.tell(|elapsed| line(&counts, elapsed));
            }
        };
        let summary = console
            .connection()
            .import(start, messages, &mut progress)
            .await;
        meter.end();
        let mut summary = summary?;
        let unreadable = reading.await.context("reading the sources")?;
        summary.failed += unreadable.len() as u64;
        summary.problems.extend(unreadable);
        let failed = summary.failed > 0;
        console.print(&Response::Imported(summary))?;
        Ok(if failed {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
}

fn line(counts: &ImportProgress, elapsed: Duration) -> String {
    let done = counts.imported + counts.skipped + counts.failed;
    let of = counts
        .total
        .map_or(String::new(), |total| format!(" of {total}"));
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    let mut line = format!("{done}{of} messages, {rate:.0}/s");
    if counts.skipped > 0 {
        line.push_str(&format!(", {} there already", counts.skipped));
    }
    if counts.failed > 0 {
        line.push_str(&format!(", {} failed", counts.failed));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_count_total_and_rate() {
        let counts = ImportProgress {
            imported: 90,
            skipped: 10,
            failed: 0,
            total: Some(400),
        };
        assert_eq!(
            line(&counts, Duration::from_secs(2)),
            "100 of 400 messages, 50/s, 10 there already"
        );
    }
}
