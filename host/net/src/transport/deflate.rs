//! COMPRESS=DEFLATE (RFC 4978): raw DEFLATE both ways, every write ended with a sync flush.
//!
//! A small input can grow a thousandfold; it is inflated only as far as the reader asks, so memory stays
//! bounded by the window and one read of compressed octets.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use tokio::io::{AsyncRead, ReadBuf};

use super::Wire;

const RAW_SIZE: usize = 16 * 1024;

thread_local! {
    static RAW: RefCell<Vec<u8>> = RefCell::new(vec![0; RAW_SIZE]);
}

pub(super) struct Deflate {
    compress: Compress,
    decompress: Decompress,
    /// Compressed octets that were read and not inflated yet.
    pending: Bytes,
    ended: bool,
}

impl Deflate {
    pub(super) fn new(early: Vec<u8>) -> Deflate {
        Deflate {
            compress: Compress::new(Compression::fast(), false),
            decompress: Decompress::new(false),
            pending: early.into(),
            ended: false,
        }
    }

    /// All of `queue` as one run of compressed octets that the peer can inflate whole.
    pub(super) fn compress(&mut self, queue: &VecDeque<Bytes>) -> io::Result<Bytes> {
        let mut out = Vec::with_capacity(queue.iter().map(Bytes::len).sum::<usize>() / 2 + 64);
        for bytes in queue {
            let mut rest = bytes.as_ref();
            while !rest.is_empty() {
                let taken = self.push(rest, &mut out, FlushCompress::None)?;
                rest = rest.get(taken..).unwrap_or_default();
            }
        }
        // A flush is over when it leaves room in the output.
        while {
            self.push(&[], &mut out, FlushCompress::Sync)?;
            out.len() == out.capacity()
        } {}
        Ok(out.into())
    }

    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>, flush: FlushCompress) -> io::Result<usize> {
        if out.capacity() - out.len() < 64 {
            out.reserve(RAW_SIZE);
        }
        let before = self.compress.total_in();
        self.compress
            .compress_vec(bytes, out, flush)
            .map_err(io::Error::other)?;
        Ok(usize::try_from(self.compress.total_in() - before).unwrap_or(usize::MAX))
    }

    pub(super) fn poll_read(
        &mut self,
        wire: &mut Wire,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.ended {
            if self.inflate(buffer)? > 0 {
                return Poll::Ready(Ok(()));
            }
            if self.ended || !self.pending.is_empty() {
                continue;
            }
            let more = RAW.with_borrow_mut(|raw| {
                let mut raw = ReadBuf::new(raw);
                ready!(Pin::new(wire as &mut Wire).poll_read(cx, &mut raw))?;
                Poll::Ready(io::Result::Ok(Bytes::copy_from_slice(raw.filled())))
            });
            self.pending = ready!(more)?;
            self.ended = self.pending.is_empty();
        }
        Poll::Ready(Ok(()))
    }

    fn inflate(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<usize> {
        let (taken, given) = (self.decompress.total_in(), self.decompress.total_out());
        let status = self
            .decompress
            .decompress(
                &self.pending,
                buffer.initialize_unfilled(),
                FlushDecompress::Sync,
            )
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let taken = usize::try_from(self.decompress.total_in() - taken).unwrap_or(usize::MAX);
        let given = usize::try_from(self.decompress.total_out() - given).unwrap_or(usize::MAX);
        if taken == 0 && given == 0 && !self.pending.is_empty() && status != Status::StreamEnd {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "compressed input makes no progress",
            ));
        }
        self.pending.advance(taken.min(self.pending.len()));
        buffer.advance(given);
        self.ended = status == Status::StreamEnd;
        Ok(given)
    }
}
