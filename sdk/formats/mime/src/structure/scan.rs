//! The scanner: one pass over the message with a stack of the boundaries that are open.
//!
//! A delimiter line is `--boundary`, `--` for the last one, and white space (RFC 2046 section 5.1.1); a
//! line that merely begins so is content. The delimiter of an outer multipart ends all inner
//! ones, closed or not. The line end before a delimiter belongs to the delimiter. Descending into a
//! part recurses; [`MAX_DEPTH`] bounds it.

use super::boundaries::{Boundaries, Delimiter};
use super::content::{self, Class, Default};
use super::{Envelope, MAX_DEPTH, MAX_ENTRIES, MAX_HEADERS, MAX_PARTS, Part, PartKind, Structure};
use crate::header::is_empty_line;

pub(super) fn message(message: &[u8]) -> Structure {
    let mut scanner = Scanner {
        message,
        at: 0,
        boundaries: Boundaries::default(),
        parts: 0,
        limits: Limits {
            octets: MAX_HEADERS,
            entries: MAX_ENTRIES,
        },
    };
    scanner.structure(1).0
}

/// Why a stretch of content ended.
#[derive(Clone, Copy)]
enum Stop {
    End,
    /// A delimiter line that starts at `start`.
    At {
        delimiter: Delimiter,
        start: usize,
    },
}

impl Stop {
    fn is_of(self, own: usize, closing: bool) -> bool {
        matches!(self, Stop::At { delimiter: Delimiter { index, last }, .. } if index == own && last == closing)
    }
}

struct Scanner<'a> {
    message: &'a [u8],
    /// Where to go on: the start of a line, behind a delimiter line once one was found.
    at: usize,
    boundaries: Boundaries,
    parts: usize,
    limits: Limits,
}

/// What of headers may still be taken.
#[derive(Clone, Copy)]
struct Limits {
    /// Octets that may be read.
    octets: usize,
    /// Parameters and addresses that may be kept.
    entries: usize,
}

impl Limits {
    /// What of a header block may be read.
    fn cut(self, block: &[u8]) -> &[u8] {
        if self.entries == 0 {
            return b"";
        }
        block.get(..self.octets).unwrap_or(block)
    }
}

impl Scanner<'_> {
    /// A message that starts here.
    fn structure(&mut self, depth: usize) -> (Structure, Stop) {
        let start = self.at;
        let before = self.limits;
        let (root, stop) = self.part(Default::Text, depth);
        let envelope = Envelope::parse(before.cut(self.slice(start, end(root.header))));
        self.limits.entries = self.limits.entries.saturating_sub(envelope.addresses());
        (Structure { envelope, root }, stop)
    }

    /// A part (or the message) whose header starts here.
    fn part(&mut self, default: Default, depth: usize) -> (Part, Stop) {
        self.parts += 1;
        let start = self.at;
        let (body_start, ended) = self.header();
        let block = self.limits.cut(self.slice(start, body_start));
        let octets = block.len();
        let mut part = content::part(block, default);
        let disposition = part
            .disposition
            .as_ref()
            .map_or(0, |(_, params)| params.len());
        let entries = part.params.len() + disposition + part.language.len();
        self.limits.octets = self.limits.octets.saturating_sub(octets);
        self.limits.entries = self.limits.entries.saturating_sub(entries);
        part.header = range(start, body_start);
        let stop = match content::classify(&mut part) {
            Class::Multipart { .. } | Class::Message if depth >= MAX_DEPTH => {
                content::set_opaque(&mut part);
                ended.unwrap_or_else(|| self.skip())
            }
            Class::Multipart { boundary } => self.multipart(&mut part, boundary, ended, depth),
            Class::Message => self.embedded(&mut part, body_start, ended, depth),
            Class::Leaf => ended.unwrap_or_else(|| self.skip()),
        };
        let body_end = self.content_end(stop).max(inner_end(&part, body_start));
        part.body = range(body_start, body_end);
        if !matches!(part.kind, PartKind::Multipart(_)) {
            let lines = memchr::memchr_iter(b'\n', self.slice(body_start, body_end)).count();
            part.lines = u64::try_from(lines).unwrap_or(u64::MAX);
        }
        (part, stop)
    }

    fn multipart(
        &mut self,
        part: &mut Part,
        boundary: Vec<u8>,
        ended: Option<Stop>,
        depth: usize,
    ) -> Stop {
        let digest = part.subtype == b"DIGEST";
        let default = if digest {
            Default::Message
        } else {
            Default::Text
        };
        let own = self.boundaries.push(boundary);
        let mut children = Vec::new();
        let mut stop = ended.unwrap_or_else(|| self.skip());
        while stop.is_of(own, false) && self.parts < MAX_PARTS {
            let (child, next) = self.part(default, depth + 1);
            children.push(child);
            stop = next;
        }
        self.boundaries.pop();
        if children.is_empty() {
            content::set_plain_text(part);
        } else {
            part.kind = PartKind::Multipart(children);
        }
        if stop.is_of(own, false) || stop.is_of(own, true) {
            // The epilogue.
            return self.skip();
        }
        stop
    }

    fn embedded(
        &mut self,
        part: &mut Part,
        body_start: usize,
        ended: Option<Stop>,
        depth: usize,
    ) -> Stop {
        if let Some(stop) = ended {
            let mut root = content::part(b"", Default::Text);
            root.header = range(body_start, body_start);
            root.body = root.header;
            let envelope = Envelope::default();
            part.kind = PartKind::Message(Box::new(Structure { envelope, root }));
            return stop;
        }
        let (structure, stop) = self.structure(depth + 1);
        part.kind = PartKind::Message(Box::new(structure));
        stop
    }

    /// Walks over header lines to the end of the empty line, or to a delimiter that cuts the header off.
    fn header(&mut self) -> (usize, Option<Stop>) {
        while self.at < self.message.len() {
            let start = self.at;
            if let Some(stop) = self.delimiter(start) {
                return (start, Some(stop));
            }
            self.at = self.line_end(start);
            if is_empty_line(self.slice(start, self.at)) {
                return (self.at, None);
            }
        }
        (self.at, None)
    }

    /// Walks to the next delimiter line of an open boundary, or to the end.
    fn skip(&mut self) -> Stop {
        if self.boundaries.is_empty() {
            self.at = self.message.len();
            return Stop::End;
        }
        let mut line = self.at;
        loop {
            if let Some(stop) = self.delimiter(line) {
                return stop;
            }
            let rest = self.message.get(line..).unwrap_or_default();
            let Some(next) = memchr::memmem::find(rest, b"\n--") else {
                self.at = self.message.len();
                return Stop::End;
            };
            line += next + 1;
        }
    }

    /// Whether the line that starts at `start` is a delimiter; if so, goes on behind it.
    fn delimiter(&mut self, start: usize) -> Option<Stop> {
        let dashed = self.message.get(start..)?.strip_prefix(b"--")?;
        if self.boundaries.is_empty() {
            return None;
        }
        let len = memchr::memchr(b'\n', dashed).map_or(dashed.len(), |at| at + 1);
        let delimiter = self.boundaries.delimiter(dashed.get(..len)?)?;
        self.at = start + 2 + len;
        Some(Stop::At { delimiter, start })
    }

    /// Where the content before a stop ends: the line end before a delimiter is not content.
    fn content_end(&self, stop: Stop) -> usize {
        let Stop::At { start, .. } = stop else {
            return self.message.len();
        };
        let before = self.slice(0, start);
        let text = before.strip_suffix(b"\n").unwrap_or(before);
        text.strip_suffix(b"\r").unwrap_or(text).len()
    }

    fn line_end(&self, start: usize) -> usize {
        let rest = self.message.get(start..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(self.message.len(), |at| start + at + 1)
    }

    fn slice(&self, start: usize, end: usize) -> &[u8] {
        self.message.get(start..end).unwrap_or_default()
    }
}

/// Where the last part inside ends, at the least where the body starts. A part without content reaches over the
/// line end that the delimiter behind it owns, and what holds it must hold all of it.
fn inner_end(part: &Part, body_start: usize) -> usize {
    let last = match &part.kind {
        PartKind::Leaf => None,
        PartKind::Multipart(children) => children.last(),
        PartKind::Message(inner) => Some(&inner.root),
    };
    last.map_or(body_start, |last| end(last.body))
        .max(body_start)
}

fn range(start: usize, end: usize) -> (u64, u64) {
    let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    (number(start), number(end.saturating_sub(start)))
}

fn end((offset, len): (u64, u64)) -> usize {
    usize::try_from(offset + len).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::MAX_ADDRESSES;
    use proptest::prelude::*;

    /// One line: `TYPE/SUBTYPE"body"`, children in brackets.
    fn shape(message: &[u8], part: &Part) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let name = format!("{}/{}", text(&part.media_type), text(&part.subtype));
        match &part.kind {
            PartKind::Leaf => {
                let body = &message[part.body.0 as usize..][..part.body.1 as usize];
                format!("{name}{:?}", text(body))
            }
            PartKind::Multipart(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| shape(message, part)).collect();
                format!("{name}[{}]", parts.join(" "))
            }
            PartKind::Message(inner) => format!("{name}[{}]", shape(message, &inner.root)),
        }
    }

    fn told(message: &str) -> String {
        shape(
            message.as_bytes(),
            &Structure::parse(message.as_bytes()).root,
        )
    }

    const MIXED: &str = "Content-Type: multipart/mixed; boundary=\"b \"\n\n";

    #[test]
    fn a_message_without_mime_is_plain_text() {
        assert_eq!(told("Subject: x\r\n\r\nhi\r\n"), r#"TEXT/PLAIN"hi\r\n""#);
        assert_eq!(told(""), r#"TEXT/PLAIN"""#);
        assert_eq!(told("Subject: x"), r#"TEXT/PLAIN"""#);
        assert_eq!(told("Content-Type: nonsense\n\nhi"), r#"TEXT/PLAIN"hi""#);
        let part = Structure::parse(b"\nx").root;
        assert_eq!(part.params, [(b"CHARSET".to_vec(), b"US-ASCII".to_vec())]);
        assert_eq!(part.encoding, b"7BIT");
    }

    #[test]
    fn delimiters_count_only_as_whole_lines() {
        let table = [
            ("--b\n\none\n--b--\n", r#"MULTIPART/MIXED[TEXT/PLAIN"one"]"#),
            (
                "pre\n--b \t\r\n\r\none\r\n\r\n--b-- \r\nepi\n--b\n",
                r#"MULTIPART/MIXED[TEXT/PLAIN"one\r\n"]"#,
            ),
            (
                "--b\n\none\n--bb\n --b\n--b-\nx--b\n--b--x\n--b",
                "MULTIPART/MIXED[TEXT/PLAIN\"one\\n--bb\\n --b\\n--b-\\nx--b\\n--b--x\" TEXT/PLAIN\"\"]",
            ),
            (
                "--b\n--b\n\n--b\nA: b\n--b--",
                r#"MULTIPART/MIXED[TEXT/PLAIN"" TEXT/PLAIN"" TEXT/PLAIN""]"#,
            ),
            (
                "--b\n\nunclosed\n",
                "MULTIPART/MIXED[TEXT/PLAIN\"unclosed\\n\"]",
            ),
            (
                "--b\n\n8bit \u{e4}\0\n--b--",
                "MULTIPART/MIXED[TEXT/PLAIN\"8bit \u{e4}\\0\"]",
            ),
            ("--b--\n", "TEXT/PLAIN\"--b--\\n\""),
            ("no delimiter\n", "TEXT/PLAIN\"no delimiter\\n\""),
            ("", r#"TEXT/PLAIN"""#),
        ];
        for (body, expected) in table {
            assert_eq!(told(&format!("{MIXED}{body}")), expected, "{body:?}");
        }
        assert_eq!(
            told("Content-Type: multipart/mixed\n\n--\nx"),
            "TEXT/PLAIN\"--\\nx\""
        );
    }

    #[test]
    fn an_outer_delimiter_ends_inner_parts_that_were_never_closed() {
        let message = "Content-Type: multipart/mixed; boundary=o\n\n--o\n\
            Content-Type: multipart/mixed; boundary=oi\n\n--oi\n\na\n--oi\n\
            Content-Type: message/rfc822\n\nSubject: x\n\nb\n--o\n\nc\n--oi\n--o--\n";
        assert_eq!(
            told(message),
            "MULTIPART/MIXED[MULTIPART/MIXED[TEXT/PLAIN\"a\" MESSAGE/RFC822[TEXT/PLAIN\"b\"]] TEXT/PLAIN\"c\\n--oi\"]"
        );
    }

    #[test]
    fn a_part_holds_parts_that_have_nothing_but_a_header() {
        for inner in ["", "\nA: b"] {
            let message = format!(
                "Content-Type: multipart/mixed; boundary=o\n\n--o\n\
                 Content-Type: multipart/mixed; boundary=i\n\n--i{inner}\n--o--\n"
            );
            let structure = Structure::parse(message.as_bytes());
            check_ranges(message.as_bytes(), &structure.root);
        }
    }

    #[test]
    fn parts_of_a_digest_are_messages_unless_they_say_otherwise() {
        let message = "Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: x\n\nb\n\
            --d\nContent-Type: text/html\n\nc\n--d\nContent-Type: message/rfc822\n--d\n\n--d--";
        assert_eq!(
            told(message),
            "MULTIPART/DIGEST[MESSAGE/RFC822[TEXT/PLAIN\"b\"] TEXT/HTML\"c\" MESSAGE/RFC822[TEXT/PLAIN\"\"] MESSAGE/RFC822[TEXT/PLAIN\"\"]]"
        );
    }

    #[test]
    fn lines_are_line_ends_of_the_body() {
        for (message, lines) in [("\r\n", 0), ("\n\na\n", 2), ("A: b\r\n\r\na\r\nb", 1)] {
            assert_eq!(
                Structure::parse(message.as_bytes()).root.lines,
                lines,
                "{message:?}"
            );
        }
    }

    #[test]
    fn every_field_of_a_part_is_told() {
        let message = b"Content-Type: Image/png; name=\"a.png\"\r\nContent-ID: <i@d>\r\n\
            Content-Description: a\r\n  picture\r\nContent-Transfer-Encoding: Base64 (yes)\r\n\
            Content-MD5: m5==\r\nContent-Disposition: Inline; filename*=utf-8''a%20b\r\n\
            Content-Language: de, en\r\nContent-Location: http://x/\r\n\r\nAAAA";
        let part = Structure::parse(message).root;
        assert_eq!(
            (part.media_type, part.subtype),
            (b"IMAGE".to_vec(), b"PNG".to_vec())
        );
        assert_eq!(part.params, [(b"NAME".to_vec(), b"a.png".to_vec())]);
        assert_eq!(part.id.unwrap(), b"<i@d>");
        assert_eq!(part.description.unwrap(), b"a  picture");
        assert_eq!(part.encoding, b"BASE64");
        assert_eq!(part.md5.unwrap(), b"m5==");
        let filename = vec![(b"FILENAME*".to_vec(), b"utf-8''a%20b".to_vec())];
        assert_eq!(part.disposition.unwrap(), (b"INLINE".to_vec(), filename));
        assert_eq!(part.language, [b"de".to_vec(), b"en".to_vec()]);
        assert_eq!(part.location.unwrap(), b"http://x/");
        assert_eq!(part.body.1, 4);
    }

    #[test]
    fn nesting_and_number_of_parts_are_bounded() {
        let nested = "Content-Type: message/rfc822\n\n".repeat(5000);
        let structure = Structure::parse(nested.as_bytes());
        let (mut part, mut depth) = (&structure.root, 1);
        while let PartKind::Message(inner) = &part.kind {
            part = &inner.root;
            depth += 1;
        }
        assert_eq!(depth, MAX_DEPTH);
        assert_eq!(part.subtype, b"OCTET-STREAM");
        assert_eq!(Structure::decode(&structure.encode()), Some(structure));

        let wide = format!("{MIXED}{}", "--b\n\nx\n".repeat(MAX_PARTS + 5));
        let structure = Structure::parse(wide.as_bytes());
        let PartKind::Multipart(parts) = &structure.root.kind else {
            panic!("a multipart")
        };
        assert_eq!(parts.len(), MAX_PARTS - 1);
        assert_eq!(Structure::decode(&structure.encode()), Some(structure));
    }

    #[test]
    fn what_headers_hold_is_bounded() {
        let part = "--b\nContent-Type: a/b; c=d; e=f; g=h\n\nx\n";
        let addresses = "To: a,\n".repeat(MAX_ADDRESSES + 5);
        let message = format!("{addresses}{MIXED}{}", part.repeat(MAX_PARTS));
        let structure = Structure::parse(message.as_bytes());
        assert_eq!(structure.envelope.to.len(), MAX_ADDRESSES);

        let long = format!("Subject: kept\n{}\nx", "A: b\n".repeat(MAX_HEADERS / 5));
        let structure = Structure::parse(long.as_bytes());
        assert_eq!(structure.envelope.subject.unwrap(), b"kept");

        let messages = format!(
            "{MIXED}{}",
            format!("--b\nContent-Type: message/rfc822\n\n{addresses}\n").repeat(20)
        );
        let structure = Structure::parse(messages.as_bytes());
        let PartKind::Multipart(parts) = &structure.root.kind else {
            panic!("a multipart")
        };
        let addresses = parts.iter().map(|part| match &part.kind {
            PartKind::Message(inner) => inner.envelope.to.len(),
            _ => 0,
        });
        assert_eq!(addresses.sum::<usize>(), MAX_ENTRIES);
        assert!(parts.last().unwrap().kind == PartKind::Leaf);
    }

    /// Messages made of the lines that matter to the scanner.
    fn nasty() -> impl Strategy<Value = Vec<u8>> {
        let line = prop::sample::select(vec![
            "Content-Type: multipart/mixed; boundary=a",
            "Content-Type: multipart/digest; boundary=\"ab\"",
            "Content-Type: message/rfc822",
            "Content-Type: text/html; charset",
            "Content-Disposition: attachment; filename*0=x; filename*1*=%41",
            "From: a@b, (c",
            "To: g: <x",
            "\t folded",
            "--a",
            "--ab",
            "--a--",
            "--ab--",
            "--a-",
            "",
            "text",
            "\0\u{e4}",
            "no colon",
        ]);
        let end = prop::sample::select(vec!["\r\n", "\n", "\r", ""]);
        prop::collection::vec((line, end), 0..40).prop_map(|lines| {
            let text = |(line, end): (&str, &str)| format!("{line}{end}");
            lines.into_iter().map(text).collect::<String>().into_bytes()
        })
    }

    fn check_ranges(message: &[u8], part: &Part) {
        let (header, body) = (part.header, part.body);
        assert_eq!(header.0 + header.1, body.0);
        assert!(body.0 + body.1 <= message.len() as u64);
        match &part.kind {
            PartKind::Leaf => assert_ne!(part.media_type, b"MULTIPART"),
            PartKind::Message(inner) => {
                assert_eq!(inner.root.header.0, body.0);
                assert_eq!(inner.root.body.0 + inner.root.body.1, body.0 + body.1);
                check_ranges(message, &inner.root);
            }
            PartKind::Multipart(parts) => {
                let mut at = body.0;
                assert!(!parts.is_empty());
                for child in parts {
                    assert!(child.header.0 >= at);
                    at = child.body.0 + child.body.1;
                    check_ranges(message, child);
                }
                assert!(at <= body.0 + body.1);
            }
        }
    }

    proptest! {
        #[test]
        fn any_message_has_a_sound_structure_that_survives_encoding(message in nasty()) {
            let structure = Structure::parse(&message);
            check_ranges(&message, &structure.root);
            prop_assert_eq!(structure.section(&[], super::super::SectionPart::Whole), Some((0, message.len() as u64)));
            prop_assert_eq!(Structure::decode(&structure.encode()), Some(structure));
        }

        #[test]
        fn arbitrary_bytes_never_panic(message in prop::collection::vec(any::<u8>(), 0..400)) {
            let structure = Structure::parse(&message);
            check_ranges(&message, &structure.root);
            let _ = Structure::decode(&message);
            let mut encoded = structure.encode();
            encoded.extend_from_slice(&message);
            let _ = Structure::decode(&encoded);
        }
    }
}
