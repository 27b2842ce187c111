//! Who may keep a worker busy. A turn that needs less CPU time than a tick of the epoch, as nearly all do, asks nobody. One that is
//! longer is *long*: from then on it runs a tick at a time and only while it has a permit, and there is one permit less
//! than there are workers. So one worker is always free for everybody's short turns and for the sockets, whatever a plugin
//! does and on however many sessions: a neighbour waits for it a tick at most, and not behind all the long ones.
//!
//! A permit is held while the guest runs and at no other time: it is given back whenever the turn is not polled, be it that it
//! waits for its next tick or for a host call. Long turns take their ticks in the order of asking.
//!
//! Not a priority queue over all turns, which would have every short turn pay for it; not a pool of threads for long
//! turns, since what a turn will be is not known before it has run.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::meter::TurnClock;

/// The permits of a process.
#[derive(Debug, Clone)]
pub(crate) struct LongTurns(Arc<Semaphore>);

/// A turn's permit, while it has one.
#[derive(Debug, Default)]
pub(crate) struct Permit(Mutex<Option<OwnedSemaphorePermit>>);

impl LongTurns {
    /// For so many workers. With a single one there is none to spare.
    pub(crate) fn new(workers: usize) -> LongTurns {
        LongTurns(Arc::new(Semaphore::new(workers.saturating_sub(1).max(1))))
    }

    /// Lets others run, then waits for a permit for the next tick.
    pub(crate) async fn next_tick(self, clock: Arc<TurnClock>) {
        tokio::task::yield_now().await;
        // The semaphore is never closed.
        if let Ok(granted) = self.0.acquire_owned().await {
            clock.permit.keep(granted);
        }
    }
}

impl Permit {
    fn keep(&self, granted: OwnedSemaphorePermit) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(granted);
    }

    /// The guest does not run any more, for now or for good.
    pub(crate) fn give_back(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_worker_is_left_to_the_others() {
        let turns = LongTurns::new(3);
        let clocks: Vec<Arc<TurnClock>> = (0..3).map(|_| Arc::default()).collect();
        for clock in clocks.iter().take(2) {
            turns.clone().next_tick(clock.clone()).await;
        }
        let third = turns.clone().next_tick(clocks[2].clone());
        let waited = tokio::time::timeout(Duration::from_millis(20), third).await;
        assert!(waited.is_err());
        clocks[0].permit.give_back();
        turns.next_tick(clocks[2].clone()).await;
    }

    #[tokio::test]
    async fn a_single_worker_serves_all() {
        LongTurns::new(1).next_tick(Arc::default()).await;
    }
}
