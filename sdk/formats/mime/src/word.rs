//! Encoded words (RFC 2047) and encoded parameters (RFC 2231) as text.
//!
//! Adjacent words of one charset are joined before they are decoded, because senders split characters
//! between words. A word may be as long as [`MAX_WORD`]; the standard's 75 octets are widely exceeded.

use crate::parameter::percent_decode;
use crate::{charset, header, transfer};

/// Octets in which the end of an encoded word is looked for; bounds the work for many that never end.
const MAX_WORD: usize = 8 * 1024;

/// Decodes unstructured text or a phrase: encoded words, and the rest as UTF-8 or windows-1252.
/// Takes a folded or an unfolded value.
pub fn decode(value: &[u8]) -> String {
    let value = header::unfold(value);
    let mut text = String::with_capacity(value.len());
    let mut run = Run::default();
    let mut rest = value.as_slice();
    while let Some(at) = memchr::memmem::find(rest, b"=?") {
        let (plain, from_word) = rest.split_at(at);
        let Some((word, after)) = word(from_word) else {
            let (literal, after) = rest.split_at(at + 2);
            run.flush(&mut text);
            text.push_str(&charset::undeclared(literal));
            rest = after;
            continue;
        };
        if run.is_empty() || !plain.trim_ascii().is_empty() {
            run.flush(&mut text);
            text.push_str(&charset::undeclared(plain));
        }
        run.push(word, &mut text);
        rest = after;
    }
    run.flush(&mut text);
    text.push_str(&charset::undeclared(rest));
    text
}

/// The value of a parameter, decoded: `name*` if it is there (RFC 2231), else `name`, where encoded words
/// do not belong and are common. The name in upper case.
pub fn parameter(parameters: &[(Vec<u8>, Vec<u8>)], name: &str) -> Option<String> {
    if let Some(value) = crate::parameter::value(parameters, &format!("{name}*")) {
        let mut fields = value.splitn(3, |byte| *byte == b'\'');
        return match (fields.next(), fields.next(), fields.next()) {
            (Some(label), Some(_), Some(text)) => {
                Some(charset::decode(label, &percent_decode(text)))
            }
            _ => Some(charset::undeclared(&percent_decode(value))),
        };
    }
    crate::parameter::value(parameters, name).map(decode)
}

struct Word<'a> {
    charset: &'a [u8],
    bytes: Vec<u8>,
}

/// Reads `=?charset*language?encoding?text?=` and tells what follows.
fn word(bytes: &[u8]) -> Option<(Word<'_>, &[u8])> {
    let bytes = bytes.strip_prefix(b"=?")?;
    let within = bytes.get(..bytes.len().min(MAX_WORD))?;
    let question = memchr::memchr(b'?', within.get(..within.len().min(80))?)?;
    let (label, rest) = within.split_at(question);
    let (encoding, text) = match rest {
        [b'?', encoding, b'?', text @ ..] => (encoding.to_ascii_uppercase(), text),
        _ => return None,
    };
    let end = memchr::memmem::find(text, b"?=")?;
    let decoded = match encoding {
        b'B' => transfer::base64(text.get(..end)?),
        b'Q' => q(text.get(..end)?),
        _ => return None,
    };
    let charset = label.split(|byte| *byte == b'*').next()?;
    if charset.is_empty() || charset.iter().any(u8::is_ascii_whitespace) {
        return None;
    }
    let word = Word {
        charset,
        bytes: decoded,
    };
    Some((word, bytes.get(question + 3 + end + 2..)?))
}

fn q(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'_' { b' ' } else { *byte })
        .collect();
    // A space at the end is content here, unlike in a quoted-printable line.
    let blank = spaced.len() - spaced.trim_ascii_end().len();
    let mut out = transfer::quoted_printable(&spaced);
    out.extend(std::iter::repeat_n(b' ', blank));
    out
}

/// Words of one charset in a row.
#[derive(Default)]
struct Run {
    charset: Vec<u8>,
    bytes: Vec<u8>,
    open: bool,
}

impl Run {
    fn is_empty(&self) -> bool {
        !self.open
    }

    fn push(&mut self, word: Word<'_>, text: &mut String) {
        if !self.charset.eq_ignore_ascii_case(word.charset) {
            self.flush(text);
            self.charset = word.charset.to_vec();
        }
        self.open = true;
        self.bytes.extend(word.bytes);
    }

    /// Line ends and NUL that were hidden in a word become spaces: a header is one line.
    fn flush(&mut self, text: &mut String) {
        let decoded = charset::decode(&self.charset, &self.bytes);
        text.extend(decoded.chars().map(|character| match character {
            '\r' | '\n' | '\0' => ' ',
            other => other,
        }));
        *self = Run::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_become_text() {
        let table = [
            ("plain", "plain"),
            ("=?utf-8?Q?a=C3=A4_b_?= c", "a\u{e4} b  c"),
            ("=?ISO-8859-1*de?b?5A==?=", "\u{e4}"),
            ("=?utf-8?q?a?=\r\n =?utf-8?q?b?= c", "ab c"),
            ("=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "\u{e4}"),
            ("=?utf-8?q?a?= =?koi8-r?q?=C1?=", "a\u{430}"),
            ("x=?utf-8?q?a?=y", "xay"),
            ("=?utf-8?q?What??=", "What?"),
            ("=?utf-8?q?a=0D=0AB:_c?=", "a  B: c"),
            ("=?bad =? =?utf-8?x?a?= =?a", "=?bad =? =?utf-8?x?a?= =?a"),
            ("caf\u{e9}", "caf\u{e9}"),
        ];
        for (value, expected) in table {
            assert_eq!(decode(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn a_character_may_be_split_between_words() {
        assert_eq!(decode(b"=?utf-8?b?w6Q=?= =?utf-8?b?w6Q=?="), "\u{e4}\u{e4}");
        assert_eq!(decode(b"=?utf-8?b?ww==?= =?utf-8?b?pA==?="), "\u{e4}");
    }

    #[test]
    fn parameters_are_decoded_in_either_form() {
        let pair = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let both = [pair("NAME", "x"), pair("NAME*", "utf-8'de'%C3%A4%2")];
        assert_eq!(parameter(&both, "NAME").unwrap(), "\u{e4}%2");
        let words = [pair("FILENAME", "=?utf-8?q?=C3=A4?=.txt")];
        assert_eq!(parameter(&words, "FILENAME").unwrap(), "\u{e4}.txt");
        assert_eq!(parameter(&words, "NAME"), None);
    }
}
