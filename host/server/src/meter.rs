//! How far a long command is: one line that is rewritten on a terminal, a line now and then elsewhere.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

pub(crate) struct Meter {
    started: Instant,
    told: Option<Instant>,
    terminal: bool,
}

impl Meter {
    pub(crate) fn new() -> Meter {
        Meter {
            started: Instant::now(),
            told: None,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Shows a line, which is given the time since the begin, unless one was shown just now.
    pub(crate) fn tell(&mut self, line: impl FnOnce(Duration) -> String) {
        let pause = if self.terminal {
            Duration::from_millis(100)
        } else {
            Duration::from_secs(5)
        };
        if self.told.unwrap_or(self.started).elapsed() < pause {
            return;
        }
        self.told = Some(Instant::now());
        let line = line(self.started.elapsed());
        if self.terminal {
            eprint!("\r\x1b[K{line}")
        } else {
            eprintln!("{line}")
        }
    }

    pub(crate) fn end(&self) {
        if self.terminal && self.told.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

/// Octets as people read them: `35.2 MB`.
pub(crate) fn octets(count: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut value = count as f64 / 1000.0;
    if count < 1000 {
        return format!("{count} octets");
    }
    for unit in units {
        if value < 1000.0 || unit == "TB" {
            return format!("{value:.1} {unit}");
        }
        value /= 1000.0;
    }
    format!("{count} octets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_have_the_unit_that_reads_best() {
        assert_eq!(octets(999), "999 octets");
        assert_eq!(octets(35_200_000), "35.2 MB");
        assert_eq!(octets(9_000_000_000_000_000), "9000.0 TB");
    }
}
