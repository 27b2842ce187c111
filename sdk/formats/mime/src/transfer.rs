//! Content-Transfer-Encodings (RFC 2045 section 6): base64 and quoted-printable as real mail writes them.
//!
//! Bytes that do not belong there are skipped (base64) or kept as they are (quoted-printable). The output
//! is never longer than the input.

use std::borrow::Cow;

/// Decodes the body of a part; any other encoding is the identity. `encoding` in upper case, as in
/// [`crate::Part`].
pub fn decode<'a>(encoding: &[u8], body: &'a [u8]) -> Cow<'a, [u8]> {
    match encoding {
        b"BASE64" => Cow::Owned(base64(body)),
        b"QUOTED-PRINTABLE" => Cow::Owned(quoted_printable(body)),
        _ => Cow::Borrowed(body),
    }
}

/// Decodes base64. Padding ends a group, not the data: concatenated runs are read on.
pub fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in bytes {
        let Some(value) = sextet(*byte) else {
            if *byte == b'=' {
                (bits, count) = (0, 0);
            }
            continue;
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xFF) as u8);
        }
    }
    out
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Decodes quoted-printable: soft line breaks go, white space at the end of a line goes.
pub fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        // Lines that end in a form feed or a bare CR keep nothing of it, as with any white space.
        let end = match line {
            [.., b'\r', b'\n'] => b"\r\n".as_slice(),
            [.., b'\n'] => b"\n",
            _ => b"",
        };
        match text.strip_suffix(b"=") {
            Some(text) => quoted_line(text, &mut out),
            None => {
                quoted_line(text, &mut out);
                out.extend_from_slice(end);
            }
        }
    }
    out
}

fn quoted_line(mut text: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = memchr::memchr(b'=', text) {
        let (plain, rest) = text.split_at(at);
        out.extend_from_slice(plain);
        let pair = rest.get(1).zip(rest.get(2));
        match pair.and_then(|(high, low)| Some(hex(*high)? << 4 | hex(*low)?)) {
            Some(byte) => {
                out.push(byte);
                text = rest.get(3..).unwrap_or_default();
            }
            None => {
                out.push(b'=');
                text = rest.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(text);
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_over_line_ends_padding_and_garbage() {
        assert_eq!(base64(b"aGVs\r\nbG8="), b"hello");
        assert_eq!(base64(b"aGVsbG8=IQ=="), b"hello!");
        assert_eq!(base64(b"aG*VsbG8"), b"hello");
        assert_eq!(base64(b"a"), b"");
    }

    #[test]
    fn quoted_printable_is_read_with_its_errors() {
        assert_eq!(
            quoted_printable(b"a=3D=\r\nb  \r\nc=C3=a4"),
            "a=b\r\nc\u{e4}".as_bytes()
        );
        assert_eq!(quoted_printable(b"100=% =4"), b"100=% =4");
        assert_eq!(quoted_printable(b"x= \nx\n="), b"xx\n");
    }

    #[test]
    fn other_encodings_change_nothing() {
        assert_eq!(decode(b"7BIT", b"a=3D"), b"a=3D".as_slice());
        assert_eq!(decode(b"BASE64", b"YQ=="), b"a".as_slice());
    }
}
