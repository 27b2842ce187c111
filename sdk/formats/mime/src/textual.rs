//! Messages of binary parts (RFC 3030, RFC 3516) as messages that every reader takes: content in `binary` becomes base64.
//!
//! Changed are the parts whose Content-Transfer-Encoding is `binary`, and those that hold NUL in any encoding that is none; what
//! contains them says `8bit` where it said `binary`. Every other octet stays: boundaries, preambles, headers, all other parts.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::header;
use crate::structure::{Part, PartKind, Structure};

/// A line of base64 is made of so many octets (RFC 2045 section 6.8: 76 characters).
const LINE: usize = 57;

/// NUL stands where no encoding can hide it: in a header, between parts, or in a part that is encoded already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTextual;

/// Whether a part's octets stand in the message as they are.
fn is_plain(part: &Part) -> bool {
    matches!(part.encoding.as_slice(), b"7BIT" | b"8BIT" | b"BINARY")
}

/// The message without binary content.
///
/// # Errors
/// [`NotTextual`] when NUL would stay in it.
pub fn without_binary(message: &[u8]) -> Result<Vec<u8>, NotTextual> {
    let mut edits = Edits {
        message,
        all: Vec::new(),
    };
    edits.part(&Structure::parse(message).root);
    let textual = edits.applied();
    match memchr::memchr(0, &textual) {
        Some(_) => Err(NotTextual),
        None => Ok(textual),
    }
}

/// What is to stand in the place of ranges of the message.
struct Edits<'a> {
    message: &'a [u8],
    all: Vec<(Range<usize>, Vec<u8>)>,
}

fn range((offset, length): (u64, u64)) -> Range<usize> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    start..start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX))
}

impl Edits<'_> {
    fn part(&mut self, part: &Part) {
        let binary = part.encoding == b"BINARY";
        match &part.kind {
            PartKind::Leaf => {
                let body = self.message.get(range(part.body)).unwrap_or_default();
                if is_plain(part) && (binary || memchr::memchr(0, body).is_some()) {
                    self.encoding(part, "base64");
                    self.all.push((range(part.body), encoded(body)));
                }
            }
            PartKind::Multipart(parts) => {
                self.container(part, binary);
                parts.iter().for_each(|part| self.part(part));
            }
            PartKind::Message(inner) => {
                self.container(part, binary);
                self.part(&inner.root);
            }
        }
    }

    fn container(&mut self, part: &Part, binary: bool) {
        if binary {
            self.encoding(part, "8bit");
        }
    }

    /// Gives a part another Content-Transfer-Encoding.
    fn encoding(&mut self, part: &Part, encoding: &str) {
        let field = format!("Content-Transfer-Encoding: {encoding}\r\n").into_bytes();
        let place = range(part.header);
        let block = self.message.get(place.clone()).unwrap_or_default();
        let there = header::find(block, "Content-Transfer-Encoding").map(|old| {
            let start = place.start + old.offset;
            start..start + old.raw.len()
        });
        self.all
            .push((there.unwrap_or(place.start..place.start), field));
    }

    fn applied(mut self) -> Vec<u8> {
        self.all.sort_by_key(|(place, _)| (place.start, place.end));
        let added: usize = self.all.iter().map(|(_, new)| new.len()).sum();
        let mut out = Vec::with_capacity(self.message.len() + added);
        let mut at = 0;
        for (place, new) in &self.all {
            out.extend_from_slice(self.message.get(at..place.start).unwrap_or_default());
            out.extend_from_slice(new);
            at = place.end.max(at);
        }
        out.extend_from_slice(self.message.get(at..).unwrap_or_default());
        out
    }
}

/// Lines of base64, the last with its end only where another follows.
fn encoded(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 3 * 4 + body.len() / LINE * 2 + 8);
    for (at, line) in body.chunks(LINE).enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(STANDARD.encode(line).as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transfer;

    #[test]
    fn a_binary_part_becomes_base64_and_what_contains_it_8bit() {
        let message = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-transfer-encoding: BINARY\r\n\r\n--b\r\n\
            Content-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding:\r\n binary\r\nX: y\r\n\r\n\
            a\0b\r\n--b--\r\n";
        let textual = String::from_utf8(without_binary(message).unwrap()).unwrap();
        assert_eq!(
            textual,
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--b\r\n\
            Content-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\nX: y\r\n\r\n\
            YQBi\r\n--b--\r\n"
        );
    }

    #[test]
    fn nul_without_an_encoding_is_encoded_too_and_a_field_is_added() {
        let textual = without_binary(b"Subject: x\r\n\r\n\0").unwrap();
        assert_eq!(
            textual,
            b"Content-Transfer-Encoding: base64\r\nSubject: x\r\n\r\nAA=="
        );
    }

    #[test]
    fn a_message_inside_a_message_is_looked_into() {
        let message = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n\
            Content-Transfer-Encoding: binary\r\n\r\n\x01\0";
        let textual = String::from_utf8(without_binary(message).unwrap()).unwrap();
        assert_eq!(
            textual,
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nAQA="
        );
    }

    #[test]
    fn nul_outside_of_content_cannot_be_hidden() {
        for message in [
            &b"Subject: \0\r\n\r\nx"[..],
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n\0\r\n--b\r\n\r\nx\r\n--b--\r\n",
            b"Content-Transfer-Encoding: base64\r\n\r\n\0",
        ] {
            assert_eq!(without_binary(message), Err(NotTextual));
        }
    }

    #[test]
    fn what_is_text_stays_as_it_is() {
        let message = b"Subject: x\r\n\r\nhello\r\n";
        assert_eq!(without_binary(message).unwrap(), message);
    }

    proptest! {
        #[test]
        fn content_comes_back(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let message = [b"Content-Transfer-Encoding: binary\r\n\r\n".as_slice(), &body].concat();
            let textual = without_binary(&message).unwrap();
            let structure = Structure::parse(&textual);
            let encoded = textual.get(range(structure.root.body)).unwrap();
            prop_assert_eq!(transfer::decode(b"BASE64", encoded).into_owned(), body);
        }

        #[test]
        fn no_message_is_too_strange(message in prop::collection::vec(prop_oneof![Just(b'\n'), Just(0), Just(b'-'), any::<u8>()], 0..200)) {
            let multipart = [b"Content-Type: multipart/x; boundary=\"\"\r\nContent-Transfer-Encoding: binary\r\n\r\n".as_slice(), &message].concat();
            for message in [message, multipart] {
                if let Ok(textual) = without_binary(&message) {
                    prop_assert!(!textual.contains(&0));
                }
            }
        }
    }
}
