//! Maildir and Maildir++: a file a message, flags in its name, folders as `.A.B` beside `cur` and `new`.
//!
//! Source: D. J. Bernstein, "Using maildir format"; Maildir++ as Courier and Dovecot write it. Dovecot's keywords
//! (lower-case flags) are named by the file `dovecot-keywords` in the same folder.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use waxwing_admin::protocol::ImportHeader;

use super::{Gone, Sink, eml, entries};

/// Whether a folder is a Maildir.
pub(super) fn is_maildir(directory: &Path) -> bool {
    directory.join("cur").is_dir() && directory.join("new").is_dir()
}

/// Whether a name in a folder is read as part of the Maildir that the folder is.
pub(super) fn is_part_of_maildir(directory: &Path, name: &str) -> bool {
    is_maildir(directory) && (["cur", "new", "tmp"].contains(&name) || name.starts_with('.'))
}

/// The Maildir itself and its Maildir++ folders, with their names.
pub(super) fn folders(directory: &Path) -> io::Result<Vec<(PathBuf, Vec<String>)>> {
    let mut folders = vec![(directory.to_owned(), Vec::new())];
    for path in entries(directory)? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if let Some(levels) = name.strip_prefix('.')
            && is_maildir(&path)
        {
            folders.push((
                path,
                levels
                    .split('.')
                    .filter(|level| !level.is_empty())
                    .map(decoded)
                    .collect(),
            ));
        }
    }
    Ok(folders)
}

/// How many messages there are.
pub(super) fn count(directory: &Path) -> u64 {
    ["cur", "new"]
        .iter()
        .filter_map(|part| fs::read_dir(directory.join(part)).ok())
        .map(|entries| entries.count() as u64)
        .sum()
}

/// Reads one folder.
pub(super) fn read(directory: &Path, folder: &[String], sink: &mut Sink) -> Result<(), Gone> {
    let keywords = keywords(directory);
    for part in ["cur", "new"] {
        let paths = match entries(&directory.join(part)) {
            Ok(paths) => paths,
            Err(error) => {
                sink.problem(directory.join(part).display().to_string(), error);
                continue;
            }
        };
        for path in paths.into_iter().filter(|path| path.is_file()) {
            let origin = path.display().to_string();
            match eml::bounded(&path) {
                Ok(message) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let header = ImportHeader {
                        folder: folder.to_vec(),
                        flags: flags(&name, &keywords),
                        internal_date: arrival(&path),
                        as_is: is_wire_form(&name, message.len()),
                        origin,
                    };
                    sink.message(header, message)?;
                }
                Err(reason) => sink.problem(origin, reason),
            }
        }
    }
    Ok(())
}

/// The file's time, which the delivery agent set and copies of Maildirs keep.
fn arrival(path: &Path) -> Option<i64> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// Whether the name says that the file has as many octets as the message on the wire (Maildir++'s `S=` and `W=`): then its line
/// ends are those of the wire.
fn is_wire_form(name: &str, octets: usize) -> bool {
    let base = name.split(':').next().unwrap_or(name);
    let says = |field: &str| {
        let value = base.split(',').find_map(|part| part.strip_prefix(field));
        value.and_then(|value| value.parse().ok()) == Some(octets)
    };
    says("S=") && says("W=")
}

/// `…:2,FS`, or with another separator where a file system forbids the colon.
fn flags(name: &str, keywords: &BTreeMap<char, String>) -> Vec<String> {
    let letters = name.rsplit_once("2,").map_or("", |(_, letters)| letters);
    letters
        .chars()
        .filter_map(|letter| match letter {
            'D' => Some("\\Draft".to_owned()),
            'F' => Some("\\Flagged".to_owned()),
            'P' => Some("$Forwarded".to_owned()),
            'R' => Some("\\Answered".to_owned()),
            'S' => Some("\\Seen".to_owned()),
            'T' => Some("\\Deleted".to_owned()),
            other => keywords.get(&other).cloned(),
        })
        .collect()
}

/// `0 $Label1` is what the letter `a` means, and so on.
fn keywords(directory: &Path) -> BTreeMap<char, String> {
    let text = fs::read_to_string(directory.join("dovecot-keywords")).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let (number, name) = line.split_once(' ')?;
            let letter = number.parse::<u8>().ok().filter(|number| *number < 26)?;
            Some((char::from(b'a' + letter), name.to_owned()))
        })
        .collect()
}

/// A level as a part of a Maildir++ name; dots and slashes are coded as well, so that they part nothing.
pub(crate) fn encoded(level: &str) -> String {
    let plain = |letter: char| matches!(letter, ' '..='~') && !matches!(letter, '&' | '.' | '/');
    let mut name = String::new();
    let mut letters = level.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '&' => name.push_str("&-"),
            letter if plain(letter) => name.push(letter),
            letter => {
                let mut units = vec![letter];
                while let Some(next) = letters.next_if(|next| !plain(*next) && *next != '&') {
                    units.push(next);
                }
                let units: String = units.into_iter().collect();
                name.push_str(&format!("&{}-", coded(&units)));
            }
        }
    }
    name
}

/// Base 64 with `,` for `/` and no padding, of UTF-16.
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

fn coded(text: &str) -> String {
    let (mut bits, mut count, mut out) = (0u32, 0u32, String::new());
    let mut push = |six: u32| {
        let letter = usize::try_from(six & 63).ok();
        out.extend(letter.and_then(|six| ALPHABET.get(six..=six)));
    };
    for unit in text.encode_utf16() {
        bits = (bits << 16) | u32::from(unit);
        count += 16;
        while count >= 6 {
            count -= 6;
            push(bits >> count);
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        push(bits << (6 - count));
    }
    out
}

/// Maildir++ names are in modified UTF-7 (RFC 3501, section 5.1.3); what is not stays as it is.
fn decoded(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((coded, following)) = after.split_once('-') else {
            return name.to_owned();
        };
        rest = following;
        if coded.is_empty() {
            out.push('&');
            continue;
        }
        match utf16_of(coded) {
            Some(text) => out.push_str(&text),
            None => return name.to_owned(),
        }
    }
    out.push_str(rest);
    out
}

fn utf16_of(coded: &str) -> Option<String> {
    let (mut bits, mut count, mut units) = (0u32, 0u32, Vec::new());
    for letter in coded.chars() {
        bits = (bits << 6) | u32::try_from(ALPHABET.find(letter)?).ok()?;
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push(u16::try_from((bits >> count) & 0xffff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Target, find};

    fn maildir(path: &Path) {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(path.join(part)).unwrap();
        }
    }

    #[test]
    fn subfolders_come_with_it_and_their_names_are_decoded() {
        let root = tempfile::tempdir().unwrap();
        maildir(root.path());
        maildir(&root.path().join(".Archive.2024"));
        maildir(&root.path().join(".Entw&APw-rfe"));
        let sources = find(&[root.path().to_owned()], &Target::new(None)).unwrap();
        let folders: Vec<_> = sources
            .iter()
            .map(|source| source.folder.join("/"))
            .collect();
        assert_eq!(folders, ["INBOX", "Archive/2024", "Entwürfe"]);
    }

    #[test]
    fn flags_and_time_come_from_the_file() {
        let root = tempfile::tempdir().unwrap();
        maildir(root.path());
        fs::write(root.path().join("dovecot-keywords"), "0 $Label1\n1 work\n").unwrap();
        let file = root.path().join("cur/1.x:2,FSb");
        fs::write(&file, "Subject: a\n\n").unwrap();
        let then = UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(then)
            .unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::channel(10);
        let mut sink = Sink {
            messages: sender,
            problems: Vec::new(),
        };
        read(root.path(), &["INBOX".to_owned()], &mut sink).unwrap();
        let header = receiver.try_recv().unwrap().header;
        assert_eq!(header.flags, ["\\Flagged", "\\Seen", "work"]);
        assert_eq!(header.internal_date, Some(1_000_000_000));
    }

    #[test]
    fn a_name_that_is_not_utf_7_stays_as_it_is() {
        assert_eq!(decoded("R&D"), "R&D");
        assert_eq!(decoded("R&-D"), "R&D");
        assert_eq!(decoded("&2D3eAA-"), "\u{1f600}");
        assert_eq!(decoded("&!!-"), "&!!-");
    }
}
