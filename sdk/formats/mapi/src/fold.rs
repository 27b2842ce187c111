//! Text without regard to case: what IMAP SEARCH, sort orders and MAPI string comparison need.
//!
//! Folding is upper case, then lower case, by Unicode's full mappings, so that `ß` matches `SS` and `ς` matches `Σ`.
//! It does not decompose (RFC 5051 does): `é` written as two characters is not found by the one-character
//! form; the tables for that would be larger than this crate. ASCII takes a path without allocation.

use std::cmp::Ordering;

/// The folded text.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    folded(text).collect()
}

fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
}

/// Whether `needle` stands somewhere in `text`, ignoring case. The empty needle stands everywhere.
pub fn contains(text: &str, needle: &str) -> bool {
    if needle.is_ascii() && ascii_find(text.as_bytes(), needle.as_bytes()) {
        return true;
    }
    if text.is_ascii() {
        // Some other characters fold to ASCII (the Kelvin sign), so a needle of them is still looked for.
        return !needle.is_ascii() && ascii_find(text.as_bytes(), fold(needle).as_bytes());
    }
    fold(text).contains(&fold(needle))
}

/// Whether `text` begins with `needle`, ignoring case.
pub fn starts_with(text: &str, needle: &str) -> bool {
    let mut text = folded(text);
    folded(needle).all(|character| text.next() == Some(character))
}

/// The order of two texts, ignoring case.
pub fn compare(left: &str, right: &str) -> Ordering {
    if left.is_ascii() && right.is_ascii() {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        return left.bytes().map(lower).cmp(right.bytes().map(lower));
    }
    folded(left).cmp(folded(right))
}

/// Comparisons up to which a text is searched where it stands; beyond them a folded copy is made, in which the search
/// is linear.
const MAX_COMPARISONS: usize = 1 << 20;

/// Finds an ASCII needle, ignoring the case of ASCII letters.
fn ascii_find(text: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return true;
    };
    if text.len().saturating_mul(needle.len()) > MAX_COMPARISONS {
        let (text, needle) = (text.to_ascii_lowercase(), needle.to_ascii_lowercase());
        return memchr::memmem::find(&text, &needle).is_some();
    }
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    memchr::memchr2_iter(lower, upper, text).any(|at| {
        text.get(at..at + needle.len())
            .is_some_and(|window| window.eq_ignore_ascii_case(needle))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_substring_is_found_whatever_its_case() {
        let table = [
            ("Hello World", "o wor", true),
            ("Hello", "", true),
            ("", "x", false),
            ("Hello", "hello!", false),
            ("aab", "AB", true),
            ("Stra\u{df}e", "STRASSE", true),
            ("\u{c4}rger", "\u{e4}R", true),
            ("\u{212a}elvin", "kelvin", true),
            ("kelvin", "\u{212a}E", true),
            ("\u{3a3}\u{3c2}", "\u{3c3}\u{3c3}", true),
            ("plain", "\u{e4}", false),
        ];
        for (text, needle, expected) in table {
            assert_eq!(contains(text, needle), expected, "{needle} in {text}");
        }
    }

    #[test]
    fn a_long_needle_is_found_in_a_long_text() {
        let (text, needle) = ("a".repeat(5000) + "B", "A".repeat(4000));
        assert!(contains(&text, &format!("{needle}b")));
        assert!(!contains(&text, &format!("{needle}c")));
    }

    #[test]
    fn prefix_and_order_ignore_case() {
        assert!(starts_with("\u{c4}rger", "\u{e4}RG"));
        assert!(!starts_with("a", "ab"));
        assert_eq!(compare("abc", "ABD"), Ordering::Less);
        assert_eq!(compare("\u{c4}", "\u{e4}"), Ordering::Equal);
        assert_eq!(compare("a", "AB"), Ordering::Less);
    }
}
