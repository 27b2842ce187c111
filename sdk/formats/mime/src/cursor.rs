//! Walking over the lexical tokens of RFC 5322 (section 3.2): white space, comments, quoted strings.
//! No function recurses: nested comments are counted.

/// A position in an unfolded field value.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Steps over that byte if it is next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        self.at += usize::from(hit);
        hit
    }

    /// Takes bytes as long as they satisfy the test.
    pub(crate) fn take_while(&mut self, test: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest.iter().take_while(|byte| test(**byte)).count();
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    pub(crate) fn skip_white(&mut self) -> bool {
        !self.take_while(|b| matches!(b, b' ' | b'\t')).is_empty()
    }

    /// Skips white space and comments; whether there was any.
    pub(crate) fn skip_cfws(&mut self) -> bool {
        let start = self.at;
        loop {
            self.skip_white();
            if self.peek() != Some(b'(') {
                return self.at > start;
            }
            self.comment();
        }
    }

    /// The content of the comment that starts here, quoted pairs undone; one without an end reaches to
    /// the end of the value.
    pub(crate) fn comment(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut depth = 0usize;
        while let Some(byte) = self.bump() {
            match byte {
                b'\\' => text.extend(self.bump()),
                b'(' => {
                    if depth > 0 {
                        text.push(byte);
                    }
                    depth += 1;
                }
                b')' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                    text.push(byte);
                }
                other => text.push(other),
            }
        }
        text
    }

    /// The content of the quoted string (`"`) or domain literal (`[`) that starts here, quoted pairs
    /// undone; one without an end reaches to the end of the value.
    pub(crate) fn quoted(&mut self, close: u8) -> Vec<u8> {
        let mut text = Vec::new();
        self.bump();
        while let Some(byte) = self.bump() {
            match byte {
                b'\\' => text.extend(self.bump()),
                _ if byte == close => break,
                other => text.push(other),
            }
        }
        text
    }
}
