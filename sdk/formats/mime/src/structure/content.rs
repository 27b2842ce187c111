//! The MIME fields of one header block (RFC 2045, 2183, 3066, 2557).

use super::envelope::field_text;
use super::{Part, PartKind};
use crate::header;
use crate::parameter::{self, Parameters};

/// What a part without a usable Content-Type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Default {
    /// RFC 2045 section 5.2.
    Text,
    /// Inside multipart/digest: RFC 2046 section 5.1.5.
    Message,
}

/// How the body is to be scanned.
pub(super) enum Class {
    Leaf,
    Multipart { boundary: Vec<u8> },
    Message,
}

/// A part with its MIME fields filled in and no body yet.
pub(super) fn part(block: &[u8], default: Default) -> Part {
    let mut part = Part {
        header: (0, 0),
        body: (0, 0),
        lines: 0,
        media_type: Vec::new(),
        subtype: Vec::new(),
        params: Parameters::new(),
        id: None,
        description: None,
        encoding: Vec::new(),
        md5: None,
        disposition: None,
        language: Vec::new(),
        location: None,
        kind: PartKind::Leaf,
    };
    let mut typed = false;
    for field in header::fields(block) {
        let prefix = field.name.get(..8).unwrap_or_default();
        if prefix.eq_ignore_ascii_case(b"content-") {
            let name = field.name.get(8..).unwrap_or_default().to_ascii_lowercase();
            take(&mut part, &mut typed, &name, field_text(field.value));
        }
    }
    if part.media_type.is_empty() {
        match default {
            // RFC 2045 section 5.2: a type that cannot be read is text, in a digest too.
            Default::Message if !typed => set_type(&mut part, b"MESSAGE", b"RFC822"),
            Default::Message | Default::Text => set_plain_text(&mut part),
        }
    }
    let plain = part.media_type == b"TEXT" && part.subtype == b"PLAIN";
    if plain && parameter::plain_value(&part.params, "CHARSET").is_none() {
        part.params
            .insert(0, (b"CHARSET".to_vec(), b"US-ASCII".to_vec()));
    }
    if part.encoding.is_empty() {
        part.encoding = b"7BIT".to_vec();
    }
    part
}

fn take(part: &mut Part, typed: &mut bool, name: &[u8], value: Vec<u8>) {
    let text = match name {
        b"type" if !*typed => {
            *typed = true;
            if let Some((media_type, subtype, params)) = parameter::media_type(&value) {
                part.media_type = media_type;
                part.subtype = subtype;
                part.params = params;
            }
            return;
        }
        b"transfer-encoding" if part.encoding.is_empty() => {
            part.encoding = parameter::first_token(&value).unwrap_or_default();
            return;
        }
        b"disposition" if part.disposition.is_none() => {
            part.disposition = parameter::disposition(&value);
            return;
        }
        b"language" if part.language.is_empty() => {
            part.language = value
                .split(|byte| *byte == b',')
                .map(|tag| tag.trim_ascii().to_vec())
                .filter(|tag| !tag.is_empty())
                .collect();
            return;
        }
        b"id" => &mut part.id,
        b"description" => &mut part.description,
        b"md5" => &mut part.md5,
        b"location" => &mut part.location,
        _ => return,
    };
    if text.is_none() && !value.is_empty() {
        *text = Some(value);
    }
}

fn set_type(part: &mut Part, media_type: &[u8], subtype: &[u8]) {
    part.media_type = media_type.to_vec();
    part.subtype = subtype.to_vec();
}

/// What a body is that cannot be read as what it says: all of it is shown as text.
pub(super) fn set_plain_text(part: &mut Part) {
    set_type(part, b"TEXT", b"PLAIN");
    part.params = vec![(b"CHARSET".to_vec(), b"US-ASCII".to_vec())];
}

/// What a container is that may not be opened because a limit is reached.
pub(super) fn set_opaque(part: &mut Part) {
    set_type(part, b"APPLICATION", b"OCTET-STREAM");
    part.params = Parameters::new();
}

/// How to scan the body; a multipart without a boundary becomes text here.
pub(super) fn classify(part: &mut Part) -> Class {
    match (part.media_type.as_slice(), part.subtype.as_slice()) {
        (b"MULTIPART", _) => {
            let boundary = parameter::plain_value(&part.params, "BOUNDARY").unwrap_or_default();
            let boundary = boundary.trim_ascii_end().to_vec();
            if boundary.is_empty() {
                set_plain_text(part);
                return Class::Leaf;
            }
            Class::Multipart { boundary }
        }
        (b"MESSAGE", b"RFC822" | b"GLOBAL") => Class::Message,
        _ => Class::Leaf,
    }
}
