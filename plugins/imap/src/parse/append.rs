//! APPEND (RFC 9051 section 6.3.12) with several messages (RFC 3502), `UTF8 (~{n}` (RFC 6855 section 4), CATENATE (RFC 4469), and
//! REPLACE (RFC 8508), whose message is written in the same words.
//!
//! A message is never part of what is parsed here: the command is read up to the announcement of each literal, and on from
//! behind it. So is a URL that comes as a literal.

use serde::{Deserialize, Serialize};

use super::{Bad, Command, FlagList, Literal, Mode, Rest, cursor::Cursor, date, frame, limits};
use super::{STAR, sequence};

/// What a literal of an APPEND is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AppendRole {
    /// A message.
    Message,
    /// A message with a parenthesis behind it (`UTF8 (~{n}`).
    InParentheses,
    /// TEXT of a CATENATE.
    Text,
    /// URL of a CATENATE.
    Url,
}

/// A literal of an APPEND, as announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendLiteral {
    /// What it is.
    pub role: AppendRole,
    /// Octets announced.
    pub size: u64,
    /// Whether the client waits for a continuation.
    pub synchronising: bool,
    /// literal8: it may hold NUL (RFC 3516).
    pub binary: bool,
}

impl AppendLiteral {
    /// What is still to come when it is refused.
    pub fn rest(&self) -> Rest {
        match self.synchronising {
            true => Rest::Nothing,
            false => Rest::Literal(self.size),
        }
    }
}

/// What stands between literals, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendWord {
    /// What precedes a message.
    Message {
        /// Its flags.
        flags: FlagList,
        /// Seconds since 1970; none: now.
        internal_date: Option<i64>,
        /// Whether it is composed of parts.
        catenate: bool,
    },
    /// A part that is there already.
    Url(String),
    /// The end of the parts.
    Catenated,
}

/// A stretch of an APPEND: up to a literal, or to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendStretch {
    /// What is said.
    pub words: Vec<AppendWord>,
    /// None at the end of the command.
    pub literal: Option<AppendLiteral>,
}

/// The message that a REPLACE takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// Whether `number` is a UID.
    pub uid: bool,
    /// [`STAR`] for `*`.
    pub number: u32,
}

/// What stands behind a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextAppend {
    /// Not all of it has arrived.
    Incomplete,
    /// More of the command.
    Stretch {
        /// Octets it took.
        consumed: usize,
        /// What is there.
        stretch: AppendStretch,
    },
    /// Something else.
    Bad {
        /// Octets to be done with.
        consumed: usize,
        /// Why, for the BAD.
        text: String,
        /// What is still to come.
        rest: Rest,
    },
}

/// The arguments of APPEND up to the announcement of its first literal, which has been taken off.
pub(super) fn append(cursor: &mut Cursor<'_>, literal: Option<Literal>) -> Result<Command, Bad> {
    arguments(cursor, literal, None)
}

/// The same of REPLACE.
pub(super) fn replace(
    cursor: &mut Cursor<'_>,
    literal: Option<Literal>,
    uid: bool,
) -> Result<Command, Bad> {
    let number = match sequence::number(cursor)? {
        STAR if uid => return Err(Bad::new("expected a UID")),
        number => number,
    };
    cursor.space()?;
    arguments(cursor, literal, Some(Replaced { uid, number }))
}

fn arguments(
    cursor: &mut Cursor<'_>,
    literal: Option<Literal>,
    replaces: Option<Replaced>,
) -> Result<Command, Bad> {
    let mailbox = cursor.mailbox()?;
    if cursor.is_at_end() {
        return Err(Bad::new("APPEND needs a literal"));
    }
    cursor.space()?;
    let stretch = stretch(cursor, literal, Place::Message)?;
    Ok(Command::Append {
        mailbox,
        replaces,
        stretch,
    })
}

/// Between which words the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Message,
    BehindMessage,
    Part,
    BehindPart,
}

fn stretch(
    cursor: &mut Cursor<'_>,
    literal: Option<Literal>,
    from: Place,
) -> Result<AppendStretch, Bad> {
    let mut words = Vec::new();
    let mut place = from;
    loop {
        let role = match place {
            Place::Message => message(cursor, &mut words)?,
            Place::Part => part(cursor, literal.is_some(), &mut words)?,
            Place::BehindPart if cursor.eat(b')') => {
                words.push(AppendWord::Catenated);
                place = Place::BehindMessage;
                continue;
            }
            Place::BehindPart => {
                cursor.space()?;
                place = Place::Part;
                continue;
            }
            Place::BehindMessage if cursor.is_at_end() && literal.is_none() => {
                return Ok(AppendStretch {
                    words,
                    literal: None,
                });
            }
            Place::BehindMessage => {
                cursor.space()?;
                // imapclient's multiappend sends two.
                while cursor.eat(b' ') {}
                place = Place::Message;
                continue;
            }
        };
        match (role, literal) {
            (None, _) if place == Place::Message => place = Place::Part,
            (None, _) => place = Place::BehindPart,
            (Some(role), Some(literal)) if cursor.is_at_end() => {
                let literal = announced(role, literal);
                return Ok(AppendStretch {
                    words,
                    literal: Some(literal),
                });
            }
            _ => return Err(Bad::new("APPEND needs a literal")),
        }
    }
}

fn announced(role: AppendRole, literal: Literal) -> AppendLiteral {
    let Literal {
        size,
        synchronising,
        binary,
        ..
    } = literal;
    AppendLiteral {
        role,
        size,
        synchronising,
        // `UTF8 (~{n}` is a literal8 by its grammar, and text.
        binary: binary && role != AppendRole::InParentheses,
    }
}

/// What precedes a message; none when parts follow.
fn message(
    cursor: &mut Cursor<'_>,
    words: &mut Vec<AppendWord>,
) -> Result<Option<AppendRole>, Bad> {
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
    let catenate = cursor.eat_word("CATENATE (");
    words.push(AppendWord::Message {
        flags,
        internal_date,
        catenate,
    });
    Ok(match catenate {
        true => None,
        false if cursor.eat_word("UTF8 (") => Some(AppendRole::InParentheses),
        false => Some(AppendRole::Message),
    })
}

/// A part of a CATENATE; none when it was read whole.
fn part(
    cursor: &mut Cursor<'_>,
    literal_follows: bool,
    words: &mut Vec<AppendWord>,
) -> Result<Option<AppendRole>, Bad> {
    if cursor.eat_word("TEXT ") {
        return Ok(Some(AppendRole::Text));
    }
    if !cursor.eat_word("URL ") {
        return Err(Bad::new("expected TEXT or URL"));
    }
    if literal_follows && cursor.is_at_end() {
        return Ok(Some(AppendRole::Url));
    }
    words.push(AppendWord::Url(cursor.text("a URL")?));
    Ok(None)
}

/// Reads on behind a literal.
pub fn parse_next_append(input: &[u8], behind: AppendRole) -> NextAppend {
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
    let place = match behind {
        AppendRole::Message => Place::BehindMessage,
        AppendRole::InParentheses if cursor.eat(b')') => Place::BehindMessage,
        AppendRole::InParentheses => {
            return bad(
                consumed,
                "expected a closing parenthesis after the message",
                rest,
            );
        }
        AppendRole::Text | AppendRole::Url => Place::BehindPart,
    };
    match stretch(&mut cursor, literal, place) {
        Ok(stretch) => NextAppend::Stretch { consumed, stretch },
        Err(Bad(text)) => bad(consumed, text, rest),
    }
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

    fn next(input: &[u8], behind: AppendRole) -> AppendStretch {
        match parse_next_append(input, behind) {
            NextAppend::Stretch { consumed, stretch } if consumed == input.len() => stretch,
            other => panic!("{other:?}"),
        }
    }

    fn role(stretch: &AppendStretch) -> Option<AppendRole> {
        stretch.literal.map(|literal| literal.role)
    }

    #[test]
    fn the_end_of_an_append_is_an_empty_line() {
        let nothing = AppendStretch {
            words: Vec::new(),
            literal: None,
        };
        assert_eq!(next(b"\r\n", AppendRole::Message), nothing);
        assert_eq!(next(b")\r\n", AppendRole::InParentheses), nothing);
        assert_eq!(
            parse_next_append(b")", AppendRole::InParentheses),
            NextAppend::Incomplete
        );
        assert!(matches!(
            parse_next_append(b"\r\n", AppendRole::InParentheses),
            NextAppend::Bad { .. }
        ));
    }

    #[test]
    fn another_message_may_follow() {
        let stretch = next(b" (\\Seen) {310}\r\n", AppendRole::Message);
        let literal = stretch.literal.unwrap();
        assert_eq!((literal.size, literal.synchronising), (310, true));
        assert_eq!(
            role(&next(b"  {5+}\r\n", AppendRole::Message)),
            Some(AppendRole::Message)
        );
    }

    #[test]
    fn anything_else_is_refused_and_its_literal_dropped() {
        for behind in [AppendRole::Message, AppendRole::Text] {
            let NextAppend::Bad { rest, .. } = parse_next_append(b"x {10+}\r\n", behind) else {
                panic!()
            };
            assert_eq!(rest, Rest::Literal(10));
        }
    }

    #[test]
    fn parts_of_a_message_go_on_behind_a_literal() {
        let stretch = next(b" URL \"/a/;UID=1\" TEXT ~{5}\r\n", AppendRole::Text);
        assert_eq!(stretch.words, [AppendWord::Url("/a/;UID=1".into())]);
        let literal = stretch.literal.unwrap();
        assert_eq!((literal.role, literal.binary), (AppendRole::Text, true));
        assert_eq!(
            role(&next(b" URL {9+}\r\n", AppendRole::Url)),
            Some(AppendRole::Url)
        );
        let last = next(b")\r\n", AppendRole::Url);
        assert_eq!(
            (last.words, last.literal),
            (vec![AppendWord::Catenated], None)
        );
    }

    #[test]
    fn a_message_of_parts_may_stand_beside_another() {
        let stretch = next(
            b") (\\Seen) CATENATE (URL a URL b) \"01-Jan-2024 00:00:00 +0000\" {3}\r\n",
            AppendRole::Text,
        );
        assert!(matches!(
            &stretch.words[..],
            [
                AppendWord::Catenated,
                AppendWord::Message { catenate: true, .. },
                AppendWord::Url(_),
                AppendWord::Url(_),
                AppendWord::Catenated,
                AppendWord::Message {
                    catenate: false,
                    internal_date: Some(_),
                    ..
                },
            ]
        ));
    }

    #[test]
    fn parts_are_texts_and_urls() {
        for wrong in [
            " ()\r\n",
            " CATENATE ()\r\n",
            " CATENATE (HTML {5}\r\n",
            " CATENATE (TEXT x)\r\n",
        ] {
            let parsed = parse_next_append(wrong.as_bytes(), AppendRole::Message);
            assert!(
                matches!(parsed, NextAppend::Bad { .. }),
                "{wrong}: {parsed:?}"
            );
        }
    }
}
