//! One line to a command. Pure; RFC 1939 section 3: keywords in any case, arguments separated by one space.
//!
//! A line has at most [`LINE_LIMIT`] octets. RFC 2449 section 4 says 255, and RFC 5034 lets a SASL response be as long as its
//! mechanism needs: tokens are the longest.

/// Octets of a line with its end.
pub const LINE_LIMIT: usize = 16 * 1024;

/// What a client can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The name of a mailbox.
    User(String),
    /// The rest of the line, spaces included.
    Pass(String),
    /// Without a mechanism the client asks which there are.
    Auth {
        /// As the client spells it.
        mechanism: Option<String>,
        /// The initial response, still in base64 (`=` for an empty one).
        initial: Option<Vec<u8>>,
    },
    /// What is offered.
    Capa,
    /// TLS.
    Stls,
    /// RFC 6856 section 2.
    Utf8,
    /// RFC 6856 section 3: the tag, or which languages there are.
    Lang(Option<String>),
    /// How many messages, how many octets.
    Stat,
    /// Sizes: of one or of all.
    List(Option<u32>),
    /// Unique ids: of one or of all.
    Uidl(Option<u32>),
    /// A message.
    Retr(u32),
    /// Its header and the first lines of its body.
    Top {
        /// Which.
        message: u32,
        /// How many lines.
        lines: u64,
    },
    /// Marks a message as deleted.
    Dele(u32),
    /// Unmarks all.
    Rset,
    /// Nothing.
    Noop,
    /// The end; marked messages are removed.
    Quit,
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// Nothing here has this name.
    Unknown,
    /// What the command is followed by.
    Arguments(&'static str),
    /// The line is not UTF-8.
    NotUtf8,
}

/// The command of a line without its end.
///
/// # Errors
/// What is wrong with it.
pub fn parse_command(line: &[u8]) -> Result<Command, Bad> {
    let line = std::str::from_utf8(line).map_err(|_| Bad::NotUtf8)?;
    let (keyword, rest) = match line.split_once(' ') {
        Some((keyword, rest)) => (keyword, Some(rest)),
        None => (line, None),
    };
    // Clients put spaces behind a command that has no arguments, and before arguments.
    let arguments = rest
        .map(|rest| rest.trim_matches(' '))
        .filter(|rest| !rest.is_empty());
    match keyword.to_ascii_uppercase().as_str() {
        "USER" => name(arguments).map(Command::User),
        // A password may begin and end with spaces.
        "PASS" => rest
            .map(|password| Command::Pass(password.to_owned()))
            .ok_or(Bad::Arguments("a password")),
        "AUTH" => auth(arguments),
        "CAPA" => alone(arguments, Command::Capa),
        "STLS" => alone(arguments, Command::Stls),
        "UTF8" => alone(arguments, Command::Utf8),
        "LANG" => Ok(Command::Lang(arguments.map(str::to_owned))),
        "STAT" => alone(arguments, Command::Stat),
        "LIST" => arguments.map(number).transpose().map(Command::List),
        "UIDL" => arguments.map(number).transpose().map(Command::Uidl),
        "RETR" => message(arguments).map(Command::Retr),
        "TOP" => top(arguments),
        "DELE" => message(arguments).map(Command::Dele),
        "RSET" => alone(arguments, Command::Rset),
        "NOOP" => alone(arguments, Command::Noop),
        "QUIT" => alone(arguments, Command::Quit),
        _ => Err(Bad::Unknown),
    }
}

fn alone(arguments: Option<&str>, command: Command) -> Result<Command, Bad> {
    match arguments {
        None => Ok(command),
        Some(_) => Err(Bad::Arguments("nothing")),
    }
}

fn name(arguments: Option<&str>) -> Result<String, Bad> {
    arguments.map(str::to_owned).ok_or(Bad::Arguments("a name"))
}

/// Numbers count from 1. One that is larger than any message's names no message, and is no error of syntax.
fn number(argument: &str) -> Result<u32, Bad> {
    Ok(u32::try_from(digits(argument)?).unwrap_or(u32::MAX))
}

/// A number of any length; what passes the largest is the largest.
fn digits(argument: &str) -> Result<u64, Bad> {
    if argument.is_empty() || !argument.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(Bad::Arguments("a number"));
    }
    Ok(argument.parse().unwrap_or(u64::MAX))
}

fn message(arguments: Option<&str>) -> Result<u32, Bad> {
    arguments.map_or(Err(Bad::Arguments("the number of a message")), number)
}

fn top(arguments: Option<&str>) -> Result<Command, Bad> {
    let (message, lines) = arguments
        .and_then(|arguments| arguments.split_once(' '))
        .ok_or(Bad::Arguments(
            "the number of a message and a number of lines",
        ))?;
    Ok(Command::Top {
        message: number(message)?,
        lines: digits(lines.trim_start_matches(' '))?,
    })
}

fn auth(arguments: Option<&str>) -> Result<Command, Bad> {
    let Some(arguments) = arguments else {
        return Ok(Command::Auth {
            mechanism: None,
            initial: None,
        });
    };
    let (mechanism, initial) = match arguments.split_once(' ') {
        Some((mechanism, initial)) => (mechanism, Some(initial.trim_start_matches(' '))),
        None => (arguments, None),
    };
    if initial.is_some_and(|initial| initial.contains(' ')) {
        return Err(Bad::Arguments("a mechanism and an initial response"));
    }
    Ok(Command::Auth {
        mechanism: Some(mechanism.to_owned()),
        initial: initial.map(|initial| initial.as_bytes().to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(line: &str) -> Result<Command, Bad> {
        parse_command(line.as_bytes())
    }

    #[test]
    fn keywords_are_known_in_any_case_and_with_spaces_behind_them() {
        assert_eq!(parse("stat"), Ok(Command::Stat));
        assert_eq!(parse("Quit  "), Ok(Command::Quit));
        assert_eq!(parse("NOOP now"), Err(Bad::Arguments("nothing")));
        assert_eq!(parse("XTND"), Err(Bad::Unknown));
        assert_eq!(parse(""), Err(Bad::Unknown));
        assert_eq!(parse_command(b"USER \xff"), Err(Bad::NotUtf8));
    }

    #[test]
    fn a_password_is_the_rest_of_the_line() {
        assert_eq!(parse("PASS a b  c "), Ok(Command::Pass("a b  c ".into())));
        assert_eq!(parse("PASS  x"), Ok(Command::Pass(" x".into())));
        assert_eq!(parse("PASS"), Err(Bad::Arguments("a password")));
        assert_eq!(parse("USER  ada "), Ok(Command::User("ada".into())));
        assert_eq!(parse("USER "), Err(Bad::Arguments("a name")));
    }

    #[test]
    fn numbers_are_digits_and_never_too_large_to_read() {
        assert_eq!(parse("LIST"), Ok(Command::List(None)));
        assert_eq!(parse("LIST 7"), Ok(Command::List(Some(7))));
        assert_eq!(
            parse("RETR 99999999999999999999"),
            Ok(Command::Retr(u32::MAX))
        );
        for bad in [
            "RETR", "RETR x", "RETR -1", "RETR +1", "RETR 1 2", "DELE 0x1",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let top = Command::Top {
            message: 3,
            lines: 0,
        };
        assert_eq!(parse("TOP 3 0"), Ok(top.clone()));
        assert_eq!(parse("top 3   0"), Ok(top));
        assert!(parse("TOP 3").is_err());
    }

    #[test]
    fn auth_has_a_mechanism_and_perhaps_a_response() {
        assert_eq!(
            parse("AUTH"),
            Ok(Command::Auth {
                mechanism: None,
                initial: None
            })
        );
        assert_eq!(
            parse("AUTH plain ="),
            Ok(Command::Auth {
                mechanism: Some("plain".into()),
                initial: Some(b"=".to_vec())
            })
        );
        assert!(parse("AUTH PLAIN a b").is_err());
    }

    proptest! {
        #[test]
        fn any_octets_are_a_command_or_are_not(line in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse_command(&line);
        }

        #[test]
        fn any_arguments_are_read_or_refused(
            keyword in prop::sample::select(vec!["USER", "PASS", "AUTH", "LIST", "UIDL", "RETR", "TOP", "DELE", "LANG", "QUIT"]),
            arguments in "[ 0-9a-z=+/é]{0,30}",
        ) {
            match parse(&format!("{keyword} {arguments}")) {
                Ok(Command::Pass(password)) => prop_assert_eq!(password, arguments),
                Ok(Command::User(name)) => prop_assert_eq!(name, arguments.trim_matches(' ')),
                Ok(Command::Retr(number)) | Ok(Command::Dele(number)) => {
                    let given: u128 = arguments.trim_matches(' ').parse().unwrap();
                    prop_assert_eq!(u128::from(number), given.min(u128::from(u32::MAX)));
                }
                _ => {}
            }
        }
    }
}
