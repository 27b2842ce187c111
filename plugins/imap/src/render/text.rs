//! Strings.

/// Longer strings are literals: some clients bound their lines.
const QUOTED: usize = 4_096;

fn can_be_quoted(value: &[u8], utf8: bool) -> bool {
    let plain = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    value.len() <= QUOTED
        && match utf8 {
            true => {
                value.iter().all(|byte| plain(byte) || *byte >= 0x80)
                    && std::str::from_utf8(value).is_ok()
            }
            false => value.iter().all(plain),
        }
}

/// A string: quoted, or a literal.
pub fn string(out: &mut Vec<u8>, value: &[u8], utf8: bool) {
    if !can_be_quoted(value, utf8) {
        return literal(out, value);
    }
    out.push(b'"');
    match value.iter().any(|byte| matches!(byte, b'"' | b'\\')) {
        false => out.extend_from_slice(value),
        true => {
            for &byte in value {
                if matches!(byte, b'"' | b'\\') {
                    out.push(b'\\');
                }
                out.push(byte);
            }
        }
    }
    out.push(b'"');
}

/// A string, or a literal8 (RFC 3516) where it holds NUL.
pub fn string8(out: &mut Vec<u8>, value: &[u8], utf8: bool) {
    if !value.contains(&0) {
        return string(out, value, utf8);
    }
    out.extend_from_slice(format!("~{{{}}}\r\n", value.len()).as_bytes());
    out.extend_from_slice(value);
}

/// A literal. NUL, which none may hold, becomes a question mark, so that the length stays true.
pub fn literal(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(format!("{{{}}}\r\n", value.len()).as_bytes());
    out.extend(
        value
            .iter()
            .map(|&byte| if byte == 0 { b'?' } else { byte }),
    );
}

/// A string, or NIL.
pub fn nstring(out: &mut Vec<u8>, value: Option<&[u8]>, utf8: bool) {
    match value {
        Some(value) => string(out, value, utf8),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// An atom where it can be one, else a string.
pub fn astring(out: &mut Vec<u8>, value: &str, utf8: bool) {
    let atom = |byte: u8| {
        byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\')
    };
    match !value.is_empty() && value.bytes().all(atom) && !value.eq_ignore_ascii_case("NIL") {
        true => out.extend_from_slice(value.as_bytes()),
        false => string(out, value.as_bytes(), utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(value: &[u8], utf8: bool) -> Vec<u8> {
        let mut out = Vec::new();
        string(&mut out, value, utf8);
        out
    }

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        assert_eq!(rendered(br#"a "b" \c"#, false), br#""a \"b\" \\c""#);
        assert_eq!(rendered(b"", false), b"\"\"");
    }

    #[test]
    fn eight_bit_text_is_a_literal_until_utf8_is_enabled() {
        assert_eq!(rendered("ü".as_bytes(), false), "{2}\r\nü".as_bytes());
        assert_eq!(rendered("ü".as_bytes(), true), "\"ü\"".as_bytes());
        assert_eq!(rendered(b"\xFC", true), b"{1}\r\n\xFC");
        assert_eq!(rendered(b"a\r\nb\0", false), b"{5}\r\na\r\nb?");
    }

    #[test]
    fn a_name_is_an_atom_where_it_can_be() {
        let name = |value: &str| {
            let mut out = Vec::new();
            astring(&mut out, value, false);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(name("INBOX/a&-b"), "INBOX/a&-b");
        assert_eq!(name("a b"), "\"a b\"");
        assert_eq!(name("nil"), "\"nil\"");
        assert_eq!(name(""), "\"\"");
    }
}
