//! The folder of a backup: what makes it one, who may write, and where things are in it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use waxwing_exmdb::MailboxGuid;

use crate::{
    Error, Generation, Key, Manifest, Result, RunManifest,
    error::At,
    manifest::{self},
};

const MARKER: &str = "waxwing-backup.json";
/// What the marker holds.
const FORMAT: &str = "{\"format\": 1}\n";
const LOCK: &str = "lock";

/// A folder of backups, locked: by one who writes, or by any number who read.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    _lock: File,
}

/// What a repository has of one mailbox.
#[derive(Debug, Clone)]
pub struct MailboxBackup {
    folder: PathBuf,
    guid: MailboxGuid,
}

impl Repository {
    /// Opens it to add to it; a folder that is empty or not there becomes one.
    ///
    /// # Errors
    /// `Invalid` when the folder holds something else, or somebody else writes or reads.
    pub fn to_write(root: &Path) -> Result<Repository> {
        make_folder(root)?;
        let marker = root.join(MARKER);
        if !marker.try_exists().at(&marker)? {
            if fs::read_dir(root).at(root)?.next().is_some() {
                return Err(Error::Invalid(format!(
                    "{} is no backup and not empty; name an empty folder or a new one",
                    root.display()
                )));
            }
            let mut file = private(&marker)?;
            file.write_all(FORMAT.as_bytes()).at(&marker)?;
            file.sync_all().at(&marker)?;
            sync_folder(root)?;
        }
        let lock = private(&root.join(LOCK))?;
        let locked = lock.try_lock();
        Repository::open(root, lock, locked)
    }

    /// Opens it to read.
    ///
    /// # Errors
    /// `Invalid` when it is no backup, or somebody writes.
    pub fn to_read(root: &Path) -> Result<Repository> {
        let path = root.join(LOCK);
        let lock = match File::open(&path) {
            Ok(lock) => lock,
            Err(_) if root.join(MARKER).exists() => private(&path)?,
            Err(_) => return Err(no_backup(root)),
        };
        let locked = lock.try_lock_shared();
        Repository::open(root, lock, locked)
    }

    fn open(
        root: &Path,
        lock: File,
        locked: std::result::Result<(), TryLockError>,
    ) -> Result<Repository> {
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Invalid(format!(
                    "another backup, restore or verification uses {}; wait for it",
                    root.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(Error::Io(root.to_owned(), error)),
        }
        let marker = root.join(MARKER);
        match fs::read_to_string(&marker) {
            Ok(text) if text == FORMAT => Ok(Repository {
                root: root.to_owned(),
                _lock: lock,
            }),
            Ok(_) => Err(Error::Invalid(format!(
                "{} has a format that this program does not know; use a newer program",
                root.display()
            ))),
            Err(_) => Err(no_backup(root)),
        }
    }

    /// What there is of one mailbox, which may be nothing.
    #[must_use]
    pub fn mailbox(&self, guid: MailboxGuid) -> MailboxBackup {
        MailboxBackup {
            folder: self.root.join("mailboxes").join(guid.to_string()),
            guid,
        }
    }

    /// All mailboxes of which there is something, by guid.
    ///
    /// # Errors
    /// `Io` when the folder cannot be read.
    pub fn mailboxes(&self) -> Result<Vec<MailboxBackup>> {
        let names = names(&self.root.join("mailboxes"))?;
        let guids = names.iter().filter_map(|name| name.parse().ok());
        Ok(guids.map(|guid| self.mailbox(guid)).collect())
    }

    fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// The runs of all mailboxes that came to their end, oldest first.
    ///
    /// # Errors
    /// `Io` when the folder cannot be read.
    pub fn run_names(&self) -> Result<Vec<Generation>> {
        let names = names(&self.runs())?;
        let names = names.iter().filter_map(|name| name.strip_suffix(".json"));
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// What a run held.
    ///
    /// # Errors
    /// `Damaged` when it is not what was written.
    pub fn run(&self, generation: &Generation) -> Result<RunManifest> {
        manifest::read(&self.runs().join(format!("{generation}.json")))
    }

    pub(crate) fn write_run(&self, run: &RunManifest) -> Result<()> {
        manifest::write(&self.runs().join(format!("{}.json", run.generation)), run)
    }

    pub(crate) fn remove_run(&self, generation: &Generation) -> Result<()> {
        let path = self.runs().join(format!("{generation}.json"));
        fs::remove_file(&path).at(&path)
    }

    pub(crate) fn directories(&self) -> PathBuf {
        self.root.join("directories")
    }

    /// Where the copy of a directory is.
    #[must_use]
    pub fn directory(&self, digest: &Key) -> PathBuf {
        self.directories().join(format!("{digest}.sqlite"))
    }
}

impl MailboxBackup {
    /// Whose it is.
    #[must_use]
    pub fn guid(&self) -> MailboxGuid {
        self.guid
    }

    pub(crate) fn packs(&self) -> PathBuf {
        self.folder.join("packs")
    }

    pub(crate) fn place_of(&self, generation: &Generation) -> PathBuf {
        self.folder.join("generations").join(generation.to_string())
    }

    /// Its generations, oldest first.
    ///
    /// # Errors
    /// `Io` when the folder cannot be read.
    pub fn generations(&self) -> Result<Vec<Generation>> {
        let names = names(&self.folder.join("generations"))?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// What a generation is made of.
    ///
    /// # Errors
    /// `Damaged` when it is not what was written.
    pub fn manifest(&self, generation: &Generation) -> Result<Manifest> {
        manifest::read(&self.place_of(generation))
    }

    /// Octets of its files.
    ///
    /// # Errors
    /// `Io` when the folder cannot be read.
    pub fn octets(&self) -> Result<u64> {
        let packs = crate::pack::list(&self.packs())?;
        packs
            .iter()
            .map(|path| Ok(fs::metadata(path).at(path)?.len()))
            .sum()
    }
}

fn no_backup(root: &Path) -> Error {
    Error::NotFound(format!(
        "{} is no backup; `waxwing mailbox backup --to` makes one",
        root.display()
    ))
}

/// The names in a folder, sorted; none when it is not there. What is not whole yet begins with a dot.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.at(folder)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.at(folder)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A folder and those above it, each durable. Mail and password hashes are for nobody else.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(Path::new("/"));
    make_folder(parent)?;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::Io(folder.to_owned(), error))
        }
        _ => sync_folder(parent),
    }
}

fn private(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    options.open(path).at(path)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .at(folder)
}
