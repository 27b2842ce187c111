//! RFC 5228 section 8.2: commands, tests and arguments by their form alone. What they mean is `compile`'s to say.

use crate::lexer::{Lexer, Token};
use crate::limits::{MAX_NESTING, MAX_SCRIPT};
use crate::{Error, Result};

/// A command or a test.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) name: String,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) tests: Vec<Node>,
    /// None: it ended with a semicolon.
    pub(crate) block: Option<Vec<Node>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) line: u32,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Tag(String),
    Number(u64),
    /// A list, or a string alone, which is a list of one.
    Strings {
        texts: Vec<String>,
        is_list: bool,
    },
}

/// Reads a script by its form.
pub(crate) fn parse(script: &str) -> Result<Vec<Node>> {
    if script.len() > MAX_SCRIPT {
        return Err(Error::limit(1, "octets of a script", MAX_SCRIPT));
    }
    let mut parser = Parser {
        lexer: Lexer::new(script),
        peeked: None,
        depth: 0,
    };
    let commands = parser.commands()?;
    match parser.next()? {
        None => Ok(commands),
        Some((line, token)) => Err(Error::at(
            line,
            format!("expected a command, found {}", token.describe()),
        )),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    peeked: Option<(u32, Token)>,
    depth: u32,
}

impl Parser<'_> {
    fn next(&mut self) -> Result<Option<(u32, Token)>> {
        match self.peeked.take() {
            Some(token) => Ok(Some(token)),
            None => self.lexer.next(),
        }
    }

    fn peek(&mut self) -> Result<Option<&Token>> {
        if self.peeked.is_none() {
            self.peeked = self.lexer.next()?;
        }
        Ok(self.peeked.as_ref().map(|(_, token)| token))
    }

    fn eat(&mut self, mark: char) -> Result<bool> {
        let there = self.peek()? == Some(&Token::Mark(mark));
        if there {
            self.peeked = None;
        }
        Ok(there)
    }

    fn line(&self) -> u32 {
        self.peeked
            .as_ref()
            .map_or(self.lexer.line(), |(line, _)| *line)
    }

    fn expected<T>(&mut self, what: &str) -> Result<T> {
        let found = match self.peek()? {
            Some(token) => token.describe(),
            None => "the end of the script".into(),
        };
        Err(Error::at(
            self.line(),
            format!("expected {what}, found {found}"),
        ))
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(Error::limit(
                self.line(),
                "nesting of blocks and tests",
                MAX_NESTING,
            ));
        }
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    fn commands(&mut self) -> Result<Vec<Node>> {
        let mut commands = Vec::new();
        while let Some(Token::Identifier(_)) = self.peek()? {
            commands.push(self.command()?);
        }
        Ok(commands)
    }

    fn command(&mut self) -> Result<Node> {
        let mut node = self.node()?;
        if self.eat('{')? {
            node.block = Some(self.deeper(Parser::commands)?);
            if !self.eat('}')? {
                return self.expected("a command or `}`");
            }
        } else if !self.eat(';')? {
            // The line of the command is where a person looks for the semicolon.
            let found = match self.peek()? {
                Some(token) => token.describe(),
                None => "the end of the script".into(),
            };
            let what = format!("expected `;` or `{{` after {}, found {found}", node.name);
            return Err(Error::at(self.line(), what));
        }
        Ok(node)
    }

    /// A name with its arguments and tests.
    fn node(&mut self) -> Result<Node> {
        let (line, name) = match self.next()? {
            Some((line, Token::Identifier(name))) => (line, name),
            other => {
                self.peeked = other;
                return self.expected("a name");
            }
        };
        let mut node = Node {
            line,
            name,
            arguments: Vec::new(),
            tests: Vec::new(),
            block: None,
        };
        while let Some(value) = self.argument()? {
            node.arguments.push(value);
        }
        if self.eat('(')? {
            loop {
                let test = self.deeper(Parser::node)?;
                node.tests.push(test);
                if self.eat(')')? {
                    break;
                }
                if !self.eat(',')? {
                    return self.expected("`,` or `)` in the list of tests");
                }
            }
        } else if let Some(Token::Identifier(_)) = self.peek()? {
            let test = self.deeper(Parser::node)?;
            node.tests.push(test);
        }
        Ok(node)
    }

    fn argument(&mut self) -> Result<Option<Argument>> {
        self.peek()?;
        let line = self.line();
        let value = match self.peek()? {
            Some(Token::Mark('[')) => self.list()?,
            Some(Token::Tag(_) | Token::Number(_) | Token::String(_)) => match self.next()? {
                Some((_, Token::Tag(name))) => Value::Tag(name),
                Some((_, Token::Number(number))) => Value::Number(number),
                Some((_, Token::String(text))) => Value::Strings {
                    texts: vec![text],
                    is_list: false,
                },
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(Argument { line, value }))
    }

    fn list(&mut self) -> Result<Value> {
        self.peeked = None;
        let mut texts = Vec::new();
        loop {
            match self.next()? {
                Some((_, Token::String(text))) => texts.push(text),
                other => {
                    self.peeked = other;
                    return self.expected("a string in the list");
                }
            }
            if self.eat(']')? {
                let is_list = true;
                return Ok(Value::Strings { texts, is_list });
            }
            if !self.eat(',')? {
                return self.expected("`,` or `]` in the list");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(script: &str) -> String {
        parse(script).unwrap_err().to_string()
    }

    #[test]
    fn commands_have_arguments_tests_and_blocks() {
        let nodes =
            parse("if anyof (true, not false) { keep :flags [\"a\", \"b\"]; } else { stop; }")
                .unwrap();
        assert_eq!(nodes.len(), 2);
        assert_eq!(nodes[0].tests[0].tests.len(), 2);
        let block = nodes[0].block.as_ref().unwrap();
        assert_eq!(
            (block[0].name.as_str(), block[0].arguments.len()),
            ("keep", 2)
        );
    }

    #[test]
    fn errors_name_the_line_and_what_was_found() {
        assert_eq!(
            error("keep;\nstop"),
            "line 2: expected `;` or `{` after stop, found the end of the script"
        );
        assert_eq!(
            error("\n\nkeep }"),
            "line 3: expected `;` or `{` after keep, found `}`"
        );
        assert_eq!(
            error("if true {\nkeep;\n"),
            "line 3: expected a command or `}`, found the end of the script"
        );
        assert_eq!(
            error("x [\"a\" \"b\"];"),
            "line 1: expected `,` or `]` in the list, found \"b\""
        );
        assert_eq!(
            error("x [];"),
            "line 1: expected a string in the list, found `]`"
        );
        assert_eq!(error("};"), "line 1: expected a command, found `}`");
    }

    #[test]
    fn nesting_and_size_have_limits_that_are_named() {
        let nested = format!("{}{}", "if true {".repeat(40), "}".repeat(40));
        assert_eq!(
            error(&nested),
            "line 1: limit reached: nesting of blocks and tests = 32"
        );
        let tests = format!("if {}true {{}}", "not ".repeat(50_000 / 4));
        assert!(error(&tests).contains("nesting"));
        assert!(error(&"#".repeat(MAX_SCRIPT + 1)).contains("octets of a script = 131072"));
    }
}
