//! BODYSTRUCTURE, and BODY without its extension data (RFC 9051 section 7.5.2).
//!
//! Clients' parsers are strict about spaces: none between the parts of a multipart, one before its subtype, one between
//! all other fields.

use waxwing_formats_mime::{Part, PartKind};

use super::envelope::envelope;
use super::text::{nstring, string};

type Parameters = [(Vec<u8>, Vec<u8>)];

/// Appends the structure of a part; `extended` with MD5, disposition, language and location.
pub fn body_structure(out: &mut Vec<u8>, part: &Part, extended: bool, utf8: bool) {
    out.push(b'(');
    match &part.kind {
        PartKind::Multipart(parts) => {
            for child in parts {
                body_structure(out, child, extended, utf8);
            }
            out.push(b' ');
            string(out, &part.subtype, utf8);
            if extended {
                out.push(b' ');
                parameters(out, &part.params, utf8);
            }
        }
        PartKind::Leaf => {
            fields(out, part, utf8);
            if part.media_type == b"TEXT" {
                number(out, part.lines);
            }
        }
        PartKind::Message(message) => {
            fields(out, part, utf8);
            out.push(b' ');
            envelope(out, &message.envelope, utf8);
            out.push(b' ');
            body_structure(out, &message.root, extended, utf8);
            number(out, part.lines);
        }
    }
    if extended {
        if !matches!(part.kind, PartKind::Multipart(_)) {
            out.push(b' ');
            nstring(out, part.md5.as_deref(), utf8);
        }
        extension(out, part, utf8);
    }
    out.push(b')');
}

fn fields(out: &mut Vec<u8>, part: &Part, utf8: bool) {
    string(out, &part.media_type, utf8);
    out.push(b' ');
    string(out, &part.subtype, utf8);
    out.push(b' ');
    parameters(out, &part.params, utf8);
    out.push(b' ');
    nstring(out, part.id.as_deref(), utf8);
    out.push(b' ');
    nstring(out, part.description.as_deref(), utf8);
    out.push(b' ');
    string(out, &part.encoding, utf8);
    number(out, part.body.1);
}

fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(format!(" {number}").as_bytes());
}

fn parameters(out: &mut Vec<u8>, parameters: &Parameters, utf8: bool) {
    let words: Vec<&[u8]> = parameters.iter().flat_map(|(name, value)| [name.as_slice(), value.as_slice()]).collect();
    strings(out, &words, utf8);
}

/// A parenthesised list, NIL when empty.
fn strings(out: &mut Vec<u8>, words: &[&[u8]], utf8: bool) {
    if words.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (at, word) in words.iter().enumerate() {
        out.push(if at == 0 { b'(' } else { b' ' });
        string(out, word, utf8);
    }
    out.push(b')');
}

fn extension(out: &mut Vec<u8>, part: &Part, utf8: bool) {
    out.push(b' ');
    match &part.disposition {
        Some((kind, values)) => {
            out.push(b'(');
            string(out, kind, utf8);
            out.push(b' ');
            parameters(out, values, utf8);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
    out.push(b' ');
    let languages: Vec<&[u8]> = part.language.iter().map(Vec::as_slice).collect();
    strings(out, &languages, utf8);
    out.push(b' ');
    nstring(out, part.location.as_deref(), utf8);
}

#[cfg(test)]
mod tests {
    use waxwing_formats_mime::Structure;

    use super::*;

    fn written(message: &str, extended: bool) -> String {
        let mut out = Vec::new();
        body_structure(&mut out, &Structure::parse(message.as_bytes()).root, extended, false);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_text_has_octets_and_lines() {
        assert_eq!(written("\r\na\r\nb\r\n", false), r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 6 2)"#);
        assert_eq!(written("\r\na\r\nb\r\n", true), r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 6 2 NIL NIL NIL NIL)"#);
    }

    #[test]
    fn a_multipart_has_no_space_between_its_parts() {
        let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\
            Content-Type: image/gif; name=a.gif\r\nContent-Disposition: attachment; filename=a.gif\r\nContent-Language: en, de\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n";
        assert_eq!(
            written(message, true),
            r#"(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1 0 NIL NIL NIL NIL)("IMAGE" "GIF" ("NAME" "a.gif") NIL NIL "BASE64" 4 NIL ("ATTACHMENT" ("FILENAME" "a.gif")) ("en" "de") NIL) "MIXED" ("BOUNDARY" "b") NIL NIL NIL)"#
        );
        assert!(written(message, false).ends_with(r#""BASE64" 4) "MIXED")"#));
    }

    #[test]
    fn an_embedded_message_carries_envelope_structure_and_lines() {
        let text = written("Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n", false);
        assert_eq!(
            text,
            r#"("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 18 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3 1) 3)"#
        );
    }
}
