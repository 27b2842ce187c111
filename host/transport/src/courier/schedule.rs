//! When a recipient is tried again, and when no more.

use std::time::Duration;

use crate::TransportConfig;

/// Of the wait: hosts that were down together are not asked together.
const JITTER: f64 = 0.1;
/// Between two attempts of whatever cannot be settled or looked up.
pub(super) const TROUBLE: Duration = Duration::from_secs(5);

/// The part of the configuration that is about time.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    retry: Vec<Duration>,
    expire: i64,
    delay_notice: i64,
}

/// What follows a temporary failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// At this time; whether the sender is to be told that it takes long.
    Retry {
        due: i64,
        tell: bool,
    },
    GiveUp,
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Schedule {
    pub(super) fn new(config: &TransportConfig) -> Schedule {
        Schedule {
            retry: config.retry.clone(),
            expire: milliseconds(config.expire),
            delay_notice: milliseconds(config.delay_notice),
        }
    }

    /// When a message that began to run at `since` is given up.
    pub(super) fn until(&self, since: i64) -> i64 {
        since.saturating_add(self.expire)
    }

    /// After attempt number `attempts`, counted from 1, of a message that began to run at `since`.
    pub(super) fn next(&self, since: i64, attempts: u32, now: i64, jitter: f64) -> Next {
        if now >= self.until(since) {
            return Next::GiveUp;
        }
        let at = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = self.retry.get(at).or(self.retry.last());
        let wait = wait.copied().unwrap_or(Duration::from_secs(300));
        let wait = wait.mul_f64(1.0 + JITTER * jitter.clamp(0.0, 1.0));
        // The last attempt is made when the time is up, not hours before.
        let due = now
            .saturating_add(milliseconds(wait).max(1))
            .min(self.until(since));
        Next::Retry {
            due,
            tell: now >= since.saturating_add(self.delay_notice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule::new(&TransportConfig {
            retry: vec![Duration::from_secs(1), Duration::from_secs(10)],
            expire: Duration::from_secs(100),
            delay_notice: Duration::from_secs(20),
            ..TransportConfig::default()
        })
    }

    #[test]
    fn waits_grow_and_the_last_is_repeated() {
        let due = |attempts| schedule().next(0, attempts, 1_000, 0.0);
        let retry = |due| Next::Retry { due, tell: false };
        assert_eq!(
            [due(1), due(2), due(9)],
            [retry(2_000), retry(11_000), retry(11_000)]
        );
        assert_eq!(schedule().next(0, 2, 0, 1.0), retry(11_000));
    }

    #[test]
    fn the_sender_is_told_and_at_last_it_is_given_up() {
        let tells = |now| {
            matches!(
                schedule().next(0, 1, now, 0.0),
                Next::Retry { tell: true, .. }
            )
        };
        assert!(!tells(19_999) && tells(20_000));
        assert_eq!(
            schedule().next(0, 5, 99_500, 0.0),
            Next::Retry {
                due: 100_000,
                tell: true
            }
        );
        assert_eq!(schedule().next(0, 5, 100_000, 0.0), Next::GiveUp);
    }
}
