//! Who may keep a worker busy. A turn that needs little CPU time, as nearly all do, asks nobody. One that outlasts a tick of the
//! epoch is *long*: from then on it runs a tick at a time and only while it has a permit, and there is one permit less
//! than there are workers. A turn of a session whose last ones took more than `LONG` is expected to be long and has a permit from
//! its start, for many turns a little shorter than a tick keep all workers as busy as one that never ends. So one worker is always free for everybody's short turns and for the sockets, whatever a plugin
//! does and on however many sessions: a neighbour waits for it a tick at most, and not behind all the long ones.
//!
//! A permit is held while the guest runs and at no other time: it is given back whenever the turn is not polled, be it that it
//! waits for its next tick or for a host call. Long turns take their ticks in the order of asking.
//!
//! What is expected is what the session's turns took lately (`Pace`), the longest of them above all; of an instance that is new, what
//! turns of its version take on average, or a session that fails and comes back would always be unknown.
//!
//! Not a priority queue over all turns, which would have every short turn pay for it; not a pool of threads for long
//! turns, since what a turn will be is not known before it has run; not a share of CPU for each plugin, which would slow down the mail
//! of a busy day as it slows down an attack.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is expected to take this much CPU time asks before it starts.
pub(crate) const LONG: Duration = Duration::from_millis(1);

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

    /// Waits until there is a permit for a turn.
    pub(crate) async fn permit(&self, turn: &Permit) {
        // The semaphore is never closed.
        if let Ok(granted) = self.0.clone().acquire_owned().await {
            turn.keep(granted);
        }
    }
}

impl Permit {
    fn keep(&self, granted: OwnedSemaphorePermit) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(granted);
    }

    pub(crate) fn is_held(&self) -> bool {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.is_some()
    }

    /// The guest does not run any more, for now or for good.
    pub(crate) fn give_back(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// How long turns take, in nanoseconds of CPU time.
#[derive(Debug, Default)]
pub(crate) struct Pace(AtomicU64);

impl Pace {
    /// A session's, which begins as its version has it.
    pub(crate) fn like(other: &Pace) -> Pace {
        Pace(AtomicU64::new(other.0.load(Ordering::Relaxed)))
    }

    pub(crate) fn expects_a_long_turn(&self) -> bool {
        Duration::from_nanos(self.0.load(Ordering::Relaxed)) >= LONG
    }

    /// A turn of the session: a longer one counts at once, and is forgotten over the next dozen.
    pub(crate) fn learn(&self, used: Duration) {
        let (used, old) = (nanos(used), self.0.load(Ordering::Relaxed));
        self.0.store(used.max(old - old / 8), Ordering::Relaxed);
    }

    /// A turn of some session: an average over the last few dozen. Two at once may count as one.
    pub(crate) fn average(&self, used: Duration) {
        let (used, old) = (nanos(used), self.0.load(Ordering::Relaxed));
        self.0.store(old - old / 16 + used / 16, Ordering::Relaxed);
    }
}

fn nanos(used: Duration) -> u64 {
    u64::try_from(used.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::TurnClock;

    #[test]
    fn a_session_is_known_by_its_last_turns_and_a_new_one_by_its_version() {
        let (session, version) = (Pace::default(), Pace::default());
        for _ in 0..100 {
            session.learn(Duration::from_millis(4));
            version.average(Duration::from_millis(4));
        }
        assert!(session.expects_a_long_turn() && Pace::like(&version).expects_a_long_turn());
        for _ in 0..20 {
            session.learn(Duration::from_micros(50));
        }
        assert!(!session.expects_a_long_turn());
        let fresh = Pace::default();
        fresh.average(Duration::from_millis(9));
        assert!(!fresh.expects_a_long_turn());
    }

    fn turn(of: &LongTurns) -> Arc<TurnClock> {
        Arc::new(TurnClock::new(of, &Pace::default()))
    }

    #[tokio::test]
    async fn a_turn_that_has_a_permit_asks_for_no_second() {
        let clock = turn(&LongTurns::new(2));
        clock.clone().permission().await;
        clock.next_tick().await;
    }

    #[tokio::test]
    async fn one_worker_is_left_to_the_others() {
        let turns = LongTurns::new(3);
        let clocks: Vec<_> = (0..3).map(|_| turn(&turns)).collect();
        for clock in clocks.iter().take(2) {
            clock.clone().next_tick().await;
        }
        let third = clocks[2].clone().next_tick();
        let waited = tokio::time::timeout(Duration::from_millis(20), third).await;
        assert!(waited.is_err());
        clocks[0].permit.give_back();
        clocks[2].clone().next_tick().await;
    }

    #[tokio::test]
    async fn a_single_worker_serves_all() {
        turn(&LongTurns::new(1)).next_tick().await;
    }
}
