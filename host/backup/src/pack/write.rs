//! Writing packs.

use std::{
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{Content, Entry, FULL, MAGIC, SUFFIX, UNFINISHED};
use crate::{
    Error, Key, Result,
    error::At,
    repository::{make_folder, sync_folder},
};

/// Puts objects into packs of one folder, one pack after the other.
#[derive(Debug)]
pub(crate) struct PackWriter {
    folder: PathBuf,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: BufWriter<NamedTempFile>,
    at: u64,
    entries: Vec<Entry>,
}

impl PackWriter {
    /// Removes what a killed run left.
    pub(crate) fn new(folder: &Path) -> Result<PackWriter> {
        make_folder(folder)?;
        for entry in fs::read_dir(folder).at(folder)? {
            let path = entry.at(folder)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(UNFINISHED) {
                fs::remove_file(&path).at(&path)?;
            }
        }
        Ok(PackWriter {
            folder: folder.to_owned(),
            open: None,
        })
    }

    /// Adds an object. It counts when its pack is finished.
    pub(crate) fn put(&mut self, key: Key, content: Content, payload: &[u8]) -> Result<()> {
        let folder = &self.folder;
        if self.open.is_none() {
            let file = tempfile::Builder::new()
                .prefix(UNFINISHED)
                .tempfile_in(folder)
                .at(folder)?;
            let mut file = BufWriter::with_capacity(1 << 17, file);
            file.write_all(MAGIC).at(folder)?;
            self.open = Some(Open {
                file,
                at: MAGIC.len() as u64,
                entries: Vec::new(),
            });
        }
        let Some(open) = &mut self.open else {
            return Err(Error::Broken("no pack is open".into()));
        };
        open.file.write_all(payload).at(folder)?;
        open.entries.push(Entry {
            key,
            content,
            offset: open.at,
            length: payload.len() as u64,
        });
        open.at += payload.len() as u64;
        if open.at >= FULL {
            self.finish()?;
        }
        Ok(())
    }

    /// Makes what was put durable.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let Some(mut open) = self.open.take() else {
            return Ok(());
        };
        let folder = &self.folder;
        let index =
            postcard::to_stdvec(&open.entries).map_err(|error| Error::Broken(error.to_string()))?;
        let digest = blake3::hash(&index);
        for piece in [
            &index[..],
            &(index.len() as u64).to_le_bytes(),
            digest.as_bytes(),
            MAGIC,
        ] {
            open.file.write_all(piece).at(folder)?;
        }
        let file = open
            .file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .at(folder)?;
        file.as_file().sync_all().at(folder)?;
        let digits: String = digest.to_hex().chars().take(32).collect();
        let path = folder.join(digits).with_extension(SUFFIX);
        file.persist(&path).map_err(|error| error.error).at(&path)?;
        sync_folder(folder)
    }
}
