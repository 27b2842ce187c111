//! Any bytes become text, columns and MAPI properties, without more output than the input warrants.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::HashSet;
use waxwing_formats_mapi::{Property, Value, bag};
use waxwing_formats_mime::mapi::{Content, attachments, properties, recipients};
use waxwing_formats_mime::{Structure, Summary, text};

fuzz_target!(|message: &[u8]| {
    let structure = Structure::parse(message);
    let summary = Summary::of(message, &structure);
    assert!(!summary.subject.contains(['\r', '\n', '\0']));
    let text: usize = text::body(message, &structure).map(|text| text.len()).sum();
    // A byte of a single-byte charset is at most three in UTF-8; embedded headers are told once more each.
    assert!(text <= 1024 + message.len() * 8);
    let _ = text::header(message, &structure);
    convert(message, &structure);
});

fn convert(message: &[u8], structure: &Structure) {
    check(&properties(message, structure));
    recipients(structure).iter().for_each(|row| check(row));
    for attachment in attachments(message, structure) {
        check(&attachment.properties);
        match &attachment.content {
            Content::Message(inner) => convert(message, inner),
            bytes => assert!(bytes.read(message).len() <= message.len() + 2),
        }
    }
}

fn check(properties: &[Property]) {
    let mut tags = HashSet::new();
    for property in properties {
        assert!(tags.insert(property.tag), "{property:?} twice");
        if let Value::Text(text) = &property.value {
            assert!(!text.contains('\0'), "{property:?}");
        }
    }
    let packed = bag::pack(properties);
    assert_eq!(bag::Bag::open(&packed).unwrap().len(), properties.len());
}
