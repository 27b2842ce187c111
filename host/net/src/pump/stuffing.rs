//! A body on its way into a dot-stuffed stream (RFC 5321 section 4.5.2, RFC 1939 section 3).
//!
//! Free of I/O. Every LF ends a line here, CR before it or not: most readers split at LF, and one that did would take a lone dot
//! behind it for the end and the rest of a message for answers. A reader that knows CRLF alone sees one dot too many in a message
//! that RFC 5322 does not allow. The other direction is `framing`, where laxity would be the mistake.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// Follows one body through chunks that are cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Stuffer {
    /// The last two octets.
    last: [u8; 2],
    begun: bool,
}

impl Stuffer {
    /// The chunk as it leaves; it is copied only when a dot is added.
    pub(super) fn stuff(&mut self, chunk: Bytes) -> Bytes {
        let Some(first) = chunk.first() else {
            return chunk;
        };
        let [_, before] = self.last;
        let at_start = *first == b'.' && (!self.begun || before == b'\n');
        let stuffed = match (at_start, memmem::find(&chunk, b"\n.")) {
            (false, None) => chunk.clone(),
            _ => copied(&chunk, at_start),
        };
        self.begun = true;
        self.last = match chunk.as_ref() {
            [.., one, two] => [*one, *two],
            [one] => [before, *one],
            [] => self.last,
        };
        stuffed
    }

    /// What is missing between the body and the line with the dot.
    pub(super) fn end(&self) -> &'static [u8] {
        match (self.begun, self.last) {
            (false, _) | (true, [b'\r', b'\n']) => b"",
            _ => b"\r\n",
        }
    }
}

fn copied(chunk: &[u8], at_start: bool) -> Bytes {
    let mut out = BytesMut::with_capacity(chunk.len() + chunk.len() / 32 + 1);
    if at_start {
        out.extend_from_slice(b".");
    }
    let mut rest = chunk;
    for line_end in memmem::find_iter(chunk, b"\n.") {
        let done = chunk.len() - rest.len();
        let (line, after) = rest
            .split_at_checked(line_end + 1 - done)
            .unwrap_or((rest, &[]));
        out.extend_from_slice(line);
        out.extend_from_slice(b".");
        rest = after;
    }
    out.extend_from_slice(rest);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stuffed(body: &[u8], cuts: &[usize]) -> Vec<u8> {
        let (mut stuffer, mut out, mut at) = (Stuffer::default(), Vec::new(), 0);
        let mut sizes = cuts.iter().copied().chain(std::iter::repeat(7));
        while at < body.len() {
            let end = (at + sizes.next().unwrap().max(1)).min(body.len());
            out.extend_from_slice(&stuffer.stuff(Bytes::copy_from_slice(&body[at..end])));
            at = end;
        }
        out.extend_from_slice(stuffer.end());
        out
    }

    /// What a reader makes of it that splits at LF, strips one dot, and stops at a line that is only a dot.
    fn read(stream: &[u8]) -> (Vec<u8>, usize) {
        let (mut body, mut at) = (Vec::new(), 0);
        for line in stream.split_inclusive(|octet| *octet == b'\n') {
            at += line.len();
            match line {
                b".\r\n" | b".\n" => return (body, at),
                [b'.', rest @ ..] => body.extend_from_slice(rest),
                line => body.extend_from_slice(line),
            }
        }
        panic!("the stream has no end");
    }

    #[test]
    fn a_body_without_dots_is_not_copied() {
        let chunk = Bytes::from_static(b"a.b\r\nc\r\n");
        let mut stuffer = Stuffer::default();
        assert_eq!(stuffer.stuff(chunk.clone()).as_ptr(), chunk.as_ptr());
        assert_eq!(stuffer.end(), b"");
    }

    #[test]
    fn the_end_of_a_body_is_the_end_of_a_line() {
        assert_eq!(stuffed(b"", &[]), b"");
        assert_eq!(stuffed(b"a\r\n", &[]), b"a\r\n");
        assert_eq!(stuffed(b"a\r\n", &[2, 1]), b"a\r\n");
        assert_eq!(stuffed(b"a", &[]), b"a\r\n");
        assert_eq!(stuffed(b"a\n", &[]), b"a\n\r\n");
        assert_eq!(stuffed(b".", &[]), b"..\r\n");
    }

    proptest! {
        #[test]
        fn whatever_a_body_holds_a_reader_finds_its_end_and_its_octets(
            body in prop::collection::vec(prop_oneof![4 => Just(b'\r'), 4 => Just(b'\n'), 4 => Just(b'.'), 2 => any::<u8>()], 0..120),
            cuts in prop::collection::vec(1usize..9, 0..60),
        ) {
            let mut stream = stuffed(&body, &cuts);
            stream.extend_from_slice(b".\r\n");
            let (read, end) = read(&stream);
            prop_assert_eq!(end, stream.len());
            prop_assert!(read.starts_with(&body));
            prop_assert!(read[body.len()..].is_empty() || &read[body.len()..] == b"\r\n");
        }

        #[test]
        fn lines_are_stuffed_as_the_rfc_says(lines in prop::collection::vec("[.a]{0,4}", 0..20), cuts in prop::collection::vec(1usize..9, 0..60)) {
            let body: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let expected: String = lines
                .iter()
                .map(|line| if line.starts_with('.') { format!(".{line}\r\n") } else { format!("{line}\r\n") })
                .collect();
            prop_assert_eq!(stuffed(body.as_bytes(), &cuts), expected.into_bytes());
        }
    }
}
