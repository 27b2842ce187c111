//! The header of a message while a script runs: read field by field, and changed by `addheader` and `deleteheader` (RFC 5293).
//! Fields that nobody touches stay byte for byte as they came.

use std::sync::Arc;

use waxwing_formats_mime::{header, word};

#[derive(Debug, Clone)]
struct Field {
    raw: Vec<u8>,
}

/// Octets of a line of a field that we write.
const LINE: usize = 76;

#[derive(Debug, Clone)]
pub(crate) struct Header {
    fields: Vec<Field>,
    edited: bool,
    rendered: Option<Arc<[u8]>>,
}

impl Field {
    fn is(&self, name: &str) -> bool {
        header::fields(&self.raw)
            .next()
            .is_some_and(|field| field.is(name))
    }

    fn value(&self) -> &[u8] {
        header::fields(&self.raw)
            .next()
            .map_or(&[], |field| field.value)
    }
}

impl Header {
    pub(crate) fn new(block: &[u8]) -> Header {
        let fields = header::fields(block).map(|field| Field {
            raw: field.raw.to_vec(),
        });
        Header {
            fields: fields.collect(),
            edited: false,
            rendered: None,
        }
    }

    /// The undecoded values of a field, in their order.
    pub(crate) fn raw<'a>(
        &'a self,
        name: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'a {
        self.fields
            .iter()
            .filter(move |field| field.is(name))
            .map(Field::value)
    }

    /// The decoded values of a field, without the white space around them.
    pub(crate) fn values<'a>(
        &'a self,
        name: &'a str,
    ) -> impl DoubleEndedIterator<Item = String> + 'a {
        self.raw(name).map(decoded)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).next().is_some()
    }

    /// Whether a field's name begins so.
    pub(crate) fn has_prefix(&self, prefix: &str) -> bool {
        let begins = |field: &Field| {
            let name = field.raw.get(..prefix.len());
            name.is_some_and(|name| name.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        self.fields.iter().any(begins)
    }

    pub(crate) fn add(&mut self, name: &str, value: &str, last: bool) {
        let field = Field {
            raw: render(name, value).into_bytes(),
        };
        if last {
            self.end_last_line();
            self.fields.push(field);
        } else {
            self.fields.insert(0, field);
        }
        self.touch();
    }

    /// Removes fields of a name by their place among them, 0 the first.
    pub(crate) fn remove(&mut self, name: &str, which: impl Fn(usize) -> bool) {
        let mut place = 0;
        let before = self.fields.len();
        self.fields.retain(|field| {
            if !field.is(name) {
                return true;
            }
            place += 1;
            !which(place - 1)
        });
        if self.fields.len() != before {
            self.touch();
        }
    }

    fn touch(&mut self) {
        self.edited = true;
        self.rendered = None;
    }

    /// A header that ends within a line would swallow what is put behind it.
    fn end_last_line(&mut self) {
        if let Some(field) = self
            .fields
            .last_mut()
            .filter(|field| !field.raw.ends_with(b"\n"))
        {
            field.raw.extend_from_slice(b"\r\n");
        }
    }

    /// The fields as they are now; none when they are as they came.
    pub(crate) fn edited(&mut self) -> Option<Arc<[u8]>> {
        if !self.edited {
            return None;
        }
        let fields = &self.fields;
        let rendered = self.rendered.get_or_insert_with(|| {
            fields
                .iter()
                .flat_map(|field| field.raw.iter().copied())
                .collect()
        });
        Some(rendered.clone())
    }
}

pub(crate) fn decoded(value: &[u8]) -> String {
    word::decode(value).trim().to_owned()
}

/// A field with its line end. Other than ASCII goes in encoded words (RFC 2047); long lines are folded at spaces.
pub(crate) fn render(name: &str, value: &str) -> String {
    let value: String = value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut out = format!("{name}:");
    let mut line = out.len();
    let encoded = if value.is_ascii() {
        value
    } else {
        encode(&value)
    };
    for (number, word) in encoded.trim().split(' ').enumerate() {
        // A line of white space alone would end the header for some readers.
        if number > 0 && !word.is_empty() && line + 1 + word.len() > LINE {
            out.push_str("\r\n");
            line = 0;
        }
        out.push(' ');
        out.push_str(word);
        line += 1 + word.len();
    }
    out.push_str("\r\n");
    out
}

/// Encoded words with a space between them, each whole characters and short enough.
pub(crate) fn encode(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut chunk = String::new();
    for character in text.chars() {
        if chunk.len() + character.len_utf8() > 42 {
            words.push(base64(chunk.as_bytes()));
            chunk.clear();
        }
        chunk.push(character);
    }
    words.push(base64(chunk.as_bytes()));
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("=?utf-8?B?{word}?="))
        .collect();
    words.join(" ")
}

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let at = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or(0);
            let letter = ALPHABET.get(index).copied().unwrap_or(b'=');
            out.push(char::from(if place <= group.len() { letter } else { b'=' }));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(header: &mut Header) -> String {
        String::from_utf8(header.edited().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn an_untouched_header_is_not_rendered() {
        let mut header = Header::new(b"A: 1\r\n\r\n");
        header.remove("B", |_| true);
        assert!(header.edited().is_none());
    }

    #[test]
    fn fields_are_added_and_removed_and_the_others_stay_as_they_are() {
        let mut header =
            Header::new(b"A : 1\r\n folded\r\nx: 1\r\nX: 2\r\nX: 3\nB:4\r\n\r\nX: body");
        header.remove("x", |place| place == 1);
        header.add("Top", "yes", false);
        header.add("End", "grüße", true);
        assert_eq!(
            text(&mut header),
            "Top: yes\r\nA : 1\r\n folded\r\nx: 1\r\nX: 3\nB:4\r\nEnd: =?utf-8?B?Z3LDvMOfZQ==?=\r\n"
        );
    }

    #[test]
    fn what_is_written_can_be_read_and_injects_nothing() {
        let long = "wört ".repeat(60);
        for value in ["plain", "a\r\nBcc: x@y", long.trim(), &"x ".repeat(100), ""] {
            let mut header = Header::new(b"");
            header.add("Subject", value, false);
            let expected = value.replace(['\r', '\n'], " ");
            assert_eq!(
                header.values("subject").next().unwrap(),
                expected.trim(),
                "{value:?}"
            );
            let rendered = text(&mut header);
            assert!(rendered.lines().all(|line| line.len() <= 80), "{rendered}");
            assert_eq!(header::fields(rendered.as_bytes()).count(), 1);
        }
    }
}
