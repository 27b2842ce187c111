//! The parameters of Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2183, RFC 2231).
//!
//! Values are told as IMAP shows them: undecoded, without quotes. Continuations (`name*0`, `name*1`)
//! are joined under the plain name; when a piece is percent-encoded the name keeps its `*` and the
//! whole value is in that encoding (`FILENAME*` = `utf-8''na%C3%AFve.txt`), as IMAP clients expect it.
//! At most [`MAX_PARAMETERS`] are read of a field; further ones are left out.

use crate::cursor::Cursor;
use crate::transfer;
use std::borrow::Cow;

/// Parameters read of one field, pieces of continuations counted.
pub const MAX_PARAMETERS: usize = 256;

/// Names in upper case with their values.
pub type Parameters = Vec<(Vec<u8>, Vec<u8>)>;

/// The value of a parameter; the name in upper case.
pub fn value<'a>(parameters: &'a [(Vec<u8>, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    parameters
        .iter()
        .find(|(known, _)| known == name.as_bytes())
        .map(|(_, value)| value.as_slice())
}

/// The value of a parameter that names something (a boundary, a charset), in either form: of `name*` the
/// percent-encoding is undone and the charset disregarded, because such names are ASCII. The name in upper case.
pub fn plain_value<'a>(parameters: &'a [(Vec<u8>, Vec<u8>)], name: &str) -> Option<Cow<'a, [u8]>> {
    if let Some(plain) = value(parameters, name) {
        return Some(Cow::Borrowed(plain));
    }
    let encoded = value(parameters, &format!("{name}*"))?;
    let text = encoded.splitn(3, |byte| *byte == b'\'').nth(2);
    Some(Cow::Owned(percent_decode(text.unwrap_or(encoded))))
}

/// Undoes the percent-encoding of RFC 2231; what is not one stays.
pub fn percent_decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => transfer::hex(*high).zip(transfer::hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    out
}

/// `type/subtype; parameters` of an unfolded Content-Type; none when the type is not one.
pub(crate) fn media_type(field: &[u8]) -> Option<(Vec<u8>, Vec<u8>, Parameters)> {
    let mut cursor = Cursor::new(field);
    cursor.skip_cfws();
    let media_type = cursor.take_while(is_token);
    cursor.skip_cfws();
    let slash = cursor.eat(b'/');
    cursor.skip_cfws();
    let subtype = cursor.take_while(is_token);
    if media_type.is_empty() || subtype.is_empty() || !slash {
        return None;
    }
    let names = (
        media_type.to_ascii_uppercase(),
        subtype.to_ascii_uppercase(),
    );
    Some((names.0, names.1, parameters(&mut cursor)))
}

/// `disposition; parameters` of an unfolded Content-Disposition.
pub(crate) fn disposition(field: &[u8]) -> Option<(Vec<u8>, Parameters)> {
    let mut cursor = Cursor::new(field);
    let kind = token(&mut cursor)?;
    Some((kind, parameters(&mut cursor)))
}

/// The first token of an unfolded field in upper case (Content-Transfer-Encoding).
pub(crate) fn first_token(field: &[u8]) -> Option<Vec<u8>> {
    token(&mut Cursor::new(field))
}

fn token(cursor: &mut Cursor<'_>) -> Option<Vec<u8>> {
    cursor.skip_cfws();
    let token = cursor.take_while(is_token);
    (!token.is_empty()).then(|| token.to_ascii_uppercase())
}

/// RFC 2045 token, with 8-bit bytes let through.
fn is_token(byte: u8) -> bool {
    byte > b' ' && byte != 0x7F && !br#"()<>@,;:\"/[]?="#.contains(&byte)
}

struct Piece {
    name: Vec<u8>,
    section: Option<u32>,
    encoded: bool,
    value: Vec<u8>,
}

fn parameters(cursor: &mut Cursor<'_>) -> Parameters {
    let mut pieces = Vec::new();
    while cursor.peek().is_some() && pieces.len() < MAX_PARAMETERS {
        cursor.take_while(|byte| byte != b';');
        cursor.eat(b';');
        cursor.skip_cfws();
        let name = cursor.take_while(|byte| !matches!(byte, b'=' | b';'));
        if !cursor.eat(b'=') {
            continue;
        }
        let name = name.trim_ascii().to_ascii_uppercase();
        let value = parameter_value(cursor, &name);
        if !name.is_empty() {
            pieces.push(piece(name, value));
        }
    }
    join(pieces)
}

fn parameter_value(cursor: &mut Cursor<'_>, name: &[u8]) -> Vec<u8> {
    cursor.skip_cfws();
    if cursor.peek() == Some(b'"') {
        return cursor.quoted(b'"');
    }
    let text = cursor.take_while(|byte| byte != b';').trim_ascii_end();
    // File names are often sent unquoted with their spaces; elsewhere a space ends the value.
    if name.starts_with(b"FILENAME") || name.starts_with(b"NAME") {
        return text.to_vec();
    }
    text.split(|byte| matches!(byte, b' ' | b'\t'))
        .next()
        .unwrap_or_default()
        .to_vec()
}

/// Reads `name`, `name*`, `name*2` and `name*2*`.
fn piece(name: Vec<u8>, value: Vec<u8>) -> Piece {
    let encoded = name.ends_with(b"*");
    let bare = name.strip_suffix(b"*").unwrap_or(&name);
    let star = bare.iter().rposition(|byte| *byte == b'*');
    let split = star.and_then(|at| {
        let digits = std::str::from_utf8(bare.get(at + 1..)?).ok()?;
        Some((bare.get(..at)?.to_vec(), digits.parse::<u32>().ok()?))
    });
    match split {
        Some((name, section)) => Piece {
            name,
            section: Some(section),
            encoded,
            value,
        },
        None => Piece {
            name: bare.to_vec(),
            section: None,
            encoded,
            value,
        },
    }
}

fn join(pieces: Vec<Piece>) -> Parameters {
    let mut out: Parameters = Vec::new();
    let mut continued: Vec<Vec<Piece>> = Vec::new();
    for piece in pieces {
        if piece.section.is_none() {
            let mut name = piece.name;
            if piece.encoded {
                name.push(b'*');
            }
            if value_is_absent(&out, &name) {
                out.push((name, piece.value));
            }
            continue;
        }
        let known = continued
            .iter_mut()
            .find(|group| group.first().is_some_and(|first| first.name == piece.name));
        match known {
            Some(group) => group.push(piece),
            None => continued.push(vec![piece]),
        }
    }
    for group in continued {
        let (name, value) = join_continuation(group);
        if value_is_absent(&out, &name) {
            out.push((name, value));
        }
    }
    out
}

fn value_is_absent(parameters: &Parameters, name: &[u8]) -> bool {
    parameters.iter().all(|(known, _)| known != name)
}

/// RFC 2231 section 3 and 4.1: sections count from 0; what follows a gap is not part of the value.
fn join_continuation(mut group: Vec<Piece>) -> (Vec<u8>, Vec<u8>) {
    group.sort_by_key(|piece| piece.section);
    group.dedup_by_key(|piece| piece.section);
    let encoded = group.iter().any(|piece| piece.encoded);
    let mut name = Vec::new();
    let mut value = Vec::new();
    for (expected, piece) in (0u32..).zip(group) {
        if expected == 0 {
            name = piece.name;
        } else if piece.section != Some(expected) {
            break;
        }
        if encoded && expected == 0 && !piece.encoded {
            value.extend_from_slice(b"''");
        }
        if encoded && !piece.encoded {
            percent_encode(&piece.value, &mut value);
        } else {
            value.extend_from_slice(&piece.value);
        }
    }
    if encoded {
        name.push(b'*');
    }
    (name, value)
}

fn percent_encode(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        if is_token(*byte) && !b"*'%".contains(byte) && byte.is_ascii() {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(field: &str) -> Vec<(String, String)> {
        let (_, _, parameters) = media_type(field.as_bytes()).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        parameters
            .into_iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    }

    #[test]
    fn quotes_comments_and_spaces_are_understood() {
        assert_eq!(
            of(r#"Text/Plain (really) ; charset = "us\-ascii" (x); format=flowed (y);; x"#),
            pairs(&[("CHARSET", "us-ascii"), ("FORMAT", "flowed")])
        );
        assert_eq!(
            of("application/pdf; name=my file (1).pdf; a=b c"),
            pairs(&[("NAME", "my file (1).pdf"), ("A", "b")])
        );
    }

    #[test]
    fn continuations_are_joined_and_keep_their_encoding() {
        assert_eq!(
            of("a/b; x*1=two; x*0=one; x*3=lost"),
            pairs(&[("X", "onetwo")])
        );
        assert_eq!(
            of("a/b; n*0*=utf-8''%C3%A4; n*1=\" b\"; t*=us-ascii'en'c"),
            pairs(&[("T*", "us-ascii'en'c"), ("N*", "utf-8''%C3%A4%20b")])
        );
    }

    #[test]
    fn the_first_of_two_equal_parameters_counts() {
        assert_eq!(of("a/b; x=1; X=2"), pairs(&[("X", "1")]));
    }

    #[test]
    fn an_encoded_boundary_is_a_boundary() {
        let (_, _, parameters) =
            media_type(b"a/b; boundary*=us-ascii''x%3Dy%; charset=utf-8").unwrap();
        assert_eq!(
            plain_value(&parameters, "BOUNDARY").unwrap(),
            b"x=y%".as_slice()
        );
        assert_eq!(
            plain_value(&parameters, "CHARSET").unwrap(),
            b"utf-8".as_slice()
        );
        assert_eq!(plain_value(&parameters, "NAME"), None);
    }

    #[test]
    fn what_is_no_media_type_is_refused() {
        for field in [
            "text",
            "/plain",
            "text/",
            "",
            "text plain; x=y",
            "(text/plain)",
        ] {
            assert_eq!(media_type(field.as_bytes()), None, "{field}");
        }
    }
}
