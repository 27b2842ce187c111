//! BODYSTRUCTURE and BODY (RFC 9051 section 7.5.2).
//!
//! Recursive, as deep as `waxwing_formats_mime::structure` lets a message be (100).

use waxwing_formats_mime::{Part, PartKind};

use super::envelope::envelope;
use super::text::{nstring, string};

type Parameters = [(Vec<u8>, Vec<u8>)];

/// How a structure is written.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// With extension data: BODYSTRUCTURE.
    pub extended: bool,
    /// After UTF8=ACCEPT.
    pub utf8: bool,
}

/// A body part with all parts in it.
pub fn body(out: &mut Vec<u8>, part: &Part, style: Style) {
    out.push(b'(');
    match &part.kind {
        PartKind::Multipart(parts) => {
            parts.iter().for_each(|inner| body(out, inner, style));
            out.push(b' ');
            string(out, &part.subtype, style.utf8);
            if style.extended {
                out.push(b' ');
                parameters(out, &part.params, style.utf8);
                disposition_language_location(out, part, style.utf8);
            }
        }
        PartKind::Leaf | PartKind::Message(_) => {
            single(out, part, style);
            if style.extended {
                out.push(b' ');
                nstring(out, part.md5.as_deref(), style.utf8);
                disposition_language_location(out, part, style.utf8);
            }
        }
    }
    out.push(b')');
}

fn single(out: &mut Vec<u8>, part: &Part, style: Style) {
    string(out, &part.media_type, style.utf8);
    out.push(b' ');
    string(out, &part.subtype, style.utf8);
    out.push(b' ');
    parameters(out, &part.params, style.utf8);
    out.push(b' ');
    nstring(out, part.id.as_deref(), style.utf8);
    out.push(b' ');
    nstring(out, part.description.as_deref(), style.utf8);
    out.push(b' ');
    string(out, &part.encoding, style.utf8);
    out.extend_from_slice(format!(" {}", part.body.1).as_bytes());
    if let PartKind::Message(message) = &part.kind {
        out.push(b' ');
        envelope(out, &message.envelope, style.utf8);
        out.push(b' ');
        body(out, &message.root, style);
    }
    if part.media_type.eq_ignore_ascii_case(b"TEXT") || matches!(part.kind, PartKind::Message(_)) {
        out.extend_from_slice(format!(" {}", part.lines).as_bytes());
    }
}

fn disposition_language_location(out: &mut Vec<u8>, part: &Part, utf8: bool) {
    out.push(b' ');
    match &part.disposition {
        Some((kind, attributes)) => {
            out.push(b'(');
            string(out, kind, utf8);
            out.push(b' ');
            parameters(out, attributes, utf8);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
    out.push(b' ');
    match part.language.as_slice() {
        [] => out.extend_from_slice(b"NIL"),
        tags => list(out, tags.iter().map(Vec::as_slice), utf8),
    }
    out.push(b' ');
    nstring(out, part.location.as_deref(), utf8);
}

fn parameters(out: &mut Vec<u8>, parameters: &Parameters, utf8: bool) {
    match parameters {
        [] => out.extend_from_slice(b"NIL"),
        pairs => list(
            out,
            pairs
                .iter()
                .flat_map(|(name, value)| [name.as_slice(), value.as_slice()]),
            utf8,
        ),
    }
}

fn list<'a>(out: &mut Vec<u8>, strings: impl Iterator<Item = &'a [u8]>, utf8: bool) {
    out.push(b'(');
    for (at, value) in strings.enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        string(out, value, utf8);
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxwing_formats_mime::Structure;

    fn rendered(message: &str, extended: bool) -> String {
        let mut out = Vec::new();
        body(
            &mut out,
            &Structure::parse(message.as_bytes()).root,
            Style {
                extended,
                utf8: false,
            },
        );
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_plain_text_has_lines() {
        let message = "Subject: x\r\n\r\none\r\ntwo\r\n";
        let basic = r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 10 2"#;
        assert_eq!(rendered(message, false), format!("{basic})"));
        assert_eq!(rendered(message, true), format!("{basic} NIL NIL NIL NIL)"));
    }

    #[test]
    fn parts_of_a_multipart_touch_each_other() {
        let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\
            Content-Type: image/png; name=a\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a\r\n\
            Content-Language: en, de\r\n\r\nAAAA\r\n--b--\r\n";
        let text = r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1 0 NIL NIL NIL NIL)"#;
        let image = r#"("IMAGE" "PNG" ("NAME" "a") NIL NIL "BASE64" 4 NIL ("ATTACHMENT" ("FILENAME" "a")) ("en" "de") NIL)"#;
        assert_eq!(
            rendered(message, true),
            format!(r#"({text}{image} "MIXED" ("BOUNDARY" "b") NIL NIL NIL)"#)
        );
    }

    #[test]
    fn an_embedded_message_has_envelope_body_and_lines() {
        let message = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n";
        let inner = r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3 1)"#;
        let envelope = r#"(NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL)"#;
        assert_eq!(
            rendered(message, false),
            format!(r#"("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 18 {envelope} {inner} 3)"#)
        );
    }
}
