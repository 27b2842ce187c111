//! Whether a version fails more than its `[slo]` allows. Fed with every failed turn, and once in a while with the count
//! of all turns, so that a turn that goes well costs nothing here.
//!
//! The window slides in [`SLICES`] steps: what is compared are the sums of now and those of the oldest sample in it.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::slo::Slo;

/// Steps in which the window slides.
const SLICES: u32 = 12;

/// Sums at a moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    turns: u64,
    failures: u64,
}

#[derive(Debug)]
pub(crate) struct Monitor {
    pub(crate) slo: Slo,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The oldest at the front; none is older than the window, but for the first.
    samples: VecDeque<Sample>,
    /// Failed turns, ever.
    failures: u64,
    /// Turns, when they were last told.
    turns: u64,
}

impl Monitor {
    pub(crate) fn new(slo: Slo) -> Monitor {
        Monitor {
            slo,
            seen: Mutex::default(),
        }
    }

    fn window(&self) -> Duration {
        Duration::from_secs(self.slo.window_seconds)
    }

    /// Tells how many turns there were by now.
    pub(crate) fn sample(&self, now: Instant, turns: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.turns = turns;
        self.advance(&mut seen, now);
    }

    /// Starts a sample when one is due, and drops what has left the window.
    fn advance(&self, seen: &mut Seen, now: Instant) {
        let step = self.window() / SLICES;
        let due = seen
            .samples
            .back()
            .is_none_or(|last| now.saturating_duration_since(last.at) >= step);
        if due {
            let (turns, failures) = (seen.turns, seen.failures);
            seen.samples.push_back(Sample {
                at: now,
                turns,
                failures,
            });
        }
        while seen.samples.len() > 1
            && seen
                .samples
                .front()
                .is_some_and(|first| now.saturating_duration_since(first.at) > self.window())
        {
            seen.samples.pop_front();
        }
    }

    /// Counts a failed turn; `turns` are those that did not fail. `Some` says in words what is more than allowed, and
    /// what was seen is forgotten then.
    pub(crate) fn failed(&self, now: Instant, turns: u64) -> Option<String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.samples.is_empty() {
            // Before the first sample nothing was told: this window begins with the version.
            seen.samples.push_back(Sample {
                at: now,
                turns: 0,
                failures: 0,
            });
        }
        seen.turns = turns;
        self.advance(&mut seen, now);
        seen.failures += 1;
        let first = *seen.samples.front()?;
        let failures = seen.failures - first.failures;
        let turns = turns.saturating_sub(first.turns) + failures;
        let percent = failures as f64 * 100.0 / turns as f64;
        if failures <= self.slo.max_failures || percent <= self.slo.max_failure_percent {
            return None;
        }
        seen.samples.clear();
        let (allowed, within) = (self.slo.max_failures, self.slo.window_seconds);
        Some(format!(
            "{failures} of {turns} turns failed within {within} s; max_failures = {allowed}, max_failure_percent = {}",
            self.slo.max_failure_percent
        ))
    }

    /// Forgets what was seen: the version gets another chance.
    pub(crate) fn forget(&self, now: Instant, turns: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.samples.clear();
        seen.turns = turns;
        self.advance(&mut seen, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor(max_failures: u64, max_failure_percent: f64) -> (Monitor, Instant) {
        let slo = Slo {
            max_failures,
            max_failure_percent,
            ..Slo::default()
        };
        (Monitor::new(slo), Instant::now())
    }

    #[test]
    fn one_failure_more_than_allowed_is_too_many() {
        let (monitor, now) = monitor(5, 0.1);
        for _ in 0..5 {
            assert_eq!(monitor.failed(now, 100), None);
        }
        assert_eq!(
            monitor.failed(now, 100).unwrap(),
            "6 of 106 turns failed within 60 s; max_failures = 5, max_failure_percent = 0.1"
        );
    }

    #[test]
    fn failures_that_have_left_the_window_do_not_count() {
        let (monitor, start) = monitor(1, 0.0);
        for minute in 0..10 {
            let now = start + Duration::from_secs(70 * minute);
            assert_eq!(monitor.failed(now, minute), None, "minute {minute}");
        }
        let again = start + Duration::from_secs(70 * 9 + 10);
        assert!(monitor.failed(again, 10).is_some());
    }

    #[test]
    fn the_same_failures_are_few_among_many_turns() {
        let (monitor, start) = monitor(2, 1.0);
        monitor.sample(start, 0);
        for second in 1..=30 {
            monitor.sample(start + Duration::from_secs(second), second * 100);
        }
        let now = start + Duration::from_secs(31);
        for _ in 0..30 {
            assert_eq!(monitor.failed(now, 3_000), None);
        }
        assert!(monitor.failed(now, 3_000).is_some());
    }

    #[test]
    fn turns_of_long_ago_do_not_dilute_failures_of_now() {
        let (monitor, start) = monitor(2, 1.0);
        monitor.sample(start, 0);
        for second in 1..=200 {
            monitor.sample(start + Duration::from_secs(second), 1_000_000);
        }
        let now = start + Duration::from_secs(200);
        assert_eq!(monitor.failed(now, 1_000_000), None);
        assert_eq!(monitor.failed(now, 1_000_000), None);
        assert!(monitor.failed(now, 1_000_000).is_some());
    }

    #[test]
    fn what_was_forgiven_is_forgotten() {
        let (monitor, now) = monitor(1, 0.0);
        monitor.failed(now, 0);
        monitor.forget(now, 0);
        assert_eq!(monitor.failed(now, 0), None);
        assert!(monitor.failed(now, 0).is_some());
    }
}
