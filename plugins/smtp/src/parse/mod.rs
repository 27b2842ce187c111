//! Command lines to commands. Total: every line is a command or an error that has its reply.
//!
//! Limits: a line is at most [`LINE_LIMIT`] octets (RFC 5321 4.5.3.1.4 asks for 512, extensions add to it), a path at most
//! 256 (4.5.3.1.3), a local part 64 is *not* enforced because senders exceed it in good faith (VERP).

mod address;
mod mail;
mod parameter;
mod rcpt;

pub use address::{Path, parse_path};
pub use mail::{BodyType, Extras, Hold, MailFrom};
pub use rcpt::{Notify, RcptTo};

/// Octets of a command line with its CRLF.
pub const LINE_LIMIT: usize = 4096;

/// RFC 5321 4.1.1, RFC 2033, RFC 3030, RFC 3207, RFC 4954.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the RFC's verbs")]
pub enum Command {
    /// The client's name.
    Helo(String),
    Ehlo(String),
    Lhlo(String),
    StartTls,
    /// The mechanism's name and the initial response.
    Auth(String, Option<String>),
    Mail(MailFrom, Extras),
    Rcpt(RcptTo),
    Data,
    /// Octets that follow, and whether they are the last.
    Bdat {
        size: u64,
        last: bool,
    },
    Rset,
    Noop,
    Vrfy,
    Expn,
    Help,
    Quit,
}

/// Why a line is no command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// 500 5.5.2
    Unknown,
    /// 501 5.5.4, with what is expected.
    Arguments(&'static str),
    /// 555 5.5.4, with the parameter.
    Parameter(String),
    /// 501 5.1.7 (sender) or 5.1.3 (recipient).
    Address {
        /// Whose address it is: the sender's, or a recipient's.
        sender: bool,
        /// In words for the reply.
        reason: &'static str,
    },
    /// 553 5.6.7: an address with UTF-8 in a transaction without SMTPUTF8.
    NeedsUtf8,
}

/// One line without its CRLF.
///
/// # Errors
/// [`Error`], each kind with the reply that RFC 5321 names for it.
pub fn parse_command(line: &[u8]) -> Result<Command, Error> {
    let (verb, rest) = match line.iter().position(|byte| *byte == b' ') {
        Some(at) => line.split_at(at),
        None => (line, &[][..]),
    };
    let rest = rest.trim_ascii();
    let verb = verb.to_ascii_uppercase();
    match verb.as_slice() {
        b"HELO" => client_name(rest).map(Command::Helo),
        b"EHLO" => client_name(rest).map(Command::Ehlo),
        b"LHLO" => client_name(rest).map(Command::Lhlo),
        b"STARTTLS" => alone(rest, Command::StartTls),
        b"AUTH" => auth(rest),
        b"MAIL" => mail::parse(rest).map(|(mail, extras)| Command::Mail(mail, extras)),
        b"RCPT" => rcpt::parse(rest).map(Command::Rcpt),
        b"DATA" => alone(rest, Command::Data),
        b"BDAT" => bdat(rest),
        b"RSET" => alone(rest, Command::Rset),
        // RFC 5321 4.1.1.9: a parameter is ignored.
        b"NOOP" => Ok(Command::Noop),
        b"VRFY" => Ok(Command::Vrfy),
        b"EXPN" => Ok(Command::Expn),
        b"HELP" => Ok(Command::Help),
        b"QUIT" => alone(rest, Command::Quit),
        _ => Err(Error::Unknown),
    }
}

fn alone(rest: &[u8], command: Command) -> Result<Command, Error> {
    if rest.is_empty() {
        Ok(command)
    } else {
        Err(Error::Arguments("no parameters"))
    }
}

/// A domain or address literal is asked for; whatever is one printable word is taken, as its only use is the trace header.
fn client_name(rest: &[u8]) -> Result<String, Error> {
    let name =
        std::str::from_utf8(rest).map_err(|_| Error::Arguments("the client's name in UTF-8"))?;
    let printable = name.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if name.is_empty() || name.len() > 255 || !printable {
        return Err(Error::Arguments("the client's name"));
    }
    Ok(name.to_owned())
}

fn auth(rest: &[u8]) -> Result<Command, Error> {
    const EXPECTED: Error = Error::Arguments("AUTH <mechanism> [initial response]");
    let text = std::str::from_utf8(rest).map_err(|_| EXPECTED)?;
    let mut words = text.split_ascii_whitespace().map(str::to_owned);
    let mechanism = words.next().ok_or(EXPECTED)?;
    let initial = words.next();
    match words.next() {
        Some(_) => Err(EXPECTED),
        None => Ok(Command::Auth(mechanism, initial)),
    }
}

fn bdat(rest: &[u8]) -> Result<Command, Error> {
    const EXPECTED: Error = Error::Arguments("BDAT <octets> [LAST]");
    let text = std::str::from_utf8(rest).map_err(|_| EXPECTED)?;
    let mut words = text.split_ascii_whitespace();
    let size = number(words.next().unwrap_or_default()).ok_or(EXPECTED)?;
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return Err(EXPECTED),
    };
    if words.next().is_some() {
        Err(EXPECTED)
    } else {
        Ok(Command::Bdat { size, last })
    }
}

/// Digits only: `u64::from_str` would take a plus sign.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn verbs_are_known_in_any_case() {
        assert_eq!(
            parse_command(b"ehlo client.test"),
            Ok(Command::Ehlo("client.test".into()))
        );
        assert_eq!(parse_command(b"Quit"), Ok(Command::Quit));
        assert_eq!(parse_command(b"NOOP whatever"), Ok(Command::Noop));
        assert_eq!(parse_command(b""), Err(Error::Unknown));
    }

    #[test]
    fn bdat_takes_a_plain_number_and_last() {
        assert_eq!(
            parse_command(b"BDAT 12 last"),
            Ok(Command::Bdat {
                size: 12,
                last: true
            })
        );
        assert_eq!(
            parse_command(b"BDAT 0"),
            Ok(Command::Bdat {
                size: 0,
                last: false
            })
        );
        for line in [
            &b"BDAT"[..],
            b"BDAT -1 LAST",
            b"BDAT +1",
            b"BDAT 99999999999999999999",
            b"BDAT 1 FIRST",
            b"BDAT 1 LAST x",
        ] {
            assert!(
                matches!(parse_command(line), Err(Error::Arguments(_))),
                "{line:?}"
            );
        }
    }

    #[test]
    fn a_log_in_names_its_mechanism() {
        assert_eq!(
            parse_command(b"auth PLAIN AGEAYg=="),
            Ok(Command::Auth("PLAIN".into(), Some("AGEAYg==".into())))
        );
        assert_eq!(
            parse_command(b"AUTH login"),
            Ok(Command::Auth("login".into(), None))
        );
        for line in [&b"AUTH"[..], b"AUTH PLAIN a b", b"AUTH \xff"] {
            assert!(matches!(parse_command(line), Err(Error::Arguments(_))));
        }
    }

    #[test]
    fn a_greeting_needs_one_word() {
        for line in [
            &b"EHLO"[..],
            b"EHLO ",
            b"EHLO a b",
            b"EHLO \xff",
            b"EHLO a\x00",
        ] {
            assert!(
                matches!(parse_command(line), Err(Error::Arguments(_))),
                "{line:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_command(&line);
        }

        #[test]
        fn no_envelope_command_makes_the_parser_panic(tail in "[ -~é]{0,120}") {
            let _ = parse_command(format!("MAIL FROM:{tail}").as_bytes());
            let _ = parse_command(format!("RCPT TO:{tail}").as_bytes());
        }
    }
}
