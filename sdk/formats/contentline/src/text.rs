//! TEXT values (RFC 5545 section 3.3.11, RFC 6350 section 3.4): escapes, lists, and structures.

/// Escapes a text so that it is one value.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.push_str("\\\\"),
            ';' => out.push_str("\\;"),
            ',' => out.push_str("\\,"),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out
}

/// Undoes the escapes. A backslash before anything else stays what it is.
pub fn unescape(value: &str) -> String {
    if !value.contains('\\') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.peek() {
            Some('n' | 'N') => out.push('\n'),
            Some(&plain @ ('\\' | ';' | ',' | ':')) => out.push(plain),
            _ => {
                out.push('\\');
                continue;
            }
        }
        characters.next();
    }
    out
}

/// The parts of a raw value between separators that no backslash stands before, still escaped.
pub fn split(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut escaped = false;
        for (at, character) in text.char_indices() {
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == separator {
                let (head, tail) = text.split_at(at);
                rest = tail.get(separator.len_utf8()..);
                return Some(head);
            }
        }
        rest = None;
        Some(text)
    })
}

/// The texts of a list between commas.
pub fn list(value: &str) -> Vec<String> {
    split(value, ',').map(unescape).collect()
}

/// The fields of a structure between semicolons, each a list.
pub fn structure(value: &str) -> Vec<Vec<String>> {
    split(value, ';').map(list).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separators_that_are_escaped_do_not_separate() {
        assert_eq!(
            structure("A\\;B;C\\,D,E;;\\\\"),
            [vec!["A;B"], vec!["C,D", "E"], vec![""], vec!["\\"]]
        );
    }

    #[test]
    fn line_ends_of_any_system_become_one() {
        assert_eq!(escape("a\r\nb\nc\rd"), "a\\nb\\nc\\nd");
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(text in "[^\r]*") {
            prop_assert_eq!(unescape(&escape(&text)), text);
        }

        #[test]
        fn what_is_read_is_written_so_that_it_reads_the_same(value in "\\PC*") {
            let text = unescape(&value);
            prop_assert_eq!(unescape(&escape(&text)), text);
        }

        #[test]
        fn parts_and_separators_are_the_value(value in "[a\\\\,;]*") {
            prop_assert_eq!(split(&value, ',').collect::<Vec<_>>().join(","), value);
        }
    }
}
