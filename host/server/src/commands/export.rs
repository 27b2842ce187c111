//! `waxwing mailbox export`: takes the messages and writes them in a thread of its own.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use tokio::sync::mpsc;
use waxwing_admin::protocol::{ExportStart, Response};

use crate::{
    console::Console,
    export::{self, Format},
    meter::Meter,
};

/// Messages read ahead of the disk.
const READ_AHEAD: usize = 4;

const EXAMPLES: &str = "\
What is written is read by other mail programs, and `waxwing import` makes of it the same messages with the same octets,
flags, keywords, dates and folders. mbox files quote From lines the mboxrd way and have flags in Status, X-Status and
X-Keywords; Maildirs have them in the names of files, .eml files in a list beside them. A folder without messages
comes out, but no import makes it anew. Calendars and the like are no mail and are not exported; a backup has them.

Exit status: 0 when everything came out, else 1.

Examples:
  waxwing mailbox export alice@example.org --format maildir --to ./alice
  waxwing mailbox export alice@example.org --format mbox --folder Projects --to ./projects
  waxwing import --user bob@example.org ./projects";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// A user's address, or the 32 hex digits of a mailbox.
    #[arg(value_name = "ADDRESS")]
    mailbox: String,
    /// The form of the files.
    #[arg(long)]
    format: Format,
    /// The folder for them, which must be empty or not there.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Only this folder of the mailbox and those below it, with `/` between levels.
    #[arg(long, value_name = "NAME")]
    folder: Option<String>,
}

impl Export {
    pub(crate) async fn run(self, console: &mut Console) -> Result<ExitCode> {
        export::prepare(&self.to)?;
        let levels = |name: String| {
            let levels = name.split('/').filter(|level| !level.is_empty());
            levels.map(str::to_owned).collect()
        };
        let start = ExportStart {
            mailbox: self.mailbox,
            folder: self.folder.map(levels),
        };
        let (sender, items) = mpsc::channel(READ_AHEAD);
        let (format, to) = (self.format, self.to.clone());
        let writing = tokio::task::spawn_blocking(move || {
            let mut meter = Meter::new();
            let written = export::write(format, to, items, |done, total| {
                meter.tell(|elapsed| {
                    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
                    format!("{done} of {total} messages, {rate:.0}/s")
                });
            });
            meter.end();
            written
        });
        let summary = console.connection().export(start, sender).await;
        let written = writing.await.context("writing the files")?;
        // A disk that is full is the reason why nothing was taken any more.
        let problems = written.with_context(|| self.to.display().to_string())?;
        let mut summary = summary?;
        summary.problems.extend(problems);
        let whole = summary.problems.is_empty() && summary.failed == 0;
        console.print(&Response::Exported(summary))?;
        Ok(ExitCode::from(u8::from(!whole)))
    }
}
