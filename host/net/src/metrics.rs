//! Counters of a listener: written by its connections without locks, read by whoever exports them.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows, or a level that goes up and down.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The present value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, amount: u64) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }
}

/// What one listener has done since the start.
#[derive(Debug, Default)]
pub struct ListenerMetrics {
    /// Connections that were accepted, refused ones included.
    pub accepted: Counter,
    /// Open at this moment.
    pub open: Counter,
    /// Turned away by a limit or for the want of a PROXY header.
    pub refused: Counter,
    /// Octets of the protocol, inside TLS and compression.
    pub bytes_in: Counter,
    /// Octets of the protocol, inside TLS and compression.
    pub bytes_out: Counter,
    /// TLS handshakes that succeeded.
    pub tls_handshakes: Counter,
    /// TLS handshakes that failed.
    pub tls_failed: Counter,
    /// HTTP requests.
    pub requests: Counter,
}

impl ListenerMetrics {
    pub(crate) fn count_handshake<E>(&self, outcome: &Result<(), E>) {
        match outcome {
            Ok(()) => self.tls_handshakes.add(1),
            Err(_) => self.tls_failed.add(1),
        }
    }
}
