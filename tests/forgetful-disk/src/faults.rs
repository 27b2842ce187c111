//! What is to go wrong, by path.

use std::time::Duration;

use fuser::Errno;

/// What an operation does to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    Read,
    Write,
    Sync,
}

#[derive(Debug)]
struct Failure {
    /// None: any.
    touch: Option<Touch>,
    errno: Errno,
    part: String,
}

/// Rules; the first that fits decides.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    failures: Vec<Failure>,
    delays: Vec<(Duration, String)>,
}

impl Faults {
    /// # Errors
    /// What is wrong with the words.
    pub(crate) fn fail(&mut self, touch: &str, errno: &str, part: &str) -> Result<(), String> {
        let touch = match touch {
            "read" => Some(Touch::Read),
            "write" => Some(Touch::Write),
            "sync" => Some(Touch::Sync),
            "all" => None,
            other => return Err(format!("{other} is none of read, write, sync, all")),
        };
        let errno = match errno {
            "ENOSPC" => Errno::ENOSPC,
            "EROFS" => Errno::EROFS,
            "EIO" => Errno::EIO,
            "EDQUOT" => Errno::EDQUOT,
            "EMFILE" => Errno::EMFILE,
            other => return Err(format!("unknown errno {other}")),
        };
        self.failures.push(Failure {
            touch,
            errno,
            part: part.to_owned(),
        });
        Ok(())
    }

    pub(crate) fn delay(&mut self, delay: Duration, part: &str) {
        self.delays.push((delay, part.to_owned()));
    }

    pub(crate) fn clear(&mut self) {
        *self = Faults::default();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.failures.is_empty() && self.delays.is_empty()
    }

    pub(crate) fn failure(&self, touch: Touch, path: &str) -> Option<Errno> {
        let fits =
            |rule: &&Failure| rule.touch.is_none_or(|of| of == touch) && path.contains(&rule.part);
        self.failures.iter().find(fits).map(|rule| rule.errno)
    }

    pub(crate) fn delay_of(&self, path: &str) -> Option<Duration> {
        let rule = self.delays.iter().find(|(_, part)| path.contains(part));
        rule.map(|(delay, _)| *delay)
    }
}
