//! Characters of any charset that mail names, as UTF-8. Never fails: what cannot be read becomes U+FFFD.
//!
//! Labels are those of the WHATWG encoding standard (encoding_rs) and UTF-7. Text without a charset, or that says
//! US-ASCII, or one nobody knows, is UTF-8 if it is valid UTF-8, else windows-1252: that is what
//! senders who name no charset mean.

use encoding_rs::{Encoding, WINDOWS_1252};

/// Decodes bytes of a charset; an empty label for unknown.
pub fn decode(label: &[u8], bytes: &[u8]) -> String {
    let label = label.trim_ascii();
    if label.eq_ignore_ascii_case(b"utf-7") || label.eq_ignore_ascii_case(b"unicode-1-1-utf-7") {
        return utf7(bytes);
    }
    let ascii = label.is_empty() || label.eq_ignore_ascii_case(b"us-ascii");
    match Encoding::for_label(label).filter(|_| !ascii) {
        Some(encoding) => encoding.decode(bytes).0.into_owned(),
        None => undeclared(bytes),
    }
}

/// Decodes bytes whose charset nobody says.
pub(crate) fn undeclared(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252
            .decode_without_bom_handling(bytes)
            .0
            .into_owned(),
    }
}

/// RFC 2152: runs of base64 without padding hold UTF-16.
fn utf7(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'+', rest) {
        let (plain, shifted) = rest.split_at(at);
        out.push_str(&String::from_utf8_lossy(plain));
        let shifted = shifted.get(1..).unwrap_or_default();
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let len = shifted.iter().take_while(|byte| is_base64(byte)).count();
        let (run, after) = shifted.split_at(len);
        rest = after.strip_prefix(b"-").unwrap_or(after);
        if run.is_empty() {
            out.push('+');
            continue;
        }
        let decoded = crate::transfer::base64(run);
        let (units, _) = decoded.as_chunks::<2>();
        let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
        let text = char::decode_utf16(units);
        out.extend(text.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
    out.push_str(&String::from_utf8_lossy(rest));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_the_charset_it_names() {
        let table = [
            (&b"utf-8"[..], &b"\xC3\xA4"[..], "\u{e4}"),
            (b"ISO-8859-1", b"\xE4", "\u{e4}"),
            (b" koi8-r ", b"\xC1", "\u{430}"),
            (b"iso-2022-jp", b"\x1B$B$\"\x1B(B", "\u{3042}"),
            (b"utf-7", b"Hi +AOQ- +- +2D3cCg", "Hi \u{e4} + \u{1f40a}"),
            (b"us-ascii", b"\xC3\xA4", "\u{e4}"),
            (b"", b"\xE4", "\u{e4}"),
            (b"no-such", b"\x80", "\u{20ac}"),
            (b"utf-8", b"a\xFF", "a\u{fffd}"),
        ];
        for (label, bytes, expected) in table {
            assert_eq!(decode(label, bytes), expected, "{label:?}");
        }
    }
}
