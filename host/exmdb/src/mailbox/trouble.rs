//! What an operator is told when a mailbox cannot be served: one line when it begins, one every ten seconds while it lasts
//! with the failures in between, one when it is over. A full disk makes every client fail; a line for each would fill it
//! further.

use std::{
    io::Write,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{Error, MailboxGuid, body::blocking};

/// What the probe of a folder writes.
const PROBE: usize = 8192;

/// SQLite says "disk I/O error" or "unable to open" of many things: the file system is asked what is the matter with the folder.
pub(crate) async fn explained(error: Error, folder: &Path) -> Error {
    let Error::Unavailable(text) = error else {
        return error;
    };
    let folder = folder.to_owned();
    let probe = blocking(move || {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(&[0; PROBE])?;
        Ok(file.sync_all()?)
    });
    match probe.await {
        Err(Error::Full(cause)) => Error::Full(format!("{text}: {cause}")),
        Err(cause) if !text.contains(&cause.to_string()) => {
            Error::Unavailable(format!("{text}: {cause}"))
        }
        _ => Error::Unavailable(text),
    }
}

/// Between two lines about the same mailbox.
const QUIET: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
struct Lasting {
    since: Instant,
    told: Instant,
    failures: u64,
}

/// Whether a mailbox is in trouble.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// So that success costs one load.
    lasts: AtomicBool,
    lasting: Mutex<Option<Lasting>>,
}

/// What to tell.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Failing { failures: u64 },
    Nothing,
}

impl Trouble {
    pub(crate) fn failed(&self, (guid, file): (MailboxGuid, &Path), error: &Error) {
        if !error.is_trouble() {
            return;
        }
        if let Line::Failing { failures } = self.note(Instant::now()) {
            tracing::error!(mailbox = %guid, file = %file.display(), failures, %error, "the mailbox cannot be served");
        }
    }

    pub(crate) fn works(&self, (guid, file): (MailboxGuid, &Path)) {
        if !self.lasts.load(Ordering::Relaxed) {
            return;
        }
        let ended = self.held().take();
        self.lasts.store(false, Ordering::Relaxed);
        if let Some(lasting) = ended {
            let seconds = lasting.since.elapsed().as_secs();
            tracing::info!(mailbox = %guid, file = %file.display(), seconds, "the mailbox is served again");
        }
    }

    fn note(&self, now: Instant) -> Line {
        let mut held = self.held();
        self.lasts.store(true, Ordering::Relaxed);
        let lasting = held.get_or_insert(Lasting {
            since: now,
            told: now,
            failures: 0,
        });
        lasting.failures += 1;
        let first = lasting.since == now && lasting.failures == 1;
        if !first && now.duration_since(lasting.told) < QUIET {
            return Line::Nothing;
        }
        lasting.told = now;
        Line::Failing {
            failures: lasting.failures,
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Lasting>> {
        self.lasting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_that_lasts_is_told_now_and_then_with_its_failures() {
        let (trouble, now) = (Trouble::default(), Instant::now());
        assert_eq!(trouble.note(now), Line::Failing { failures: 1 });
        assert_eq!(trouble.note(now), Line::Nothing);
        assert_eq!(trouble.note(now + QUIET), Line::Failing { failures: 3 });
        assert_eq!(trouble.note(now + QUIET), Line::Nothing);
        trouble.works((MailboxGuid([1; 16]), Path::new("x")));
        assert_eq!(trouble.note(now + QUIET), Line::Failing { failures: 1 });
    }
}
