//! Writing a generation of one mailbox.
//!
//! The mailbox is read in one task and written by a thread of its own, which compresses, checks and syncs; a short channel
//! between them holds the reader back. First come the rows and the blobs that are in the database; then the snapshot's
//! transaction ends, and blobs in files follow. A blob that the backup has already is not even read.
//!
//! When the task is given up (the server stops, the administrator went away), the thread finishes the pack it is at and ends; the
//! next run finds what is in it.

use std::{collections::HashSet, sync::Arc};

use futures_util::TryStreamExt;
use tokio::{sync::mpsc, task::JoinHandle};
use waxwing_exmdb::{BlobRef, Mailbox, PackedBlob, Snapshot, StoredTable};

use crate::{
    Error, Generation, Key, MailboxBackup, Manifest, Result, manifest,
    manifest::TableRows,
    objects::Objects,
    pack::{Content, PackWriter},
    segment::Cutter,
};

/// Objects between the reader and the writer.
const AHEAD: usize = 4;
/// Compression of rows; 3 is zstd's own default.
const LEVEL: i32 = 3;

/// How far the writing of a generation is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Blobs that are in the backup.
    pub blobs: u64,
    /// Blobs that the mailbox has; 0 until they are counted.
    pub blobs_total: u64,
    /// Octets that this run added, before those of indexes.
    pub copied_octets: u64,
}

enum Put {
    Segment(Key, Vec<u8>),
    Blob(BlobRef, PackedBlob),
}

/// What the thread did.
#[derive(Default)]
struct Done {
    objects: u64,
    octets: u64,
    /// Blobs that are not what their digests say.
    wrong: Vec<Key>,
}

/// Backs up a mailbox as it is now, under the name given or a later one, and tells how far it is.
///
/// # Errors
/// When it cannot be read or written; a blob that the mailbox has lost is noted in the manifest instead.
pub async fn back_up(
    mailbox: &Mailbox,
    owner: &str,
    target: &MailboxBackup,
    generation: &Generation,
    progress: &mut (dyn FnMut(Written) + Send),
) -> Result<Manifest> {
    let (packs, place) = (target.packs(), target.clone());
    let (objects, writer) = blocking(move || {
        let writer = PackWriter::new(&packs)?;
        Ok((Objects::load(&packs)?, writer))
    })
    .await?;
    for (path, why) in &objects.unreadable {
        tracing::warn!(path = %path.display(), why, "a pack of the backup is damaged; what it held is copied again");
    }
    let objects = Arc::new(objects);
    let (sender, receiver) = mpsc::channel(AHEAD);
    let thread = tokio::task::spawn_blocking(move || write(writer, receiver));
    let mut reader = Reader {
        snapshot: mailbox.snapshot().await?,
        objects,
        sent: HashSet::new(),
        sender,
        missing: Vec::new(),
        written: Written::default(),
        progress,
    };
    let read = reader.read().await;
    let Reader {
        snapshot,
        sender,
        mut missing,
        ..
    } = reader;
    drop(sender);
    let done = join(thread).await?;
    let (tables, (items, octets, folders)) = read?;
    missing.extend(done.wrong);
    let mut manifest = Manifest {
        generation: generation.clone(),
        mailbox: snapshot.guid().to_string(),
        owner: owner.to_owned(),
        schema: snapshot.schema(),
        change_number: snapshot.change_number().0,
        finished: 0,
        items,
        folders,
        octets,
        copied_objects: done.objects,
        copied_octets: done.octets,
        tables,
        missing,
    };
    blocking(move || {
        while place.place_of(&manifest.generation).exists() {
            manifest.generation = manifest.generation.next();
        }
        manifest.finished = jiff::Timestamp::now().as_second();
        manifest::write(&place.place_of(&manifest.generation), &manifest)?;
        Ok(manifest)
    })
    .await
}

struct Reader<'a> {
    snapshot: Snapshot,
    objects: Arc<Objects>,
    /// Segments of this run, which may come twice.
    sent: HashSet<Key>,
    sender: mpsc::Sender<Put>,
    missing: Vec<Key>,
    written: Written,
    progress: &'a mut (dyn FnMut(Written) + Send),
}

impl Reader<'_> {
    async fn read(&mut self) -> Result<(Vec<TableRows>, (u64, u64, u32))> {
        let counts = self.snapshot.counts().await?;
        let mut tables = Vec::new();
        for table in self.snapshot.tables().await? {
            let segments = self.table(&table).await?;
            tables.push(TableRows { table, segments });
        }
        let blobs = self.snapshot.blobs().await?;
        self.written.blobs_total = blobs.len() as u64;
        (self.progress)(self.written);
        let (inside, outside): (Vec<_>, Vec<_>) =
            blobs.into_iter().partition(BlobRef::is_in_database);
        for blob in inside {
            self.blob(blob).await?;
        }
        self.snapshot.release().await;
        for blob in outside {
            self.blob(blob).await?;
        }
        Ok((tables, counts))
    }

    async fn table(&mut self, table: &StoredTable) -> Result<Vec<Key>> {
        let place = |name: &String| table.columns.iter().position(|column| column == name);
        let mut cutter = Cutter::new(table.key.iter().filter_map(place).collect());
        let mut keys = Vec::new();
        let mut rows = self.snapshot.rows(table)?;
        let mut put = async |segment: Vec<u8>| {
            let key = Key::of_segment(&segment);
            keys.push(key);
            if self.objects.has(&key) || !self.sent.insert(key) {
                return Ok(());
            }
            self.written.copied_octets += segment.len() as u64;
            send(&self.sender, Put::Segment(key, segment)).await
        };
        while let Some(row) = rows.try_next().await? {
            let whole = cutter.add(&row);
            if let Some(segment) = whole.map_err(|error| Error::Broken(error.to_string()))? {
                put(segment).await?;
            }
        }
        if let Some(segment) = cutter.end() {
            put(segment).await?;
        }
        Ok(keys)
    }

    async fn blob(&mut self, blob: BlobRef) -> Result<()> {
        let key = Key(blob.digest);
        if !self.objects.has(&key) {
            match self.snapshot.packed(&blob).await {
                Ok(packed) => {
                    self.written.copied_octets += packed.packed.len() as u64;
                    send(&self.sender, Put::Blob(blob, packed)).await?;
                }
                Err(error @ waxwing_exmdb::Error::Corrupt(_)) => {
                    tracing::warn!(mailbox = %self.snapshot.guid(), %error, "not backed up");
                    self.missing.push(key);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.written.blobs += 1;
        (self.progress)(self.written);
        Ok(())
    }
}

async fn send(sender: &mpsc::Sender<Put>, put: Put) -> Result<()> {
    // The thread has the reason.
    let gone = |_| Error::Broken("nothing can be written".into());
    sender.send(put).await.map_err(gone)
}

/// The writing thread.
fn write(mut writer: PackWriter, mut puts: mpsc::Receiver<Put>) -> Result<Done> {
    let mut done = Done::default();
    while let Some(put) = puts.blocking_recv() {
        let (key, content, payload) = match put {
            Put::Segment(key, rows) => {
                let packed = zstd::bulk::compress(&rows, LEVEL)
                    .map_err(|error| Error::Broken(error.to_string()))?;
                (key, Content::Segment, packed.into())
            }
            Put::Blob(blob, packed) => {
                let key = Key(blob.digest);
                if !packed
                    .content()
                    .is_ok_and(|content| content == (blob.digest, blob.size))
                {
                    done.wrong.push(key);
                    continue;
                }
                let PackedBlob { frames, packed } = packed;
                (key, Content::Blob { frames }, packed)
            }
        };
        writer.put(key, content, &payload)?;
        done.objects += 1;
        done.octets += payload.len() as u64;
    }
    writer.finish()?;
    Ok(done)
}

async fn join<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    match thread.await {
        Ok(result) => result,
        Err(error) => Err(Error::Broken(error.to_string())),
    }
}

/// Runs file system work where it may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    join(tokio::task::spawn_blocking(work)).await
}
