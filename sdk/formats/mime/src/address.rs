//! RFC 5322 address lists in the shape of an IMAP envelope (RFC 9051 section 7.5.2).
//!
//! The grammar is that of RFC 5322 section 3.4 with the obsolete forms of section 4.4 (routes, empty
//! list members, comments everywhere, dots in phrases), and what real mail adds: a missing `>`, a
//! display name with an `@` in it, `;` between addresses, the name in a comment behind the address.
//! Text stays undecoded. One pass, no recursion: the work is linear in the field.

use crate::cursor::Cursor;
use serde::{Deserialize, Serialize};

/// The IMAP address structure; group starts have mailbox Some and host None, group ends both None.
///
/// An address without a domain has an empty host, never None, so that it is not taken for a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "T: serde_bytes::Serialize",
    deserialize = "T: serde_bytes::Deserialize<'de>"
))]
pub struct Address<T = Vec<u8>> {
    /// The display name without quotes, encoded words as they stand.
    #[serde(with = "serde_bytes")]
    pub name: Option<T>,
    /// The source route of RFC 5321 (`@a,@b`), obsolete.
    #[serde(with = "serde_bytes")]
    pub route: Option<T>,
    /// The local part without quotes, or the name of a group.
    #[serde(with = "serde_bytes")]
    pub mailbox: Option<T>,
    /// The domain; a domain literal keeps its brackets.
    #[serde(with = "serde_bytes")]
    pub host: Option<T>,
}

impl Address {
    /// Whether this is a mailbox and not the start or end of a group.
    pub fn is_mailbox(&self) -> bool {
        self.mailbox.is_some() && self.host.is_some()
    }

    fn group_start(name: Vec<u8>) -> Self {
        Address {
            name: None,
            route: None,
            mailbox: Some(name),
            host: None,
        }
    }

    fn group_end() -> Self {
        Address {
            name: None,
            route: None,
            mailbox: None,
            host: None,
        }
    }
}

/// Addresses read of a field, group markers counted.
pub const MAX_ADDRESSES: usize = 10_000;

/// The addresses of an unfolded field value, group markers included; at most [`MAX_ADDRESSES`].
pub fn parse(field: &[u8]) -> Vec<Address> {
    let mut list = List {
        cursor: Cursor::new(field),
        addresses: Vec::new(),
        in_group: false,
    };
    while list.cursor.peek().is_some() && list.addresses.len() < MAX_ADDRESSES {
        list.member();
    }
    list.end_group();
    list.addresses
}

/// Words in a row; white space between them becomes one space.
#[derive(Default)]
struct Words {
    text: Vec<u8>,
    comment: Option<Vec<u8>>,
    spaced: bool,
    quoted: bool,
    any: bool,
}

impl Words {
    fn push(&mut self, word: &[u8]) {
        if self.spaced && !self.text.is_empty() {
            self.text.push(b' ');
        }
        self.spaced = false;
        self.any = true;
        self.text.extend_from_slice(word);
    }

    /// Takes white space, comments, atoms, dots and quoted strings; stops before anything else.
    fn read(&mut self, cursor: &mut Cursor<'_>) {
        while let Some(byte) = cursor.peek() {
            match byte {
                b' ' | b'\t' => self.spaced |= cursor.skip_white(),
                b'(' => {
                    self.spaced = true;
                    self.read_comment(cursor);
                }
                b'"' => {
                    let word = cursor.quoted(b'"');
                    self.quoted = true;
                    self.push(&word);
                }
                _ if is_atom(byte) => {
                    let word = cursor.take_while(is_atom);
                    self.push(word);
                }
                _ => break,
            }
        }
    }

    /// Takes a domain: atoms that dots hold together over white space and comments, or a literal.
    fn read_domain(&mut self, cursor: &mut Cursor<'_>) {
        while let Some(byte) = cursor.peek() {
            match byte {
                b' ' | b'\t' => self.spaced |= cursor.skip_white(),
                b'(' => self.read_comment(cursor),
                b'[' => {
                    let literal = cursor.quoted(b']');
                    self.text.push(b'[');
                    self.text.extend(literal);
                    self.text.push(b']');
                }
                _ if is_atom(byte) => {
                    let joined = self.text.is_empty() || self.text.ends_with(b".") || byte == b'.';
                    if self.spaced && !joined {
                        break;
                    }
                    self.spaced = false;
                    self.text.extend_from_slice(cursor.take_while(is_atom));
                }
                _ => break,
            }
        }
    }

    fn read_comment(&mut self, cursor: &mut Cursor<'_>) {
        let comment = cursor.comment();
        let comment = comment.trim_ascii();
        if !comment.is_empty() {
            self.comment = Some(comment.to_vec());
        }
    }

    /// As a local part: white space around dots is obsolete syntax and means nothing.
    fn into_local_part(self) -> Vec<u8> {
        if self.quoted {
            return self.text;
        }
        let mut out: Vec<u8> = Vec::with_capacity(self.text.len());
        for byte in self.text {
            if byte == b'.' && out.last() == Some(&b' ') {
                out.pop();
            }
            if byte != b' ' || out.last() != Some(&b'.') {
                out.push(byte);
            }
        }
        out
    }
}

/// Anything that has no meaning of its own in an address list; dots, controls and 8-bit bytes included.
fn is_atom(byte: u8) -> bool {
    !b" \t()<>[]:;@,\"".contains(&byte)
}

struct List<'a> {
    cursor: Cursor<'a>,
    addresses: Vec<Address>,
    in_group: bool,
}

impl List<'_> {
    /// One member of the list and the separator behind it. Always consumes something.
    fn member(&mut self) {
        let mut words = Words::default();
        words.read(&mut self.cursor);
        match self.cursor.peek() {
            Some(b'<') => self.angle(words),
            Some(b'@') => self.bare(words),
            Some(b':') if !self.in_group => {
                self.cursor.bump();
                self.in_group = true;
                self.addresses.push(Address::group_start(words.text));
            }
            separator => {
                if words.any {
                    let comment = words.comment.take();
                    self.push(comment, words.into_local_part(), Vec::new());
                }
                self.cursor.bump();
                if separator == Some(b';') {
                    self.end_group();
                }
            }
        }
    }

    fn end_group(&mut self) {
        if self.in_group {
            self.in_group = false;
            self.addresses.push(Address::group_end());
        }
    }

    /// `name <@route:local@domain>`
    fn angle(&mut self, mut name: Words) {
        self.cursor.bump();
        let route = self.route();
        let mut local = Words::default();
        local.read(&mut self.cursor);
        let mut domain = Words::default();
        if self.cursor.eat(b'@') {
            domain.read_domain(&mut self.cursor);
        }
        self.cursor
            .take_while(|byte| !matches!(byte, b'>' | b',' | b';'));
        if self.cursor.eat(b'>') {
            self.cursor.skip_white();
            if self.cursor.peek() == Some(b'(') {
                name.read_comment(&mut self.cursor);
            }
        }
        let display = if name.any {
            Some(name.text)
        } else {
            name.comment
        };
        self.push(display, local.into_local_part(), domain.text);
        if let (Some(last), Some(route)) = (self.addresses.last_mut(), route) {
            last.route = Some(route);
        }
        self.finish_member();
    }

    /// `local@domain`, or a display name with an `@` in it before the real address.
    fn bare(&mut self, mut local: Words) {
        self.cursor.bump();
        let mut domain = Words::default();
        domain.read_domain(&mut self.cursor);
        if self.cursor.peek() == Some(b'<') {
            local.spaced = false;
            local.push(b"@");
            local.push(&domain.text);
            return self.angle(local);
        }
        let comment = domain.comment.or_else(|| local.comment.take());
        self.push(comment, local.into_local_part(), domain.text);
        self.finish_member();
    }

    /// Steps over what is left of a member and the separator behind it.
    fn finish_member(&mut self) {
        self.cursor.take_while(|byte| !matches!(byte, b',' | b';'));
        if self.cursor.bump() == Some(b';') {
            self.end_group();
        }
    }

    /// RFC 5322 section 4.4 `obs-route`, without the colon.
    fn route(&mut self) -> Option<Vec<u8>> {
        self.cursor.skip_cfws();
        if !matches!(self.cursor.peek(), Some(b'@' | b',')) {
            return None;
        }
        let mut ahead = self.cursor.clone();
        let text = ahead.take_while(|byte| !matches!(byte, b':' | b'>' | b'<'));
        if !ahead.eat(b':') {
            return None;
        }
        self.cursor = ahead;
        let blank = |byte: &u8| !matches!(byte, b' ' | b'\t');
        Some(text.iter().copied().filter(blank).collect())
    }

    fn push(&mut self, name: Option<Vec<u8>>, mailbox: Vec<u8>, host: Vec<u8>) {
        self.addresses.push(Address {
            name: name.filter(|text| !text.is_empty()),
            route: None,
            mailbox: Some(mailbox),
            host: Some(host),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name|route|mailbox|host`, NIL as `-`, members joined by newlines.
    fn told(field: &str) -> String {
        let text = |part: &Option<Vec<u8>>| match part {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => "-".to_owned(),
        };
        let row = |a: &Address| [&a.name, &a.route, &a.mailbox, &a.host].map(text).join("|");
        let rows: Vec<_> = parse(field.as_bytes()).iter().map(row).collect();
        rows.join("\n")
    }

    #[test]
    fn every_form_of_an_address_is_read() {
        let table = [
            ("joe@x.org", "-|-|joe|x.org"),
            ("<joe@x.org>", "-|-|joe|x.org"),
            ("Joe Public <joe@x.org>", "Joe Public|-|joe|x.org"),
            (r#""Public, J\"" <joe@x.org>"#, r#"Public, J"|-|joe|x.org"#),
            ("Joe Q. Public <joe@x.org>", "Joe Q. Public|-|joe|x.org"),
            ("joe@x.org (Joe (P.) Public)", "Joe (P.) Public|-|joe|x.org"),
            (r#""a b"@[127.0.0.1]"#, "-|-|a b|[127.0.0.1]"),
            ("joe . p @ x . org", "-|-|joe.p|x.org"),
            ("X <@a,@b:joe@x.org>", "X|@a,@b|joe|x.org"),
            ("=?utf-8?q?=C3=A4_b?= <a@b>", "=?utf-8?q?=C3=A4_b?=|-|a|b"),
            ("joe@x.org <joe@y.org>", "joe@x.org|-|joe|y.org"),
            ("J\u{e4} <j\u{e4}@x>", "J\u{e4}|-|j\u{e4}|x"),
        ];
        for (field, expected) in table {
            assert_eq!(told(field), expected, "{field}");
        }
    }

    #[test]
    fn groups_are_marked_by_their_start_and_end() {
        assert_eq!(
            told("undisclosed-recipients:;"),
            "-|-|undisclosed-recipients|-\n-|-|-|-"
        );
        assert_eq!(
            told("A: b@c, D <e@f>; g@h"),
            "-|-|A|-\n-|-|b|c\nD|-|e|f\n-|-|-|-\n-|-|g|h"
        );
        assert_eq!(told("A: b@c"), "-|-|A|-\n-|-|b|c\n-|-|-|-");
    }

    #[test]
    fn broken_addresses_still_give_what_they_hold() {
        let table = [
            ("", ""),
            (" , ,", ""),
            ("Joe <joe@x.org", "Joe|-|joe|x.org"),
            ("joe", "-|-|joe|"),
            ("<>", "-|-||"),
            ("Joe <joe>", "Joe|-|joe|"),
            ("a@b; c@d", "-|-|a|b\n-|-|c|d"),
            ("a@b c@d, e@f", "-|-|a|b\n-|-|e|f"),
            ("\"unclosed", "-|-|unclosed|"),
            ("(only a comment", ""),
            (">>> a@b", "-|-|a|b"),
        ];
        for (field, expected) in table {
            assert_eq!(told(field), expected, "{field}");
        }
    }
}
