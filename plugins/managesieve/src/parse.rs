//! RFC 5804 section 4: a command whose lines and literals have all arrived.

/// Octets of a line with its end. A quoted string has at most 1,024; two names and a token of SASL must fit.
pub const LINE_LIMIT: usize = 16 * 1024;

/// A line up to a literal, or the last one of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Without its end.
    pub line: Vec<u8>,
    /// What follows the line, if it announces a literal.
    pub literal: Option<Vec<u8>>,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the command of that name")]
pub enum Command {
    Authenticate {
        mechanism: String,
        initial: Option<String>,
    },
    StartTls,
    Logout,
    Capability,
    HaveSpace {
        name: String,
        octets: u64,
    },
    PutScript {
        name: String,
        script: String,
    },
    ListScripts,
    SetActive(String),
    GetScript(String),
    DeleteScript(String),
    RenameScript {
        from: String,
        to: String,
    },
    CheckScript(String),
    Noop(Option<String>),
    Unauthenticate,
}

/// Why there is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// No such command.
    Unknown,
    /// What it is followed by.
    Arguments(&'static str),
    /// A string is not UTF-8.
    NotUtf8,
    /// What is neither word, number nor string.
    Syntax,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Number(u64),
    String(String),
}

/// Reads a command.
///
/// # Errors
/// As [`Bad`] says.
pub fn parse_command(pieces: &[Piece]) -> Result<Command, Bad> {
    let mut tokens = tokens(pieces)?.into_iter();
    let Some(Token::Word(name)) = tokens.next() else {
        return Err(Bad::Syntax);
    };
    let arguments: Vec<Token> = tokens.collect();
    command(&name.to_ascii_uppercase(), &arguments)
}

/// Reads what answers a challenge: one string.
///
/// # Errors
/// As [`Bad`] says.
pub fn parse_string(pieces: &[Piece]) -> Result<String, Bad> {
    match tokens(pieces)?.as_slice() {
        [Token::String(text)] => Ok(text.clone()),
        _ => Err(Bad::Arguments("one string")),
    }
}

fn command(name: &str, arguments: &[Token]) -> Result<Command, Bad> {
    use Token::{Number, String};
    let expected = |what| Err(Bad::Arguments(what));
    Ok(match (name, arguments) {
        ("AUTHENTICATE", [String(mechanism)]) => Command::Authenticate {
            mechanism: mechanism.clone(),
            initial: None,
        },
        ("AUTHENTICATE", [String(mechanism), String(initial)]) => Command::Authenticate {
            mechanism: mechanism.clone(),
            initial: Some(initial.clone()),
        },
        ("AUTHENTICATE", _) => return expected("the name of a mechanism and perhaps a response"),
        ("STARTTLS", []) => Command::StartTls,
        ("LOGOUT", []) => Command::Logout,
        ("CAPABILITY", []) => Command::Capability,
        ("LISTSCRIPTS", []) => Command::ListScripts,
        ("UNAUTHENTICATE", []) => Command::Unauthenticate,
        ("STARTTLS" | "LOGOUT" | "CAPABILITY" | "LISTSCRIPTS" | "UNAUTHENTICATE", _) => {
            return expected("nothing");
        }
        ("HAVESPACE", [String(name), Number(octets)]) => Command::HaveSpace {
            name: name.clone(),
            octets: *octets,
        },
        ("HAVESPACE", _) => return expected("a name and a number of octets"),
        ("PUTSCRIPT", [String(name), String(script)]) => Command::PutScript {
            name: name.clone(),
            script: script.clone(),
        },
        ("PUTSCRIPT", _) => return expected("a name and a script"),
        ("SETACTIVE", [String(name)]) => Command::SetActive(name.clone()),
        ("GETSCRIPT", [String(name)]) => Command::GetScript(name.clone()),
        ("DELETESCRIPT", [String(name)]) => Command::DeleteScript(name.clone()),
        ("SETACTIVE" | "GETSCRIPT" | "DELETESCRIPT", _) => return expected("a name"),
        ("RENAMESCRIPT", [String(from), String(to)]) => Command::RenameScript {
            from: from.clone(),
            to: to.clone(),
        },
        ("RENAMESCRIPT", _) => return expected("two names"),
        ("CHECKSCRIPT", [String(script)]) => Command::CheckScript(script.clone()),
        ("CHECKSCRIPT", _) => return expected("a script"),
        ("NOOP", []) => Command::Noop(None),
        ("NOOP", [String(tag)]) => Command::Noop(Some(tag.clone())),
        ("NOOP", _) => return expected("nothing or a string"),
        _ => return Err(Bad::Unknown),
    })
}

fn tokens(pieces: &[Piece]) -> Result<Vec<Token>, Bad> {
    let mut tokens = Vec::new();
    for piece in pieces {
        let line = match &piece.literal {
            // The announcement itself is no word.
            Some(_) => {
                let open = piece.line.iter().rposition(|octet| *octet == b'{');
                piece.line.get(..open.unwrap_or(0)).unwrap_or_default()
            }
            None => piece.line.as_slice(),
        };
        words(line, &mut tokens)?;
        if let Some(literal) = &piece.literal {
            let text = std::str::from_utf8(literal).map_err(|_| Bad::NotUtf8)?;
            tokens.push(Token::String(text.to_owned()));
        }
    }
    Ok(tokens)
}

fn words(line: &[u8], tokens: &mut Vec<Token>) -> Result<(), Bad> {
    let mut rest = std::str::from_utf8(line).map_err(|_| Bad::NotUtf8)?;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let Some(first) = rest.chars().next() else {
            return Ok(());
        };
        let token = match first {
            '"' => {
                let (text, after) = quoted(rest)?;
                rest = after;
                Token::String(text)
            }
            _ => {
                let end = rest.find([' ', '\t', '"']).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                rest = after;
                match first {
                    '0'..='9' => Token::Number(word.parse().map_err(|_| Bad::Syntax)?),
                    _ if word.bytes().all(|octet| octet.is_ascii_alphabetic()) => {
                        Token::Word(word.to_owned())
                    }
                    _ => return Err(Bad::Syntax),
                }
            }
        };
        tokens.push(token);
    }
}

fn quoted(text: &str) -> Result<(String, &str), Bad> {
    let mut out = String::new();
    let mut characters = text.chars();
    characters.next();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Ok((out, characters.as_str())),
            '\\' => out.push(characters.next().ok_or(Bad::Syntax)?),
            other => out.push(other),
        }
    }
    Err(Bad::Syntax)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> Vec<Piece> {
        vec![Piece {
            line: text.as_bytes().to_vec(),
            literal: None,
        }]
    }

    #[test]
    fn strings_are_quoted_or_literals() {
        let pieces = [
            Piece {
                line: b"putscript \"a \\\"b\\\\\" {4+}".to_vec(),
                literal: Some(b"keep".to_vec()),
            },
            Piece {
                line: Vec::new(),
                literal: None,
            },
        ];
        let expected = Command::PutScript {
            name: "a \"b\\".into(),
            script: "keep".into(),
        };
        assert_eq!(parse_command(&pieces), Ok(expected));
    }

    #[test]
    fn what_is_no_command_is_told_apart() {
        for (text, expected) in [
            ("XYZZY", Bad::Unknown),
            ("GETSCRIPT", Bad::Arguments("a name")),
            ("GETSCRIPT name", Bad::Arguments("a name")),
            ("HAVESPACE \"a\" 99999999999999999999", Bad::Syntax),
            ("GETSCRIPT \"a", Bad::Syntax),
            ("", Bad::Syntax),
            ("\"NOOP\"", Bad::Syntax),
            ("LOGOUT now", Bad::Arguments("nothing")),
        ] {
            assert_eq!(parse_command(&line(text)), Err(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_a_command_or_an_error(octets in proptest::collection::vec(any::<u8>(), 0..60), literal in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..10))) {
            let _ = parse_command(&[Piece { line: octets, literal }]);
        }
    }
}
