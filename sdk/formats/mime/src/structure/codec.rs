//! The encoded structure: a version byte, then the parts in pre-order (postcard). Each says how many
//! children follow, so that neither direction recurses deeper than [`MAX_DEPTH`] whatever the bytes say.

use super::{Envelope, MAX_DEPTH, MAX_PARTS, Part, PartKind, Structure};
use crate::parameter::Parameters;
use serde::{Deserialize, Serialize};

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct FlatPart {
    header: (u64, u64),
    /// The body follows the header at once.
    body_len: u64,
    lines: u64,
    media_type: Vec<u8>,
    subtype: Vec<u8>,
    params: Parameters,
    id: Option<Vec<u8>>,
    description: Option<Vec<u8>>,
    encoding: Vec<u8>,
    md5: Option<Vec<u8>>,
    disposition: Option<(Vec<u8>, Parameters)>,
    language: Vec<Vec<u8>>,
    location: Option<Vec<u8>>,
    kind: FlatKind,
}

#[derive(Serialize, Deserialize)]
enum FlatKind {
    Leaf,
    Multipart(u32),
    Message(Box<Envelope>),
}

pub(super) fn encode(structure: &Structure) -> Vec<u8> {
    let mut parts = Vec::new();
    flatten(structure.root.clone(), &mut parts);
    // Serialising plain data into a vector has no way to fail.
    postcard::to_extend(&(&structure.envelope, parts), vec![VERSION]).unwrap_or_default()
}

fn flatten(part: Part, out: &mut Vec<FlatPart>) {
    let (kind, children) = match part.kind {
        PartKind::Leaf => (FlatKind::Leaf, Vec::new()),
        PartKind::Multipart(children) => {
            let count = u32::try_from(children.len()).unwrap_or(u32::MAX);
            (FlatKind::Multipart(count), children)
        }
        PartKind::Message(message) => (
            FlatKind::Message(Box::new(message.envelope)),
            vec![message.root],
        ),
    };
    out.push(FlatPart {
        header: part.header,
        body_len: part.body.1,
        lines: part.lines,
        media_type: part.media_type,
        subtype: part.subtype,
        params: part.params,
        id: part.id,
        description: part.description,
        encoding: part.encoding,
        md5: part.md5,
        disposition: part.disposition,
        language: part.language,
        location: part.location,
        kind,
    });
    for child in children {
        flatten(child, out);
    }
}

pub(super) fn decode(bytes: &[u8]) -> Option<Structure> {
    let (version, rest) = bytes.split_first()?;
    if *version != VERSION {
        return None;
    }
    let ((envelope, parts), rest): ((Envelope, Vec<FlatPart>), _) =
        postcard::take_from_bytes(rest).ok()?;
    if !rest.is_empty() || parts.len() > MAX_PARTS * 2 {
        return None;
    }
    let mut parts = parts.into_iter();
    let root = unflatten(&mut parts, 1)?;
    parts
        .next()
        .is_none()
        .then_some(Structure { envelope, root })
}

fn unflatten(parts: &mut std::vec::IntoIter<FlatPart>, depth: usize) -> Option<Part> {
    let flat = parts.next().filter(|_| depth <= MAX_DEPTH)?;
    let kind = match flat.kind {
        FlatKind::Leaf => PartKind::Leaf,
        FlatKind::Multipart(count) => {
            let children = (0..count).map(|_| unflatten(parts, depth + 1));
            PartKind::Multipart(children.collect::<Option<_>>()?)
        }
        FlatKind::Message(envelope) => PartKind::Message(Box::new(Structure {
            envelope: *envelope,
            root: unflatten(parts, depth + 1)?,
        })),
    };
    Some(Part {
        header: flat.header,
        body: (flat.header.0.checked_add(flat.header.1)?, flat.body_len),
        lines: flat.lines,
        media_type: flat.media_type,
        subtype: flat.subtype,
        params: flat.params,
        id: flat.id,
        description: flat.description,
        encoding: flat.encoding,
        md5: flat.md5,
        disposition: flat.disposition,
        language: flat.language,
        location: flat.location,
        kind,
    })
}
