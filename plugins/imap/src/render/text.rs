//! Strings as IMAP writes them (RFC 9051 section 4.3): quoted where that can hold the octets, else a literal, NIL for
//! what is absent.
//!
//! Quoted strings hold 7-bit text without CR, LF and NUL; after `ENABLE UTF8=ACCEPT` also valid UTF-8 (RFC 6855 section 3). NUL
//! may stand in neither form, only in a literal8, which no client expects in an ENVELOPE: it becomes a question mark.

/// The longest quoted string: clients with line limits read longer text from a literal.
const QUOTED_LIMIT: usize = 1000;

/// Appends a string.
pub fn string(out: &mut Vec<u8>, text: &[u8], utf8: bool) {
    let quotable = |byte: &u8| !matches!(byte, 0 | b'\r' | b'\n') && (utf8 || byte.is_ascii());
    let valid = || !utf8 || text.is_ascii() || std::str::from_utf8(text).is_ok();
    if text.len() <= QUOTED_LIMIT && text.iter().all(quotable) && valid() {
        out.push(b'"');
        for byte in text {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(*byte);
        }
        out.push(b'"');
    } else {
        out.extend_from_slice(format!("{{{}}}\r\n", text.len()).as_bytes());
        out.extend(text.iter().map(|byte| if *byte == 0 { b'?' } else { *byte }));
    }
}

/// Appends a string or NIL.
pub fn nstring(out: &mut Vec<u8>, text: Option<&[u8]>, utf8: bool) {
    match text {
        Some(text) => string(out, text, utf8),
        None => out.extend_from_slice(b"NIL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &[u8], utf8: bool) -> Vec<u8> {
        let mut out = Vec::new();
        string(&mut out, text, utf8);
        out
    }

    #[test]
    fn plain_text_is_quoted_with_its_two_escapes() {
        assert_eq!(written(br#"a "b\c" d"#, false), br#""a \"b\\c\" d""#);
        assert_eq!(written(b"", false), b"\"\"");
    }

    #[test]
    fn what_a_quoted_string_cannot_hold_is_a_literal() {
        assert_eq!(written("ä".as_bytes(), false), b"{2}\r\n\xc3\xa4");
        assert_eq!(written("ä".as_bytes(), true), "\"ä\"".as_bytes());
        assert_eq!(written(b"\xff", true), b"{1}\r\n\xff");
        assert_eq!(written(b"a\r\nb", true), b"{4}\r\na\r\nb");
        assert_eq!(written(b"a\0", true), b"{2}\r\na?");
    }

    #[test]
    fn absence_is_nil_and_emptiness_is_not() {
        let mut out = Vec::new();
        nstring(&mut out, None, false);
        nstring(&mut out, Some(b""), false);
        assert_eq!(out, b"NIL\"\"");
    }
}
