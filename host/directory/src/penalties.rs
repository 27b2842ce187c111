//! Failed log-ins: counted, delayed, and stopped.
//!
//! Three counters per failure: the address it came from (IPv6: its /64), the account it was for (also one that does not exist, so that nothing
//! can be learned from the difference), and the pair of both.
//! The answer to a failure waits: half a second, then twice as long each time, up to a ceiling. Past a limit nothing is
//! looked at any more until the counter has rested for a window. Attempts that are stopped do not count again, so a
//! phone with an old password is let in a window after it was corrected. A success clears the pair and takes its part
//! back from the other two. An account under attack from many addresses stays open to the addresses from which its user
//! has logged in before: otherwise anybody could lock anybody out.
//!
//! Bounds: [`MAX_ENTRIES`] counters; when they are full the stalest eighth is forgotten, so a flood of made-up names costs
//! memory to nobody and can at most make the table forget what is oldest.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{Error, Result};

/// Counters in memory, about 64 octets each.
const MAX_ENTRIES: usize = 65_536;
/// How long a success makes its address trusted for the account.
const KNOWN_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// What failed log-ins cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PenaltyLimits {
    /// How long the first failure waits; it doubles with each.
    pub first_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
    /// Failures of one address for one account.
    pub per_pair: u32,
    /// Failures of one address for all accounts.
    pub per_address: u32,
    /// Failures of all addresses for one account.
    pub per_account: u32,
    /// How long a counter rests until it is forgotten.
    pub window: Duration,
}

impl Default for PenaltyLimits {
    fn default() -> Self {
        PenaltyLimits {
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(10),
            per_pair: 10,
            per_address: 60,
            per_account: 120,
            window: Duration::from_secs(15 * 60),
        }
    }
}

/// Who tries what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    address: IpAddr,
    account: [u8; 16],
}

impl Attempt {
    /// `account` is the canonical address, or what was typed when there is none.
    pub(crate) fn new(peer: IpAddr, account: &str) -> Attempt {
        let address = match peer.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
            }
        };
        let mut digest = [0; 16];
        blake3::Hasher::new()
            .update(account.to_lowercase().as_bytes())
            .finalize_xof()
            .fill(&mut digest);
        Attempt {
            address,
            account: digest,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Account([u8; 16]),
    Pair(IpAddr, [u8; 16]),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    failures: u32,
    last_failure: Instant,
    last_success: Option<Instant>,
}

pub(crate) struct Penalties {
    limits: PenaltyLimits,
    entries: Mutex<HashMap<Key, Entry>>,
}

impl Penalties {
    pub(crate) fn new(limits: PenaltyLimits) -> Penalties {
        Penalties {
            limits,
            entries: Mutex::new(HashMap::new()),
        }
    }

    /// Whether the password may be looked at.
    ///
    /// # Errors
    /// [`Error::Limit`], naming the counter and how long to wait.
    pub(crate) fn admit(&self, attempt: Attempt, now: Instant) -> Result<()> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let [address, account, pair] = keys(attempt);
        let known = entries
            .get(&pair)
            .and_then(|entry| entry.last_success)
            .is_some_and(|at| now.duration_since(at) < KNOWN_FOR);
        let counters = [
            (
                pair,
                self.limits.per_pair,
                "for this account from this address",
                true,
            ),
            (address, self.limits.per_address, "from this address", true),
            (account, self.limits.per_account, "for this account", !known),
        ];
        for (key, limit, what, applies) in counters {
            let failures = entries
                .get(&key)
                .map_or(0, |entry| self.current(entry, now));
            if applies && failures >= limit {
                let rested = entries.get(&key).map_or(Duration::ZERO, |entry| {
                    now.duration_since(entry.last_failure)
                });
                let wait = self
                    .limits
                    .window
                    .saturating_sub(rested)
                    .as_secs()
                    .div_ceil(60)
                    .max(1);
                return Err(Error::Limit(format!(
                    "{failures} {what}, try again in {wait} minutes"
                )));
            }
        }
        Ok(())
    }

    /// Counts a failure and says how long its answer waits.
    pub(crate) fn failed(&self, attempt: Attempt, now: Instant) -> Duration {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() + 3 > MAX_ENTRIES {
            self.make_room(&mut entries, now);
        }
        let [from_address, _, from_pair] = keys(attempt).map(|key| {
            let entry = entries.entry(key).or_insert(Entry {
                failures: 0,
                last_failure: now,
                last_success: None,
            });
            entry.failures = self.current(entry, now).saturating_add(1);
            entry.last_failure = now;
            entry.failures
        });
        // Who tries one password on each of many accounts waits longer too.
        let doublings = from_pair.max(from_address / 4).saturating_sub(1).min(31);
        self.limits
            .first_delay
            .saturating_mul(1 << doublings)
            .min(self.limits.max_delay)
    }

    /// Clears the pair and takes its part back from address and account.
    pub(crate) fn succeeded(&self, attempt: Attempt, now: Instant) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() + 1 > MAX_ENTRIES {
            self.make_room(&mut entries, now);
        }
        let [address, account, pair] = keys(attempt);
        let entry = entries.entry(pair).or_insert(Entry {
            failures: 0,
            last_failure: now,
            last_success: None,
        });
        let forgiven = std::mem::take(&mut entry.failures);
        entry.last_success = Some(now);
        for key in [address, account] {
            if let Some(entry) = entries.get_mut(&key) {
                entry.failures = entry.failures.saturating_sub(forgiven);
            }
        }
    }

    /// Failures that still count.
    fn current(&self, entry: &Entry, now: Instant) -> u32 {
        if now.duration_since(entry.last_failure) < self.limits.window {
            entry.failures
        } else {
            0
        }
    }

    fn make_room(&self, entries: &mut HashMap<Key, Entry>, now: Instant) {
        entries.retain(|_, entry| {
            self.current(entry, now) > 0
                || entry
                    .last_success
                    .is_some_and(|at| now.duration_since(at) < KNOWN_FOR)
        });
        if entries.len() < MAX_ENTRIES - MAX_ENTRIES / 8 {
            return;
        }
        let touched = |entry: &Entry| {
            entry
                .last_success
                .map_or(entry.last_failure, |at| at.max(entry.last_failure))
        };
        let mut times: Vec<Instant> = entries.values().map(touched).collect();
        let (_, cut, _) = times.select_nth_unstable(MAX_ENTRIES / 8);
        let cut = *cut;
        entries.retain(|_, entry| touched(entry) > cut);
    }
}

fn keys(attempt: Attempt) -> [Key; 3] {
    [
        Key::Address(attempt.address),
        Key::Account(attempt.account),
        Key::Pair(attempt.address, attempt.account),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PenaltyLimits = PenaltyLimits {
        first_delay: Duration::from_secs(1),
        max_delay: Duration::from_secs(5),
        per_pair: 3,
        per_address: 6,
        per_account: 6,
        window: Duration::from_secs(60),
    };

    fn attempt(address: &str, account: &str) -> Attempt {
        Attempt::new(address.parse().unwrap(), account)
    }

    #[test]
    fn the_delay_doubles_up_to_its_ceiling() {
        let (penalties, now, guess) = (
            Penalties::new(LIMITS),
            Instant::now(),
            attempt("192.0.2.1", "anna"),
        );
        let delays: Vec<u64> = (0..5)
            .map(|_| penalties.failed(guess, now).as_secs())
            .collect();
        assert_eq!(delays, [1, 2, 4, 5, 5]);
    }

    #[test]
    fn past_the_limit_nothing_is_looked_at_until_the_window_is_over() {
        let (penalties, now, guess) = (
            Penalties::new(LIMITS),
            Instant::now(),
            attempt("192.0.2.1", "anna"),
        );
        for _ in 0..3 {
            penalties.admit(guess, now).unwrap();
            penalties.failed(guess, now);
        }
        let refusal = penalties.admit(guess, now).unwrap_err().to_string();
        assert!(
            refusal.contains("3 for this account from this address"),
            "{refusal}"
        );
        penalties.admit(attempt("192.0.2.2", "anna"), now).unwrap();
        penalties.admit(guess, now + LIMITS.window).unwrap();
    }

    #[test]
    fn one_password_on_many_accounts_is_stopped_by_the_address() {
        let (penalties, now) = (Penalties::new(LIMITS), Instant::now());
        for number in 0..6 {
            penalties.failed(attempt("192.0.2.1", &format!("user{number}")), now);
        }
        assert!(penalties.admit(attempt("192.0.2.1", "anna"), now).is_err());
    }

    #[test]
    fn an_attack_on_an_account_does_not_lock_its_user_out() {
        let (penalties, now) = (Penalties::new(LIMITS), Instant::now());
        let home = attempt("198.51.100.7", "anna");
        penalties.succeeded(home, now);
        for number in 0..6 {
            penalties.failed(attempt(&format!("192.0.2.{number}"), "anna"), now);
        }
        assert!(
            penalties
                .admit(attempt("192.0.2.200", "anna"), now)
                .is_err()
        );
        penalties.admit(home, now).unwrap();
    }

    #[test]
    fn a_success_clears_the_pair_and_its_part_of_the_rest() {
        let (penalties, now, guess) = (
            Penalties::new(LIMITS),
            Instant::now(),
            attempt("192.0.2.1", "anna"),
        );
        for _ in 0..4 {
            penalties.failed(guess, now);
            penalties.failed(guess, now);
            penalties.succeeded(guess, now);
        }
        penalties.admit(guess, now).unwrap();
        assert_eq!(penalties.failed(guess, now), LIMITS.first_delay);
    }

    #[test]
    fn a_host_cannot_hide_among_its_ipv6_addresses() {
        let (penalties, now) = (Penalties::new(LIMITS), Instant::now());
        for number in 0..3 {
            penalties.failed(attempt(&format!("2001:db8::{number}"), "anna"), now);
        }
        assert!(
            penalties
                .admit(attempt("2001:db8::ffff:1", "anna"), now)
                .is_err()
        );
        penalties
            .admit(attempt("2001:db8:0:1::1", "anna"), now)
            .unwrap();
        for number in 0..3 {
            penalties.failed(attempt(&format!("::ffff:192.0.2.{number}"), "bob"), now);
        }
        penalties.admit(attempt("192.0.2.1", "bob"), now).unwrap();
    }

    #[test]
    fn the_table_stays_within_its_bound_and_forgets_the_stalest() {
        let (penalties, start) = (Penalties::new(LIMITS), Instant::now());
        let mut last = start;
        for number in 0..40_000_u32 {
            last = start + Duration::from_micros(number.into());
            penalties.failed(attempt("192.0.2.1", &number.to_string()), last);
        }
        assert!(penalties.entries.lock().unwrap().len() <= MAX_ENTRIES);
        assert!(
            penalties.admit(attempt("192.0.2.1", "anna"), last).is_err(),
            "the busiest address was forgotten"
        );
    }
}
