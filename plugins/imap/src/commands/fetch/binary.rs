//! `BINARY[…]` and `BINARY.SIZE[…]` (RFC 3516, RFC 9051 section 6.4.5): a part without its Content-Transfer-Encoding.
//!
//! The only items whose octets pass through the plugin, because they must be decoded; so their size is bounded. Parts that are not
//! encoded are sent by the host as any other.

use waxwing_formats_mime::{PartKind, SectionPart, transfer};

use super::item::{Message, cut, octets};
use crate::session::{Output, Refusal};

/// Octets of an encoded part.
const ENCODED: u64 = 8 * 1024 * 1024;
/// What the host reads in one call.
const CHUNK: u32 = 256 * 1024;

/// A part without its encoding.
enum Decoded {
    /// There is no such part.
    Nil,
    /// It is not encoded: offset and length in the body.
    Plain(u64, u64),
    Bytes(Vec<u8>),
}

impl Message<'_> {
    pub(super) fn binary(
        &self,
        out: &mut Output,
        path: &[u32],
        partial: Option<(u64, u64)>,
    ) -> Result<(), Refusal> {
        out.word(&format!("BINARY[{}]", number(path)));
        if let Some((offset, _)) = partial {
            out.word(&format!("<{offset}>"));
        }
        out.word(" ");
        match (self.decoded(path)?, self.body) {
            (Decoded::Plain(offset, length), Some(body)) => match cut((offset, length), partial) {
                (_, 0) => out.word("{0}\r\n"),
                (offset, length) => {
                    out.word(&format!("~{{{length}}}\r\n"));
                    out.body(body.dup(), offset, length);
                }
            },
            (Decoded::Bytes(bytes), _) => {
                let (first, length) = cut((0, bytes.len() as u64), partial);
                let (first, length) = (
                    usize::try_from(first).unwrap_or(0),
                    usize::try_from(length).unwrap_or(0),
                );
                let part = bytes
                    .get(first..)
                    .and_then(|rest| rest.get(..length))
                    .unwrap_or_default();
                // RFC 3516 section 4.3: only a literal8 may hold NUL.
                if part.contains(&0) {
                    out.word("~");
                }
                octets(out.text(), part);
            }
            _ => out.word("NIL"),
        }
        Ok(())
    }

    pub(super) fn binary_size(&self, out: &mut Output, path: &[u32]) -> Result<(), Refusal> {
        let size = match self.decoded(path)? {
            Decoded::Nil => 0,
            Decoded::Plain(_, length) => length,
            Decoded::Bytes(bytes) => bytes.len() as u64,
        };
        out.word(&format!("BINARY.SIZE[{}] {size}", number(path)));
        Ok(())
    }

    fn decoded(&self, path: &[u32]) -> Result<Decoded, Refusal> {
        let structure = self.structure()?;
        let Some((offset, length)) = structure.section(path, SectionPart::Whole) else {
            return Ok(Decoded::Nil);
        };
        let Some(part) = structure
            .part(path)
            .filter(|part| matches!(part.kind, PartKind::Leaf))
        else {
            return Ok(Decoded::Plain(offset, length));
        };
        match part.encoding.as_slice() {
            b"7BIT" | b"8BIT" | b"BINARY" => Ok(Decoded::Plain(offset, length)),
            encoding @ (b"BASE64" | b"QUOTED-PRINTABLE") => Ok(Decoded::Bytes(
                transfer::decode(encoding, &self.read(offset, length)?).into_owned(),
            )),
            _ => Err(Refusal::no(
                "[UNKNOWN-CTE] The encoding of the part is not known",
            )),
        }
    }

    fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, Refusal> {
        if length > ENCODED {
            return Err(Refusal::no(
                "[LIMIT] A part of more than 8388608 octets is not decoded; fetch it with BODY",
            ));
        }
        let mut all = Vec::new();
        while let (Some(body), true) = (self.body, (all.len() as u64) < length) {
            let left = length - all.len() as u64;
            let chunk = body.read(
                offset + all.len() as u64,
                u32::try_from(left).unwrap_or(CHUNK).min(CHUNK),
            )?;
            if chunk.is_empty() {
                break;
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }
}

fn number(path: &[u32]) -> String {
    path.iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(".")
}

#[cfg(test)]
mod tests {
    use super::super::item::tests::rendered_of;
    use crate::parse::FetchItem;

    const MAIL: &[u8] = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nAGhpIQ==\r\n\
        --b\r\n\r\nplain\r\n--b\r\nContent-Transfer-Encoding: x-odd\r\n\r\n?\r\n--b--\r\n";

    fn binary(path: &[u32], partial: Option<(u64, u64)>) -> FetchItem {
        FetchItem::Binary {
            peek: true,
            path: path.to_vec(),
            partial,
        }
    }

    #[test]
    fn parts_come_without_their_encoding() {
        assert_eq!(
            rendered_of(MAIL, &[binary(&[1], None)]).unwrap(),
            "* 5 FETCH (BINARY[1] ~{4}\r\n\0hi!)\r\n"
        );
        assert_eq!(
            rendered_of(MAIL, &[binary(&[1], Some((1, 2)))]).unwrap(),
            "* 5 FETCH (BINARY[1]<1> {2}\r\nhi)\r\n"
        );
        assert_eq!(
            rendered_of(MAIL, &[binary(&[2], None)]).unwrap(),
            "* 5 FETCH (BINARY[2] ~{5}\r\nplain)\r\n"
        );
        assert_eq!(
            rendered_of(MAIL, &[FetchItem::BinarySize(vec![1])]).unwrap(),
            "* 5 FETCH (BINARY.SIZE[1] 4)\r\n"
        );
    }

    #[test]
    fn an_unknown_encoding_is_refused_and_nothing_of_the_line_is_sent() {
        assert!(rendered_of(MAIL, &[FetchItem::Uid, binary(&[3], None)]).is_err());
    }
}
