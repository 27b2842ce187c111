//! ESMTP parameters: `KEY` or `KEY=value`, separated by spaces (RFC 5321 4.1.2).

use super::Error;

/// Each parameter once, upper-case key first. A key that comes twice is an error.
pub(super) fn parse(rest: &[u8]) -> Result<Vec<(String, Option<String>)>, Error> {
    const EXPECTED: Error = Error::Arguments("parameters as KEY or KEY=value");
    if rest.first().is_some_and(|byte| *byte != b' ') {
        return Err(EXPECTED);
    }
    let text = std::str::from_utf8(rest).map_err(|_| EXPECTED)?;
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    for word in text.split_ascii_whitespace() {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (word, None),
        };
        let key = key.to_ascii_uppercase();
        let well_formed = key.starts_with(|c: char| c.is_ascii_alphanumeric())
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && value
                .is_none_or(|value| !value.is_empty() && value.chars().all(|c| !c.is_control()));
        if !well_formed || found.iter().any(|(known, _)| *known == key) {
            return Err(EXPECTED);
        }
        found.push((key, value.map(str::to_owned)));
    }
    Ok(found)
}

/// RFC 3461 section 4 xtext: printable, with `+` only before two upper-case hexadecimal digits.
pub(super) fn is_xtext(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => {
                let hex = |byte: Option<u8>| {
                    byte.is_some_and(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
                };
                if !hex(bytes.next()) || !hex(bytes.next()) {
                    return false;
                }
            }
            b'!'..=b'~' if byte != b'=' => {}
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_upper_cased_and_come_once() {
        assert_eq!(
            parse(b" size=12 smtputf8"),
            Ok(vec![
                ("SIZE".into(), Some("12".into())),
                ("SMTPUTF8".into(), None)
            ])
        );
        assert_eq!(parse(b""), Ok(vec![]));
        for bad in [&b"SIZE=1"[..], b" SIZE=1 size=2", b" =1", b" A=", b" \xff"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn xtext_escapes_with_two_upper_case_digits() {
        assert!(is_xtext("QQ314159+2B") && is_xtext(""));
        assert!(!is_xtext("a=b") && !is_xtext("a+2b") && !is_xtext("a+2") && !is_xtext("a b"));
    }
}
