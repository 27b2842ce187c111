//! Reading the index of a pack.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::{Entry, FOOTER, MAGIC, SUFFIX};
use crate::{Error, Result, error::At};

/// The packs of a folder, in the order of their names; none when the folder is not there.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.at(folder)?,
    };
    let mut packs = Vec::new();
    for entry in entries {
        let path = entry.at(folder)?.path();
        if path.extension().is_some_and(|suffix| suffix == SUFFIX) {
            packs.push(path);
        }
    }
    packs.sort();
    Ok(packs)
}

/// The entries of a pack.
///
/// # Errors
/// `Damaged` when it is not whole.
pub(crate) fn read_index(path: &Path) -> Result<Vec<Entry>> {
    let file = fs::File::open(path).at(path)?;
    let size = file.metadata().at(path)?.len();
    let cut_off = || Error::damaged(path, "it is cut off or no pack");
    let end = size.checked_sub(FOOTER as u64).ok_or_else(cut_off)?;
    let mut footer = [0; FOOTER];
    file.read_exact_at(&mut footer, end).at(path)?;
    let (length, rest) = footer.split_first_chunk::<8>().ok_or_else(cut_off)?;
    let (digest, magic) = rest.split_first_chunk::<32>().ok_or_else(cut_off)?;
    let length = u64::from_le_bytes(*length);
    let begin = end
        .checked_sub(length)
        .filter(|begin| magic == MAGIC && *begin >= MAGIC.len() as u64)
        .ok_or_else(cut_off)?;
    let mut index = vec![0; usize::try_from(length).map_err(|_| cut_off())?];
    file.read_exact_at(&mut index, begin).at(path)?;
    if blake3::hash(&index).as_bytes() != digest {
        return Err(Error::damaged(path, "its index is not what was written"));
    }
    let entries: Vec<Entry> =
        postcard::from_bytes(&index).map_err(|error| Error::damaged(path, error))?;
    let within = |entry: &Entry| {
        entry
            .offset
            .checked_add(entry.length)
            .is_some_and(|last| last <= begin)
    };
    match entries.iter().all(within) {
        true => Ok(entries),
        false => Err(Error::damaged(path, "its index names octets beyond it")),
    }
}
