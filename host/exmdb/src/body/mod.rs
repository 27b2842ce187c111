//! Bodies: immutable bytes that need not be in memory. A message that arrives, a stored blob, a piece of one, or several
//! glued together look the same to a reader, who asks for ranges; nothing is copied until it does.
//!
//! A body keeps what it reads from (the bytes, or an open file), so it stays readable after its item is expunged and its
//! file unlinked. Stored blobs are decompressed a frame at a time; a body remembers the last frame, so reading in small
//! steps decompresses each frame once. File reads run on the blocking pool.

mod frames;
mod plain;
mod spool;

use std::{
    fs::File,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;

pub(crate) use frames::{FRAME, Frames, Packed, pack, unpack};
pub use spool::BodyWriter;

use crate::{Error, Result};

/// Pieces and octets in memory beyond which [`Body::compose`] copies.
const PIECES: usize = 16;
const IN_MEMORY: u64 = 256 * 1024;
/// Octets of one step of that copy.
const STEP: usize = 256 * 1024;

/// Immutable bytes: memory, spool file, stored blob, or a composition. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Body(Arc<Source>);

#[derive(Debug)]
enum Source {
    Memory(Bytes),
    File {
        file: Arc<File>,
        size: u64,
    },
    Stored(Stored),
    Slice {
        of: Body,
        offset: u64,
        length: u64,
    },
    /// Each piece with the offset at which it begins.
    Concat {
        pieces: Vec<(u64, Body)>,
        size: u64,
    },
}

#[derive(Debug)]
struct Stored {
    packed: Origin,
    frames: Frames,
    last: Mutex<Option<(usize, Bytes)>>,
}

#[derive(Debug)]
pub(crate) enum Origin {
    Memory(Bytes),
    File(Arc<File>),
}

impl Body {
    /// A body of bytes in memory.
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Body {
        Body(Arc::new(Source::Memory(bytes)))
    }

    pub(crate) fn from_file(file: File, size: u64) -> Body {
        Body(Arc::new(Source::File {
            file: Arc::new(file),
            size,
        }))
    }

    pub(crate) fn stored(packed: Origin, frames: Frames) -> Body {
        Body(Arc::new(Source::Stored(Stored {
            packed,
            frames,
            last: Mutex::new(None),
        })))
    }

    /// Octets.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &*self.0 {
            Source::Memory(bytes) => bytes.len() as u64,
            Source::File { size, .. } | Source::Concat { size, .. } => *size,
            Source::Stored(stored) => stored.frames.size(),
            Source::Slice { length, .. } => *length,
        }
    }

    /// Shorter than asked only at the end.
    ///
    /// # Errors
    /// `Unavailable` or `Io` when the file cannot be read, `Corrupt` when a stored frame does not decompress.
    pub async fn read(&self, offset: u64, length: usize) -> Result<Bytes> {
        let left = self.size().saturating_sub(offset);
        let length = usize::try_from(left).map_or(length, |left| left.min(length));
        if length == 0 {
            return Ok(Bytes::new());
        }
        match &*self.0 {
            Source::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                Ok(bytes.slice(start..start + length))
            }
            Source::File { file, .. } => read_file(file.clone(), offset, length).await,
            Source::Stored(stored) => stored.read(offset, length).await,
            Source::Slice {
                of, offset: start, ..
            } => of.read_boxed(start + offset, length).await,
            Source::Concat { pieces, .. } => read_pieces(pieces, offset, length).await,
        }
    }

    fn read_boxed(&self, offset: u64, length: usize) -> BoxFuture<'_, Result<Bytes>> {
        Box::pin(self.read(offset, length))
    }

    /// The whole body.
    pub(crate) async fn read_all(&self) -> Result<Bytes> {
        let size = usize::try_from(self.size())
            .map_err(|_| Error::Limit("body larger than memory".into()))?;
        self.read(0, size).await
    }

    /// A part of it; cut at its end.
    #[must_use]
    pub fn slice(&self, offset: u64, length: u64) -> Body {
        let offset = offset.min(self.size());
        let length = length.min(self.size() - offset);
        match &*self.0 {
            _ if offset == 0 && length == self.size() => self.clone(),
            Source::Slice {
                of, offset: start, ..
            } => of.slice(start + offset, length),
            _ => Body(Arc::new(Source::Slice {
                of: self.clone(),
                offset,
                length,
            })),
        }
    }

    /// One behind the other.
    #[must_use]
    pub fn concat(pieces: Vec<Body>) -> Body {
        let mut size = 0;
        let pieces = pieces
            .into_iter()
            .filter(|piece| piece.size() > 0)
            .map(|piece| {
                let start = size;
                size += piece.size();
                (start, piece)
            })
            .collect();
        Body(Arc::new(Source::Concat { pieces, size }))
    }
}

impl Body {
    /// As [`Body::concat`]; many pieces, or much in memory, become one spooled body, so that a message in ten thousand chunks
    /// costs no more memory and no more open files than one that came in one.
    ///
    /// # Errors
    /// As [`BodyWriter::write`] and [`Body::read`].
    pub(crate) async fn compose(pieces: Vec<Body>, mut spool: BodyWriter) -> Result<Body> {
        let in_memory: u64 = pieces.iter().map(Body::in_memory).sum();
        let copies = pieces.len() > PIECES || in_memory > IN_MEMORY;
        let whole = Body::concat(pieces);
        if !copies {
            return Ok(whole);
        }
        let mut at = 0;
        while at < whole.size() {
            let bytes = whole.read(at, STEP).await?;
            if bytes.is_empty() {
                return Err(Error::Corrupt("a body is shorter than its size".into()));
            }
            spool.write(&bytes).await?;
            at += bytes.len() as u64;
        }
        spool.finish().await
    }

    /// Octets of it that memory holds.
    fn in_memory(&self) -> u64 {
        match &*self.0 {
            Source::Memory(bytes) => bytes.len() as u64,
            Source::File { .. } | Source::Stored(_) => 0,
            Source::Slice { of, .. } => of.in_memory(),
            Source::Concat { pieces, .. } => {
                pieces.iter().map(|(_, piece)| piece.in_memory()).sum()
            }
        }
    }
}

async fn read_file(file: Arc<File>, offset: u64, length: usize) -> Result<Bytes> {
    blocking(move || {
        let mut buffer = vec![0; length];
        file.read_exact_at(&mut buffer, offset)?;
        Ok(Bytes::from(buffer))
    })
    .await
}

async fn read_pieces(pieces: &[(u64, Body)], offset: u64, length: usize) -> Result<Bytes> {
    let first = pieces
        .partition_point(|(start, _)| *start <= offset)
        .saturating_sub(1);
    let mut collected = BytesMut::new();
    for (start, piece) in pieces.iter().skip(first) {
        let want = length - collected.len();
        if want == 0 {
            break;
        }
        let at = (offset + collected.len() as u64).saturating_sub(*start);
        let bytes = piece.read_boxed(at, want).await?;
        if bytes.len() == length {
            return Ok(bytes);
        }
        collected.extend_from_slice(&bytes);
    }
    Ok(collected.freeze())
}

impl Stored {
    async fn read(&self, offset: u64, length: usize) -> Result<Bytes> {
        let mut collected = BytesMut::new();
        let mut at = offset;
        while collected.len() < length {
            let Some(frame) = self.frames.at(at) else {
                break;
            };
            let bytes = self.frame(frame.number).await?;
            let skip = usize::try_from(at - frame.offset)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            let take = (bytes.len() - skip).min(length - collected.len());
            if take == 0 {
                return Err(Error::Corrupt(
                    "a blob frame is shorter than its table says".into(),
                ));
            }
            let piece = bytes.slice(skip..skip + take);
            if take == length {
                return Ok(piece);
            }
            collected.reserve(length - collected.len());
            collected.extend_from_slice(&piece);
            at += take as u64;
        }
        Ok(collected.freeze())
    }

    async fn frame(&self, number: usize) -> Result<Bytes> {
        if let Some((last, bytes)) = &*self.last.lock().unwrap_or_else(PoisonError::into_inner)
            && *last == number
        {
            return Ok(bytes.clone());
        }
        let frame = self
            .frames
            .get(number)
            .ok_or_else(|| Error::Corrupt("no such blob frame".into()))?;
        let bytes = match &self.packed {
            Origin::Memory(packed) => frame.unpack(packed)?,
            Origin::File(file) => {
                let packed_length = frame.packed_length as usize;
                let packed = read_file(file.clone(), frame.packed_offset, packed_length).await?;
                frames::unpack(&packed, frame.length)?
            }
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((number, bytes.clone()));
        Ok(bytes)
    }
}

/// Runs file system work where it may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(result) => result,
        Err(error) => Err(Error::Unavailable(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reads_like(body: &Body, expected: &[u8], offset: usize, length: usize) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let got = runtime.block_on(body.read(offset as u64, length)).unwrap();
        let end = (offset + length).min(expected.len());
        assert_eq!(&got[..], expected.get(offset..end).unwrap_or_default());
    }

    #[tokio::test]
    async fn many_pieces_become_one_and_few_are_not_copied() {
        let folder = Arc::new(std::env::temp_dir());
        let compose = async |count: usize, octets: usize| {
            let pieces = vec![Body::from_bytes(vec![7; octets].into()); count];
            let spool = BodyWriter::new(folder.clone());
            Body::compose(pieces, spool).await.unwrap()
        };
        let many = compose(1_000, 10).await;
        assert!(matches!(&*many.0, Source::Memory(bytes) if bytes.len() == 10_000));
        let large = compose(3, 100_000).await;
        assert!(matches!(&*large.0, Source::File { size: 300_000, .. }));
        let few = compose(3, 10).await;
        assert!(matches!(&*few.0, Source::Concat { size: 30, .. }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_stored_body_reads_as_its_bytes(
            some in prop::collection::vec(any::<u8>(), 0..2000), times in prop::sample::select(vec![1usize, 20]),
            header in 0usize..2000, offset in 0usize..42_000, length in 0usize..2100,
        ) {
            // Small ones are stored as they are, large ones packed.
            let data = some.repeat(times);
            let packed = pack(&data, header.min(data.len()), 300).unwrap();
            let frames = Frames::decode(&packed.frames.encode()).unwrap();
            let body = Body::stored(Origin::Memory(packed.bytes.into()), frames);
            prop_assert_eq!(body.size(), data.len() as u64);
            reads_like(&body, &data, offset % (data.len() + 100), length);
        }

        #[test]
        fn slices_and_concatenations_read_as_the_bytes_they_stand_for(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..8),
            cut in (0u64..300, 0u64..300), read in (0usize..300, 0usize..300),
        ) {
            let whole = pieces.concat();
            let body = Body::concat(pieces.into_iter().map(|piece| Body::from_bytes(piece.into())).collect());
            reads_like(&body, &whole, read.0, read.1);
            let start = (cut.0 as usize).min(whole.len());
            let end = (start + cut.1 as usize).min(whole.len());
            reads_like(&body.slice(cut.0, cut.1), &whole[start..end], read.0, read.1);
            reads_like(&body.slice(cut.0, cut.1).slice(1, 5), whole[start..end].get(1..).map_or(&[][..], |rest| &rest[..rest.len().min(5)]), read.0, read.1);
        }
    }
}
