//! A file a folder. `From ` lines inside a message get a `>` in front, as do those that have some (mboxrd); line ends are LF.
//!
//! Flags stand where programs of the mbox age look for them, in `Status`, `X-Status` and `X-Keywords` in front of the message's own
//! header. That they are not the message's, and how many octets are, says the line before:
//!
//! ```text
//! From MAILER-DAEMON Sun Sep  9 01:46:40 2001
//! X-Waxwing-Mbox: lines=3; octets=26; line-ends=lf
//! Status: RO
//! X-Status: F
//! X-Keywords: work
//! Subject: the message's first line
//! ```
//!
//! `line-ends=as-is` marks a message whose line ends are not all CRLF, and whose octets are therefore left alone.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use waxwing_admin::protocol::ExportHeader;

use super::{
    Writer,
    names::{Sidecar, encoded},
    with_lf,
};
use crate::import::civil;

/// The header field that says what is not the message's.
const MARK: &str = "X-Waxwing-Mbox: ";

/// What the field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Lines behind it that are not the message's.
    pub(crate) lines: usize,
    /// Octets of the message, before `From ` lines were quoted.
    pub(crate) octets: usize,
    /// Line ends are not to be touched.
    pub(crate) as_is: bool,
}

impl Mark {
    /// Of a line without its line end.
    pub(crate) fn parse(line: &[u8]) -> Option<Mark> {
        let line = std::str::from_utf8(line).ok()?.strip_prefix(MARK)?;
        let mut parts = line.split("; ");
        let mut part = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        Some(Mark {
            lines: part("lines")?.parse().ok()?,
            octets: part("octets")?.parse().ok()?,
            as_is: match part("line-ends")? {
                "lf" => false,
                "as-is" => true,
                _ => return None,
            },
        })
    }
}

pub(super) struct Mbox {
    root: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Mbox {
    pub(super) fn new(root: &Path) -> io::Result<Mbox> {
        Sidecar::write(root)?;
        Ok(Mbox {
            root: root.to_owned(),
            file: None,
        })
    }
}

impl Writer for Mbox {
    fn folder(&mut self, path: &[String]) -> io::Result<()> {
        self.end()?;
        let Some((last, parents)) = path.split_last() else {
            return Err(io::Error::other("a folder without a name"));
        };
        let mut folder = self.root.clone();
        folder.extend(parents.iter().map(|level| encoded(level)));
        fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{}.mbox", encoded(last)));
        let file = File::options().write(true).create_new(true).open(file)?;
        self.file = Some(BufWriter::with_capacity(1 << 17, file));
        Ok(())
    }

    fn message(&mut self, header: &ExportHeader, octets: &[u8]) -> io::Result<Option<String>> {
        let Some(file) = &mut self.file else {
            return Err(io::Error::other("a message without a folder"));
        };
        let text = with_lf(octets);
        let line_ends = if text.is_some() { "lf" } else { "as-is" };
        let text = text.as_deref().unwrap_or(octets);
        writeln!(file, "From MAILER-DAEMON {}", asctime(header.internal_date))?;
        let fields = fields(&header.flags);
        writeln!(
            file,
            "{MARK}lines={}; octets={}; line-ends={line_ends}",
            fields.len(),
            text.len()
        )?;
        for field in fields {
            writeln!(file, "{field}")?;
        }
        for line in text.split_inclusive(|octet| *octet == b'\n') {
            let signs = line.iter().take_while(|octet| **octet == b'>').count();
            if line
                .get(signs..)
                .is_some_and(|rest| rest.starts_with(b"From "))
            {
                file.write_all(b">")?;
            }
            file.write_all(line)?;
        }
        if !text.ends_with(b"\n") {
            file.write_all(b"\n")?;
        }
        file.write_all(b"\n")?;
        Ok(None)
    }

    fn end(&mut self) -> io::Result<()> {
        match self.file.take() {
            Some(mut file) => file.flush(),
            None => Ok(()),
        }
    }
}

fn fields(flags: &[String]) -> Vec<String> {
    let has = |flag: &str| flags.iter().any(|other| other == flag);
    let seen = if has("\\Seen") { "RO" } else { "O" };
    let mut fields = vec![format!("Status: {seen}")];
    let letters = [
        ("\\Answered", 'A'),
        ("\\Flagged", 'F'),
        ("\\Draft", 'T'),
        ("\\Deleted", 'D'),
    ];
    let set = letters.iter().filter(|(flag, _)| has(flag));
    let letters: String = set.map(|(_, letter)| *letter).collect();
    if !letters.is_empty() {
        fields.push(format!("X-Status: {letters}"));
    }
    let keywords = flags.iter().filter(|flag| !flag.starts_with('\\'));
    let keywords: Vec<_> = keywords.map(String::as_str).collect();
    if !keywords.is_empty() {
        fields.push(format!("X-Keywords: {}", keywords.join(" ")));
    }
    fields
}

/// UTC, as RFC 4155 wants it: `Sun Sep  9 01:46:40 2001`.
fn asctime(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (day, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, date) = civil::date_of_day(day);
    let pick = |names: &[&'static str], at: i64| {
        usize::try_from(at)
            .ok()
            .and_then(|at| names.get(at).copied())
            .unwrap_or_default()
    };
    format!(
        "{} {} {date:2} {:02}:{:02}:{:02} {year:04}",
        pick(&DAYS, day.rem_euclid(7)),
        pick(&MONTHS, month - 1),
        of_day / 3600,
        of_day % 3600 / 60,
        of_day % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_written_as_other_programs_read_it() {
        assert_eq!(asctime(1_000_000_000), "Sun Sep  9 01:46:40 2001");
        assert_eq!(asctime(0), "Thu Jan  1 00:00:00 1970");
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nothing_else_is_one() {
        let mark = Mark::parse(b"X-Waxwing-Mbox: lines=3; octets=26; line-ends=as-is");
        let expected = Mark {
            lines: 3,
            octets: 26,
            as_is: true,
        };
        assert_eq!(mark, Some(expected));
        for line in ["X-Waxwing-Mbox: ", "X-Waxwing-Mbox: lines=3", "Subject: x"] {
            assert_eq!(Mark::parse(line.as_bytes()), None);
        }
    }
}
