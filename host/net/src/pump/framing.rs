//! Where a body ends in the stream of input: after so many octets, or at CRLF.CRLF (RFC 5321 section 4.5.2).
//!
//! Free of I/O. Only CRLF begins a line: a dot after a bare CR or LF is content, and a lone dot ended by a bare
//! CR or LF does not end a message. Every laxity here is a way to smuggle a second message past a relay that
//! is lax in another place.

use waxwing_runtime::Framing;

/// Follows one body through chunks that are cut anywhere.
pub(crate) enum Decoder {
    /// Octets to come.
    Exact(u64),
    DotStuffed(Place),
}

/// Where in a line the next octet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    LineStart,
    /// After a dot at the start of a line, which is held back.
    Dot,
    /// After that dot and a CR, both held back.
    DotCr,
    Within,
    Cr,
}

/// What a chunk of input meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded<'a> {
    pub(crate) content: &'a [u8],
    /// Octets of the input that belong to the body and its end.
    pub(crate) consumed: usize,
    pub(crate) complete: bool,
}

impl Decoder {
    pub(crate) fn new(framing: &Framing) -> Decoder {
        match framing {
            Framing::Exact(count) => Decoder::Exact(*count),
            Framing::DotStuffed => Decoder::DotStuffed(Place::LineStart),
        }
    }

    /// The content in `input`, in place or in `scratch`.
    pub(crate) fn decode<'a>(&mut self, input: &'a [u8], scratch: &'a mut Vec<u8>) -> Decoded<'a> {
        match self {
            Decoder::Exact(left) => {
                let consumed = input
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= consumed as u64;
                let content = input.get(..consumed).unwrap_or_default();
                Decoded {
                    content,
                    consumed,
                    complete: *left == 0,
                }
            }
            Decoder::DotStuffed(place) => {
                scratch.clear();
                let (consumed, complete) = unstuff(place, input, scratch);
                Decoded {
                    content: scratch,
                    consumed,
                    complete,
                }
            }
        }
    }
}

fn unstuff(place: &mut Place, input: &[u8], content: &mut Vec<u8>) -> (usize, bool) {
    let mut rest = input;
    while let Some((&octet, tail)) = rest.split_first() {
        if *place == Place::Within {
            let run = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
            let (plain, tail) = rest.split_at_checked(run).unwrap_or((rest, &[]));
            content.extend_from_slice(plain);
            rest = tail;
            if let Some((_, tail)) = rest.split_first() {
                content.push(b'\r');
                *place = Place::Cr;
                rest = tail;
            }
            continue;
        }
        rest = tail;
        *place = match (*place, octet) {
            (Place::DotCr, b'\n') => return (input.len() - rest.len(), true),
            (Place::LineStart, b'.') => Place::Dot,
            (Place::Dot, b'\r') => Place::DotCr,
            (before, octet) => {
                if before == Place::DotCr {
                    content.push(b'\r');
                }
                content.push(octet);
                match octet {
                    b'\n' if before == Place::Cr => Place::LineStart,
                    b'\r' => Place::Cr,
                    _ => Place::Within,
                }
            }
        };
    }
    (input.len(), false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rule as RFC 5321 says it: find CRLF.CRLF (the CRLF before DATA's content counts), cut there, and
    /// drop the first dot of every line.
    fn model(input: &[u8]) -> Option<(Vec<u8>, usize)> {
        let framed = [b"\r\n".as_slice(), input].concat();
        let end = framed
            .windows(5)
            .position(|window| window == b"\r\n.\r\n")?;
        let body = &framed[..end + 2];
        let mut content = Vec::new();
        for (at, octet) in body.iter().enumerate().skip(2) {
            if *octet == b'.' && &body[at - 2..at] == b"\r\n" {
                continue;
            }
            content.push(*octet);
        }
        Some((content, end + 5 - 2))
    }

    fn run(input: &[u8], cuts: &[usize]) -> (Vec<u8>, Option<usize>) {
        let mut decoder = Decoder::new(&Framing::DotStuffed);
        let (mut content, mut scratch, mut at) = (Vec::new(), Vec::new(), 0);
        let mut sizes = cuts.iter().copied().chain(std::iter::repeat(7));
        while at < input.len() {
            let end = (at + sizes.next().unwrap().max(1)).min(input.len());
            let decoded = decoder.decode(&input[at..end], &mut scratch);
            content.extend_from_slice(decoded.content);
            at += decoded.consumed;
            if decoded.complete {
                return (content, Some(at));
            }
            assert_eq!(at, end);
        }
        (content, None)
    }

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(
            prop_oneof![4 => Just(b'\r'), 4 => Just(b'\n'), 4 => Just(b'.'), 2 => any::<u8>()],
            0..120,
        )
    }

    proptest! {
        #[test]
        fn unstuffing_agrees_with_the_rule_however_the_input_is_cut(
            input in octets(),
            terminated in any::<bool>(),
            cuts in prop::collection::vec(1usize..9, 0..60),
        ) {
            let mut input = input;
            if terminated {
                input.extend_from_slice(b"\r\n.\r\nNEXT");
            }
            let (content, end) = run(&input, &cuts);
            match model(&input) {
                Some((expected, expected_end)) => {
                    prop_assert_eq!(end, Some(expected_end));
                    prop_assert_eq!(content, expected);
                }
                None => prop_assert_eq!(end, None),
            }
        }

        #[test]
        fn what_a_client_stuffs_comes_out_unchanged(lines in prop::collection::vec("[.a\r]{0,4}", 0..20)) {
            let message: String = lines.iter().map(|line| format!("{}\r\n", line.trim_end_matches('\r'))).collect();
            let stuffed: String = message.split_inclusive("\r\n").map(|line| match line.strip_prefix('.') {
                Some(_) => format!(".{line}"),
                None => line.to_owned(),
            }).collect();
            let (content, end) = run(format!("{stuffed}.\r\n").as_bytes(), &[3, 1, 4, 1, 5]);
            prop_assert_eq!(end, Some(stuffed.len() + 3));
            prop_assert_eq!(content, message.into_bytes());
        }

        #[test]
        fn an_exact_body_takes_its_octets_and_no_more(body in prop::collection::vec(any::<u8>(), 0..50), more in 0usize..20) {
            let mut decoder = Decoder::new(&Framing::Exact(body.len() as u64));
            let input = [body.clone(), vec![b'x'; more]].concat();
            let mut scratch = Vec::new();
            let decoded = decoder.decode(&input, &mut scratch);
            prop_assert_eq!(decoded, Decoded { content: &body, consumed: body.len(), complete: true });
        }
    }

    #[test]
    fn no_ending_but_crlf_dot_crlf_ends_a_message() {
        for smuggled in [
            "a\n.\n",
            "a\n.\r\n",
            "a\r\n.\n",
            "a\r.\r",
            "a\r\n.\r",
            "a\r.\r\n",
            "a\n.\r",
            "a\r\n\0.\r\n",
        ] {
            assert_eq!(run(smuggled.as_bytes(), &[]).1, None, "{smuggled:?}");
        }
    }

    #[test]
    fn an_empty_message_is_one_dot() {
        assert_eq!(run(b".\r\n", &[1, 1, 1]), (Vec::new(), Some(3)));
    }
}
