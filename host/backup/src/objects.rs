//! The objects of one mailbox: which there are, in which pack, and reading them.

use std::{
    collections::HashMap,
    fmt, fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Mutex,
};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use waxwing_exmdb::PackedBlob;

use crate::{
    Error, Result,
    error::At,
    pack::{self, Content, Entry},
};

/// Files of packs kept open while objects are read.
const OPEN_FILES: usize = 16;
/// Octets of a segment at the most: a row holds at most one value of 1 GB, the limit of SQLite.
const LARGEST_SEGMENT: usize = 1 << 30;

/// Names an object: BLAKE3 of a blob's content, or of a segment's rows under a context of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 32]);

impl Key {
    pub(crate) fn of_segment(rows: &[u8]) -> Key {
        Key(blake3::derive_key(
            "waxwing backup 2026: segment of rows",
            rows,
        ))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Key, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer).map(Key);
        }
        let text = String::deserialize(deserializer)?;
        let hash = blake3::Hash::from_hex(&text).map_err(D::Error::custom)?;
        Ok(Key(*hash.as_bytes()))
    }
}

/// A pack and what it holds.
#[derive(Debug)]
pub(crate) struct Pack {
    pub(crate) path: PathBuf,
    pub(crate) entries: Vec<Entry>,
}

/// The objects of a mailbox.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(crate) packs: Vec<Pack>,
    /// Packs whose index cannot be read, and why: what they held is not there.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
    places: HashMap<Key, (u32, u32)>,
    open: Mutex<HashMap<u32, fs::File>>,
}

impl Objects {
    /// Reads the index of every pack in a folder, which need not exist.
    pub(crate) fn load(folder: &Path) -> Result<Objects> {
        let mut objects = Objects {
            packs: Vec::new(),
            unreadable: Vec::new(),
            places: HashMap::new(),
            open: Mutex::default(),
        };
        for path in pack::list(folder)? {
            match pack::read_index(&path) {
                Ok(entries) => objects.add(Pack { path, entries }),
                Err(Error::Damaged(path, why)) => objects.unreadable.push((path, why)),
                Err(error) => return Err(error),
            }
        }
        Ok(objects)
    }

    fn add(&mut self, pack: Pack) {
        let number = u32::try_from(self.packs.len()).unwrap_or(u32::MAX);
        for (place, entry) in (0..).zip(&pack.entries) {
            self.places.insert(entry.key, (number, place));
        }
        self.packs.push(pack);
    }

    pub(crate) fn has(&self, key: &Key) -> bool {
        self.places.contains_key(key)
    }

    /// The octets of a blob; none: there is no such object.
    pub(crate) fn blob(&self, key: &Key) -> Result<Option<PackedBlob>> {
        let Some((pack, entry)) = self.find(key) else {
            return Ok(None);
        };
        match &entry.content {
            Content::Blob { frames } => Ok(Some(PackedBlob {
                frames: frames.clone(),
                packed: self.payload(pack, entry)?,
            })),
            Content::Segment => Ok(None),
        }
    }

    /// The rows of a segment, as they were encoded; its digest holds.
    pub(crate) fn segment(&self, key: &Key) -> Result<Vec<u8>> {
        let (number, entry) = self
            .find(key)
            .filter(|(_, entry)| entry.content == Content::Segment)
            .ok_or_else(|| Error::NotFound(format!("the segment {key} is not in the backup")))?;
        let packed = self.payload(number, entry)?;
        let path = self.path(number);
        let rows =
            zstd::stream::decode_all(&packed[..]).map_err(|error| Error::damaged(path, error))?;
        if rows.len() > LARGEST_SEGMENT || Key::of_segment(&rows) != *key {
            return Err(Error::damaged(path, format!("segment {key}")));
        }
        Ok(rows)
    }

    /// Whether the octets of an entry are what its key says.
    pub(crate) fn holds(&self, number: u32, entry: &Entry) -> Result<bool> {
        match &entry.content {
            Content::Segment => match self.segment(&entry.key) {
                Ok(_) => Ok(true),
                Err(Error::Damaged(..)) => Ok(false),
                Err(error) => Err(error),
            },
            Content::Blob { frames } => {
                let blob = PackedBlob {
                    frames: frames.clone(),
                    packed: self.payload(number, entry)?,
                };
                Ok(blob
                    .content()
                    .is_ok_and(|(digest, _)| digest == entry.key.0))
            }
        }
    }

    fn find(&self, key: &Key) -> Option<(u32, &Entry)> {
        let (number, place) = *self.places.get(key)?;
        let pack = self.packs.get(usize::try_from(number).ok()?)?;
        Some((number, pack.entries.get(usize::try_from(place).ok()?)?))
    }

    fn path(&self, number: u32) -> &Path {
        let pack = self.packs.get(number as usize);
        pack.map_or(Path::new(""), |pack| &pack.path)
    }

    /// The octets of an entry as they are in the pack.
    pub(crate) fn payload(&self, number: u32, entry: &Entry) -> Result<Bytes> {
        let path = self.path(number);
        let mut open = self
            .open
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if !open.contains_key(&number) {
            if open.len() >= OPEN_FILES {
                open.clear();
            }
            open.insert(number, fs::File::open(path).at(path)?);
        }
        let length = usize::try_from(entry.length)
            .map_err(|_| Error::damaged(path, "an object larger than memory"))?;
        let mut octets = vec![0; length];
        if let Some(file) = open.get(&number) {
            file.read_exact_at(&mut octets, entry.offset).at(path)?;
        }
        Ok(octets.into())
    }
}
