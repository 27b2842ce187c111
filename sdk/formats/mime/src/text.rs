//! The readable text of a message, for SEARCH BODY and TEXT, for previews and for full-text indexes.
//!
//! Decoded from its transfer encoding and charset; HTML as [`crate::html`] reads it. Of one part at most
//! [`MAX_PART`] octets of the message are decoded; callers that need one hit take part after part.

use crate::structure::{Part, PartKind, Structure};
use crate::{charset, header, html, parameter, transfer, word};
use std::borrow::Cow;

/// Octets of a part's body that are decoded.
pub const MAX_PART: usize = 16 * 1024 * 1024;

/// Octets of a header block that are decoded.
pub const MAX_HEADER: usize = 1024 * 1024;

/// The header block of a message, cut at [`MAX_HEADER`].
pub(crate) fn block<'a>(message: &'a [u8], structure: &Structure) -> &'a [u8] {
    let block = slice(message, structure.root.header);
    block.get(..MAX_HEADER).unwrap_or(block)
}

/// The text of each text part in the order of the message. Headers of embedded messages are texts
/// too: to the message that holds them they are body (RFC 9051 section 6.4.4, BODY).
pub fn body<'a>(message: &'a [u8], structure: &'a Structure) -> impl Iterator<Item = String> + 'a {
    Parts {
        open: vec![&structure.root],
    }
    .filter_map(move |part| match &part.kind {
        PartKind::Leaf => of_part(message, part),
        PartKind::Message(inner) => Some(header(message, inner)),
        PartKind::Multipart(_) => None,
    })
}

/// The header of a message, decoded: one line for each field.
pub fn header(message: &[u8], structure: &Structure) -> String {
    let mut out = String::new();
    for field in header::fields(block(message, structure)) {
        out.push_str(&String::from_utf8_lossy(field.name));
        out.push_str(": ");
        out.push_str(&word::decode(field.value));
        out.push('\n');
    }
    out
}

/// The decoded values of all fields of that name in a header block.
pub fn header_values(block: &[u8], name: &str) -> Vec<String> {
    let named = header::fields(block).filter(|field| field.is(name));
    named.map(|field| word::decode(field.value)).collect()
}

/// The text of a part; None when it is not text.
pub fn of_part(message: &[u8], part: &Part) -> Option<String> {
    of_content(part, encoded(message, part))
}

/// The text of a part, of whose encoded body these are the first bytes.
pub fn of_content(part: &Part, encoded: &[u8]) -> Option<String> {
    if part.media_type != b"TEXT" {
        return None;
    }
    let bytes = transfer::decode(&part.encoding, encoded);
    let label = label(part);
    match part.subtype.as_slice() {
        b"HTML" => Some(html::to_text(&html(&label, &bytes))),
        _ => Some(charset::decode(&label, &bytes)),
    }
}

/// The source of an HTML part; None when it is not HTML.
pub fn html_of_part(message: &[u8], part: &Part) -> Option<String> {
    let is_html = part.media_type == b"TEXT" && part.subtype == b"HTML";
    is_html.then(|| html(&label(part), &content(message, part)))
}

/// The body of a part without its transfer encoding, cut at [`MAX_PART`].
fn content<'a>(message: &'a [u8], part: &Part) -> Cow<'a, [u8]> {
    transfer::decode(&part.encoding, encoded(message, part))
}

/// The body of a part, cut at [`MAX_PART`].
fn encoded<'a>(message: &'a [u8], part: &Part) -> &'a [u8] {
    let body = slice(message, part.body);
    body.get(..MAX_PART).unwrap_or(body)
}

/// The charset that a part names; empty for none.
pub(crate) fn label(part: &Part) -> Cow<'_, [u8]> {
    parameter::plain_value(&part.params, "CHARSET").unwrap_or_default()
}

/// HTML that comes without a charset may name one itself.
fn html(label: &[u8], bytes: &[u8]) -> String {
    if !label.is_empty() {
        return charset::decode(label, bytes);
    }
    charset::decode(declared_charset(bytes), bytes)
}

/// The charset of a `<meta>` in the first kilobyte.
pub(crate) fn declared_charset(html: &[u8]) -> &[u8] {
    let head = html.get(..1024).unwrap_or(html);
    let at = head
        .windows(8)
        .position(|window| window.eq_ignore_ascii_case(b"charset="));
    let value = at.and_then(|at| head.get(at + 8..)).unwrap_or_default();
    let value = value.trim_ascii_start();
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(byte);
    let len = value.iter().take_while(|byte| is_label(byte)).count();
    value.get(..len).unwrap_or_default()
}

/// The bytes of a range of the message.
pub(crate) fn slice(message: &[u8], (offset, len): (u64, u64)) -> &[u8] {
    let range = || {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        message.get(start..end)
    };
    range().unwrap_or_default()
}

/// All parts in the order of the message.
pub(crate) struct Parts<'a> {
    pub(crate) open: Vec<&'a Part>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a Part;

    fn next(&mut self) -> Option<&'a Part> {
        let part = self.open.pop()?;
        match &part.kind {
            PartKind::Leaf => {}
            PartKind::Multipart(parts) => self.open.extend(parts.iter().rev()),
            PartKind::Message(inner) => self.open.push(&inner.root),
        }
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(message: &[u8]) -> Vec<String> {
        body(message, &Structure::parse(message)).collect()
    }

    #[test]
    fn parts_are_decoded_from_encoding_and_charset() {
        let message = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\
            Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n=E4=\nx\n\
            --b\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\nPGI+aGk8L2I+\n\
            --b\nContent-Type: image/png\n\nskipped\n\
            --b\nContent-Type: message/rfc822\n\nSubject: =?utf-8?q?=C3=A4?=\n\ninner\n--b--\n";
        assert_eq!(
            texts(message),
            ["\u{e4}x", "hi", "Subject: \u{e4}\n", "inner"]
        );
    }

    #[test]
    fn html_may_name_its_own_charset() {
        let message = b"Content-Type: text/html\n\n<meta charset=\"koi8-r\">\xC1";
        assert_eq!(texts(message), ["\u{430}"]);
    }

    #[test]
    fn header_fields_are_told_decoded() {
        let message = b"X: =?utf-8?q?=C3=A4?=\nTo: a,\n b\n\n";
        assert_eq!(
            header(message, &Structure::parse(message)),
            "X: \u{e4}\nTo: a, b\n"
        );
        assert_eq!(header_values(message, "to"), ["a, b"]);
    }
}
