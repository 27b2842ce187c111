//! The bytes of one connection: a socket, TLS over it, compression over that.
//!
//! Promises: a connection that waits holds no read buffer (a read borrows one from its thread for the length
//! of a poll and copies out what came); reads may be cancelled without loss; a write that makes no progress
//! for the listener's write timeout fails; octets are counted inside TLS and compression.
//!
//! Not `BufReader` or `tokio::io::split`: both keep a buffer or a lock for as long as a client idles.

mod deflate;

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::{Future, poll_fn},
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use deflate::Deflate;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::metrics::ListenerMetrics;

/// A read takes at most so much at a time.
pub(crate) const READ_SIZE: usize = 64 * 1024;
/// A TLS handshake takes at most so long.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
/// After the last octet was sent, what the peer still sends is read and dropped for so long, so that the
/// system does not answer it with a reset that takes our last words along.
const LINGER: Duration = Duration::from_secs(1);
const SLICES: usize = 32;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_SIZE]);
}

/// A socket, or TLS over one.
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// Between two states, and after a handshake that failed.
    Detached,
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = match self.get_mut() {
            Wire::Plain(socket) => ready!(Pin::new(socket).poll_read(cx, buffer)),
            Wire::Tls(stream) => ready!(Pin::new(stream.as_mut()).poll_read(cx, buffer)),
            Wire::Detached => Err(io::ErrorKind::NotConnected.into()),
        };
        Poll::Ready(match outcome {
            // Many clients leave without close_notify; what ends early is noticed by the protocol.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            other => other,
        })
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Wire::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
            Wire::Detached => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Wire::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, slices),
            Wire::Detached => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Wire::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Wire::Detached => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Wire::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Wire::Detached => Poll::Ready(Ok(())),
        }
    }
}

impl Wire {
    /// The server's side of a handshake.
    ///
    /// # Errors
    /// When the peer speaks no TLS, gives up, or takes too long; the socket is gone then.
    pub(crate) async fn start_tls(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        let socket = match std::mem::replace(self, Wire::Detached) {
            Wire::Plain(socket) => socket,
            Wire::Tls(_) | Wire::Detached => {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "the stream is encrypted already",
                ));
            }
        };
        let stream = timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(config).accept(socket)).await??;
        *self = Wire::Tls(Box::new(stream));
        Ok(())
    }

    pub(crate) fn tls(&self) -> Option<&rustls::ServerConnection> {
        match self {
            Wire::Tls(stream) => Some(stream.get_ref().1),
            Wire::Plain(_) | Wire::Detached => None,
        }
    }
}

/// A wire, perhaps with compression, whose octets are counted.
pub(crate) struct Transport {
    wire: Wire,
    deflate: Option<Box<Deflate>>,
    metrics: Arc<ListenerMetrics>,
    write_limit: Duration,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Transport {
    pub(crate) fn new(
        wire: Wire,
        metrics: Arc<ListenerMetrics>,
        write_limit: Duration,
    ) -> Transport {
        Transport {
            wire,
            deflate: None,
            metrics,
            write_limit,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    pub(crate) fn tls(&self) -> Option<&rustls::ServerConnection> {
        self.wire.tls()
    }

    pub(crate) fn is_compressed(&self) -> bool {
        self.deflate.is_some()
    }

    /// Appends what has come, at most `at_most` octets; 0 when the peer will send no more. Cancel-safe.
    pub(crate) async fn read(&mut self, into: &mut Vec<u8>, at_most: usize) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, into, at_most)).await
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut Vec<u8>,
        at_most: usize,
    ) -> Poll<io::Result<usize>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let window = at_most.min(scratch.len());
            let mut buffer = ReadBuf::new(scratch.get_mut(..window).unwrap_or_default());
            match &mut self.deflate {
                None => ready!(Pin::new(&mut self.wire).poll_read(cx, &mut buffer))?,
                Some(deflate) => ready!(deflate.poll_read(&mut self.wire, cx, &mut buffer))?,
            }
            let count = buffer.filled().len();
            into.extend_from_slice(buffer.filled());
            self.bytes_in += count as u64;
            self.metrics.bytes_in.add(count as u64);
            Poll::Ready(Ok(count))
        })
    }

    /// Returns when all of `queue` has left for the system.
    ///
    /// # Errors
    /// `TimedOut` when the peer takes nothing for the write timeout.
    pub(crate) async fn write(&mut self, queue: &mut VecDeque<Bytes>) -> io::Result<()> {
        let count: u64 = queue.iter().map(|bytes| bytes.len() as u64).sum();
        if let Some(deflate) = &mut self.deflate {
            let compressed = deflate.compress(queue)?;
            queue.clear();
            queue.push_back(compressed);
        }
        while queue.front().is_some() {
            let taken = self
                .patiently(|wire, cx| poll_write_queue(wire, cx, queue))
                .await?;
            advance(queue, taken);
        }
        self.patiently(|wire, cx| wire.poll_flush(cx)).await?;
        self.bytes_out += count;
        self.metrics.bytes_out.add(count);
        Ok(())
    }

    async fn patiently<T>(
        &mut self,
        mut poll: impl FnMut(Pin<&mut Wire>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> io::Result<T> {
        let wire = &mut self.wire;
        timeout(
            self.write_limit,
            poll_fn(|cx| poll(Pin::new(&mut *wire), cx)),
        )
        .await?
    }

    /// Negotiates TLS; see [`Wire::start_tls`].
    pub(crate) async fn start_tls(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        let outcome = self.wire.start_tls(config).await;
        self.metrics.count_handshake(&outcome);
        outcome
    }

    /// RFC 4978: compresses from the next octet on, both ways. `early` was read already and belongs to the
    /// compressed stream.
    pub(crate) fn start_compression(&mut self, early: Vec<u8>) {
        self.deflate = Some(Box::new(Deflate::new(early)));
    }

    /// close_notify, FIN, and a short wait for the peer's own.
    pub(crate) async fn close(&mut self) {
        if self
            .patiently(|wire, cx| wire.poll_shutdown(cx))
            .await
            .is_ok()
        {
            let _ = timeout(LINGER, self.drain()).await;
        }
    }

    fn drain(&mut self) -> impl Future<Output = io::Result<()>> {
        poll_fn(|cx| {
            SCRATCH.with_borrow_mut(|scratch| {
                loop {
                    let mut buffer = ReadBuf::new(scratch);
                    ready!(Pin::new(&mut self.wire).poll_read(cx, &mut buffer))?;
                    if buffer.filled().is_empty() {
                        return Poll::Ready(Ok(()));
                    }
                }
            })
        })
    }
}

fn poll_write_queue(
    wire: Pin<&mut Wire>,
    cx: &mut Context<'_>,
    queue: &VecDeque<Bytes>,
) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let mut filled = 0;
    for (slot, bytes) in slices
        .iter_mut()
        .zip(queue.iter().filter(|bytes| !bytes.is_empty()))
    {
        *slot = IoSlice::new(bytes);
        filled += 1;
    }
    if filled == 0 {
        return Poll::Ready(Ok(0));
    }
    match ready!(wire.poll_write_vectored(cx, slices.get(..filled).unwrap_or_default()))? {
        0 => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
        taken => Poll::Ready(Ok(taken)),
    }
}

/// Drops what has been written, and whatever is empty.
fn advance(queue: &mut VecDeque<Bytes>, mut taken: usize) {
    while let Some(front) = queue.front_mut() {
        if front.len() > taken {
            front.advance(taken);
            return;
        }
        taken -= front.len();
        queue.pop_front();
    }
}
