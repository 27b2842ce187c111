//! The wire under hyper: counts octets, and cuts off a peer that takes nothing or never makes clear what it speaks.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::limits;
use crate::{
    metrics::{Counter, ListenerMetrics},
    transport::Wire,
};

/// A client of HTTP/2 begins with this (RFC 9113 section 3.4); until it differs, hyper waits without a limit.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug, Default)]
pub(super) struct Octets {
    pub(super) incoming: Counter,
    pub(super) outgoing: Counter,
}

pub(super) struct Metered {
    wire: Wire,
    listener: Arc<ListenerMetrics>,
    octets: Arc<Octets>,
    write_limit: Duration,
    /// Running while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Running while what came could still become a preface, and how much of it came.
    opening: Option<(Pin<Box<Sleep>>, usize)>,
}

impl Metered {
    pub(super) fn new(
        wire: Wire,
        listener: Arc<ListenerMetrics>,
        write_limit: Duration,
    ) -> Metered {
        let opening = Some((Box::pin(sleep(limits::OPENING)), 0));
        Metered {
            wire,
            listener,
            octets: Arc::default(),
            write_limit,
            stalled: None,
            opening,
        }
    }

    pub(super) fn octets(&self) -> Arc<Octets> {
        Arc::clone(&self.octets)
    }

    fn read_so_far(&mut self, new: &[u8]) {
        self.octets.incoming.add(new.len() as u64);
        self.listener.bytes_in.add(new.len() as u64);
        if let Some((_, matched)) = &mut self.opening {
            let expected = PREFACE.get(*matched..).unwrap_or_default();
            *matched += new.len();
            if new.is_empty() || new.len() >= expected.len() || !expected.starts_with(new) {
                self.opening = None;
            }
        }
    }

    fn watch_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let limit = self.write_limit;
        let clock = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(clock.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "write_timeout",
        )))
    }

    fn written(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let count = ready!(self.watch_write(cx, outcome))?;
        self.octets.outgoing.add(count as u64);
        self.listener.bytes_out.add(count as u64);
        Poll::Ready(Ok(count))
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.wire).poll_read(cx, buffer) {
            Poll::Ready(outcome) => {
                this.read_so_far(buffer.filled().get(before..).unwrap_or_default());
                Poll::Ready(outcome)
            }
            Poll::Pending => {
                let Some((clock, _)) = &mut this.opening else {
                    return Poll::Pending;
                };
                ready!(clock.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no request")))
            }
        }
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.wire).poll_write(cx, bytes);
        this.written(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.wire).poll_write_vectored(cx, slices);
        this.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.wire).poll_flush(cx);
        this.watch_write(cx, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.wire).poll_shutdown(cx);
        this.watch_write(cx, outcome)
    }
}
