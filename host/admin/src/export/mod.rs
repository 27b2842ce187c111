//! `waxwing mailbox export`: the messages of a mailbox, folder by folder, with their flags and dates.
//!
//! This side reads the mailbox and knows no file format; whoever asked writes the files. Each folder is shown as it was when
//! its turn came. Memory is bounded by a page of rows and the messages between the two sides.

use tokio::sync::mpsc;
use waxwing_exmdb::{Columns, Folder, Mailbox, Query, Row, Selection, View};

use crate::{
    Admin, Error, Result,
    commands::mailboxes::named,
    flags::words,
    paths::{below, no_such, paths},
    protocol::{ExportFolder, ExportHeader, ExportItem, ExportStart, ExportSummary, ImportProblem},
};

/// Rows of a page.
const PAGE: u32 = 100;
/// Problems that the summary names.
const MAX_PROBLEMS: usize = 100;
/// Container classes of folders whose items are messages ([MS-OXOSFLD] 2.2.1); none at all is mail too.
const MAIL: [&str; 2] = ["", "IPF.Note"];

/// Hands everything to whoever takes it.
pub(crate) async fn export(
    admin: &Admin,
    start: ExportStart,
    to: mpsc::Sender<ExportItem>,
) -> Result<ExportSummary> {
    let guids = named(admin, Some(&start.mailbox)).await?;
    let guid = *guids
        .first()
        .ok_or_else(|| Error::Failed("no mailbox is named".into()))?;
    let mailbox = admin.store.mailbox(guid).await?;
    let paths = paths(&mailbox).await?;
    let wanted: Vec<_> = paths
        .iter()
        .filter(|(_, path)| below(path, start.folder.as_deref()).is_some())
        .collect();
    if wanted.is_empty() {
        return Err(Error::Failed(no_such(&paths, start.folder.as_deref())));
    }
    let total = wanted
        .iter()
        .map(|(folder, _)| u64::from(folder.items))
        .sum();
    let mut export = Export {
        mailbox,
        to,
        summary: ExportSummary::default(),
    };
    for (folder, path) in wanted {
        export.folder(folder, path, total).await?;
    }
    Ok(export.summary)
}

struct Export {
    mailbox: Mailbox,
    to: mpsc::Sender<ExportItem>,
    summary: ExportSummary,
}

impl Export {
    async fn folder(&mut self, folder: &Folder, path: &[String], total: u64) -> Result<()> {
        let name = path.join("/");
        if !MAIL.contains(&folder.container_class.as_str()) {
            if folder.items > 0 {
                self.summary.failed += u64::from(folder.items);
                self.problem(name, "what it holds is no mail".into());
            }
            return Ok(());
        }
        let path = path.to_vec();
        self.send(ExportItem::Folder(ExportFolder { path, total }))
            .await?;
        self.summary.folders += 1;
        let view = self.mailbox.open_view(folder.id, true).await?;
        let done = self.messages(&view, &name).await;
        view.close();
        done
    }

    async fn messages(&mut self, view: &View, name: &str) -> Result<()> {
        let mut after = 0;
        loop {
            let page = view.fetch(page_behind(after)).await?;
            // Behind the page: a message of it may have the newest.
            let keywords = self.mailbox.keywords().await?;
            let items: Vec<_> = page.rows.iter().map(|row| row.item).collect();
            for (row, body) in page.rows.iter().zip(view.open_bodies(&items).await) {
                let octets = match body {
                    Ok(body) => {
                        let size = usize::try_from(body.size()).unwrap_or(usize::MAX);
                        body.read(0, size).await
                    }
                    Err(error) => Err(error),
                };
                match octets {
                    Ok(octets) => {
                        let header = header(row, &keywords);
                        self.send(ExportItem::Message(header, octets)).await?;
                        self.summary.exported += 1;
                    }
                    // Expunged meanwhile, and not there to be missed.
                    Err(waxwing_exmdb::Error::NotFound(_)) => {}
                    Err(error) => {
                        self.summary.failed += 1;
                        self.problem(format!("{name}, UID {}", row.uid), error.to_string());
                    }
                }
            }
            match page.next {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }

    fn problem(&mut self, origin: String, reason: String) {
        if self.summary.problems.len() < MAX_PROBLEMS {
            self.summary.problems.push(ImportProblem { origin, reason });
        }
    }

    async fn send(&self, item: ExportItem) -> Result<()> {
        let gone = |_| Error::Channel("nobody takes the messages any more".into());
        self.to.send(item).await.map_err(gone)
    }
}

fn header(row: &Row, keywords: &[String]) -> ExportHeader {
    ExportHeader {
        flags: words(row.flags, &row.keywords, keywords),
        internal_date: row.internal_date,
    }
}

/// The next page of all.
fn page_behind(after: u32) -> Query {
    Query {
        selection: Selection::Positions(vec![1..=u32::MAX]),
        columns: Columns::default(),
        tags: Vec::new(),
        changed_since: None,
        after,
        limit: PAGE,
    }
}
