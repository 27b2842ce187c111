//! How log-ins ended, counted for whoever watches the server.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Directory, Error, Result};

/// Counts since the directory was opened. A request over HTTP that brings a password counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Logins {
    /// Somebody is logged in.
    pub succeeded: u64,
    /// Wrong user name or password, or a disabled account.
    pub denied: u64,
    /// Too many failures before it: the password was not looked at.
    pub stopped: u64,
    /// A kind of credential that is not accepted, or acting as somebody else.
    pub refused: u64,
    /// The server could not tell.
    pub failed: u64,
}

#[derive(Debug, Default)]
pub(crate) struct LoginCounters {
    succeeded: AtomicU64,
    denied: AtomicU64,
    stopped: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

impl LoginCounters {
    /// Called before the delay that a denial waits: the client may not wait for it.
    pub(crate) fn denied(&self) {
        self.denied.fetch_add(1, Ordering::Relaxed);
    }

    /// All but denials.
    pub(crate) fn count<T>(&self, outcome: &Result<T>) {
        let counter = match outcome {
            Ok(_) => &self.succeeded,
            Err(Error::Denied) => return,
            Err(Error::Limit(_)) => &self.stopped,
            Err(Error::Refused(_)) => &self.refused,
            Err(_) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Directory {
    /// How log-ins have ended.
    #[must_use]
    pub fn logins(&self) -> Logins {
        let (counters, read) = (&self.0.logins, |counter: &AtomicU64| {
            counter.load(Ordering::Relaxed)
        });
        Logins {
            succeeded: read(&counters.succeeded),
            denied: read(&counters.denied),
            stopped: read(&counters.stopped),
            refused: read(&counters.refused),
            failed: read(&counters.failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixture, PEER, TRUSTED};

    #[tokio::test]
    async fn every_log_in_is_counted_under_its_end() {
        let fixture = Fixture::with_users(&["anna"]).await;
        fixture.log_in(PEER, "anna", "secret").await.unwrap();
        for _ in 0..10 {
            fixture.log_in(PEER, "anna", "wrong").await.unwrap_err();
        }
        fixture.log_in(PEER, "anna", "secret").await.unwrap_err();
        fixture.log_in(TRUSTED, "nobody", "x").await.unwrap_err();
        let expected = Logins {
            succeeded: 1,
            denied: 11,
            stopped: 1,
            ..Logins::default()
        };
        assert_eq!(fixture.directory.logins(), expected);
    }
}
