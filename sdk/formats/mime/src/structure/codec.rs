//! The encoded structure: a version byte, then the parts in pre-order (postcard). Each says how many
//! children follow, so that neither direction recurses deeper than [`MAX_DEPTH`] whatever the bytes say.

use super::{Envelope, MAX_DEPTH, MAX_PARTS, Part, PartKind, Structure};
use crate::parameter::Parameters;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct FlatPart {
    header: (u64, u64),
    /// The body follows the header at once.
    body_len: u64,
    lines: u64,
    #[serde(with = "serde_bytes")]
    media_type: Vec<u8>,
    #[serde(with = "serde_bytes")]
    subtype: Vec<u8>,
    params: FlatParameters,
    #[serde(with = "serde_bytes")]
    id: Option<Vec<u8>>,
    #[serde(with = "serde_bytes")]
    description: Option<Vec<u8>>,
    #[serde(with = "serde_bytes")]
    encoding: Vec<u8>,
    #[serde(with = "serde_bytes")]
    md5: Option<Vec<u8>>,
    disposition: Option<(ByteBuf, FlatParameters)>,
    language: Vec<ByteBuf>,
    #[serde(with = "serde_bytes")]
    location: Option<Vec<u8>>,
    kind: FlatKind,
}

/// Octets are read and written as one piece, which gives the same bytes as one by one.
type FlatParameters = Vec<(ByteBuf, ByteBuf)>;

fn flat(parameters: Parameters) -> FlatParameters {
    let pair = |(name, value)| (ByteBuf::from(name), ByteBuf::from(value));
    parameters.into_iter().map(pair).collect()
}

fn round(parameters: FlatParameters) -> Parameters {
    let pair = |(name, value): (ByteBuf, ByteBuf)| (name.into_vec(), value.into_vec());
    parameters.into_iter().map(pair).collect()
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
        params: flat(part.params),
        id: part.id,
        description: part.description,
        encoding: part.encoding,
        md5: part.md5,
        disposition: part
            .disposition
            .map(|(kind, parameters)| (kind.into(), flat(parameters))),
        language: part.language.into_iter().map(ByteBuf::from).collect(),
        location: part.location,
        kind,
    });
    for child in children {
        flatten(child, out);
    }
}

pub(super) fn decode_envelope(bytes: &[u8]) -> Option<Envelope<&[u8]>> {
    let (envelope, _) = postcard::take_from_bytes(of_version(bytes)?).ok()?;
    Some(envelope)
}

fn of_version(bytes: &[u8]) -> Option<&[u8]> {
    let (version, rest) = bytes.split_first()?;
    (*version == VERSION).then_some(rest)
}

pub(super) fn decode(bytes: &[u8]) -> Option<Structure> {
    let rest = of_version(bytes)?;
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
        params: round(flat.params),
        id: flat.id,
        description: flat.description,
        encoding: flat.encoding,
        md5: flat.md5,
        disposition: flat
            .disposition
            .map(|(kind, parameters)| (kind.into_vec(), round(parameters))),
        language: flat.language.into_iter().map(ByteBuf::into_vec).collect(),
        location: flat.location,
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: a@b\nSubject: s\nContent-Type: text/plain; charset=x\nContent-Disposition: inline; filename=f\n\
        Content-Language: en\n\nt\n";

    #[test]
    fn the_encoding_of_version_one_stays_as_it_is_on_disk() {
        let encoded = encode(&Structure::parse(MAIL));
        let hex: String = encoded.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "010001017301000001016101016201000001016101016201000001016101016200000000000100770201045445585405504c41494e010743484152534554017800000437424954000106494e4c494e45010846494c454e414d4501660102656e0000"
        );
    }

    #[test]
    fn the_envelope_is_read_without_the_parts() {
        let structure = Structure::parse(MAIL);
        let mut encoded = encode(&structure);
        encoded.truncate(encoded.len() - 4);
        let envelope = decode_envelope(&encoded).unwrap();
        assert_eq!(envelope.subject, structure.envelope.subject.as_deref());
        assert_eq!(envelope.from[0].host, Some(&b"b"[..]));
        assert_eq!(decode(&encoded), None);
        assert_eq!(decode_envelope(b"\x02"), None);
    }
}
