//! Every vCard file that calcard ships, which collected them from the test suites of address books and libraries: written and read again,
//! converted to the other version, mapped to MAPI and back. What is refused is a row of `docs/calendar-corpus.md`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use waxwing_formats_vcard::contentline::{Component, Limits, Line};
use waxwing_formats_vcard::mapi::{Contact, patched, to_card};
use waxwing_formats_vcard::{AddressData, Card, Error, Precondition, Version};

fn files() -> Vec<(String, Vec<u8>)> {
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
        .join("vcard");
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "vcf"))
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

fn refusal(error: &Error) -> &'static str {
    match error {
        Error::Syntax(_) => "no content lines",
        Error::Card {
            precondition: Precondition::SupportedAddressData,
            ..
        } => "another version",
        Error::Card { what, .. } if what.contains("VERSION") => "another version",
        Error::Card { what, .. } if what.contains("VCARD") => "no VCARD",
        Error::Card { .. } => "no UID",
    }
}

#[test]
fn every_file_comes_back_or_is_explained() {
    let mut refused: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut cards = 0;
    for (name, octets) in files() {
        let components = match Component::parse_all(&octets, &Limits::default()) {
            Ok(components) => components,
            Err(error) => {
                refused
                    .entry(refusal(&Error::Syntax(error)))
                    .or_default()
                    .insert(name);
                continue;
            }
        };
        for mut component in components {
            // Most of the files have no UID, and are of use nonetheless.
            if component.line("UID").is_none() {
                refused.entry("no UID").or_default().insert(name.clone());
                component.lines.push(Line::new("UID", "1"));
            }
            match Card::of_component(component) {
                Ok(card) => check(&card, &name),
                Err(error) => {
                    refused
                        .entry(refusal(&error))
                        .or_default()
                        .insert(name.clone());
                    continue;
                }
            }
            cards += 1;
        }
    }
    println!("{cards} cards");
    for (row, files) in &refused {
        println!("{row}: {} {files:?}", files.len());
        assert!(TABLE.contains(&format!("| {row} |")), "{row}: {files:?}");
    }
    assert!(cards >= 150);
}

fn check(card: &Card, name: &str) {
    assert_eq!(
        Card::parse(card.to_text().as_bytes()).as_ref(),
        Ok(card),
        "{name}"
    );
    for version in [Version::V3, Version::V4] {
        let converted = AddressData {
            properties: None,
            version: Some(version),
        }
        .apply(card);
        let converted = Card::parse(converted.to_text().as_bytes()).unwrap();
        assert_eq!(
            (converted.version(), converted.uid()),
            (version, card.uid()),
            "{name}"
        );
        let _ = to_card(&Contact::of(card), version, "1").unwrap();
    }
    assert_eq!(&patched(card, &Contact::of(card)).unwrap(), card, "{name}");
}
