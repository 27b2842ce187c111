//! The words of the grammar, read one after the other from a whole command.

use super::{Bad, Mode, frame, limits};
use crate::names::MailboxName;

type Result<T> = std::result::Result<T, Bad>;

/// A place in a command whose line end has been taken off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    pub(super) mode: Mode,
}

/// ATOM-CHAR: not `(){ %*"\]`, no control, no 8-bit octet.
pub(super) fn is_atom_char(byte: u8) -> bool {
    byte > 0x20
        && byte < 0x7F
        && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

/// ASTRING-CHAR, and 8-bit octets, which clients put into names.
fn is_astring_char(byte: u8) -> bool {
    is_atom_char(byte) || byte == b']' || byte >= 0x80
}

impl<'a> Cursor<'a> {
    pub(super) fn new(rest: &'a [u8], mode: Mode) -> Self {
        Cursor { rest, mode }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes the octet if it is next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes the word if it is next, whatever its case.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        match self.rest.split_at_checked(word.len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case(word.as_bytes()) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    pub(super) fn expect(&mut self, byte: u8, what: &str) -> Result<()> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(Bad::new(format!("expected {what}")))
        }
    }

    pub(super) fn space(&mut self) -> Result<()> {
        self.expect(b' ', "a space")
    }

    pub(super) fn end(&self) -> Result<()> {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(Bad::new("unexpected text after the command"))
        }
    }

    pub(super) fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self
            .rest
            .iter()
            .position(|&byte| !accept(byte))
            .unwrap_or(self.rest.len());
        let (head, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, &[]));
        self.rest = rest;
        head
    }

    /// What a mailbox pattern or a tag is made of is the caller's to say.
    pub(super) fn text_while(
        &mut self,
        what: &str,
        accept: impl Fn(u8) -> bool,
    ) -> Result<&'a str> {
        match std::str::from_utf8(self.take_while(accept)) {
            Ok("") => Err(Bad::new(format!("expected {what}"))),
            Ok(text) => Ok(text),
            Err(_) => Err(Bad::new(format!("{what} is not UTF-8"))),
        }
    }

    pub(super) fn atom(&mut self, what: &str) -> Result<&'a str> {
        self.text_while(what, is_atom_char)
    }

    pub(super) fn number64(&mut self, what: &str) -> Result<u64> {
        let digits = self.text_while(what, |byte| byte.is_ascii_digit())?;
        digits
            .parse()
            .map_err(|_| Bad::new(format!("{what} is too large")))
    }

    pub(super) fn number(&mut self, what: &str) -> Result<u32> {
        u32::try_from(self.number64(what)?).map_err(|_| Bad::new(format!("{what} is too large")))
    }

    pub(super) fn nz_number(&mut self, what: &str) -> Result<u32> {
        match self.number(what)? {
            0 => Err(Bad::new(format!("{what} must not be 0"))),
            number => Ok(number),
        }
    }

    fn quoted(&mut self) -> Result<Vec<u8>> {
        let mut value = Vec::new();
        loop {
            value.extend_from_slice(self.take_while(|byte| byte != b'"' && byte != b'\\'));
            if self.eat(b'"') {
                return match value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
                    true => Err(Bad::new("a quoted string must not hold NUL, CR or LF")),
                    false => Ok(value),
                };
            }
            if !self.eat(b'\\') {
                return Err(Bad::new("a quoted string is not closed"));
            }
            match self.rest.split_first() {
                Some((&byte @ (b'"' | b'\\'), rest)) => {
                    value.push(byte);
                    self.rest = rest;
                }
                _ => {
                    return Err(Bad::new(
                        "a backslash may quote only a quote or a backslash",
                    ));
                }
            }
        }
    }

    fn literal(&mut self) -> Result<Vec<u8>> {
        let wrong = || Bad::new("malformed literal");
        let (text, length) = frame::line(self.rest).ok_or_else(wrong)?;
        let announced = frame::literal(text)
            .filter(|literal| literal.width == text.len())
            .ok_or_else(wrong)?;
        let size = usize::try_from(announced.size).map_err(|_| wrong())?;
        let (_, rest) = self.rest.split_at_checked(length).ok_or_else(wrong)?;
        let (value, rest) = rest.split_at_checked(size).ok_or_else(wrong)?;
        self.rest = rest;
        match value.contains(&0) && !announced.binary {
            true => Err(Bad::new("a literal must not hold NUL")),
            false => Ok(value.to_vec()),
        }
    }

    /// A quoted string or a literal.
    pub(super) fn string(&mut self, what: &str) -> Result<Vec<u8>> {
        match self.peek() {
            Some(b'"') => {
                self.eat(b'"');
                self.quoted()
            }
            Some(b'{' | b'~') => self.literal(),
            _ => Err(Bad::new(format!("expected {what}"))),
        }
    }

    pub(super) fn astring(&mut self, what: &str) -> Result<Vec<u8>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(what),
            _ => match self.take_while(is_astring_char) {
                [] => Err(Bad::new(format!("expected {what}"))),
                atom => Ok(atom.to_vec()),
            },
        }
    }

    /// None for NIL.
    pub(super) fn nstring(&mut self, what: &str) -> Result<Option<Vec<u8>>> {
        if self.eat_word("NIL") {
            Ok(None)
        } else {
            self.string(what).map(Some)
        }
    }

    /// An astring that is UTF-8.
    pub(super) fn text(&mut self, what: &str) -> Result<String> {
        String::from_utf8(self.astring(what)?).map_err(|_| Bad::new(format!("{what} is not UTF-8")))
    }

    pub(super) fn mailbox(&mut self) -> Result<MailboxName> {
        let raw = self.astring("a mailbox name")?;
        mailbox_name(&raw, self.mode)
    }

    /// What stands between parentheses, one after the other.
    pub(super) fn list<T>(
        &mut self,
        what: &str,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.expect(b'(', what)?;
        let mut items = Vec::new();
        if self.eat(b')') {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(b')') {
                return Ok(items);
            }
            self.space()?;
        }
    }
}

fn mailbox_name(raw: &[u8], mode: Mode) -> Result<MailboxName> {
    if raw.len() > limits::MAILBOX_NAME * 2 {
        return Err(Bad::new("the mailbox name is longer than 1000 octets"));
    }
    let name = MailboxName::from_wire(raw, mode.utf8).ok_or_else(|| Bad::new(encoding_of(mode)))?;
    match name.as_str().len() > limits::MAILBOX_NAME {
        true => Err(Bad::new("the mailbox name is longer than 1000 octets")),
        false => Ok(name),
    }
}

fn encoding_of(mode: Mode) -> &'static str {
    if mode.utf8 {
        "the mailbox name is not UTF-8"
    } else {
        "the mailbox name is not modified UTF-7"
    }
}
