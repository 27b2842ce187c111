//! Any bytes are a message with a sound structure.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_formats_mime::structure::{MAX_DEPTH, MAX_PARTS};
use waxwing_formats_mime::{Part, PartKind, SectionPart, Structure, header};

fuzz_target!(|message: &[u8]| {
    let structure = Structure::parse(message);
    let len = message.len() as u64;
    assert_eq!(structure.section(&[], SectionPart::Whole), Some((0, len)));
    let mut parts = 0;
    check(
        &structure,
        &structure.root,
        &mut Vec::new(),
        message,
        1,
        &mut parts,
    );
    assert!(parts <= MAX_PARTS + MAX_DEPTH);
    assert_eq!(
        Structure::decode(&structure.encode()).as_ref(),
        Some(&structure)
    );
    let _ = Structure::decode(message);

    let header = &message[..structure.root.header.1 as usize];
    assert_eq!(header::select(header, &[""], true), header);
});

/// `path` names the part; what stands inside it must be found under longer paths.
fn check(
    whole: &Structure,
    part: &Part,
    path: &mut Vec<u32>,
    message: &[u8],
    depth: usize,
    parts: &mut usize,
) {
    *parts += 1;
    // Numbers inside embedded messages are tried by the crate's own tests.
    let inside = path.first() == Some(&u32::MAX);
    assert!(depth <= MAX_DEPTH);
    assert_eq!(part.header.0 + part.header.1, part.body.0);
    assert!(part.body.0 + part.body.1 <= message.len() as u64);
    let text = [&part.media_type, &part.subtype, &part.encoding];
    assert!(text.iter().all(|text| !text.is_empty() && is_line(text)));
    assert!(
        part.params
            .iter()
            .all(|(name, value)| is_line(name) && is_line(value))
    );
    match &part.kind {
        PartKind::Leaf => {
            assert_ne!(part.media_type, b"MULTIPART");
            assert!(part.media_type != b"MESSAGE" || part.subtype != b"RFC822");
        }
        PartKind::Message(inner) => {
            assert_eq!(inner.root.header.0, part.body.0);
            let text = whole.section(path, SectionPart::Text);
            assert!(inside || path.is_empty() || text == Some(inner.root.body));
            check(
                whole,
                &inner.root,
                &mut vec![u32::MAX],
                message,
                depth + 1,
                parts,
            );
        }
        PartKind::Multipart(children) => {
            assert!(!children.is_empty());
            let mut end = part.body.0;
            for (number, child) in (1..).zip(children) {
                assert!(child.header.0 >= end);
                end = child.body.0 + child.body.1;
                path.push(number);
                let found = whole.section(path, SectionPart::Mime);
                assert!(inside || found == Some(child.header));
                check(whole, child, path, message, depth + 1, parts);
                path.pop();
            }
            assert!(end <= part.body.0 + part.body.1);
        }
    }
}

fn is_line(text: &[u8]) -> bool {
    !text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}
