//! Blobs: content-addressed by BLAKE3, compressed, one row (and at most one file) per content and mailbox.
//!
//! Small ones (packed up to 64 KiB) live in the row. Bigger ones are a file `blobs/<aa>/<digest>`: written and synced under a
//! temporary name before the mailbox is locked, moved into place under the lock if no row names the content yet, the folder
//! synced before the commit. A file removed after the commit that dropped its row can therefore not be one that a later
//! append relies on. A crash in between leaves a file without a row, which the next opening of the database removes.
//! Nothing counts references: a blob is in use while an item or attachment names it, and two indexes answer that.

use std::{
    collections::HashSet,
    fmt::Write as _,
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use tempfile::TempPath;

use crate::{
    Body, Error, Result,
    body::{Frames, Origin, Packed, blocking},
    item::signature::Signature,
    mailbox::{commit::Work, create::sync_folder},
    snapshot::KeptFiles,
};

/// Packed octets that still live in the database.
pub(crate) const IN_DATABASE: usize = 64 * 1024;

/// A blob ready to be stored; a large one is on disk already.
#[derive(Debug)]
pub(crate) struct PreparedBlob {
    pub(crate) digest: [u8; 32],
    pub(crate) size: u64,
    pub(crate) header_size: u64,
    /// Octets of the header's frames.
    pub(crate) header_packed: u64,
    pub(crate) frames: Vec<u8>,
    pub(crate) structure: Option<Vec<u8>>,
    pub(crate) signature: Option<Signature>,
    pub(crate) place: PreparedPlace,
}

#[derive(Debug)]
pub(crate) enum PreparedPlace {
    Database(Vec<u8>),
    File(TempPath),
}

pub(crate) fn path(mailbox: &Path, digest: &[u8; 32]) -> PathBuf {
    let name = blake3::Hash::from_bytes(*digest).to_hex();
    mailbox
        .join("blobs")
        .join(name.get(..2).unwrap_or("00"))
        .join(name.as_str())
}

/// Decides where packed bytes go; writes and syncs a large one. Blocking.
pub(crate) fn place(packed: Packed, spool: &Path) -> Result<PreparedPlace> {
    if packed.bytes.len() <= IN_DATABASE {
        return Ok(PreparedPlace::Database(packed.bytes));
    }
    let mut file = tempfile::Builder::new()
        .prefix("blob-")
        .tempfile_in(spool)?;
    file.write_all(&packed.bytes)?;
    file.as_file().sync_all()?;
    Ok(PreparedPlace::File(file.into_temp_path()))
}

impl Work {
    /// The row of the blob, made if the mailbox does not have the content yet.
    pub(crate) async fn store_blob(&mut self, blob: PreparedBlob) -> Result<i64> {
        let known =
            sqlx::query_scalar("SELECT id FROM blobs WHERE digest = ?").bind(&blob.digest[..]);
        if let Some(id) = known.fetch_optional(self.conn()?).await? {
            return Ok(id);
        }
        let data = match blob.place {
            PreparedPlace::Database(data) => Some(data),
            PreparedPlace::File(file) => {
                let target = path(&self.core().folder, &blob.digest);
                let shards = self.core().shards.clone();
                blocking(move || move_into_place(file, &target, &shards)).await?;
                None
            }
        };
        let insert =
            "INSERT INTO blobs (digest, size, header_size, header_packed, frames, structure, data)
            VALUES (?, ?, ?, ?, ?, ?, ?)";
        let inserted = sqlx::query(insert)
            .bind(&blob.digest[..])
            .bind(blob.size.cast_signed())
            .bind(blob.header_size.cast_signed())
            .bind(blob.header_packed.cast_signed())
            .bind(blob.frames)
            .bind(blob.structure)
            .bind(data)
            .execute(self.conn()?)
            .await?;
        let id = inserted.last_insert_rowid();
        if let Some(signature) = &blob.signature {
            self.sign(id, signature).await?;
        }
        Ok(id)
    }

    /// Drops those of the blobs that nothing names any more.
    pub(crate) async fn drop_unused_blobs(&mut self, blobs: &[i64]) -> Result<()> {
        if blobs.is_empty() {
            return Ok(());
        }
        let drop = "DELETE FROM blobs WHERE id IN (SELECT value FROM json_each(?))
            AND NOT EXISTS (SELECT 1 FROM items WHERE items.blob = blobs.id)
            AND NOT EXISTS (SELECT 1 FROM attachments WHERE attachments.blob = blobs.id)
            RETURNING digest, data IS NULL";
        let dropped: Vec<(Vec<u8>, bool)> = sqlx::query_as(drop)
            .bind(json_numbers(blobs.iter().copied()))
            .fetch_all(self.conn()?)
            .await?;
        for (digest, in_file) in dropped {
            if in_file && let Ok(digest) = digest.try_into() {
                self.remove_blob_file(digest);
            }
        }
        Ok(())
    }
}

/// A JSON array, for `json_each`: one statement for any number of rows.
pub(crate) fn json_numbers(numbers: impl Iterator<Item = i64>) -> String {
    let mut text = String::from("[");
    for (at, number) in numbers.enumerate() {
        if at > 0 {
            text.push(',');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{number}");
    }
    text.push(']');
    text
}

/// The folders of blobs that are known to be durable. That a folder is there does not say so: whoever made it may have died
/// before the sync.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shards(Arc<Mutex<HashSet<PathBuf>>>);

impl Shards {
    /// Other folders took their place.
    pub(crate) fn forget(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
    }

    /// Makes the folder, durably.
    fn make(&self, folder: &Path) -> Result<()> {
        let known = |shards: &Shards| {
            let known = shards.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.contains(folder)
        };
        if known(self) {
            return Ok(());
        }
        std::fs::create_dir_all(folder)?;
        sync_folder(folder.parent().unwrap_or(folder))?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(folder.to_owned());
        Ok(())
    }
}

fn move_into_place(file: TempPath, target: &Path, shards: &Shards) -> Result<()> {
    let folder = target.parent().unwrap_or(Path::new("/"));
    shards.make(folder)?;
    file.persist(target).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Files of blobs that no row names; the database must not change meanwhile.
pub(crate) async fn files_without_row(
    conn: &mut SqliteConnection,
    mailbox: &Path,
) -> Result<Vec<PathBuf>> {
    let select = "SELECT digest FROM blobs WHERE data IS NULL";
    let digests: Vec<Vec<u8>> = sqlx::query_scalar(select).fetch_all(conn).await?;
    let named: HashSet<PathBuf> = digests
        .into_iter()
        .filter_map(|digest| Some(path(mailbox, &digest.try_into().ok()?)))
        .collect();
    let blobs = mailbox.join("blobs");
    let mut on_disk = blocking(move || files(&blobs)).await?;
    on_disk.retain(|(file, _)| !named.contains(file));
    Ok(on_disk.into_iter().map(|(file, _)| file).collect())
}

/// The files below a folder with their sizes. One that goes meanwhile is not there.
pub(crate) fn files(folder: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
                continue;
            }
            match entry.metadata() {
                Ok(metadata) => files.push((entry.path(), metadata.len())),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(files)
}

/// Unlinks files of blobs whose rows are gone, or keeps them for a snapshot. A file that stays is found by the check.
pub(crate) async fn remove_files(
    mailbox: &Path,
    kept: Option<Arc<KeptFiles>>,
    digests: Vec<[u8; 32]>,
) {
    let mailbox = mailbox.to_owned();
    let removal = blocking(move || {
        for digest in digests {
            let path = path(&mailbox, &digest);
            let removed = match &kept {
                Some(kept) => std::fs::rename(&path, kept.place(&digest)),
                None => std::fs::remove_file(&path),
            };
            if let Err(error) = removed {
                tracing::warn!(%error, path = %path.display(), "removing a blob file");
            }
        }
        Ok(())
    });
    drop(removal.await);
}

/// The body of a blob row (`digest`, `frames`, `data`); a file is opened at once, so the body outlives it.
pub(crate) async fn body_of(mailbox: &Path, row: &SqliteRow) -> Result<Body> {
    let digest: Vec<u8> = row.try_get("digest")?;
    let frames = Frames::decode(row.try_get("frames")?)?;
    let origin = match row.try_get::<Option<Vec<u8>>, _>("data")? {
        Some(data) => Origin::Memory(Bytes::from(data)),
        None => {
            let digest = digest
                .try_into()
                .map_err(|_| Error::Corrupt("a blob's digest has not 32 octets".into()))?;
            let path = path(mailbox, &digest);
            Origin::File(blocking(move || open(&path)).await?.into())
        }
    };
    Ok(Body::stored(origin, frames))
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::Corrupt(format!("the blob file {} is gone", path.display()))
        }
        _ => error.into(),
    })
}

/// The blobs that items name, without repetition.
pub(crate) async fn blobs_of(conn: &mut SqliteConnection, items: &str) -> Result<Vec<i64>> {
    let select = "SELECT blob FROM items WHERE id IN (SELECT value FROM json_each(?1)) AND blob IS NOT NULL
        UNION SELECT blob FROM attachments WHERE item IN (SELECT value FROM json_each(?1)) AND blob IS NOT NULL";
    Ok(sqlx::query_scalar(select)
        .bind(items)
        .fetch_all(conn)
        .await?)
}
