//! A message as DATA carries it: RFC 5321 sections 4.5.2 and 2.3.8.

use crate::line_ends::LineEnds;

/// Keeps what must be known of the octets before.
#[derive(Debug)]
pub(super) struct Encoder(LineEnds);

impl Default for Encoder {
    fn default() -> Encoder {
        Encoder(LineEnds::stuffing_dots())
    }
}

impl Encoder {
    /// The next octets, encoded, behind `out`.
    pub(super) fn encode(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.0.make_whole(octets, out);
    }

    /// What ends the message.
    pub(super) fn finish(self, out: &mut Vec<u8>) {
        self.0.finish(out);
        out.extend_from_slice(b".\r\n");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut encoder, mut out) = (Encoder::default(), Vec::new());
        for piece in pieces {
            encoder.encode(piece, &mut out);
        }
        encoder.finish(&mut out);
        out
    }

    /// As a receiver reads it.
    fn decoded(wire: &[u8]) -> Vec<u8> {
        let text = wire.strip_suffix(b".\r\n").unwrap();
        let lines = text.split_inclusive(|octet| *octet == b'\n');
        lines
            .flat_map(|line| line.strip_prefix(b".").unwrap_or(line))
            .copied()
            .collect()
    }

    #[test]
    fn dots_are_doubled_and_line_ends_made_whole() {
        for (message, wire) in [
            (&b"a\r\n.b\r\n..\r\n"[..], &b"a\r\n..b\r\n...\r\n.\r\n"[..]),
            (b"no end", b"no end\r\n.\r\n"),
            (b"", b".\r\n"),
            (b"a\n.\nb\r.\r\n", b"a\r\n..\r\nb\r\n..\r\n.\r\n"),
            (b"a\r\r\nb\r", b"a\r\n\r\nb\r\n.\r\n"),
        ] {
            assert_eq!(
                encoded(&[message]),
                wire,
                "{}",
                String::from_utf8_lossy(message)
            );
        }
    }

    proptest! {
        #[test]
        fn proper_lines_arrive_as_they_were_however_they_are_cut(
            lines in prop::collection::vec("[.a\u{e9}]{0,6}", 0..12), cut in 0usize..60,
        ) {
            let message: Vec<u8> = lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect();
            let (one, two) = message.split_at(cut.min(message.len()));
            prop_assert_eq!(decoded(&encoded(&[one, two])), message);
        }

        #[test]
        fn nothing_ends_the_message_before_its_end(octets in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a')], 0..40)) {
            let wire = encoded(&[&octets]);
            let inner = &wire[..wire.len() - 3];
            prop_assert!(!inner.windows(5).any(|five| five == b"\r\n.\r\n") && !inner.starts_with(b".\r\n"));
            let lone = wire.iter().enumerate().any(|(at, octet)| match octet {
                b'\n' => at == 0 || wire[at - 1] != b'\r',
                b'\r' => wire.get(at + 1) != Some(&b'\n'),
                _ => false,
            });
            prop_assert!(!lone);
        }
    }
}
