//! What IMAP needs of a message, made once at delivery and kept beside it, so that FETCH never parses.
//!
//! Owns: [`Structure`] with its ENVELOPE and the tree of parts (BODYSTRUCTURE), and the byte range of
//! every section that a BODY\[…\] can name. Every range is a pair **(offset, length)** in octets of the
//! whole message, also inside embedded messages.
//!
//! Promises of [`Structure::parse`]:
//! - It never fails. What is not MIME is `TEXT PLAIN (CHARSET US-ASCII) 7BIT`; a multipart without a
//!   usable boundary or without a single delimiter line is that too, with all of its body.
//! - `PartKind::Multipart` is never empty and its type is always `MULTIPART`; `PartKind::Message` is always
//!   `MESSAGE/RFC822` or `MESSAGE/GLOBAL`; `PartKind::Leaf` is neither. A renderer needs no other check.
//! - Text holds no CR, LF or NUL and is otherwise as it stands in the message, unfolded.
//! - Bounds: [`MAX_DEPTH`] nested parts and [`MAX_PARTS`] parts. A container beyond the depth is a leaf
//!   `APPLICATION/OCTET-STREAM`; bytes behind the last part allowed belong to no part. Of headers at most
//!   [`MAX_HEADERS`] octets and [`MAX_ENTRIES`] addresses and parameters are read, of one field [`MAX_FIELD`] octets; a part whose
//!   header may not be read is text. A structure thus has a few megabytes at the most, whatever the message.
//! - One pass over the bytes; the work is linear in the message for any nesting.

mod boundaries;
mod codec;
mod content;
mod envelope;
mod scan;
mod section;

pub use envelope::Envelope;
pub use section::SectionPart;

use crate::parameter::Parameters;

/// Levels of nesting; the message itself is level 1.
pub const MAX_DEPTH: usize = 100;
/// Parts of a message, containers counted.
pub const MAX_PARTS: usize = 10_000;
/// Octets of headers that are read, those of all parts together.
pub const MAX_HEADERS: usize = 4 * 1024 * 1024;
/// Parameters and addresses kept, those of all parts together; the part that reaches it is kept whole.
pub const MAX_ENTRIES: usize = 50_000;
/// Octets read of one header field, after unfolding.
pub const MAX_FIELD: usize = 256 * 1024;

/// A message, or a message embedded in another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// ENVELOPE of RFC 9051 section 7.5.2.
    pub envelope: Envelope,
    /// The message as a body part: its header is the message's header, its body the message's text.
    pub root: Part,
}

/// A body part with the fields of BODYSTRUCTURE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Offset and length of the part's header, its empty line included.
    pub header: (u64, u64),
    /// Offset and length of what BODY\[n\] answers; it follows the header at once.
    pub body: (u64, u64),
    /// Line ends in the body; 0 for multiparts, where IMAP does not show them.
    pub lines: u64,
    /// Upper case: `TEXT`.
    pub media_type: Vec<u8>,
    /// Upper case: `PLAIN`.
    pub subtype: Vec<u8>,
    /// Parameters of Content-Type; see [`crate::parameter`].
    pub params: Parameters,
    /// Content-ID with its angle brackets.
    pub id: Option<Vec<u8>>,
    /// Content-Description.
    pub description: Option<Vec<u8>>,
    /// Content-Transfer-Encoding in upper case; `7BIT` when there is none.
    pub encoding: Vec<u8>,
    /// Content-MD5.
    pub md5: Option<Vec<u8>>,
    /// Content-Disposition: its type in upper case and its parameters.
    pub disposition: Option<(Vec<u8>, Parameters)>,
    /// The tags of Content-Language.
    pub language: Vec<Vec<u8>>,
    /// Content-Location.
    pub location: Option<Vec<u8>>,
    /// What the body is.
    pub kind: PartKind,
}

/// What the body of a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartKind {
    /// Content.
    Leaf,
    /// Other parts, one at the least.
    Multipart(Vec<Part>),
    /// A message (RFC 2046 section 5.2.1, RFC 6532 section 3.7).
    Message(Box<Structure>),
}

impl Structure {
    /// Never fails: whatever is not MIME is text/plain. The module says what bounds it.
    pub fn parse(message: &[u8]) -> Structure {
        scan::message(message)
    }

    /// The compact form that the store keeps and plugins read; [`Structure::decode`] reads it back.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// None when the bytes are of another version or not an encoded structure.
    pub fn decode(bytes: &[u8]) -> Option<Structure> {
        codec::decode(bytes)
    }

    /// The envelope alone, without a copy of its texts; it comes first, and the parts behind it are not looked at.
    pub fn decode_envelope(bytes: &[u8]) -> Option<Envelope<&[u8]>> {
        codec::decode_envelope(bytes)
    }

    /// Offset and length of a section in the message: `BODY[1.2.MIME]` is `section(&[1, 2], SectionPart::Mime)`,
    /// `BODY[TEXT]` is `section(&[], SectionPart::Text)`. Parts are numbered as in RFC 9051 section 6.4.5.1.
    /// None: the message has no such section.
    pub fn section(&self, path: &[u32], part: SectionPart) -> Option<(u64, u64)> {
        section::range(self, path, part)
    }

    /// The part with a number; none for the empty path, which names the message.
    pub fn part(&self, path: &[u32]) -> Option<&Part> {
        section::part(self, path)
    }
}
