//! A message by its two halves: the header, which is read, and the body, which stays with the host.

use waxwing_sdk::Fault;
use waxwing_sdk::bodies::{self, Body, Piece, PieceRange};

/// Octets of a header that are read; a longer one is cut, and such a message is never changed.
const MAX_HEADER: usize = 1024 * 1024;
const CHUNK: u32 = 64 * 1024;

pub(crate) struct Message {
    /// With its last line end, without the empty line.
    pub(crate) header: Vec<u8>,
    pub(crate) size: u64,
    /// Whether all of the header was read.
    whole: bool,
}

impl Message {
    pub(crate) fn read(body: &Body) -> Result<Message, Fault> {
        let size = body.size();
        let mut header: Vec<u8> = Vec::new();
        loop {
            // The empty line may lie across two chunks.
            let searched = header.len().saturating_sub(3);
            let chunk = body.read(header.len() as u64, CHUNK)?;
            let ended = chunk.is_empty();
            header.extend_from_slice(&chunk);
            let end = end(&header, searched);
            if let Some(end) = end {
                header.truncate(end);
            }
            if ended || end.is_some() || header.len() >= MAX_HEADER {
                let whole = ended || end.is_some();
                return Ok(Message {
                    header,
                    size,
                    whole,
                });
            }
        }
    }

    /// The message with another header; none when it has its own.
    pub(crate) fn with_header(
        &self,
        body: &Body,
        header: Option<&[u8]>,
    ) -> Result<Option<Body>, Fault> {
        let Some(header) = header.filter(|_| self.whole) else {
            return Ok(None);
        };
        let offset = self.header.len() as u64;
        let rest = Piece::Range(PieceRange {
            body,
            offset,
            length: self.size.saturating_sub(offset),
        });
        bodies::compose(&[Piece::Bytes(header.to_vec()), rest]).map(Some)
    }
}

/// The first octets of a body.
pub(crate) fn beginning(body: &Body, most: usize) -> Result<Vec<u8>, Fault> {
    let mut octets: Vec<u8> = Vec::new();
    while octets.len() < most {
        let chunk = body.read(octets.len() as u64, 256 * 1024)?;
        if chunk.is_empty() {
            break;
        }
        octets.extend_from_slice(&chunk);
    }
    octets.truncate(most);
    Ok(octets)
}

/// Where the header ends, in what follows `from`: before the empty line. Lines may end in LF alone.
fn end(octets: &[u8], from: usize) -> Option<usize> {
    if octets.starts_with(b"\r\n") || octets.starts_with(b"\n") {
        return Some(0);
    }
    let tail = octets.get(from..)?;
    let mut newlines = tail
        .iter()
        .enumerate()
        .filter(|(_, octet)| **octet == b'\n')
        .map(|(at, _)| from + at + 1);
    newlines.find(|at| {
        let rest = octets.get(*at..).unwrap_or_default();
        rest.starts_with(b"\r\n") || rest.starts_with(b"\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_before_the_empty_line_wherever_the_chunks_are_cut() {
        let chunk = CHUNK as usize;
        for padding in (chunk - 8)..(chunk + 4) {
            let header = format!("A: {}\r\n", "x".repeat(padding));
            let body = Body::of(format!("{header}\r\nbody").as_bytes());
            let message = Message::read(&body).unwrap();
            assert_eq!(message.header, header.as_bytes(), "{padding}");
            let changed = message
                .with_header(&body, Some(b"B: 1\r\n"))
                .unwrap()
                .unwrap();
            assert_eq!(
                bodies::read_all(&changed, 100).unwrap(),
                b"B: 1\r\n\r\nbody"
            );
        }
    }

    #[test]
    fn a_message_of_a_header_alone_and_of_a_body_alone_are_read() {
        for (octets, header) in [
            ("A: 1\r\n", "A: 1\r\n"),
            ("\r\nbody", ""),
            ("", ""),
            ("A: 1\n\nb", "A: 1\n"),
        ] {
            let message = Message::read(&Body::of(octets.as_bytes())).unwrap();
            assert_eq!(message.header, header.as_bytes(), "{octets:?}");
        }
    }
}
