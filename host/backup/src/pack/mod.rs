//! A pack: many objects in one file of some 16 MiB, since a file each for hundreds of thousands of small messages would be slow to
//! write, to copy elsewhere and to delete.
//!
//! ```text
//! "WXPACK1\n"  payloads…  index  length of the index (8, little-endian)  BLAKE3 of the index (32)  "WXPACK1\n"
//! ```
//!
//! The index is a postcard list of [`Entry`]. A pack gets its name, digits of the digest of its index, when it is on disk to
//! the last octet; what a killed run leaves is called `writing-…` and removed by the next. Packs are never changed.

mod read;
mod write;

use serde::{Deserialize, Serialize};

pub(crate) use read::{list, read_index};
pub(crate) use write::PackWriter;

use crate::Key;

const MAGIC: &[u8; 8] = b"WXPACK1\n";
/// What follows the index.
const FOOTER: usize = 8 + 32 + MAGIC.len();
/// Payload octets after which a pack is closed: also what a killed run has to copy once more.
const FULL: u64 = 16 << 20;
const SUFFIX: &str = "pack";
/// How names of packs begin that are not whole.
const UNFINISHED: &str = "writing-";

/// An object of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) content: Content,
    /// Of its payload, from the begin of the file.
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// What a payload is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Content {
    /// Rows, compressed with zstd.
    Segment,
    /// The packed octets of a blob, and its frame table.
    Blob { frames: Vec<u8> },
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn key(number: u8) -> Key {
        Key([number; 32])
    }

    #[test]
    fn what_was_written_is_listed_and_what_was_broken_off_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = PackWriter::new(folder.path()).unwrap();
        writer.put(key(1), Content::Segment, b"one").unwrap();
        let frames = vec![1, 0, 0, 0, 1, 0, 0, 0];
        writer
            .put(key(2), Content::Blob { frames }, b"two!")
            .unwrap();
        writer.finish().unwrap();
        writer.put(key(3), Content::Segment, b"lost").unwrap();
        std::mem::forget(writer);
        let packs = list(folder.path()).unwrap();
        assert_eq!(packs.len(), 1);
        let entries = read_index(&packs[0]).unwrap();
        assert_eq!(
            entries
                .iter()
                .map(|entry| (entry.key, entry.offset, entry.length))
                .collect::<Vec<_>>(),
            [(key(1), 8, 3), (key(2), 11, 4)]
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        PackWriter::new(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_pack_without_its_end_or_with_a_wrong_index_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = PackWriter::new(folder.path()).unwrap();
        writer.put(key(1), Content::Segment, b"one").unwrap();
        writer.finish().unwrap();
        let path = list(folder.path()).unwrap().remove(0);
        let whole = std::fs::read(&path).unwrap();
        let with = |octets: &[u8]| {
            std::fs::File::create(&path)
                .unwrap()
                .write_all(octets)
                .unwrap();
            matches!(read_index(&path), Err(crate::Error::Damaged(..)))
        };
        for cut in [0, 1, 8, 40, whole.len() - 1] {
            assert!(with(&whole[..cut]), "{cut}");
        }
        let mut flipped = whole.clone();
        flipped[12] ^= 1;
        assert!(with(&flipped));
        assert!(!with(&whole));
    }

    proptest! {
        #[test]
        fn an_index_of_any_octets_is_refused_or_stays_within_the_file(index in prop::collection::vec(any::<u8>(), 0..200), length in prop::option::of(any::<u64>())) {
            let mut octets = MAGIC.to_vec();
            octets.extend_from_slice(&index);
            octets.extend_from_slice(&length.unwrap_or(index.len() as u64).to_le_bytes());
            octets.extend_from_slice(blake3::hash(&index).as_bytes());
            octets.extend_from_slice(MAGIC);
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&octets).unwrap();
            let entries = read_index(file.path()).unwrap_or_default();
            prop_assert!(entries.iter().all(|entry| entry.offset + entry.length <= octets.len() as u64));
        }
    }
}
