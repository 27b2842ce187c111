//! The pages of a damaged database file as of its last commit: those of the write-ahead log before those of the file. Nothing
//! is written, and a page that the disk does not give is a damaged page like any other.
//!
//! Formats: <https://www.sqlite.org/fileformat2.html>, sections 1.3 and 4.

use std::{collections::HashMap, fs::File, os::unix::fs::FileExt, path::Path};

use crate::{Result, mailbox::DATABASE};

/// The page size of all our files; a file with a whole header may say otherwise.
const PAGE: usize = 4096;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What the file's header says, when it is whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) schema: u32,
    pub(super) first_free: u32,
    reserved: u8,
}

#[derive(Debug)]
pub(super) struct Pages {
    file: File,
    log: Option<(File, HashMap<u32, u64>)>,
    pub(super) size: usize,
    /// The number of the last page.
    pub(super) count: u32,
    pub(super) header: Option<Header>,
}

impl Pages {
    pub(super) fn open(folder: &Path) -> Result<Pages> {
        let file = File::open(folder.join(DATABASE))?;
        // Before the file is measured: a connection that closes copies its log into the file, then takes it away.
        let log = match File::open(folder.join(format!("{DATABASE}-wal"))) {
            Ok(log) => Some(log),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let octets = file.metadata()?.len();
        let mut start = [0; 100];
        let whole = file.read_exact_at(&mut start, 0).is_ok();
        let size = whole.then(|| page_size(&start)).flatten().unwrap_or(PAGE);
        let log = log.map(|log| Log::read(log, size));
        let in_file = u32::try_from(octets.div_ceil(size as u64)).unwrap_or(u32::MAX);
        let mut pages = Pages {
            count: in_file.max(log.as_ref().map_or(0, |log| log.count)),
            log: log.map(|log| (log.file, log.frames)),
            file,
            size,
            header: None,
        };
        pages.header = pages.read(1).as_deref().and_then(Header::of);
        Ok(pages)
    }

    /// Octets of a page that hold content.
    pub(super) fn usable(&self) -> usize {
        let reserved = self.header.map_or(0, |header| header.reserved);
        self.size.saturating_sub(usize::from(reserved))
    }

    pub(super) fn read(&self, number: u32) -> Option<Vec<u8>> {
        let place = u64::from(number.checked_sub(1)?) * self.size as u64;
        let mut page = vec![0; self.size];
        let framed = self.log.as_ref().and_then(|(log, frames)| {
            let place = frames.get(&number)?;
            Some((log, *place))
        });
        let (file, place) = framed.unwrap_or((&self.file, place));
        file.read_exact_at(&mut page, place).ok()?;
        Some(page)
    }
}

fn page_size(start: &[u8]) -> Option<usize> {
    if !start.starts_with(MAGIC) {
        return None;
    }
    let size = match start.get(16..18)? {
        [0, 1] => 65536,
        [high, low] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => return None,
    };
    (size.is_power_of_two() && size >= 512).then_some(size)
}

impl Header {
    fn of(page: &[u8]) -> Option<Header> {
        page_size(page)?;
        Some(Header {
            schema: be32(page.get(60..)?)?,
            first_free: be32(page.get(32..)?)?,
            reserved: page.get(20).copied().filter(|reserved| *reserved < 64)?,
        })
    }
}

/// Where the log has the newest committed form of pages.
struct Log {
    file: File,
    frames: HashMap<u32, u64>,
    count: u32,
}

impl Log {
    /// Up to the last commit before the first frame that does not hold, as SQLite itself reads it.
    fn read(file: File, size: usize) -> Log {
        let mut log = Log {
            file,
            frames: HashMap::new(),
            count: 0,
        };
        let mut header = [0; LOG_HEADER];
        if log.file.read_exact_at(&mut header, 0).is_ok() {
            let _ends_where_it_ends = log.frames_after(&header, size);
        }
        log
    }

    fn frames_after(&mut self, header: &[u8], size: usize) -> Option<()> {
        let big_endian = match be32(header)? {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let sum = checksum(header.get(..24)?, (0, 0), big_endian);
        let same_size = be32(header.get(8..)?)? as usize == size;
        if !same_size || sum != (be32(header.get(24..)?)?, be32(header.get(28..)?)?) {
            return None;
        }
        let salts = header.get(16..24)?;
        let (mut sum, mut place) = (sum, LOG_HEADER as u64);
        let mut uncommitted = Vec::new();
        let mut frame = vec![0; FRAME_HEADER + size];
        loop {
            self.file.read_exact_at(&mut frame, place).ok()?;
            let (head, page) = frame.split_at_checked(FRAME_HEADER)?;
            sum = checksum(head.get(..8)?, sum, big_endian);
            sum = checksum(page, sum, big_endian);
            let holds = head.get(8..16)? == salts
                && sum == (be32(head.get(16..)?)?, be32(head.get(20..)?)?);
            if !holds {
                return None;
            }
            uncommitted.push((be32(head)?, place + FRAME_HEADER as u64));
            let commit = be32(head.get(4..)?)?;
            if commit > 0 {
                self.frames.extend(uncommitted.drain(..));
                self.count = commit;
            }
            place += frame.len() as u64;
        }
    }
}

fn checksum(bytes: &[u8], (mut one, mut two): (u32, u32), big_endian: bool) -> (u32, u32) {
    let word = |bytes: &[u8; 4]| match big_endian {
        true => u32::from_be_bytes(*bytes),
        false => u32::from_le_bytes(*bytes),
    };
    let (words, _) = bytes.as_chunks::<4>();
    let (pairs, _) = words.as_chunks::<2>();
    for [first, second] in pairs {
        one = one.wrapping_add(word(first)).wrapping_add(two);
        two = two.wrapping_add(word(second)).wrapping_add(one);
    }
    (one, two)
}

pub(super) fn be32(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

pub(super) fn be16(bytes: &[u8]) -> Option<usize> {
    let bytes = bytes.first_chunk()?;
    Some(usize::from(u16::from_be_bytes(*bytes)))
}
