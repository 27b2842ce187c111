//! Values of DSN parameters and fields: xtext (RFC 3461 section 4), and text that must stay on its line.

/// ORCPT in a report: the address type as it is, the address decoded (RFC 3461 section 6.3). The encoding of type
/// `utf-8` (RFC 6533 section 3) is also its form in a report.
pub(crate) fn original_recipient(original: &str) -> String {
    match original.split_once(';') {
        Some((kind, address)) if !kind.eq_ignore_ascii_case("utf-8") => {
            format!("{}; {}", one_line(kind), one_line(&decode_xtext(address)))
        }
        Some((kind, address)) => format!("{}; {}", one_line(kind), one_line(address)),
        None => format!("rfc822; {}", one_line(&decode_xtext(original))),
    }
}

/// RFC 3461 section 4: `+` and two upper-case hex digits. What is no xtext stays as it is.
pub(crate) fn decode_xtext(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) if *octet == b'+' => {
                plain.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                plain.push(*octet);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// No value from outside may start a line of ours.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}

/// RFC 3461 section 4: what is not printable, `+` and `=` as `+` and two digits.
pub(crate) fn xtext(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'+' | b'=' => encoded.push_str(&format!("+{octet:02X}")),
            b'!'..=b'~' => encoded.push(char::from(octet)),
            other => encoded.push_str(&format!("+{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xtext_is_decoded_and_anything_else_kept() {
        for (text, plain) in [
            ("a+2Bb", "a+b"),
            ("a+", "a+"),
            ("a+zz", "a+zz"),
            ("+3D", "="),
            ("é", "é"),
        ] {
            assert_eq!(decode_xtext(text), plain);
        }
        for text in ["a+b@c", "a=b c", "ü"] {
            assert_eq!(decode_xtext(&xtext(text)), text);
        }
    }
}
