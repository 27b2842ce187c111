//! What a generation of a mailbox is made of, and what a run held. Both are one line of JSON and a line with its BLAKE3.

use std::{fs, io::Write, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use waxwing_exmdb::StoredTable;

use crate::{
    Error, Generation, Key, Result,
    error::At,
    repository::{make_folder, sync_folder},
};

/// A mailbox at one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name.
    pub generation: Generation,
    /// 32 hex digits.
    pub mailbox: String,
    /// The address of its user then; empty: nobody's.
    pub owner: String,
    /// The version of the tables.
    pub schema: u32,
    /// The mailbox's counter at that commit.
    pub change_number: u64,
    /// Seconds since 1970: when it was whole.
    pub finished: i64,
    /// Items of all kinds.
    pub items: u64,
    /// Folders.
    pub folders: u32,
    /// Octets of the items.
    pub octets: u64,
    /// Objects that this run added.
    pub copied_objects: u64,
    /// Octets that this run added.
    pub copied_octets: u64,
    /// Its rows.
    pub tables: Vec<TableRows>,
    /// Blobs whose octets the mailbox itself had lost.
    pub missing: Vec<Key>,
}

/// The rows of a table, by segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRows {
    /// Its name and columns.
    #[serde(flatten)]
    pub table: StoredTable,
    /// In order.
    pub segments: Vec<Key>,
}

/// What a run of all mailboxes held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunManifest {
    /// Its name, which its mailboxes' generations have too.
    pub generation: Generation,
    /// Seconds since 1970: when it was whole.
    pub finished: i64,
    /// BLAKE3 of the copy of the directory of users, which is named by it.
    pub directory: Key,
    /// All mailboxes that there were.
    pub mailboxes: Vec<RunMailbox>,
}

/// A mailbox of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunMailbox {
    /// 32 hex digits.
    pub mailbox: String,
    /// The address of its user; empty: nobody's.
    pub owner: String,
    /// Its generation of this run; none: it could not be backed up.
    pub generation: Option<Generation>,
}

/// Reads one of the two.
///
/// # Errors
/// `Damaged` when it is not what was written.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).at(path)?;
    let mut lines = text.lines();
    let (line, digest) = (lines.next().unwrap_or_default(), lines.next());
    if digest != Some(blake3::hash(line.as_bytes()).to_hex().as_str()) {
        return Err(Error::damaged(path, "it is not what was written"));
    }
    serde_json::from_str(line).map_err(|error| Error::damaged(path, error))
}

/// Writes one of the two: whole and durable, or not at all.
pub(crate) fn write(path: &Path, manifest: &impl Serialize) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    let line = serde_json::to_string(manifest).map_err(|error| Error::Broken(error.to_string()))?;
    let digest = blake3::hash(line.as_bytes()).to_hex();
    let mut file = tempfile::Builder::new()
        .prefix(".writing-")
        .tempfile_in(folder)
        .at(folder)?;
    writeln!(file, "{line}\n{digest}").at(path)?;
    file.as_file().sync_all().at(path)?;
    file.persist(path).map_err(|error| error.error).at(path)?;
    sync_folder(folder)
}
