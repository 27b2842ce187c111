//! APPEND (RFC 9051 section 6.3.12) with several messages (RFC 3502) and `UTF8 (~{n}` (RFC 6855 section 4).
//!
//! A message is never part of what is parsed here: the command is read up to the announcement of each, and on from
//! behind it.

use serde::{Deserialize, Serialize};

use super::{Bad, FlagList, Literal, Mode, Rest, cursor::Cursor, date, frame, limits};
use crate::names::MailboxName;

/// What stands before a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendMessage {
    /// Its flags.
    pub flags: FlagList,
    /// Seconds since 1970; none: now.
    pub internal_date: Option<i64>,
    /// Octets announced.
    pub size: u64,
    /// Whether the client waits for a continuation.
    pub synchronising: bool,
    /// Whether a parenthesis follows the message (`UTF8 (~{n}`).
    pub in_parentheses: bool,
}

/// What stands behind a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextAppend {
    /// Not all of it has arrived.
    Incomplete,
    /// The end of the command.
    End {
        /// Octets it took.
        consumed: usize,
    },
    /// Another message.
    Message {
        /// Octets it took.
        consumed: usize,
        /// What stands before it.
        message: Box<AppendMessage>,
    },
    /// Neither.
    Bad {
        /// Octets to be done with.
        consumed: usize,
        /// Why, for the BAD.
        text: String,
        /// What is still to come.
        rest: Rest,
    },
}

/// The arguments of APPEND up to the announcement of its message, which has been taken off.
pub(super) fn parse(
    cursor: &mut Cursor<'_>,
    literal: Literal,
) -> Result<(MailboxName, AppendMessage), Bad> {
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    Ok((mailbox, message(cursor, literal)?))
}

fn message(cursor: &mut Cursor<'_>, literal: Literal) -> Result<AppendMessage, Bad> {
    let mut flags = FlagList::default();
    if cursor.peek() == Some(b'(') {
        flags = FlagList::parse(cursor)?;
        cursor.space()?;
    }
    let mut internal_date = None;
    if cursor.peek() == Some(b'"') {
        internal_date = Some(date::date_time(cursor)?);
        cursor.space()?;
    }
    let in_parentheses = cursor.eat_word("UTF8 (");
    cursor.end()?;
    let Literal {
        size,
        synchronising,
        ..
    } = literal;
    Ok(AppendMessage {
        flags,
        internal_date,
        size,
        synchronising,
        in_parentheses,
    })
}

/// Reads on behind a message.
pub fn parse_next_append(input: &[u8], in_parentheses: bool) -> NextAppend {
    let Some((text, consumed)) = frame::line(input) else {
        return match input.len() > limits::LINE {
            true => bad(
                input.len(),
                "the line is longer than 64000 octets",
                Rest::Line,
            ),
            false => NextAppend::Incomplete,
        };
    };
    let literal = frame::literal(text);
    let rest = match literal {
        Some(Literal {
            size,
            synchronising: false,
            ..
        }) => Rest::Literal(size),
        _ => Rest::Nothing,
    };
    let before = text.len() - literal.map_or(0, |literal| literal.width);
    let mut cursor = Cursor::new(text.get(..before).unwrap_or_default(), Mode::default());
    if in_parentheses && !cursor.eat(b')') {
        return bad(
            consumed,
            "expected a closing parenthesis after the message",
            rest,
        );
    }
    match literal {
        None if cursor.is_at_end() => NextAppend::End { consumed },
        None => bad(consumed, "unexpected text after the message", rest),
        Some(literal) => match another(&mut cursor, literal) {
            Ok(message) => NextAppend::Message {
                consumed,
                message: Box::new(message),
            },
            Err(Bad(text)) => bad(consumed, text, rest),
        },
    }
}

/// Behind one space; imapclient's multiappend sends two.
fn another(cursor: &mut Cursor<'_>, literal: Literal) -> Result<AppendMessage, Bad> {
    cursor.space()?;
    while cursor.eat(b' ') {}
    message(cursor, literal)
}

fn bad(consumed: usize, text: impl Into<String>, rest: Rest) -> NextAppend {
    NextAppend::Bad {
        consumed,
        text: text.into(),
        rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_append_is_an_empty_line() {
        assert_eq!(
            parse_next_append(b"\r\nb NOOP\r\n", false),
            NextAppend::End { consumed: 2 }
        );
        assert_eq!(
            parse_next_append(b")\r\n", true),
            NextAppend::End { consumed: 3 }
        );
        assert_eq!(parse_next_append(b")", true), NextAppend::Incomplete);
    }

    #[test]
    fn another_message_may_follow() {
        let NextAppend::Message {
            consumed: 16,
            message,
        } = parse_next_append(b" (\\Seen) {310}\r\n", false)
        else {
            panic!()
        };
        assert_eq!((message.size, message.synchronising), (310, true));
        assert!(matches!(
            parse_next_append(b"  {5+}\r\n", false),
            NextAppend::Message { consumed: 8, .. }
        ));
    }

    #[test]
    fn anything_else_is_refused_and_its_literal_dropped() {
        let NextAppend::Bad { rest, .. } = parse_next_append(b"x {10+}\r\n", false) else {
            panic!()
        };
        assert_eq!(rest, Rest::Literal(10));
    }
}
