//! One command a line in, one answer a line out.

use std::{
    io::{BufRead, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use fuser::BackgroundSession;

use crate::{
    disk::{Disk, Survives, Syncs},
    mount::mount,
};

/// The disk, shared with the threads that answer the kernel.
pub(crate) type Shared = Arc<Mutex<Disk>>;

pub(crate) fn held(disk: &Shared) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Mounted<'a> {
    folder: &'a Path,
    disk: Shared,
    session: Option<BackgroundSession>,
}

/// Mounts, obeys until the input ends, unmounts.
pub(crate) fn obey(folder: &Path) -> Result<()> {
    let disk: Shared = Arc::new(Mutex::new(Disk::new()));
    let session = Some(mount(&disk, folder)?);
    let mut mounted = Mounted {
        folder,
        disk,
        session,
    };
    let mut out = std::io::stdout();
    writeln!(out, "ok mounted")?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let answer = match mounted.command(&line?) {
            Ok(answer) => format!("ok {answer}"),
            Err(error) => format!("error {error:#}"),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    mounted.unmount()
}

impl Mounted<'_> {
    fn command(&mut self, line: &str) -> Result<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.as_slice() {
            ["cut"] => held(&self.disk).cut(),
            ["revive", survives, seed] => {
                return self.revive(survives, seed.parse().context("the seed")?);
            }
            ["syncs", which] => held(&self.disk).syncs = syncs(which)?,
            ["capacity", octets] => {
                held(&self.disk).capacity = octets.parse().context("the capacity")?;
            }
            ["used"] => return Ok(held(&self.disk).used().to_string()),
            ["fail", touch, errno, part] => {
                let failed = held(&self.disk).faults.fail(touch, errno, part);
                failed.map_err(anyhow::Error::msg)?;
            }
            ["delay", milliseconds, part] => {
                let delay = Duration::from_millis(milliseconds.parse().context("milliseconds")?);
                held(&self.disk).faults.delay(delay, part);
            }
            ["clear"] => held(&self.disk).faults.clear(),
            _ => anyhow::bail!("no such command: {line}"),
        }
        Ok(String::new())
    }

    /// Mounted anew, since the kernel remembers names and pages that are gone.
    fn revive(&mut self, survives: &str, seed: u64) -> Result<String> {
        let survives = match survives {
            "forget" => Survives::Nothing,
            "any" => Survives::Anything,
            other => anyhow::bail!("{other} is neither forget nor any"),
        };
        self.unmount()?;
        let lost = held(&self.disk).revive(survives, seed);
        self.session = Some(mount(&self.disk, self.folder)?);
        let ((writes, torn), (names, forgotten)) = (lost.writes, lost.names);
        Ok(format!(
            "{torn} of {writes} writes and {forgotten} of {names} names lost"
        ))
    }

    fn unmount(&mut self) -> Result<()> {
        match self.session.take() {
            Some(session) => session.umount_and_join().context("unmounting"),
            None => Ok(()),
        }
    }
}

fn syncs(which: &str) -> Result<Syncs> {
    Ok(match which {
        "all" => Syncs::All,
        "none" => Syncs::None,
        "files" => Syncs::Files,
        "folders" => Syncs::Folders,
        other => anyhow::bail!("{other} is none of all, none, files, folders"),
    })
}
