//! Many messages in one file, each after a line that begins with `From ` (RFC 4155 and what mail programs make of it).
//!
//! A message begins at a `From ` line at the start of the file or after an empty line. `>From ` loses its sign
//! again: mboxrd writes one more sign in front of any number, mboxo only in front of none, and taking one off is right
//! for both. Flags are in `Status` and `X-Status` (mail programs of the mbox age) and `X-Mozilla-Status` (Thunderbird). An export of ours says how
//! many lines it put in front of a message ([`MboxMark`]), so its octets come back as they were.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use bytes::Bytes;
use waxwing_admin::protocol::ImportHeader;

use super::{Gone, LARGEST, Sink, civil};
use crate::export::MboxMark;

/// Reads every message of a file.
pub(super) fn read(path: &Path, folder: &[String], sink: &mut Sink) -> Result<(), Gone> {
    match File::open(path) {
        Ok(file) => read_from(
            BufReader::with_capacity(1 << 17, file),
            &path.display().to_string(),
            folder,
            sink,
        ),
        Err(error) => {
            sink.problem(path.display().to_string(), error);
            Ok(())
        }
    }
}

/// A message that is being read.
#[derive(Default)]
struct Open {
    number: u64,
    internal_date: Option<i64>,
    octets: Vec<u8>,
    too_large: bool,
}

fn read_from(
    mut file: impl BufRead,
    name: &str,
    folder: &[String],
    sink: &mut Sink,
) -> Result<(), Gone> {
    let mut open: Option<Open> = None;
    let (mut line, mut after_empty, mut number) = (Vec::new(), true, 0);
    loop {
        line.clear();
        match file.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                sink.problem(format!("{name}, message {number}"), error);
                break;
            }
        }
        if after_empty && line.starts_with(b"From ") {
            finish(open.take(), name, folder, sink)?;
            number += 1;
            open = Some(Open {
                number,
                internal_date: postmark(&line),
                ..Open::default()
            });
        } else if let Some(open) = &mut open {
            let quoted = line
                .iter()
                .position(|octet| *octet != b'>')
                .unwrap_or_default();
            let is_quoted = quoted > 0
                && line
                    .get(quoted..)
                    .is_some_and(|rest| rest.starts_with(b"From "));
            let text = if is_quoted {
                line.get(1..).unwrap_or_default()
            } else {
                &line
            };
            if open.octets.len() + text.len() > LARGEST as usize {
                open.too_large = true;
            } else {
                open.octets.extend_from_slice(text);
            }
        }
        after_empty = line == b"\n" || line == b"\r\n";
    }
    finish(open, name, folder, sink)
}

fn finish(open: Option<Open>, name: &str, folder: &[String], sink: &mut Sink) -> Result<(), Gone> {
    let Some(mut open) = open else { return Ok(()) };
    let origin = format!("{name}, message {}", open.number);
    if open.too_large {
        sink.problem(origin, format!("larger than {LARGEST} octets"));
        return Ok(());
    }
    if let Some((header, octets)) = exported(&open, folder) {
        return sink.message(ImportHeader { origin, ..header }, octets);
    }
    // The empty line before the next From line belongs to the file and not to the message.
    for end in [&b"\n\r\n"[..], b"\n\n"] {
        if open.octets.ends_with(end)
            && header_end(&open.octets).is_some_and(|body| body < open.octets.len())
        {
            open.octets.truncate(open.octets.len() + 1 - end.len());
            break;
        }
    }
    let header = ImportHeader {
        folder: folder.to_vec(),
        flags: flags(&open.octets),
        internal_date: open.internal_date,
        as_is: false,
        origin,
    };
    sink.message(header, Bytes::from(open.octets))
}

/// A message that an export wrote, without what it put in front.
fn exported(open: &Open, folder: &[String]) -> Option<(ImportHeader, Bytes)> {
    let mut lines = open.octets.split_inclusive(|octet| *octet == b'\n');
    let first = lines.next()?;
    let mark = MboxMark::parse(first.strip_suffix(b"\n")?)?;
    let fields: Vec<&[u8]> = lines.by_ref().take(mark.lines).collect();
    let octets: Vec<u8> = lines.flatten().copied().take(mark.octets).collect();
    if fields.len() != mark.lines || octets.len() != mark.octets {
        return None;
    }
    let header = ImportHeader {
        folder: folder.to_vec(),
        flags: flags_parted_by(&fields.concat(), &[' ']),
        internal_date: open.internal_date,
        as_is: mark.as_is,
        origin: String::new(),
    };
    Some((header, octets.into()))
}

/// Where the body begins.
fn header_end(octets: &[u8]) -> Option<usize> {
    let lf = octets
        .windows(2)
        .position(|two| two == b"\n\n")
        .map(|at| at + 2);
    let crlf = octets
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|at| at + 4);
    match (lf, crlf) {
        (Some(lf), Some(crlf)) => Some(lf.min(crlf)),
        (lf, crlf) => lf.or(crlf),
    }
}

fn flags(octets: &[u8]) -> Vec<String> {
    flags_parted_by(octets, &[' ', ','])
}

/// Keywords of IMAP may have a comma in them; other programs part them by commas.
fn flags_parted_by(octets: &[u8], between: &[char]) -> Vec<String> {
    let header = octets
        .get(..header_end(octets).unwrap_or(octets.len()))
        .unwrap_or_default();
    let header = String::from_utf8_lossy(header);
    let mut flags = Vec::new();
    for line in header.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "status" | "x-status" => flags.extend(value.chars().filter_map(status)),
            "x-mozilla-status" => flags.extend(mozilla(value.trim())),
            "x-keywords" => flags.extend(
                value
                    .split(between)
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned),
            ),
            _ => {}
        }
    }
    flags.sort();
    flags.dedup();
    flags
}

fn status(letter: char) -> Option<String> {
    let flag = match letter {
        'R' => "\\Seen",
        'A' => "\\Answered",
        'F' => "\\Flagged",
        'T' => "\\Draft",
        'D' => "\\Deleted",
        _ => return None,
    };
    Some(flag.to_owned())
}

/// Bits of Thunderbird's `nsMsgMessageFlags`.
fn mozilla(hex: &str) -> Vec<String> {
    let bits = u32::from_str_radix(hex, 16).unwrap_or(0);
    let flags = [
        (0x1, "\\Seen"),
        (0x2, "\\Answered"),
        (0x4, "\\Flagged"),
        (0x8, "\\Deleted"),
        (0x1000, "$Forwarded"),
    ];
    flags
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, flag)| (*flag).to_owned())
        .collect()
}

/// The time in `From a@b Sat Jan  3 01:05:34 1996`, as UTC (RFC 4155); some write the zone before or after the year.
fn postmark(line: &[u8]) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let at = words
        .iter()
        .rposition(|word| word.len() >= 7 && word.split(':').count() >= 2)?;
    let clock: Vec<i64> = words
        .get(at)?
        .split(':')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let day: i64 = words.get(at.checked_sub(1)?)?.parse().ok()?;
    let name = words.get(at.checked_sub(2)?)?;
    let month = MONTHS.find(name.get(..3)?).filter(|found| found % 3 == 0)? / 3 + 1;
    let year = words
        .get(at + 1..)?
        .iter()
        .find_map(|word| word.parse::<i64>().ok().filter(|year| *year >= 1970))?;
    let of_day = match clock.as_slice() {
        [hour, minute] => hour * 3600 + minute * 60,
        [hour, minute, second] => hour * 3600 + minute * 60 + second,
        _ => return None,
    };
    Some(civil::day_of_date(year, i64::try_from(month).ok()?, day) * 86_400 + of_day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use waxwing_admin::protocol::ImportMessage;

    use super::*;

    fn messages(text: &[u8]) -> Vec<ImportMessage> {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(100);
        let mut sink = Sink {
            messages: sender,
            problems: Vec::new(),
        };
        read_from(text, "x.mbox", &["INBOX".to_owned()], &mut sink).unwrap();
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    #[test]
    fn messages_are_parted_at_from_lines_after_empty_lines() {
        let found = messages(b"From a x\nSubject: 1\n\n>From there\nFrom here\n>>From deep\n\nFrom b x\nSubject: 2\n\nb\n");
        let texts: Vec<_> = found
            .iter()
            .map(|m| String::from_utf8_lossy(&m.message).into_owned())
            .collect();
        assert_eq!(
            texts,
            [
                "Subject: 1\n\nFrom there\nFrom here\n>From deep\n",
                "Subject: 2\n\nb\n"
            ]
        );
        assert_eq!(found[0].header.origin, "x.mbox, message 1");
    }

    #[test]
    fn the_empty_line_between_messages_belongs_to_neither() {
        let found = messages(b"From a x\nSubject: 1\n\nbody\n\n\nFrom b x\nSubject: 2\n\n");
        assert_eq!(&found[0].message[..], b"Subject: 1\n\nbody\n\n");
        assert_eq!(&found[1].message[..], b"Subject: 2\n\n");
    }

    #[test]
    fn flags_come_from_the_headers_that_mail_programs_write() {
        let text = b"From a x\nStatus: RO\nX-Status: AF\nX-Keywords: work, home\n\nStatus: D\n";
        assert_eq!(
            messages(text)[0].header.flags,
            ["\\Answered", "\\Flagged", "\\Seen", "home", "work"]
        );
        assert_eq!(mozilla("1005"), ["\\Seen", "\\Flagged", "$Forwarded"]);
    }

    #[test]
    fn the_time_of_arrival_is_in_the_from_line() {
        assert_eq!(
            postmark(b"From MAILER-DAEMON Thu Jan  1 00:00:01 1970\n"),
            Some(1)
        );
        assert_eq!(
            postmark(b"From a@b.test Sat Jan 03 01:05:34 MET 1998\n"),
            Some(883_789_534)
        );
        assert_eq!(postmark(b"From - x\n"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_as_mboxrd_is_read_back(bodies in proptest::collection::vec("([a-zA-Z>: ]{0,12}\n){1,6}", 1..5)) {
            let mut file = Vec::new();
            for body in &bodies {
                file.extend_from_slice(b"From a@b.test Thu Jan  1 00:00:01 1970\nSubject: s\n\n");
                for line in body.split_inclusive('\n') {
                    if line.trim_start_matches('>').starts_with("From ") {
                        file.push(b'>');
                    }
                    file.extend_from_slice(line.as_bytes());
                }
                file.push(b'\n');
            }
            let found = messages(&file);
            prop_assert_eq!(found.len(), bodies.len());
            for (message, body) in found.iter().zip(&bodies) {
                let written = format!("Subject: s\n\n{body}");
                prop_assert_eq!(&message.message[..], written.as_bytes());
            }
        }

        #[test]
        fn no_file_makes_the_reader_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut file = b"From a x\n".to_vec();
            file.extend_from_slice(&octets);
            messages(&file);
        }
    }
}
