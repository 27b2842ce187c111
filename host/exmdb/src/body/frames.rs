//! How a blob is stored: independent zstd frames, so that a range is read without decompressing what stands before it.
//!
//! The header block of a message is cut off as frames of its own, because most reads of a list want only it. The table of
//! frames stands in the blob's row; the packed bytes alone are a plain `.zst` file, which `zstd -d` turns back into the
//! message when nothing else is left.
//!
//! A small message is stored as it is, in frames of raw blocks: nothing is unpacked when it is read. That costs little disk, since most octets
//! of a mailbox are in large messages, and gives speed where it is felt, since most messages are small.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};

use super::plain;
use crate::{Error, Result};

/// Octets of a blob up to which it is stored as it is.
const PLAIN: usize = 16 * 1024;
/// Octets of a frame before compression; what one small read decompresses at the most.
pub(crate) const FRAME: usize = plain::LONGEST;
/// The least that zstd does: text shrinks to a third, a sixth larger than at level 1, and literals are left as they are, so that it
/// is unpacked in two thirds of the time. Mail is read more often than written, and most of its octets are attachments
/// that shrink little at any level.
const LEVEL: i32 = -1;

static COMPRESSORS: Spare<Compressor<'static>> = Spare(Mutex::new(Vec::new()));
static DECOMPRESSORS: Spare<Decompressor<'static>> = Spare(Mutex::new(Vec::new()));

/// Contexts of zstd between two uses. To make one costs more than to unpack a mail with it: it is some hundred kilobytes, which
/// the allocator takes from the system and gives back each time. At most [`Spare::KEPT`] wait here; one that failed is not used again.
struct Spare<T>(Mutex<Vec<T>>);

impl<T> Spare<T> {
    /// As many as may be in use on a small machine; more are made when more are needed.
    const KEPT: usize = 8;

    fn take(&self, make: impl FnOnce() -> std::io::Result<T>) -> Result<T> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(match spare {
            Some(spare) => spare,
            None => make()?,
        })
    }

    fn give_back(&self, context: T) {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < Self::KEPT {
            spare.push(context);
        }
    }
}

/// Where each frame stands, in the blob and in its packed form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frames(Vec<Frame>);

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) number: usize,
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) packed_offset: u64,
    pub(crate) packed_length: u32,
}

impl Frame {
    /// Its octets, out of the packed form of the whole blob.
    pub(crate) fn unpack(&self, packed: &Bytes) -> Result<Bytes> {
        let start = usize::try_from(self.packed_offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(self.packed_length as usize);
        if end > packed.len() {
            return Err(Error::Corrupt("a blob is shorter than its frames".into()));
        }
        unpack(&packed.slice(start..end), self.length)
    }
}

/// A blob as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    pub(crate) frames: Frames,
    pub(crate) bytes: Vec<u8>,
}

impl Frames {
    pub(crate) fn from_lengths(lengths: &[(u32, u32)]) -> Frames {
        let (mut offset, mut packed_offset) = (0, 0);
        let frames = lengths
            .iter()
            .enumerate()
            .map(|(number, &(length, packed_length))| {
                let frame = Frame {
                    number,
                    offset,
                    length,
                    packed_offset,
                    packed_length,
                };
                offset += u64::from(length);
                packed_offset += u64::from(packed_length);
                frame
            });
        Frames(frames.collect())
    }

    pub(crate) fn size(&self) -> u64 {
        self.0
            .last()
            .map_or(0, |frame| frame.offset + u64::from(frame.length))
    }

    /// Packed octets of the frames that begin before `offset`.
    pub(crate) fn packed_up_to(&self, offset: u64) -> u64 {
        self.0
            .iter()
            .take_while(|frame| frame.offset < offset)
            .map(|frame| u64::from(frame.packed_length))
            .sum()
    }

    pub(crate) fn get(&self, number: usize) -> Option<Frame> {
        self.0.get(number).copied()
    }

    /// The frame that holds the octet at `offset`.
    pub(crate) fn at(&self, offset: u64) -> Option<Frame> {
        let number = self
            .0
            .partition_point(|frame| frame.offset <= offset)
            .checked_sub(1)?;
        self.get(number)
            .filter(|frame| offset < frame.offset + u64::from(frame.length))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|frame| {
                [
                    frame.length.to_le_bytes(),
                    frame.packed_length.to_le_bytes(),
                ]
            })
            .flatten()
            .collect()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Frames> {
        let (pairs, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Error::Corrupt("a blob's frame table is cut off".into()));
        }
        let lengths: Vec<_> = pairs
            .iter()
            .map(|[a, b, c, d, e, f, g, h]| {
                (
                    u32::from_le_bytes([*a, *b, *c, *d]),
                    u32::from_le_bytes([*e, *f, *g, *h]),
                )
            })
            .collect();
        Ok(Frames::from_lengths(&lengths))
    }
}

/// Cuts at the end of the header and every `frame` octets, and compresses.
pub(crate) fn pack(data: &[u8], header: usize, frame: usize) -> Result<Packed> {
    let mut bytes = Vec::with_capacity(data.len() / 2 + 64);
    let mut lengths = Vec::new();
    let (head, body) = data.split_at_checked(header).unwrap_or((data, &[]));
    let mut compressor = match data.len() <= PLAIN {
        true => None,
        false => Some(COMPRESSORS.take(|| Compressor::new(LEVEL))?),
    };
    for piece in head.chunks(frame).chain(body.chunks(frame)) {
        let before = bytes.len();
        match &mut compressor {
            None => plain::write(&mut bytes, piece),
            Some(compressor) => bytes.extend_from_slice(&compressor.compress(piece)?),
        }
        let length = |n: usize| u32::try_from(n).map_err(|_| Error::Limit("blob frame".into()));
        lengths.push((length(piece.len())?, length(bytes.len() - before)?));
    }
    if let Some(compressor) = compressor {
        COMPRESSORS.give_back(compressor);
    }
    Ok(Packed {
        frames: Frames::from_lengths(&lengths),
        bytes,
    })
}

/// A frame alone; what is stored as it is is not copied.
pub(crate) fn unpack(packed: &Bytes, length: u32) -> Result<Bytes> {
    let bytes = match plain::content(packed) {
        Some(content) => packed.slice(content),
        None => decompress(packed, length)?,
    };
    if bytes.len() != length as usize {
        return Err(Error::Corrupt(
            "a blob frame is not as long as its table says".into(),
        ));
    }
    Ok(bytes)
}

fn decompress(packed: &[u8], length: u32) -> Result<Bytes> {
    let mut decompressor = DECOMPRESSORS.take(Decompressor::new)?;
    let bytes = decompressor
        .decompress(packed, length as usize)
        .map_err(|error| Error::Corrupt(format!("blob frame: {error}")))?;
    DECOMPRESSORS.give_back(decompressor);
    Ok(bytes.into())
}
