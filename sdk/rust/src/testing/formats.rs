//! Frozen formats over the releases of a plugin. A format is closed once it was released: live sessions of that release hold
//! it. Beside every plugin lie the bytes of each format, and what each release wrote and read:
//!
//! ```text
//! frozen/1.txt           format 1: a name and the bytes of a sample state on each line, in hexadecimal
//! frozen/releases.toml   [[release]] version, writes, accepts; oldest first
//! ```
//!
//! [`check_formats`] fails when the state's bytes change without a new number, and when bytes of an older release can no
//! longer be read. [`check_releases`] fails when sessions could not follow a step from one release to the next, or back: a new
//! format is **accepted one release before it is written**, so that the release before can take the sessions back.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::frozen::Frozen;
use crate::stream::Snapshot;

/// A step of `releases.toml`.
#[derive(Debug, Deserialize)]
struct Release {
    version: String,
    writes: u32,
    accepts: Vec<u32>,
}

#[derive(Debug, Deserialize)]
struct Releases {
    release: Vec<Release>,
}

/// The part of a `plugin.toml` that is of use here.
#[derive(Debug, Deserialize)]
struct Manifest {
    version: String,
    handoff: Handoff,
}

#[derive(Debug, Deserialize)]
struct Handoff {
    writes: u32,
    accepts: Vec<u32>,
}

/// Checks `T` against the stored bytes of every format: `files` are format and text of each `frozen/N.txt`, `samples` are
/// states that between them have every field filled and every variant taken, by the names of the lines.
///
/// # Panics
/// When the bytes of the own format differ from those stored, when stored bytes are not read, or when a file or line is
/// missing; the message has the lines to add.
#[track_caller]
pub fn check_formats<T: Frozen>(files: &[(u32, &str)], samples: &[(&str, T)]) {
    let mut stored: Vec<u32> = files.iter().map(|(format, _)| *format).collect();
    let mut read = T::formats();
    stored.sort_unstable();
    read.sort_unstable();
    assert_eq!(
        stored, read,
        "formats with a file in frozen/, and formats that are read"
    );
    for (format, text) in files {
        let lines = lines(*format, text);
        for (name, bytes) in &lines {
            let snapshot = Snapshot {
                format: *format,
                bytes: bytes.clone(),
            };
            if let Err(reason) = T::from_snapshot(&snapshot) {
                panic!("frozen/{format}.txt: `{name}` is not read any more: {reason}");
            }
        }
        if *format == T::FORMAT {
            check_samples(*format, &lines, samples);
        }
    }
}

#[track_caller]
fn check_samples<T: Frozen>(format: u32, lines: &BTreeMap<&str, Vec<u8>>, samples: &[(&str, T)]) {
    for name in lines.keys() {
        assert!(
            samples.iter().any(|(sample, _)| sample == name),
            "frozen/{format}.txt: there is no sample `{name}`"
        );
    }
    let mut missing = String::new();
    for (name, sample) in samples {
        let bytes = match sample.to_snapshot() {
            Ok(snapshot) => snapshot.bytes,
            Err(reason) => panic!("`{name}` is not frozen: {reason}"),
        };
        match lines.get(name) {
            None => missing.push_str(&format!("\n{name} {}", hexadecimal(&bytes))),
            Some(stored) => assert!(
                *stored == bytes,
                "the bytes of format {format} have changed. Sessions of a released version hold the old ones: give the state a \
                 new number and keep the old type (`waxwing_sdk::frozen`).\n`{name}` was {}\nand is {}",
                hexadecimal(stored),
                hexadecimal(&bytes)
            ),
        }
    }
    assert!(
        missing.is_empty(),
        "frozen/{format}.txt lacks lines:{missing}"
    );
}

/// Checks a manifest against `frozen/releases.toml` and the formats that the state's type reads.
///
/// # Panics
/// When the manifest accepts other formats than the type, or when a live session could not go from a release to this
/// version, or back to the last release.
#[track_caller]
pub fn check_releases<T: Frozen>(manifest: &str, releases: &str) {
    let manifest: Manifest = parse("plugin.toml", manifest);
    let releases: Releases = parse("frozen/releases.toml", releases);
    let Handoff { writes, accepts } = &manifest.handoff;
    let sorted = |formats: &[u32]| {
        let mut formats = formats.to_vec();
        formats.sort_unstable();
        formats
    };
    assert_eq!(
        sorted(accepts),
        sorted(&T::formats()),
        "formats that the manifest accepts, and those that are read"
    );
    for release in &releases.release {
        let Release {
            version, writes, ..
        } = release;
        assert!(
            accepts.contains(writes),
            "sessions of {version} cannot be handed over to this version: it does not accept format {writes}"
        );
    }
    let Some(last) = releases.release.last() else {
        return;
    };
    assert!(
        last.accepts.contains(writes),
        "sessions cannot be taken back to {}: it does not accept format {writes}, which this version writes. Accept a format \
         in one release and write it in the next",
        last.version
    );
    if last.version == manifest.version {
        assert_eq!(
            (*writes, sorted(accepts)),
            (last.writes, sorted(&last.accepts)),
            "{} is released with what frozen/releases.toml says; other formats need another version",
            last.version
        );
    }
}

#[track_caller]
fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> T {
    match toml::from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => panic!("{file}: {error}"),
    }
}

#[track_caller]
fn lines(format: u32, text: &str) -> BTreeMap<&str, Vec<u8>> {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let parsed = line
                .split_once(' ')
                .and_then(|(name, digits)| Some((name, octets(digits)?)));
            match parsed {
                Some(sample) => sample,
                None => panic!("frozen/{format}.txt: not a name and octets: {line}"),
            }
        })
        .collect()
}

fn octets(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::Frozen;

    #[derive(Serialize, Deserialize, Frozen)]
    #[frozen(format = 1)]
    struct Old(u8);

    #[derive(Serialize, Deserialize, Frozen)]
    #[frozen(format = 2, accepts(Old as 1))]
    struct New(u16);

    impl From<Old> for New {
        fn from(old: Old) -> New {
            New(old.0.into())
        }
    }

    const FILES: [(u32, &str); 2] = [(1, "small 07\n"), (2, "large ac02\n")];
    const FIRST: &str = "[[release]]\nversion = '1.0.0'\nwrites = 1\naccepts = [1]\n";
    const BOTH: &str = "[[release]]\nversion = '1.1.0'\nwrites = 1\naccepts = [1, 2]\n";

    fn manifest(writes: u32, accepts: &str) -> String {
        format!("version = '1.2.0'\n[handoff]\nwrites = {writes}\naccepts = {accepts}\n")
    }

    #[test]
    fn bytes_as_they_are_stored_are_right() {
        check_formats(&FILES, &[("large", New(300))]);
        check_releases::<New>(&manifest(1, "[1, 2]"), FIRST);
        check_releases::<New>(&manifest(2, "[2, 1]"), &[FIRST, BOTH].concat());
    }

    #[test]
    #[should_panic(expected = "the bytes of format 2 have changed")]
    fn bytes_that_change_under_their_number_are_found() {
        check_formats(&FILES, &[("large", New(301))]);
    }

    #[test]
    #[should_panic(expected = "frozen/2.txt lacks lines:\nother 05")]
    fn a_sample_without_stored_bytes_tells_the_line() {
        check_formats(&FILES, &[("large", New(300)), ("other", New(5))]);
    }

    #[test]
    #[should_panic(expected = "`small` is not read any more")]
    fn bytes_of_an_old_format_that_are_not_read_are_found() {
        check_formats(&[(1, "small 0707"), FILES[1]], &[("large", New(300))]);
    }

    #[test]
    #[should_panic(expected = "formats with a file in frozen/")]
    fn every_format_has_a_file() {
        check_formats(&FILES[1..], &[("large", New(300))]);
    }

    #[test]
    #[should_panic(expected = "sessions cannot be taken back to 1.0.0")]
    fn a_format_is_accepted_one_release_before_it_is_written() {
        check_releases::<New>(&manifest(2, "[1, 2]"), FIRST);
    }

    #[test]
    #[should_panic(expected = "formats that the manifest accepts")]
    fn the_manifest_accepts_what_the_state_reads() {
        check_releases::<New>(&manifest(1, "[1]"), FIRST);
    }

    #[test]
    #[should_panic(expected = "is released with what frozen/releases.toml says")]
    fn a_released_version_keeps_its_formats() {
        let released = FIRST.replace("1.0.0", "1.2.0").replace("[1]", "[1, 3]");
        check_releases::<New>(&manifest(1, "[1, 2]"), &released);
    }
}
