//! One process at a time has the store open: a command on the machine finds out that the server runs, instead of working on
//! stale memory beside it. `flock` on `<root>/lock` holds as long as the process lives and leaves nothing to clean up.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use crate::{Error, Result};

/// The lock; released when dropped.
#[derive(Debug)]
pub(crate) struct StoreLock(#[expect(dead_code, reason = "held, not read")] File);

impl StoreLock {
    pub(crate) fn take(root: &Path) -> Result<StoreLock> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(root.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(StoreLock(file)),
            Err(TryLockError::WouldBlock) => Err(Error::Unavailable(format!(
                "another process has the store {} open; stop it, or ask the running server instead",
                root.display()
            ))),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}
