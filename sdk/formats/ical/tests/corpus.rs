//! Every iCalendar file that calcard ships, which collected them from the test suites of calendar servers and libraries: written and read
//! again, found, mapped to MAPI and back. What is refused or comes back different is a row of `docs/calendar-corpus.md`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use waxwing_formats_ical::contentline::{Component, Limits as TextLimits};
use waxwing_formats_ical::mapi::{Item, patched};
use waxwing_formats_ical::{Calendar, Error, Kind, Limits, Object, Range, Zone};
use waxwing_formats_mapi::lids;

/// The folder of calcard, wherever cargo keeps it.
fn resources(kind: &str) -> Vec<(String, Vec<u8>)> {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let host = rustc
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let arguments = ["metadata", "--format-version=1", "--filter-platform", host];
    let metadata = Command::new(env!("CARGO"))
        .args(arguments)
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let calcard = packages
        .iter()
        .find(|package| package["name"] == "calcard")
        .unwrap();
    let folder = PathBuf::from(calcard["manifest_path"].as_str().unwrap())
        .with_file_name("resources")
        .join(kind);
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ics"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

const TABLE: &str = include_str!("../../../../docs/calendar-corpus.md");

/// What was refused or differs, by the words of the table.
#[derive(Default)]
struct Differences(BTreeMap<&'static str, BTreeSet<String>>);

impl Differences {
    fn note(&mut self, row: &'static str, file: &str) {
        self.0.entry(row).or_default().insert(file.to_owned());
    }

    /// Every one of them is explained.
    fn check(&self) {
        for (row, files) in &self.0 {
            println!("{row}: {} {files:?}", files.len());
            assert!(TABLE.contains(&format!("| {row} |")), "{row}: {files:?}");
        }
    }
}

fn refusal(error: &Error) -> &'static str {
    match error {
        Error::Syntax(_) => "no content lines",
        Error::Value { what, .. } if what.starts_with("RSCALE") => "another calendar",
        Error::Value { .. } => "a value that cannot be read",
        Error::Limit { .. } => "too many instances",
        Error::Object { what, .. } if what.contains("VCALENDAR") => "no VCALENDAR",
        Error::Object { what, .. } if what.contains("VERSION") => "another version",
        Error::Object { what, .. } if what.contains("CALSCALE") => "another calendar",
        Error::Object { what, .. }
            if what.contains("DTSTART is missing") || what.contains("no DTSTART") =>
        {
            "no DTSTART"
        }
        Error::Object { what, .. } if what.contains("a date, the other is not") => {
            "a date and a time"
        }
        Error::Object { what, .. }
            if what.contains("not supported") || what.contains("more than one kind") =>
        {
            "another component"
        }
        Error::Object { .. } => "the same twice",
    }
}

fn times(object: &Object, zone: &Zone) -> Option<Vec<(i64, i64)>> {
    let range = Range::new(0, 1_900_000_000);
    let found = object.occurrences(zone, range, 200).ok()?;
    // MAPI counts minutes.
    Some(
        found
            .iter()
            .map(|one| (one.start / 60, one.end / 60))
            .collect(),
    )
}

/// Why the times of an object are others when it comes back from MAPI.
fn difference(object: &Object, item: &Item) -> &'static str {
    let main = object.main();
    let day = object
        .moment("DTSTART")
        .map_or(0, |start| start.civil.day());
    let range = object
        .components()
        .filter_map(|one| one.line("RECURRENCE-ID"))
        .any(|line| line.parameter("RANGE").is_some());
    if object.master().is_none() {
        "only single instances"
    } else if main.line("RDATE").is_some()
        || object.components().any(|one| one.line("RDATE").is_some())
    {
        "RDATE"
    } else if range {
        "THISANDFUTURE"
    } else if main.line("RRULE").is_some()
        && item
            .properties
            .lid_binary(lids::APPOINTMENT_RECUR)
            .is_none()
    {
        "a rule of its own"
    } else if day > 28
        || main
            .value("RRULE")
            .is_some_and(|rule| rule.contains("BYMONTHDAY"))
    {
        "the end of a month"
    } else if object
        .components()
        .any(|one| one.value("STATUS") == Some("CANCELLED"))
    {
        "a cancelled instance"
    } else if object
        .moment("DTSTART")
        .is_some_and(|start| start.civil.second() != 0)
    {
        "seconds"
    } else if object
        .moment("DTSTART")
        .is_some_and(|start| start.is_date())
        && main.line("DURATION").is_some()
    {
        "hours of a day"
    } else {
        "UNEXPLAINED"
    }
}

#[test]
fn every_file_comes_back_or_is_explained() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let mut differences = Differences::default();
    let (mut files, mut objects) = (0, 0);
    for (name, octets) in resources("ical") {
        files += 1;
        let calendar = match Calendar::parse(&octets, &TextLimits::default()) {
            Ok(calendar) => calendar,
            Err(error) => {
                differences.note(refusal(&error), &name);
                continue;
            }
        };
        let again =
            Component::parse_all(calendar.to_text().as_bytes(), &TextLimits::default()).unwrap();
        assert_eq!(
            again.as_slice(),
            std::slice::from_ref(calendar.component()),
            "{name}"
        );
        let split = match calendar.split(&Limits::default()) {
            Ok(split) => split,
            Err(error) => {
                differences.note(refusal(&error), &name);
                continue;
            }
        };
        for object in &split {
            objects += 1;
            check(object, &zone, &name, &mut differences);
        }
    }
    println!("{files} files, {objects} objects");
    differences.check();
    assert!(files >= 900 && objects >= 1_000);
}

fn check(object: &Object, zone: &Zone, name: &str, differences: &mut Differences) {
    let _ = waxwing_formats_ical::jcal::to_jcal(object.component());
    let own = times(object, zone);
    let index = object.index(zone, 1_900_000_000, 100).unwrap();
    for (start, end) in own.iter().flatten() {
        let span = Range::new(
            start.saturating_mul(60),
            end.saturating_add(1).saturating_mul(60),
        );
        assert!(
            object.kind() == Kind::Journal || index.may_overlap(span),
            "{name}"
        );
    }
    if !matches!(object.kind(), Kind::Event | Kind::Todo) {
        return;
    }
    let item = Item::of(object, zone, &[]).unwrap();
    let back = item.to_object(zone, object.uid(), 0).unwrap();
    if object.kind() == Kind::Event && own.is_some() && own != times(&back, zone) {
        differences.note(difference(object, &item), name);
    }
    let same = patched(object, &item, zone, &[], 0).unwrap();
    let (before, after): (Vec<_>, Vec<_>) =
        (object.components().collect(), same.components().collect());
    assert_eq!(before, after, "{name}");
}
