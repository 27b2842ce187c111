//! A run of all mailboxes: the copy of the directory of users, and the list of what it held.

use std::{collections::HashSet, fs, path::Path};

use crate::{
    Error, Generation, Key, Repository, Result, RunMailbox, RunManifest,
    error::At,
    repository::{make_folder, sync_folder},
};

impl Repository {
    /// Where a copy of the directory of users is to be written; goes when dropped.
    ///
    /// # Errors
    /// `Io` when the folder cannot be made.
    pub fn directory_draft(&self) -> Result<tempfile::TempDir> {
        let folder = self.directories();
        make_folder(&folder)?;
        tempfile::Builder::new()
            .prefix(".writing-")
            .tempdir_in(&folder)
            .at(&folder)
    }

    /// Takes a whole copy of the directory of users and writes the manifest of a run. Blocks.
    ///
    /// # Errors
    /// `Io` when it cannot be written.
    pub fn finish_run(
        &self,
        generation: &Generation,
        directory: &Path,
        mailboxes: Vec<RunMailbox>,
    ) -> Result<RunManifest> {
        let digest = digest_of(directory)?;
        fs::File::open(directory)
            .and_then(|file| file.sync_all())
            .at(directory)?;
        fs::rename(directory, self.directory(&digest)).at(directory)?;
        sync_folder(&self.directories())?;
        let mut generation = generation.clone();
        while self.run_names()?.contains(&generation) {
            generation = generation.next();
        }
        let run = RunManifest {
            generation,
            finished: jiff::Timestamp::now().as_second(),
            directory: digest,
            mailboxes,
        };
        self.write_run(&run)?;
        Ok(run)
    }

    /// The copy of the directory of a run, when it is what was written. Blocks.
    ///
    /// # Errors
    /// `Damaged` when it is not.
    pub fn verify_directory(&self, run: &RunManifest) -> Result<()> {
        let path = self.directory(&run.directory);
        match digest_of(&path)? {
            digest if digest == run.directory => Ok(()),
            _ => Err(Error::damaged(&path, "it is not what was written")),
        }
    }

    /// Keeps the newest `keep` runs, one at least, and the directories that they name. Blocks.
    ///
    /// # Errors
    /// `Damaged` when one that stays cannot be read.
    pub fn prune_runs(&self, keep: usize) -> Result<()> {
        let names = self.run_names()?;
        let surplus = names.len().saturating_sub(keep.max(1));
        let (old, rest) = names.split_at_checked(surplus).unwrap_or_default();
        let runs = rest.iter().map(|name| self.run(name));
        let named: HashSet<_> = runs
            .map(|run| Ok(self.directory(&run?.directory)))
            .collect::<Result<_>>()?;
        for name in old {
            self.remove_run(name)?;
        }
        let folder = self.directories();
        for entry in fs::read_dir(&folder).at(&folder)? {
            let path = entry.at(&folder)?.path();
            if path.is_file() && !named.contains(&path) {
                fs::remove_file(&path).at(&path)?;
            }
        }
        Ok(())
    }
}

fn digest_of(path: &Path) -> Result<Key> {
    let mut digest = blake3::Hasher::new();
    let file = fs::File::open(path).at(path)?;
    digest.update_reader(file).at(path)?;
    Ok(Key(*digest.finalize().as_bytes()))
}
