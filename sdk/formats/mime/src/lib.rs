//! RFC 5322 and MIME as a mail store and IMAP see them (skeleton of the shapes others build on).
#![allow(missing_docs)]
use serde::{Deserialize, Serialize};

/// What IMAP needs of a message, made once at delivery and kept beside it: ENVELOPE, BODYSTRUCTURE and the byte range of
/// every section, so that FETCH never parses. Text is raw (undecoded, RFC 2047 words as they stand), bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure { pub envelope: Envelope, pub root: Part }

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Envelope {
    pub date: Option<Vec<u8>>, pub subject: Option<Vec<u8>>,
    /// Empty: NIL. `sender` and `reply_to` already default to `from` (RFC 9051 7.5.2).
    pub from: Vec<Address>, pub sender: Vec<Address>, pub reply_to: Vec<Address>, pub to: Vec<Address>, pub cc: Vec<Address>, pub bcc: Vec<Address>,
    pub in_reply_to: Option<Vec<u8>>, pub message_id: Option<Vec<u8>>,
}
/// The IMAP address structure; group starts have mailbox Some and host None, group ends both None.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address { pub name: Option<Vec<u8>>, pub route: Option<Vec<u8>>, pub mailbox: Option<Vec<u8>>, pub host: Option<Vec<u8>> }

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Offsets into the message. Header: up to and with the empty line. Body: what BODY[n] answers.
    pub header: (u64, u64), pub body: (u64, u64),
    /// Lines of the body.
    pub lines: u64,
    /// Upper case as IMAP shows them: `TEXT`, `PLAIN`.
    pub media_type: Vec<u8>, pub subtype: Vec<u8>, pub params: Vec<(Vec<u8>, Vec<u8>)>,
    pub id: Option<Vec<u8>>, pub description: Option<Vec<u8>>, pub encoding: Vec<u8>, pub md5: Option<Vec<u8>>,
    pub disposition: Option<(Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>)>, pub language: Vec<Vec<u8>>, pub location: Option<Vec<u8>>,
    pub kind: PartKind,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartKind { Leaf, Multipart(Vec<Part>), Message(Box<Structure>) }

impl Structure {
    /// Never fails: whatever is not MIME is text/plain. Bounded: depth 100, 10,000 parts, beyond them parts are leaves.
    pub fn parse(_message: &[u8]) -> Structure { unimplemented!() }
    pub fn encode(&self) -> Vec<u8> { unimplemented!() }
    pub fn decode(_bytes: &[u8]) -> Option<Structure> { unimplemented!() }
}
