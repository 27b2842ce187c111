//! Sections by number (RFC 9051 section 6.4.5.1): part 1 of a message that is no multipart is its text;
//! numbers go through an embedded message as if its parts were the parts of the part that holds it.

use super::{Part, PartKind, Structure};

/// Which bytes of a section are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionPart {
    /// `BODY[]`, `BODY[1]`: the message, or the body of the part.
    Whole,
    /// `BODY[HEADER]`, `BODY[1.HEADER]`: the header of a message. Base of HEADER.FIELDS.
    Header,
    /// `BODY[TEXT]`, `BODY[1.TEXT]`: a message without its header.
    Text,
    /// `BODY[1.MIME]`: the header of a part.
    Mime,
}

/// What a path names.
#[derive(Clone, Copy)]
enum Node<'a> {
    Message(&'a Structure),
    Part(&'a Part),
}

fn step<'a>(node: Node<'a>, number: u32) -> Option<Node<'a>> {
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    match node {
        Node::Message(message) => match &message.root.kind {
            PartKind::Multipart(parts) => parts.get(index).map(Node::Part),
            PartKind::Leaf | PartKind::Message(_) if number == 1 => Some(Node::Part(&message.root)),
            PartKind::Leaf | PartKind::Message(_) => None,
        },
        Node::Part(part) => match &part.kind {
            PartKind::Multipart(parts) => parts.get(index).map(Node::Part),
            PartKind::Message(message) => step(Node::Message(message), number),
            PartKind::Leaf => None,
        },
    }
}

fn find<'a>(message: &'a Structure, path: &[u32]) -> Option<Node<'a>> {
    path.iter()
        .try_fold(Node::Message(message), |node, number| step(node, *number))
}

pub(super) fn part<'a>(message: &'a Structure, path: &[u32]) -> Option<&'a Part> {
    match find(message, path)? {
        Node::Part(part) => Some(part),
        Node::Message(_) => None,
    }
}

pub(super) fn range(message: &Structure, path: &[u32], section: SectionPart) -> Option<(u64, u64)> {
    match (find(message, path)?, section) {
        (Node::Message(message), SectionPart::Whole) => {
            let Part { header, body, .. } = &message.root;
            Some((header.0, header.1 + body.1))
        }
        (Node::Message(message), _) => of_message(message, section),
        (Node::Part(part), SectionPart::Whole) => Some(part.body),
        (Node::Part(part), SectionPart::Mime) => Some(part.header),
        (Node::Part(part), _) => match &part.kind {
            PartKind::Message(message) => of_message(message, section),
            PartKind::Leaf | PartKind::Multipart(_) => None,
        },
    }
}

fn of_message(message: &Structure, section: SectionPart) -> Option<(u64, u64)> {
    match section {
        SectionPart::Header => Some(message.root.header),
        SectionPart::Text => Some(message.root.body),
        SectionPart::Whole | SectionPart::Mime => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 9051 section 6.4.5.1, cut down.
    const NESTED: &str = "Subject: outer\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n\
        --o\r\n\r\nfirst\r\n\
        --o\r\nContent-Type: message/rfc822\r\nX: mime\r\n\r\n\
        Subject: inner\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n\
        --i\r\n\r\nplain\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>\r\n--i--\r\n\
        --o\r\nContent-Type: message/rfc822\r\n\r\nSubject: single\r\n\r\nalone\r\n--o--\r\n";

    fn cut<'a>(message: &'a str, path: &[u32], part: SectionPart) -> Option<&'a str> {
        let structure = Structure::parse(message.as_bytes());
        let (offset, len) = structure.section(path, part)?;
        Some(&message[offset as usize..][..len as usize])
    }

    #[test]
    fn sections_are_cut_as_rfc_9051_numbers_them() {
        use SectionPart::{Header, Mime, Text, Whole};
        let whole = cut(NESTED, &[], Whole).unwrap();
        assert_eq!(whole, NESTED);
        assert!(
            cut(NESTED, &[], Header)
                .unwrap()
                .ends_with("boundary=o\r\n\r\n")
        );
        assert!(cut(NESTED, &[], Text).unwrap().starts_with("--o\r\n"));
        let table = [
            (&[1][..], Whole, "first"),
            (&[1], Mime, "\r\n"),
            (
                &[2],
                Mime,
                "Content-Type: message/rfc822\r\nX: mime\r\n\r\n",
            ),
            (&[2, 1], Whole, "plain"),
            (&[2, 2], Whole, "<p>"),
            (&[2, 2], Mime, "Content-Type: text/html\r\n\r\n"),
            (&[3], Header, "Subject: single\r\n\r\n"),
            (&[3], Text, "alone"),
            (&[3, 1], Whole, "alone"),
            (&[3, 1], Mime, "Subject: single\r\n\r\n"),
        ];
        for (path, part, expected) in table {
            assert_eq!(cut(NESTED, path, part), Some(expected), "{path:?} {part:?}");
        }
        assert!(
            cut(NESTED, &[2], Header)
                .unwrap()
                .starts_with("Subject: inner")
        );
        assert!(cut(NESTED, &[2], Text).unwrap().starts_with("--i\r\n"));
    }

    #[test]
    fn sections_that_are_not_there_are_none() {
        use SectionPart::{Header, Mime, Text, Whole};
        for (path, part) in [
            (&[][..], Mime),
            (&[0], Whole),
            (&[4], Whole),
            (&[1], Header),
            (&[1], Text),
            (&[1, 1], Whole),
            (&[2, 3], Whole),
            (&[3, 1, 1], Whole),
            (&[u32::MAX], Whole),
        ] {
            assert_eq!(cut(NESTED, path, part), None, "{path:?} {part:?}");
        }
    }

    #[test]
    fn part_one_of_a_single_part_message_is_its_text() {
        let message = "Subject: x\r\n\r\nbody\r\n";
        assert_eq!(cut(message, &[1], SectionPart::Whole), Some("body\r\n"));
        assert_eq!(
            cut(message, &[1], SectionPart::Mime),
            Some("Subject: x\r\n\r\n")
        );
        assert_eq!(cut(message, &[1, 1], SectionPart::Whole), None);
    }
}
