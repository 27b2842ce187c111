//! A mailbox out of a generation, not in place yet.

use tokio::sync::mpsc;
use waxwing_exmdb::{MailboxGuid, PackedBlob, RestoredMailbox, Store, StoredValue};

use crate::{
    Error, Key, MailboxBackup, Manifest, Result,
    manifest::TableRows,
    objects::Objects,
    segment::{StoredRow, rows},
    write::blocking,
};

/// Batches between the reader and the store.
const AHEAD: usize = 4;
/// The table whose rows name blobs, and the column that does.
const BLOBS: &str = "blobs";
const DIGEST: &str = "digest";

enum Batch {
    Rows(usize, Vec<StoredRow>),
    Blob(usize, StoredRow, Option<PackedBlob>),
}

impl MailboxBackup {
    /// Makes the mailbox in the store's spool, for that guid and owner; with the number of blobs whose octets the backup
    /// does not have. Tells how many blobs are done.
    ///
    /// # Errors
    /// `Damaged` when rows are, `Store` when the disk cannot take it.
    pub async fn restore(
        &self,
        manifest: &Manifest,
        store: &Store,
        (guid, owner): (MailboxGuid, &str),
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(RestoredMailbox, u64)> {
        let packs = self.packs();
        let objects = blocking(move || Objects::load(&packs)).await?;
        let tables = manifest.tables.clone();
        let (sender, mut batches) = mpsc::channel(AHEAD);
        let thread = tokio::task::spawn_blocking(move || read(&objects, &tables, &sender));
        let mut draft = store.draft(manifest.schema).await?;
        let (mut blobs, mut missing) = (0, 0);
        while let Some(batch) = batches.recv().await {
            let table = |number: usize| {
                let table = manifest.tables.get(number).map(|rows| &rows.table);
                table.ok_or_else(|| Error::Broken("a table that is none".into()))
            };
            match batch {
                Batch::Rows(number, rows) => {
                    let table = table(number)?;
                    draft.insert(&table.name, &table.columns, rows).await?;
                }
                Batch::Blob(number, row, packed) => {
                    missing += u64::from(packed.is_none());
                    let columns = &table(number)?.columns;
                    draft.insert_blob(columns, row, packed).await?;
                    blobs += 1;
                    progress(blobs);
                }
            }
        }
        match thread.await {
            Ok(read) => read?,
            Err(error) => return Err(Error::Broken(error.to_string())),
        }
        Ok((draft.finish(guid, owner).await?, missing))
    }
}

/// The reading thread. Ends early when nobody takes what it reads.
fn read(objects: &Objects, tables: &[TableRows], batches: &mpsc::Sender<Batch>) -> Result<()> {
    for (number, table) in tables.iter().enumerate() {
        for key in &table.segments {
            let rows = decode(objects, key)?;
            if table.table.name != BLOBS {
                if batches.blocking_send(Batch::Rows(number, rows)).is_err() {
                    return Ok(());
                }
                continue;
            }
            for row in rows {
                let packed = match digest(table, &row) {
                    Some(key) => objects.blob(&key)?,
                    None => None,
                };
                if batches
                    .blocking_send(Batch::Blob(number, row, packed))
                    .is_err()
                {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn decode(objects: &Objects, key: &Key) -> Result<Vec<StoredRow>> {
    rows(&objects.segment(key)?).map_err(|error| Error::Broken(format!("segment {key}: {error}")))
}

/// The blob that a row of the table of blobs names.
fn digest(table: &TableRows, row: &StoredRow) -> Option<Key> {
    let place = table
        .table
        .columns
        .iter()
        .position(|column| column == DIGEST)?;
    match row.get(place)? {
        StoredValue::Blob(digest) => digest.as_slice().try_into().ok().map(Key),
        _ => None,
    }
}

/// Every blob that a generation names.
pub(crate) fn blobs_of(objects: &Objects, manifest: &Manifest) -> Result<Vec<Key>> {
    let mut blobs = Vec::new();
    for table in manifest
        .tables
        .iter()
        .filter(|table| table.table.name == BLOBS)
    {
        for key in &table.segments {
            let rows = decode(objects, key)?;
            blobs.extend(rows.iter().filter_map(|row| digest(table, row)));
        }
    }
    Ok(blobs)
}
