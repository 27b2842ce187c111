//! RFC 5228 section 8.1: the words of a script. Lines may end in CRLF or LF.

use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// In lower case.
    Identifier(String),
    /// Without its colon, in lower case.
    Tag(String),
    Number(u64),
    String(String),
    /// One of `()[]{},;`.
    Mark(char),
}

impl Token {
    /// How a person would call it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Token::Identifier(name) => format!("`{}`", shown(name)),
            Token::Tag(name) => format!("`:{}`", shown(name)),
            Token::Number(number) => number.to_string(),
            Token::String(text) => format!("\"{}\"", shown(text)),
            Token::Mark(mark) => format!("`{mark}`"),
        }
    }
}

/// Other people's text in a message: short and on one line.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

pub(crate) struct Lexer<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(script: &'a str) -> Lexer<'a> {
        Lexer {
            rest: script.strip_prefix('\u{feff}').unwrap_or(script),
            line: 1,
        }
    }

    /// Where the next token begins, at the earliest.
    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    fn take(&mut self, octets: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(octets)
            .unwrap_or((self.rest, ""));
        self.line += u32::try_from(taken.matches('\n').count()).unwrap_or(u32::MAX);
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, which: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !which(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn skip_blank(&mut self) -> Result<()> {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
            if self.rest.starts_with('#') {
                self.take_while(|c| c != '\n');
            } else if self.rest.starts_with("/*") {
                let Some(end) = self.rest.find("*/") else {
                    return Err(Error::at(self.line, "a comment has no end `*/`"));
                };
                self.take(end + 2);
            } else {
                return Ok(());
            }
        }
    }

    /// The next token and its line; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u32, Token)>> {
        self.skip_blank()?;
        let line = self.line;
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let token = match first {
            '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' => {
                self.take(1);
                Token::Mark(first)
            }
            '"' => self.quoted()?,
            ':' => {
                self.take(1);
                let name = self.word();
                if name.is_empty() {
                    return Err(Error::at(line, "a `:` without a name"));
                }
                Token::Tag(name)
            }
            '0'..='9' => self.number()?,
            'a'..='z' | 'A'..='Z' | '_' => {
                let name = self.word();
                if name == "text" && self.rest.starts_with(':') {
                    self.multi_line()?
                } else {
                    Token::Identifier(name)
                }
            }
            other => {
                return Err(Error::at(
                    line,
                    format!("`{}` has no meaning here", other.escape_debug()),
                ));
            }
        };
        Ok(Some((line, token)))
    }

    fn word(&mut self) -> String {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
            .to_ascii_lowercase()
    }

    fn number(&mut self) -> Result<Token> {
        let line = self.line;
        let digits = self.take_while(|c| c.is_ascii_digit());
        let shift = match self.rest.chars().next().map(|c| c.to_ascii_uppercase()) {
            Some('K') => 10,
            Some('M') => 20,
            Some('G') => 30,
            _ => 0,
        };
        if shift > 0 {
            self.take(1);
        }
        let number: Option<u64> = digits.parse().ok();
        number
            .and_then(|number| number.checked_mul(1 << shift))
            .map(Token::Number)
            .ok_or_else(|| Error::at(line, format!("the number {} is too big", shown(digits))))
    }

    fn quoted(&mut self) -> Result<Token> {
        let line = self.line;
        self.take(1);
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != '"' && c != '\\'));
            match self.take(1) {
                "\"" => return Ok(Token::String(text)),
                "\\" => {
                    let length = self.rest.chars().next().map_or(0, char::len_utf8);
                    text.push_str(self.take(length));
                }
                _ => return Err(Error::at(line, "a string has no closing quote")),
            }
        }
    }

    /// `text:` and lines up to one that is a dot.
    fn multi_line(&mut self) -> Result<Token> {
        let line = self.line;
        self.take(1);
        self.take_while(|c| matches!(c, ' ' | '\t'));
        if self.rest.starts_with('#') {
            self.take_while(|c| c != '\n');
        }
        let rest = self.take_while(|c| c != '\n');
        if !rest.trim_end_matches('\r').is_empty() {
            return Err(Error::at(line, "the text begins on the line after `text:`"));
        }
        self.take(1);
        let mut text = String::new();
        loop {
            let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
            let row = self.take(end);
            if row.is_empty() {
                return Err(Error::at(
                    line,
                    "a `text:` has no end, which is a line with a dot alone",
                ));
            }
            if row.trim_end_matches(['\r', '\n']) == "." {
                return Ok(Token::String(text));
            }
            text.push_str(
                row.strip_prefix('.')
                    .filter(|_| row.starts_with(".."))
                    .unwrap_or(row),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(script: &str) -> Result<Vec<Token>> {
        let mut lexer = Lexer::new(script);
        let mut all = Vec::new();
        while let Some((_, token)) = lexer.next()? {
            all.push(token);
        }
        Ok(all)
    }

    #[test]
    fn a_text_has_lines_with_their_dots_unstuffed() {
        for end in ["\r\n", "\n"] {
            let script = ["text: # why", "a", "..b", ".c", ".", ";"].join(end);
            let expected = ["a", ".b", ".c", ""].join(end);
            assert_eq!(
                tokens(&script).unwrap(),
                [Token::String(expected), Token::Mark(';')]
            );
        }
    }

    #[test]
    fn numbers_have_quantifiers_and_bounds() {
        assert_eq!(
            tokens("1 2K 3m 4G").unwrap(),
            [1, 2 << 10, 3 << 20, 4 << 30].map(Token::Number)
        );
        assert!(
            tokens("99999999999999999999")
                .unwrap_err()
                .what
                .contains("too big")
        );
        assert!(tokens("99999999999999999G").is_err());
    }

    #[test]
    fn a_backslash_quotes_any_character() {
        assert_eq!(
            tokens(r#""a\"b\\c\d\é""#).unwrap(),
            [Token::String("a\"b\\cdé".into())]
        );
    }

    #[test]
    fn what_does_not_end_is_said_with_the_line_where_it_began() {
        for (script, line) in [
            ("\n\"a\nb", 2),
            ("keep;\n/* x\n", 2),
            ("text:\nx\n", 1),
            ("\n\n\u{1}", 3),
        ] {
            assert_eq!(tokens(script).unwrap_err().line, line, "{script:?}");
        }
    }
}
