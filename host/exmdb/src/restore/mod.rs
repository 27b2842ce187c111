//! Making a mailbox from the rows and blobs of a backup, and putting it in place.
//!
//! A [`Draft`] is built in the spool, with the schema that the backup had, and brought to the current one when it is whole; so
//! an old backup is restored like an old file is opened. It is a [`RestoredMailbox`] then, which can be read and
//! checked like any other and is nobody's yet. [`Store::install`] puts it where the mailbox of a user is: until that one step
//! the old mailbox serves, after it the new one, and a crash leaves one of the two and cleans the spool.

mod install;
mod renumber;

pub(crate) use install::exchange;
pub(crate) use renumber::GAP;

use std::{
    collections::{HashMap, HashSet},
    io::Write,
    path::Path,
    sync::Arc,
};

use sqlx::{
    ConnectOptions, Connection, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tempfile::TempDir;

use crate::{
    CheckReport, Error, Mailbox, MailboxGuid, PackedBlob, Result, Store, StoredTable, StoredValue,
    blob::{IN_DATABASE, path},
    body::{Frames, blocking},
    mailbox::{Core, create::sync_folder},
    schema,
    snapshot::{BLOBS, DATA, quoted, tables},
    store::Commons,
};

/// A mailbox that is being filled.
#[derive(Debug)]
pub struct Draft {
    commons: Arc<Commons>,
    pub(crate) folder: TempDir,
    pub(crate) conn: SqliteConnection,
    tables: HashMap<String, StoredTable>,
    begun: HashSet<String>,
}

/// A mailbox made from a backup, not in place yet. Dropped, it is gone.
#[derive(Debug)]
pub struct RestoredMailbox {
    pub(crate) core: Arc<Core>,
    pub(crate) folder: TempDir,
}

impl Store {
    /// A mailbox without any row, with the tables of that version.
    ///
    /// # Errors
    /// `Invalid` for a version newer than this program, `Unavailable` when the disk cannot take it.
    pub async fn draft(&self, schema: u32) -> Result<Draft> {
        Draft::begin(self.commons().clone(), schema).await
    }
}

impl Draft {
    pub(crate) async fn begin(commons: Arc<Commons>, schema: u32) -> Result<Draft> {
        let spool = commons.spool.clone();
        let folder = blocking(move || {
            let folder = tempfile::Builder::new()
                .prefix("restore-")
                .tempdir_in(&*spool)?;
            std::fs::create_dir(folder.path().join("blobs"))?;
            Ok(folder)
        })
        .await?;
        // Nothing of it counts before it is whole, so nothing of it needs a journal.
        let mut conn = SqliteConnectOptions::new()
            .filename(folder.path().join("mailbox.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .foreign_keys(false)
            .pragma("cache_size", "-65536")
            .disable_statement_logging()
            .connect()
            .await?;
        schema::migrate_to(&mut conn, schema).await?;
        let tables = tables(&mut conn).await?;
        sqlx::raw_sql("BEGIN").execute(&mut conn).await?;
        Ok(Draft {
            commons,
            folder,
            conn,
            tables: tables
                .into_iter()
                .map(|table| (table.name.clone(), table))
                .collect(),
            begun: HashSet::new(),
        })
    }

    /// Adds rows to a table, as [`crate::Snapshot::rows`] gave them; those of blobs go by [`Draft::insert_blob`].
    ///
    /// # Errors
    /// `Invalid` for a table, a column or a row that the schema does not have.
    pub async fn insert(
        &mut self,
        table: &str,
        columns: &[String],
        rows: Vec<Vec<StoredValue>>,
    ) -> Result<()> {
        let insert = self.statement(table, columns).await?;
        for row in rows {
            if row.len() != columns.len() {
                return Err(Error::Invalid(format!(
                    "a row of {table} has {} values",
                    row.len()
                )));
            }
            let mut query = sqlx::query(sqlx::AssertSqlSafe(insert.clone()));
            for value in row {
                query = bind(query, value);
            }
            query.execute(&mut self.conn).await?;
        }
        Ok(())
    }

    /// Adds a row of the table of blobs with its octets; without them, the blob will be missing.
    ///
    /// # Errors
    /// As [`Draft::insert`]; `Corrupt` for a frame table that is none.
    pub async fn insert_blob(
        &mut self,
        columns: &[String],
        mut row: Vec<StoredValue>,
        packed: Option<PackedBlob>,
    ) -> Result<()> {
        let mut columns = columns.to_vec();
        if let Some(PackedBlob { frames, packed }) = packed {
            let place = |name: &str| columns.iter().position(|column| column == name);
            let mut set = |name: &str, value: StoredValue| {
                let value_of = place(name).and_then(|at| row.get_mut(at));
                match value_of {
                    Some(old) => Ok(std::mem::replace(old, value)),
                    None => Err(Error::Invalid(format!("blobs have no column {name}"))),
                }
            };
            // The octets may have been packed another time than the row says; their own frames hold.
            let header = match set("header_size", StoredValue::Null)? {
                StoredValue::Integer(size) => size,
                _ => return Err(Error::Corrupt("a blob without header_size".into())),
            };
            set("header_size", StoredValue::Integer(header))?;
            let table = Frames::decode(&frames)?;
            let header_packed = table.packed_up_to(header.cast_unsigned()).cast_signed();
            set("header_packed", StoredValue::Integer(header_packed))?;
            set("frames", StoredValue::Blob(frames))?;
            let data = if packed.len() <= IN_DATABASE {
                StoredValue::Blob(packed.into())
            } else {
                let digest = set("digest", StoredValue::Null)?;
                let StoredValue::Blob(digest) = digest else {
                    return Err(Error::Corrupt("a blob without digest".into()));
                };
                set("digest", StoredValue::Blob(digest.clone()))?;
                let digest = digest
                    .try_into()
                    .map_err(|_| Error::Corrupt("a blob's digest has not 32 octets".into()))?;
                let file = path(self.folder.path(), &digest);
                blocking(move || write_blob(&file, &packed)).await?;
                StoredValue::Null
            };
            columns.push(DATA.to_owned());
            row.push(data);
        }
        self.insert(BLOBS, &columns, vec![row]).await
    }

    async fn statement(&mut self, table: &str, columns: &[String]) -> Result<String> {
        let known = self.tables.get(table).ok_or_else(|| {
            Error::Invalid(format!(
                "the backup has a table {table:?} that this schema has not"
            ))
        })?;
        let is_known = |column: &&String| {
            known.columns.contains(column) || (table == BLOBS && *column == DATA)
        };
        if let Some(column) = columns.iter().find(|column| !is_known(column)) {
            return Err(Error::Invalid(format!(
                "the backup has a column {column:?} of {table} that this schema has not"
            )));
        }
        let name = quoted(&[table.to_owned()]);
        if self.begun.insert(table.to_owned()) {
            // What the schema itself put there.
            let delete = format!("DELETE FROM {name}");
            sqlx::query(sqlx::AssertSqlSafe(delete))
                .execute(&mut self.conn)
                .await?;
        }
        let places = vec!["?"; columns.len()].join(", ");
        Ok(format!(
            "INSERT INTO {name} ({}) VALUES ({places})",
            quoted(columns)
        ))
    }

    /// The mailbox, for that owner and under that guid.
    ///
    /// # Errors
    /// `Corrupt` when the rows do not make a mailbox, `Unavailable` when the disk cannot take it.
    pub async fn finish(mut self, guid: MailboxGuid, owner: &str) -> Result<RestoredMailbox> {
        let named = sqlx::query("UPDATE meta SET guid = ?, owner = ?")
            .bind(&guid.0[..])
            .bind(owner)
            .execute(&mut self.conn)
            .await?;
        if named.rows_affected() != 1 {
            return Err(Error::Corrupt("the backup does not say whose it is".into()));
        }
        sqlx::raw_sql("COMMIT").execute(&mut self.conn).await?;
        schema::migrate(&mut self.conn).await?;
        self.conn.close().await?;
        let folder = blocking(move || {
            let file = self.folder.path().join("mailbox.sqlite");
            std::fs::File::open(file)?.sync_all()?;
            sync_tree(&self.folder.path().join("blobs"))?;
            sync_folder(self.folder.path())?;
            Ok(self.folder)
        })
        .await?;
        // Under a name of its own: the books of open databases and indexes go by guid, and the old mailbox still serves.
        let core = Core::at(
            self.commons,
            MailboxGuid::random(),
            folder.path().to_owned(),
        );
        Ok(RestoredMailbox {
            core: Arc::new(core),
            folder,
        })
    }
}

impl RestoredMailbox {
    /// To read from it.
    #[must_use]
    pub fn mailbox(&self) -> Mailbox {
        Mailbox::of_owner(self.core.clone())
    }

    /// Verifies every invariant, and repairs what the mailbox had wrong when it was backed up.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn check(&self) -> Result<CheckReport> {
        self.mailbox().check(true).await
    }
}

pub(crate) type SqliteQuery<'q> = Query<'q, Sqlite, SqliteArguments>;

pub(crate) fn bind(query: SqliteQuery<'_>, value: StoredValue) -> SqliteQuery<'_> {
    match value {
        StoredValue::Null => query.bind(None::<i64>),
        StoredValue::Integer(value) => query.bind(value),
        StoredValue::Real(value) => query.bind(value),
        StoredValue::Text(value) => query.bind(value),
        StoredValue::Blob(value) => query.bind(value),
    }
}

fn write_blob(file: &Path, packed: &[u8]) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::File::create(file)?;
    file.write_all(packed)?;
    Ok(file.sync_all()?)
}

/// Makes the names below a folder of blobs durable.
fn sync_tree(blobs: &Path) -> Result<()> {
    for shard in std::fs::read_dir(blobs)? {
        sync_folder(&shard?.path())?;
    }
    sync_folder(blobs)
}
