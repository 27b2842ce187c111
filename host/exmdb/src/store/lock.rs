//! One process at a time has the store open: a command on the machine finds out that the server runs, instead of working on
//! stale memory beside it. `flock` on `<root>/lock` holds as long as the process lives and leaves nothing to clean up.
//!
//! A process that ends may hold it for a moment longer, as may a command that runs just now: it is waited for a while.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    time::{Duration, Instant},
};

use crate::{Error, Result};

/// The lock; released when dropped.
#[derive(Debug)]
pub(crate) struct StoreLock(#[expect(dead_code, reason = "held, not read")] File);

/// How long another process is waited for, and how often it is looked.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);

impl StoreLock {
    /// For a thread that may wait.
    pub(crate) fn take(root: &Path) -> Result<StoreLock> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(root.join("lock"))?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(StoreLock(file)),
                Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(LOOK);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Unavailable(format!(
                        "another process has the store {} open; stop it, or ask the running server instead",
                        root.display()
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
    }
}
