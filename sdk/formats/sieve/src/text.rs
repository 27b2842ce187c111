//! A string of a script: its encoded characters (RFC 5228 section 2.4.2.4) are decoded when it is read, and its variables
//! (RFC 5229 section 3) are found then and filled in when it is used.

use crate::limits::MAX_VALUE;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(String),
    /// In lower case; `global.x` is of that namespace.
    Variable(String),
    /// A match variable.
    Match(usize),
}

/// A string that may hold variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(Vec<Piece>);

impl Text {
    /// A string in which nothing is a variable.
    pub(crate) fn literal(text: &str) -> Text {
        Text(vec![Piece::Literal(text.to_owned())])
    }

    pub(crate) fn with_variables(text: &str) -> Text {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, reference) = rest.split_at(at);
            literal.push_str(before);
            let found = reference
                .get(2..)
                .and_then(|inner| inner.split_once('}'))
                .and_then(|(name, after)| Some((variable(name)?, after)));
            match found {
                Some((piece, after)) => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    }
                    pieces.push(piece);
                    rest = after;
                }
                None => {
                    literal.push_str("${");
                    rest = reference.get(2..).unwrap_or_default();
                }
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Text(pieces)
    }

    /// What it is, when nothing in it can vary.
    pub(crate) fn constant(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Literal(text)] => Some(text),
            [] => Some(""),
            _ => None,
        }
    }

    /// With the variables filled in, cut at the length a variable may have.
    pub(crate) fn expand<'a>(&'a self, value: impl Fn(&'a Piece) -> &'a str) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                other => {
                    out.push_str(value(other));
                    cut(&mut out, MAX_VALUE);
                }
            }
        }
        out
    }
}

/// Cuts at a character's end.
pub(crate) fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
    }
}

/// Whether this may be the name of a variable.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn variable(name: &str) -> Option<Piece> {
    if !name.is_empty() && name.len() <= 4 && name.bytes().all(|byte| byte.is_ascii_digit()) {
        return name.parse().ok().map(Piece::Match);
    }
    let bare = match name.split_once('.') {
        Some((space, bare)) if space.eq_ignore_ascii_case("global") => bare,
        Some(_) => return None,
        None => name,
    };
    is_identifier(bare).then(|| Piece::Variable(name.to_ascii_lowercase()))
}

/// Decodes `${hex: 24 40}` and `${unicode: 40}`. What only looks like it stays as it is; an error is a character that does
/// not exist.
pub(crate) fn decode_characters(text: &str) -> Result<String, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, reference) = rest.split_at(at);
        out.extend_from_slice(before.as_bytes());
        let decoded = match reference.get(2..).and_then(|inner| inner.split_once('}')) {
            Some((inner, after)) => encoded(inner)?.map(|octets| (octets, after)),
            None => None,
        };
        match decoded {
            Some((octets, after)) => {
                out.extend_from_slice(&octets);
                rest = after;
            }
            None => {
                out.extend_from_slice(b"${");
                rest = reference.get(2..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).map_err(|_| "its ${hex:} is not UTF-8".to_owned())
}

fn encoded(inner: &str) -> Result<Option<Vec<u8>>, String> {
    let Some((kind, digits)) = inner.split_once(':') else {
        return Ok(None);
    };
    let unicode = match kind.to_ascii_lowercase().as_str() {
        "hex" => false,
        "unicode" => true,
        _ => return Ok(None),
    };
    let most = if unicode { 6 } else { 2 };
    let words: Vec<&str> = digits.split_ascii_whitespace().collect();
    let is_hex = |word: &&str| {
        let digits = if unicode {
            word.trim_start_matches('0')
        } else {
            word
        };
        digits.len() <= most && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if words.is_empty() || !words.iter().all(is_hex) {
        return Ok(None);
    }
    let mut octets = Vec::new();
    for word in words {
        let number = u32::from_str_radix(word, 16).unwrap_or(u32::MAX);
        match (unicode, u8::try_from(number), char::from_u32(number)) {
            (false, Ok(octet), _) => octets.push(octet),
            (true, _, Some(character)) => {
                octets.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return Err(format!("there is no character {word}")),
        }
    }
    Ok(Some(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_characters_are_those_of_the_rfc() {
        for (text, expected) in [
            ("$${hex:40}", "$@"),
            ("${hex: 40 }", "@"),
            ("${HEX: 40}", "@"),
            ("${hex:40", "${hex:40"),
            ("${hex:400}", "${hex:400}"),
            ("${hex:4${hex:30}}", "${hex:40}"),
            ("${unicode:40}", "@"),
            ("${ unicode:40}", "${ unicode:40}"),
            ("${UNICODE:40}", "@"),
            ("${UnICoDE:0000040}", "@"),
            ("${Unicode:40}", "@"),
            ("${Unicode:Cool}", "${Unicode:Cool}"),
            ("${unicode:00e9 E9}${hex: c3 a9}", "ééé"),
        ] {
            assert_eq!(decode_characters(text).unwrap(), expected, "{text}");
        }
        for text in ["${unicode:200000}", "${unicode:D800}", "${hex: ff}"] {
            assert!(decode_characters(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_can_be_a_variable_is_one() {
        fn value(piece: &Piece) -> &str {
            match piece {
                Piece::Match(1) => "one",
                Piece::Variable(name) if name == "company" => "ACME",
                Piece::Variable(name) if name == "global.x" => "x!",
                _ => "",
            }
        }
        for (text, expected) in [
            ("full", "full"),
            ("&%${}!", "&%${}!"),
            ("${doh!}", "${doh!}"),
            ("${Company}", "ACME"),
            ("${BADVAR}!", "!"),
            ("${1}${01}${global.X}", "oneonex!"),
            ("${other.x}", "${other.x}"),
            ("${President, ${Company} Inc.}", "${President, ACME Inc.}"),
            ("", ""),
        ] {
            let read = Text::with_variables(text);
            assert_eq!(read.expand(value), expected, "{text}");
        }
    }
}
