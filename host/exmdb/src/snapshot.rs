//! A snapshot: a mailbox as it was at one commit, to be copied while the mailbox goes on.
//!
//! A second connection holds a read transaction of the file. In write-ahead mode it holds up nobody: commits are appended to
//! the log, and what is older than the snapshot is still checkpointed; the log grows by what is written meanwhile, no more.
//! The mailbox's lock is held only while the transaction begins, so that it begins between two commits.
//!
//! Files of blobs are outside of any transaction: an expunge unlinks them. While a snapshot lives they are moved into a folder of
//! the spool instead ([`KeptFiles`]), which goes with the last snapshot, and after a crash with the rest of the spool.
//! Hard links to all files would cost time under the lock; unlinking later would need a list that survives a crash.
//!
//! Rows are read as they stand in the tables, whatever the tables are, so a table of a later schema comes along by itself;
//! packed octets of blobs are left out of their rows and read one by one, because a backup has most of them already.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, Row, SqliteConnection, TypeInfo, ValueRef, sqlite::SqliteRow};
use tempfile::TempDir;

use crate::{
    ChangeNumber, Error, Mailbox, MailboxGuid, Result,
    blob::path,
    body::{Frames, blocking},
    mailbox::open::connect,
};

/// The table whose rows name the blobs.
pub(crate) const BLOBS: &str = "blobs";
/// Its column of packed octets, which no row of a snapshot has.
pub(crate) const DATA: &str = "data";

/// A value of a row, by SQLite's storage classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum StoredValue {
    /// NULL.
    Null,
    /// INTEGER.
    Integer(i64),
    /// REAL.
    Real(f64),
    /// TEXT.
    Text(String),
    /// BLOB.
    Blob(Vec<u8>),
}

/// A table of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTable {
    /// Its name.
    pub name: String,
    /// Its columns, in the order of the values of a row; without the packed octets of blobs.
    pub columns: Vec<String>,
    /// The columns of the primary key, by which rows are ordered.
    pub key: Vec<String>,
}

/// The packed octets of a blob: independent zstd frames, which together are a plain `.zst` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedBlob {
    /// For each frame, its length and its packed length, 32 bits little-endian.
    pub frames: Vec<u8>,
    /// The frames.
    pub packed: Bytes,
}

impl PackedBlob {
    /// BLAKE3 and size of what was packed. Takes the time of unpacking it.
    ///
    /// # Errors
    /// `Corrupt` when it cannot be unpacked.
    pub fn content(&self) -> Result<([u8; 32], u64)> {
        let frames = Frames::decode(&self.frames)?;
        let mut digest = blake3::Hasher::new();
        for number in 0.. {
            let Some(frame) = frames.get(number) else {
                break;
            };
            digest.update(&frame.unpack(&self.packed)?);
        }
        Ok((*digest.finalize().as_bytes(), frames.size()))
    }
}

/// A blob that a snapshot names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRef {
    /// BLAKE3 of its content.
    pub digest: [u8; 32],
    /// Octets of its content.
    pub size: u64,
    /// Its frame table, when its octets are a file.
    file: Option<Vec<u8>>,
}

impl BlobRef {
    /// Whether its octets are in the database, to be read before [`Snapshot::release`].
    #[must_use]
    pub fn is_in_database(&self) -> bool {
        self.file.is_none()
    }
}

/// Files of blobs that were removed while a snapshot might need them.
#[derive(Debug)]
pub(crate) struct KeptFiles(TempDir);

impl KeptFiles {
    pub(crate) fn new(spool: &Path) -> Result<KeptFiles> {
        Ok(KeptFiles(
            tempfile::Builder::new()
                .prefix("snapshot-")
                .tempdir_in(spool)?,
        ))
    }

    pub(crate) fn place(&self, digest: &[u8; 32]) -> PathBuf {
        self.0
            .path()
            .join(blake3::Hash::from_bytes(*digest).to_hex().as_str())
    }
}

/// A mailbox as it was at one commit.
#[derive(Debug)]
pub struct Snapshot {
    conn: Option<SqliteConnection>,
    folder: PathBuf,
    kept: std::sync::Arc<KeptFiles>,
    guid: MailboxGuid,
    owner: String,
    schema: u32,
    change_number: ChangeNumber,
}

impl Mailbox {
    /// The mailbox as of the last commit. One database more is open while the snapshot lives.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let core = &self.core;
        // The flag log comes along, and is folded in what is made from the backup.
        let reader = core.read_unfolded().await?;
        let kept = core.keep_files()?;
        let mut conn = connect(&core.folder, false).await?;
        sqlx::raw_sql("PRAGMA query_only = 1; BEGIN")
            .execute(&mut conn)
            .await?;
        // The transaction takes hold with its first read.
        let (schema, counter, owner): (u32, i64, String) = sqlx::query_as(
            "SELECT (SELECT user_version FROM pragma_user_version), counter, owner FROM meta",
        )
        .fetch_one(&mut conn)
        .await
        .map_err(|error| Error::from(error).of(core.guid))?;
        drop(reader);
        Ok(Snapshot {
            conn: Some(conn),
            folder: core.folder.clone(),
            kept,
            guid: core.guid,
            owner,
            schema,
            change_number: ChangeNumber(counter.cast_unsigned()),
        })
    }
}

impl Snapshot {
    /// Whose it is.
    #[must_use]
    pub fn guid(&self) -> MailboxGuid {
        self.guid
    }

    /// The primary address of its owner, as it was at creation.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The version of its tables.
    #[must_use]
    pub fn schema(&self) -> u32 {
        self.schema
    }

    /// The mailbox's counter at that commit.
    #[must_use]
    pub fn change_number(&self) -> ChangeNumber {
        self.change_number
    }

    fn conn(&mut self) -> Result<&mut SqliteConnection> {
        self.conn
            .as_mut()
            .ok_or_else(|| Error::Unavailable("the snapshot was released".into()))
    }

    /// Items (also soft-deleted and associated ones), their octets, and folders.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn counts(&mut self) -> Result<(u64, u64, u32)> {
        let count = "SELECT count(*), coalesce(sum(size), 0), (SELECT count(*) - 1 FROM folders) FROM items";
        let (items, octets, folders): (i64, i64, u32) =
            sqlx::query_as(count).fetch_one(self.conn()?).await?;
        Ok((items.cast_unsigned(), octets.cast_unsigned(), folders))
    }

    /// All tables.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn tables(&mut self) -> Result<Vec<StoredTable>> {
        tables(self.conn()?).await
    }

    /// The rows of a table, by its key.
    ///
    /// # Errors
    /// `Unavailable` after [`Snapshot::release`]; each row as every call that reads.
    pub fn rows<'s>(
        &'s mut self,
        table: &StoredTable,
    ) -> Result<BoxStream<'s, Result<Vec<StoredValue>>>> {
        let key = match table.key.as_slice() {
            [] => "rowid".to_owned(),
            key => quoted(key),
        };
        let name = quoted(std::slice::from_ref(&table.name));
        let select = format!(
            "SELECT {} FROM {name} ORDER BY {key}",
            quoted(&table.columns)
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(select)).fetch(self.conn()?);
        Ok(rows
            .map_err(Error::from)
            .and_then(|row| async move { values(&row) })
            .boxed())
    }

    /// All blobs, oldest first. About 80 octets of memory each.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn blobs(&mut self) -> Result<Vec<BlobRef>> {
        let select = "SELECT digest, size, iif(data IS NULL, frames, NULL) FROM blobs ORDER BY id";
        let mut rows =
            sqlx::query_as::<_, (Vec<u8>, i64, Option<Vec<u8>>)>(select).fetch(self.conn()?);
        let mut blobs = Vec::new();
        while let Some((digest, size, file)) = rows.try_next().await? {
            blobs.push(BlobRef {
                digest: digest
                    .try_into()
                    .map_err(|_| Error::Corrupt("a blob's digest has not 32 octets".into()))?,
                size: size.cast_unsigned(),
                file,
            });
        }
        Ok(blobs)
    }

    /// The octets of a blob.
    ///
    /// # Errors
    /// `Corrupt` when they are gone, `Unavailable` for a blob in the database after [`Snapshot::release`].
    pub async fn packed(&mut self, blob: &BlobRef) -> Result<PackedBlob> {
        let digest = blob.digest;
        let Some(frames) = &blob.file else {
            let select = "SELECT frames, data FROM blobs WHERE digest = ? AND data IS NOT NULL";
            let (frames, data): (Vec<u8>, Vec<u8>) = sqlx::query_as(select)
                .bind(&digest[..])
                .fetch_one(self.conn()?)
                .await?;
            return Ok(PackedBlob {
                frames,
                packed: data.into(),
            });
        };
        let (at_home, kept) = (path(&self.folder, &digest), self.kept.place(&digest));
        let packed = blocking(move || match std::fs::read(&at_home) {
            // In this order: a file that is not at home any more has been kept.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => std::fs::read(&kept)
                .map_err(|_| {
                    Error::Corrupt(format!("the blob file {} is gone", at_home.display()))
                }),
            read => Ok(read?),
        });
        Ok(PackedBlob {
            frames: frames.clone(),
            packed: packed.await?.into(),
        })
    }

    /// Ends the transaction when nothing of the database is needed any more; files of blobs stay readable.
    pub async fn release(&mut self) {
        if let Some(conn) = self.conn.take()
            && let Err(error) = conn.close().await
        {
            tracing::warn!(%error, mailbox = %self.guid, "closing a snapshot");
        }
    }
}

/// The tables of a database.
pub(crate) async fn tables(conn: &mut SqliteConnection) -> Result<Vec<StoredTable>> {
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut *conn).await?;
    let mut tables = Vec::with_capacity(names.len());
    for name in names {
        let columns: Vec<(String, i64)> =
            sqlx::query_as("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid")
                .bind(&name)
                .fetch_all(&mut *conn)
                .await?;
        let mut key: Vec<_> = columns.iter().filter(|(_, place)| *place > 0).collect();
        key.sort_by_key(|(_, place)| *place);
        let key = key.into_iter().map(|(column, _)| column.clone()).collect();
        let columns = columns.into_iter().map(|(column, _)| column);
        let columns = columns
            .filter(|column| name != BLOBS || column != DATA)
            .collect();
        tables.push(StoredTable { name, columns, key });
    }
    Ok(tables)
}

/// Names as SQL takes them, parted by commas.
pub(crate) fn quoted(names: &[String]) -> String {
    let names = names
        .iter()
        .map(|name| format!("\"{}\"", name.replace('"', "\"\"")));
    names.collect::<Vec<_>>().join(", ")
}

fn values(row: &SqliteRow) -> Result<Vec<StoredValue>> {
    (0..row.len())
        .map(|column| {
            let kind = {
                let raw = row.try_get_raw(column)?;
                if raw.is_null() {
                    return Ok(StoredValue::Null);
                }
                raw.type_info().name().to_owned()
            };
            Ok(match kind.as_str() {
                "INTEGER" => StoredValue::Integer(row.try_get_unchecked(column)?),
                "REAL" => StoredValue::Real(row.try_get_unchecked(column)?),
                "TEXT" => StoredValue::Text(row.try_get_unchecked(column)?),
                "BLOB" => StoredValue::Blob(row.try_get_unchecked(column)?),
                other => return Err(Error::Corrupt(format!("a value of class {other}"))),
            })
        })
        .collect()
}
