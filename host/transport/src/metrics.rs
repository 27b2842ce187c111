//! What the queue has done since the start of the process.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of recipients.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) delivered: AtomicU64,
    pub(crate) deferred: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) reports: AtomicU64,
    pub(crate) connections: AtomicU64,
}

/// The queue in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueMetrics {
    /// Messages queued now.
    pub messages: u64,
    /// Recipients that they have not reached yet.
    pub recipients: u64,
    /// Recipients being tried now.
    pub active: u64,
    /// Recipients handed over to the next hop.
    pub delivered: u64,
    /// Attempts that ended with "later".
    pub deferred: u64,
    /// Recipients given up.
    pub failed: u64,
    /// Reports made.
    pub reports: u64,
    /// Connections made.
    pub connections: u64,
}

pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}

pub(crate) fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
