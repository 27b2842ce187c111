//! The little that delivery reads of a message: where its header ends, and how often it was received.
//!
//! The header is not parsed: that is exmdb's work at the append, and a message that no parser likes is delivered all the
//! same. Bound: [`MAX_HEADER`] octets are looked at.

use bytes::{Bytes, BytesMut};
use waxwing_exmdb::{Body, Result};

use crate::Outcome;

/// Octets of a header that are looked at; longer ones are cut.
const MAX_HEADER: usize = 1024 * 1024;
const CHUNK: usize = 64 * 1024;

/// The octets before the empty line, with the line end of the last field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header(Bytes);

impl Header {
    pub(crate) async fn read(message: &Body) -> Result<Header> {
        let mut header = BytesMut::new();
        while header.len() < MAX_HEADER {
            // The empty line may lie across two chunks.
            let searched = header.len().saturating_sub(3);
            let chunk = message.read(header.len() as u64, CHUNK).await?;
            if chunk.is_empty() {
                break;
            }
            header.extend_from_slice(&chunk);
            if let Some(end) = end(&header, searched) {
                header.truncate(end);
                break;
            }
        }
        Ok(Header(header.freeze()))
    }

    /// Of a message whose fields or body are to be changed.
    ///
    /// # Errors
    /// The reply for a message that cannot be read, or as [`Header::demand_whole`].
    pub(crate) async fn to_change(message: &Body) -> std::result::Result<Header, Outcome> {
        let header = Header::read(message).await;
        let header = header.map_err(|error| Outcome::store(&error))?;
        header.demand_whole()?;
        Ok(header)
    }

    /// Nothing is put behind a header that was cut: it would stand in the middle of a line.
    ///
    /// # Errors
    /// The reply for a longer one.
    pub(crate) fn demand_whole(&self) -> std::result::Result<(), Outcome> {
        match self.0.len() < MAX_HEADER {
            true => Ok(()),
            false => Err(Outcome::header_too_big(MAX_HEADER)),
        }
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }

    /// How many hops (RFC 5321 section 6.3).
    pub(crate) fn received(&self) -> usize {
        lines(&self.0).filter(|line| is_received(line)).count()
    }
}

/// Each field with its continuation lines and line ends.
pub(crate) fn fields(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let mut lines = rest.split_inclusive(|octet| *octet == b'\n');
        let mut length = lines.next()?.len();
        for line in lines {
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                break;
            }
            length += line.len();
        }
        let (field, behind) = rest.split_at_checked(length)?;
        rest = behind;
        Some(field)
    })
}

/// Where the header ends, in what follows `from`. Lines may end in CRLF or, from careless senders, in LF.
fn end(octets: &[u8], from: usize) -> Option<usize> {
    if octets.starts_with(b"\r\n") || octets.starts_with(b"\n") {
        return Some(0);
    }
    let tail = octets.get(from..)?;
    let newlines = tail
        .iter()
        .enumerate()
        .filter(|(_, octet)| **octet == b'\n')
        .map(|(at, _)| from + at + 1);
    newlines.into_iter().find(|at| {
        octets
            .get(*at..)
            .is_some_and(|rest| rest.starts_with(b"\r\n") || rest.starts_with(b"\n"))
    })
}

/// With their line ends.
fn lines(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    octets.split_inclusive(|octet| *octet == b'\n')
}

fn is_received(line: &[u8]) -> bool {
    is_field(line, b"received")
}

pub(crate) fn is_field(line: &[u8], wanted: &[u8]) -> bool {
    let (Some(name), Some(rest)) = (line.get(..wanted.len()), line.get(wanted.len()..)) else {
        return false;
    };
    // RFC 5322 section 4.5.3 allowed white space before the colon.
    name.eq_ignore_ascii_case(wanted) && rest.trim_ascii_start().starts_with(b":")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn header(message: &str) -> Header {
        Header::read(&Body::from_bytes(Bytes::copy_from_slice(
            message.as_bytes(),
        )))
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn it_ends_before_the_empty_line() {
        for (message, expected) in [
            ("A: 1\r\nB: 2\r\n\r\nReceived: body", "A: 1\r\nB: 2\r\n"),
            ("A: 1\nB: 2\n\nbody", "A: 1\nB: 2\n"),
            ("A: 1\r\n", "A: 1\r\n"),
            ("\r\nbody", ""),
            ("", ""),
        ] {
            assert_eq!(
                header(message).await.octets(),
                expected.as_bytes(),
                "{message:?}"
            );
        }
    }

    #[tokio::test]
    async fn it_ends_there_wherever_the_chunks_are_cut() {
        for padding in CHUNK - 8..CHUNK + 4 {
            let expected = format!("A: {}\r\n", "x".repeat(padding));
            let read = header(&format!("{expected}\r\nbody")).await;
            assert_eq!(read.octets().len(), expected.len(), "{padding}");
        }
    }

    #[tokio::test]
    async fn hops_are_counted_in_the_header_only() {
        let message = "Received: from a\r\n by b\r\nRECEIVED : c\r\nReceived-SPF: pass\r\nSubject: Received: no\r\n\r\nReceived: x\r\n";
        assert_eq!(header(message).await.received(), 2);
    }

    proptest! {
        #[test]
        fn any_octets_have_a_header(octets in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let header = runtime.block_on(Header::read(&Body::from_bytes(octets.clone().into()))).unwrap();
            prop_assert!(octets.starts_with(header.octets()));
        }
    }
}
