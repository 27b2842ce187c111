//! What is readable of a damaged mailbox file, made a mailbox again.
//!
//! The file is read page by page ([`pages`], [`tree`]) and not through SQLite: one damaged inner page hides from SQLite all rows
//! below it, and a damaged first page the whole file. What is found goes into a draft, as the rows of a backup do ([`read`]); what
//! the other rows tell is computed from them ([`folders`], [`blobs`], [`items`]); the draft is checked, and takes the place of the
//! mailbox in one step. The mailbox is locked meanwhile: nobody writes to what is being read, and who waits goes on with the
//! new file. A crash leaves one of the two.
//!
//! Nothing of the old file is given up: it stands beside the new one with its log, as `mailbox.sqlite.damaged-<n>`.

mod blobs;
mod folders;
mod items;
mod pages;
mod read;
mod record;
mod tree;

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use tempfile::TempDir;
use tokio::sync::mpsc;

use self::read::{Plan, Row, Seen, Shape};
use crate::{
    Change, ChangeNumber, CheckReport, Error, Mailbox, Result,
    blob::files,
    body::blocking,
    mailbox::{Actor, Core, DATABASE, create::sync_folder},
    restore::{Draft, RestoredMailbox, bind, exchange},
    schema,
    snapshot::quoted,
};

/// A damaged file that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salvage {
    /// Where it is kept.
    pub damaged_file: PathBuf,
    /// What SQLite said of it.
    pub damage: String,
    /// Pages that could not be read; those of indexes cost nothing.
    pub damaged_pages: Vec<u32>,
    /// What could not be brought back as it was.
    pub losses: Vec<Loss>,
}

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What it is.
    pub lost: Lost,
    /// The folder, or the table for [`Lost::Rows`].
    pub of: String,
    /// The UIDs; of [`Lost::Place`] the new ones.
    pub uids: Vec<u32>,
}

/// How much of a thing is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lost {
    /// A folder's row was made anew: new UIDVALIDITY, no permissions beyond those that stand elsewhere.
    FolderRow,
    /// Items with all they had.
    Item,
    /// The octets of items; a notice stands in their place.
    Octets,
    /// The flags, keywords and dates of messages.
    Flags,
    /// The folder and the flags of messages; they are in this folder now.
    Place,
    /// Rows of a table, nobody knows how many.
    Rows,
}

/// What is told, by kind and folder.
#[derive(Debug, Default)]
struct Notes(BTreeMap<(Lost, String), Vec<u32>>);

impl Notes {
    fn folder(&mut self, lost: Lost, folder: &str, uid: Option<u32>) {
        let uids = self.0.entry((lost, folder.to_owned())).or_default();
        uids.extend(uid);
    }

    fn rows(&mut self, table: &str) {
        self.folder(Lost::Rows, table, None);
    }

    fn losses(self) -> Vec<Loss> {
        let losses = self.0.into_iter();
        losses
            .map(|((lost, of), mut uids)| {
                uids.sort_unstable();
                Loss { lost, of, uids }
            })
            .collect()
    }
}

impl Mailbox {
    /// [`Mailbox::check`] with repair; when the database file is damaged, what is readable of it is made a mailbox again.
    /// The owner is for a file that does not tell it any more.
    ///
    /// # Errors
    /// As [`Mailbox::check`]; `Corrupt` when nothing of the file can be read, which is as it was then.
    pub async fn repair(&self, owner: Option<&str>) -> Result<CheckReport> {
        if matches!(self.actor, Actor::User(_)) {
            return Err(Error::Denied("only the owner repairs a mailbox".into()));
        }
        let Some(damage) = self.core.damage().await? else {
            return self.check(true).await;
        };
        let (core, owner) = (self.core.clone(), owner.unwrap_or_default().to_owned());
        // It goes on when the caller goes away.
        let task = tokio::spawn(async move { salvage(&core, &owner, damage).await });
        match task.await {
            Ok(result) => result.map_err(|error| error.of(self.core.guid)),
            Err(error) => Err(Error::mailbox(self.core.guid, error)),
        }
    }
}

impl Core {
    /// What SQLite says of a damaged file; none when it is whole.
    async fn damage(self: &Arc<Self>) -> Result<Option<String>> {
        let lines = async {
            // A flag log that does not fold is no damage of the file: the check repairs it.
            let mut reader = self.read_unfolded().await?;
            let conn = reader.conn()?;
            let mut lines: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)")
                .fetch_all(&mut *conn)
                .await?;
            lines.retain(|line| line != "ok");
            let check = "SELECT 'a row of ' || \"table\" || ' names none of ' || parent FROM pragma_foreign_key_check LIMIT 1";
            let dangling: Option<String> = sqlx::query_scalar(check).fetch_optional(conn).await?;
            lines.extend(dangling);
            Ok(lines)
        };
        match lines.await {
            Ok(lines) => Ok(lines.into_iter().next()),
            Err(Error::Corrupt(text)) => {
                // Whose it is, is told beside it.
                let name = format!("mailbox {}: ", self.guid);
                Ok(Some(text.replacen(&name, "", 1)))
            }
            Err(error) => Err(error),
        }
    }
}

async fn salvage(core: &Arc<Core>, owner: &str, damage: String) -> Result<CheckReport> {
    let locked = core.lock_out_damaged().await?;
    tracing::warn!(mailbox = %core.guid, file = %core.folder.join(DATABASE).display(), %damage, "the mailbox is being salvaged");
    let folder = core.folder.clone();
    let (pages, number) =
        blocking(move || Ok((pages::Pages::open(&folder)?, next(&folder)?))).await?;
    let schema = pages
        .header
        .map(|header| header.schema)
        .filter(|schema| *schema > 0)
        .unwrap_or_else(schema::current);
    let mut draft = Draft::begin(core.commons.clone(), schema).await?;
    let mut notes = Notes::default();
    let seen = fill(&mut draft, pages, &mut notes).await?;
    link_files(core, &draft, number).await?;
    let (told, todo) = make_whole(&mut draft, &seen, &mut notes).await?;
    let owner = told.unwrap_or_else(|| owner.to_owned());
    let restored = draft.finish(core.guid, &owner).await?;
    let flag_log = restored
        .core
        .write_unfolded(|work| work.drop_damaged_entries().boxed())
        .await?;
    if !flag_log.is_empty() {
        notes.rows("flag_log");
    }
    items::finish(&restored, todo, &mut notes).await?;
    let mut report = restored.check().await?;
    // What it could repair follows from what was lost.
    report.findings.retain(|finding| finding.repaired.is_none());
    report.salvage = Some(Salvage {
        damaged_file: core.folder.join(damaged(number)),
        damage,
        damaged_pages: seen.damaged_pages,
        losses: notes.losses(),
    });
    put_in_place(core, restored).await?;
    drop(locked);
    tell(core, &report).await;
    Ok(report)
}

fn damaged(number: u32) -> String {
    format!("{DATABASE}.damaged-{number}")
}

/// The first number that no damaged file has.
fn next(folder: &Path) -> Result<u32> {
    let mut number = 1;
    while folder.join(damaged(number)).try_exists()? {
        number += 1;
    }
    Ok(number)
}

/// Copies all rows into the draft.
async fn fill(draft: &mut Draft, pages: pages::Pages, notes: &mut Notes) -> Result<Seen> {
    let plan = Plan::of(&mut draft.conn).await?;
    for shape in &plan.shapes {
        let delete = format!("DELETE FROM {}", quoted(std::slice::from_ref(&shape.name)));
        sqlx::query(sqlx::AssertSqlSafe(delete))
            .execute(&mut draft.conn)
            .await?;
    }
    let (sender, mut batches) = mpsc::channel(4);
    let reading = {
        let plan = plan.clone();
        blocking(move || Ok(read::read(pages, &plan, &sender)))
    };
    let reading = tokio::spawn(reading);
    while let Some((number, rows)) = batches.recv().await {
        if let Some(shape) = plan.shapes.get(number)
            && !insert(&mut draft.conn, shape, rows).await?
        {
            notes.rows(&shape.name);
        }
    }
    let seen = reading
        .await
        .map_err(|error| Error::Unavailable(error.to_string()))??;
    let seen = seen.ok_or_else(|| Error::Unavailable("the salvage was broken off".into()))?;
    // Of the others it is told row by row what is lost.
    let told = [
        "folders",
        "items",
        "blobs",
        "tombstones",
        "meta",
        "keywords",
    ];
    for table in seen
        .damage
        .keys()
        .filter(|table| !told.contains(&table.as_str()))
    {
        notes.rows(table);
    }
    Ok(seen)
}

/// False when a row contradicts one that is there.
async fn insert(conn: &mut SqliteConnection, shape: &Shape, rows: Vec<Row>) -> Result<bool> {
    let places = vec!["?"; shape.columns.len()].join(", ");
    let insert = format!(
        "INSERT OR IGNORE INTO {} ({}) VALUES ({places})",
        quoted(std::slice::from_ref(&shape.name)),
        quoted(&shape.columns)
    );
    let mut all = true;
    for row in rows {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(insert.clone()));
        for value in row {
            query = bind(query, value);
        }
        all &= query.execute(&mut *conn).await?.rows_affected() == 1;
    }
    Ok(all)
}

/// Gives the draft the files of the mailbox under a second name each, and the damaged file and its log under their new ones.
async fn link_files(core: &Core, draft: &Draft, number: u32) -> Result<()> {
    let (from, to) = (core.folder.clone(), draft.folder.path().to_owned());
    blocking(move || {
        for (file, _) in files(&from)? {
            let Ok(name) = file.strip_prefix(&from) else {
                continue;
            };
            let target = match name.to_str() {
                Some(name) if name == DATABASE => to.join(damaged(number)),
                _ if is_log(name) => to.join(format!("{}-wal", damaged(number))),
                Some(name) if name == format!("{DATABASE}-shm") => continue,
                _ => to.join(name),
            };
            if let Some(folder) = target.parent() {
                std::fs::create_dir_all(folder)?;
            }
            match std::fs::hard_link(&file, &target) {
                // The connection that found the damage may still be closing: it takes the log away when all of it is in the file.
                Err(error) if error.kind() == ErrorKind::NotFound && is_log(name) => {}
                linked => linked?,
            }
        }
        Ok(())
    })
    .await
}

fn is_log(name: &Path) -> bool {
    name.to_str() == Some(&format!("{DATABASE}-wal"))
}

/// The rest of the draft's transaction; the result is the owner that the file told, and what is to be done afterwards.
async fn make_whole(
    draft: &mut Draft,
    seen: &Seen,
    notes: &mut Notes,
) -> Result<(Option<String>, items::ToDo)> {
    let anything = "SELECT EXISTS (SELECT 1 FROM folders) OR EXISTS (SELECT 1 FROM items) OR EXISTS (SELECT 1 FROM blobs)";
    let anything: bool = sqlx::query_scalar(anything)
        .fetch_one(&mut draft.conn)
        .await?;
    if !anything && seen.witnesses("sqlite_autoindex_folders_1").is_empty() {
        return Err(Error::Corrupt(
            "nothing of its file can be read, which is left as it is; restore it from a backup"
                .into(),
        ));
    }
    let owner = folders::rebuild(&mut draft.conn, seen, notes).await?;
    let mut left = Vec::new();
    if seen.is_damaged("blobs") {
        let found = blobs::found(&mut draft.conn, draft.folder.path()).await?;
        left = blobs::give_back(&mut draft.conn, found, seen).await?;
    }
    let todo = items::part(&mut draft.conn, seen, notes).await?;
    blobs::adopt(&mut draft.conn, &left).await?;
    Ok((owner, todo))
}

async fn put_in_place(core: &Arc<Core>, restored: RestoredMailbox) -> Result<()> {
    restored.core.close_database().await;
    let RestoredMailbox { folder, .. } = restored;
    let place = core.folder.clone();
    let old: TempDir = blocking(move || {
        sync_all(folder.path())?;
        exchange(folder.path(), &place)?;
        Ok(folder)
    })
    .await?;
    core.begin_anew();
    if let Err(error) = blocking(move || Ok(old.close()?)).await {
        tracing::warn!(%error, "removing what a salvage left in the spool");
    }
    Ok(())
}

/// Makes the names of all files durable.
fn sync_all(folder: &Path) -> Result<()> {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            }
        }
        sync_folder(&folder)?;
    }
    Ok(())
}

/// Wakes who watches the mailbox, and tells the operator.
async fn tell(core: &Arc<Core>, report: &CheckReport) {
    let damaged_file = report
        .salvage
        .as_ref()
        .map_or_else(PathBuf::new, |salvage| salvage.damaged_file.clone());
    let losses = report
        .salvage
        .as_ref()
        .map_or(0, |salvage| salvage.losses.len());
    tracing::warn!(mailbox = %core.guid, damaged_file = %damaged_file.display(), items = report.items, losses,
        "the mailbox was salvaged; its new file serves");
    core.works();
    if let Ok(state) = core.state().await {
        for folder in state.folders.keys().copied() {
            core.commons.hub.publish(Change {
                mailbox: core.guid,
                folder,
                change_number: ChangeNumber(state.counter),
            });
        }
    }
}
