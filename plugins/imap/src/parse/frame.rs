//! Where a command ends: lines, and the literals that their ends announce (RFC 9051 section 4.3, RFC 7888).
//!
//! A literal is announced only at the end of a line, and no quoted string can hold a line's end, so framing
//! needs no grammar but one rule: of an APPEND, only a literal right behind the command word is a mailbox name (of a REPLACE, right
//! behind the number of a message); any other is a message, or part of one.

use super::limits;

/// `{n}`, `{n+}`, `{n-}`, with `~` before it for literal8, at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal {
    /// Octets announced; `u64::MAX` when the number does not fit.
    pub size: u64,
    /// Whether the client waits for a continuation.
    pub synchronising: bool,
    /// Octets of the announcement itself, without the line's end.
    pub width: usize,
    /// `~`, RFC 3516.
    pub binary: bool,
}

/// What of a refused command the client will still send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Rest {
    /// Nothing: the command is over.
    Nothing,
    /// The rest of a line.
    Line,
    /// So many octets of a literal, then the rest of a line.
    Literal(u64),
}

/// The extent of the first command in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// The end has not arrived.
    Partial {
        /// Synchronising literals announced so far.
        continuations: u32,
    },
    /// A whole command.
    Whole {
        /// Octets with the line's end.
        length: usize,
        /// Octets without it.
        text: usize,
        /// Synchronising literals in it.
        continuations: u32,
    },
    /// An APPEND or REPLACE up to the announcement of a message.
    Message {
        /// Octets with the line's end.
        length: usize,
        /// Octets before the announcement.
        text: usize,
        /// The announcement.
        literal: Literal,
        /// Synchronising literals before it.
        continuations: u32,
    },
    /// Beyond a limit.
    Refused {
        /// Octets to be done with.
        length: usize,
        /// Names the limit.
        reason: &'static str,
        /// What is still to come.
        rest: Rest,
        /// Synchronising literals before it.
        continuations: u32,
    },
}

/// Splits the first line: its text without CRLF (a lone LF is accepted), and its length with it.
pub(super) fn line(input: &[u8]) -> Option<(&[u8], usize)> {
    let end = input.iter().position(|&byte| byte == b'\n')?;
    let text = input.get(..end)?;
    Some((text.strip_suffix(b"\r").unwrap_or(text), end + 1))
}

/// The literal that a line's end announces.
pub(super) fn literal(line: &[u8]) -> Option<Literal> {
    let inside = line.strip_suffix(b"}")?;
    let open = inside.iter().rposition(|&byte| byte == b'{')?;
    let number = inside.get(open + 1..)?;
    let (digits, synchronising) = match number.split_last() {
        Some((b'+' | b'-', digits)) => (digits, false),
        _ => (number, true),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = std::str::from_utf8(digits)
        .ok()?
        .parse()
        .unwrap_or(u64::MAX);
    let binary = open.checked_sub(1).and_then(|before| inside.get(before)) == Some(&b'~');
    Some(Literal {
        size,
        synchronising,
        width: line.len() - open + usize::from(binary),
        binary,
    })
}

/// Whether the first line is of an APPEND or a REPLACE, and where the name of its mailbox begins.
fn append_mailbox(line: &[u8]) -> Option<usize> {
    let word = |from: usize| {
        let rest = line.get(from..)?;
        let end = rest.iter().position(|&byte| byte == b' ')?;
        Some((rest.get(..end)?, from + end + 1))
    };
    let (_, behind_tag) = word(0)?;
    let (first, behind) = word(behind_tag)?;
    if first.eq_ignore_ascii_case(b"APPEND") {
        return Some(behind);
    }
    let (command, behind) = match first.eq_ignore_ascii_case(b"UID") {
        true => word(behind)?,
        false => (first, behind),
    };
    match command.eq_ignore_ascii_case(b"REPLACE") {
        true => word(behind).map(|(_, behind)| behind),
        false => None,
    }
}

const LONG_LINE: &str = "the line is longer than 64000 octets";
const LARGE_LITERAL: &str = "the literal is larger than 64000 octets";
const LARGE_COMMAND: &str = "the command is larger than 65000 octets";

/// Finds the end of the first command.
pub fn frame(input: &[u8]) -> Frame {
    let mut at = 0;
    let mut continuations = 0;
    let mut append = None;
    loop {
        let rest = input.get(at..).unwrap_or_default();
        let Some((text, length)) = line(rest) else {
            return match rest.len() > limits::LINE || input.len() > limits::COMMAND {
                true => refused(input.len(), LONG_LINE, Rest::Line, continuations),
                false => Frame::Partial { continuations },
            };
        };
        let end = at + length;
        if text.len() > limits::LINE {
            return refused(end, LONG_LINE, after(literal(text)), continuations);
        }
        if at == 0 {
            append = append_mailbox(text);
        }
        let Some(announced) = literal(text) else {
            return Frame::Whole {
                length: end,
                text: at + text.len(),
                continuations,
            };
        };
        let before = at + text.len() - announced.width;
        if append.is_some_and(|mailbox| before != mailbox) {
            return Frame::Message {
                length: end,
                text: before,
                literal: announced,
                continuations,
            };
        }
        let next = match behind(end, announced) {
            Ok(next) => next,
            Err(reason) => return refused(end, reason, after(Some(announced)), continuations),
        };
        continuations += u32::from(announced.synchronising);
        if next > input.len() {
            return Frame::Partial { continuations };
        }
        at = next;
    }
}

/// Where a literal ends that begins at `end`, or the limit it passes.
fn behind(end: usize, announced: Literal) -> Result<usize, &'static str> {
    let size = usize::try_from(announced.size).unwrap_or(usize::MAX);
    match end.saturating_add(size) {
        _ if announced.size > limits::LITERAL => Err(LARGE_LITERAL),
        next if next > limits::COMMAND => Err(LARGE_COMMAND),
        next => Ok(next),
    }
}

fn refused(length: usize, reason: &'static str, rest: Rest, continuations: u32) -> Frame {
    Frame::Refused {
        length,
        reason,
        rest,
        continuations,
    }
}

/// What follows a line that was refused: a client that waits for a continuation sends nothing more.
fn after(announced: Option<Literal>) -> Rest {
    match announced {
        Some(Literal {
            size,
            synchronising: false,
            ..
        }) => Rest::Literal(size),
        _ => Rest::Nothing,
    }
}

/// A step in dropping the rest of a refused command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skip {
    /// Octets to be done with.
    pub consumed: usize,
    /// What is still to come.
    pub rest: Rest,
}

/// Drops the rest of a line. The last octets of an unfinished one are kept, for they may announce a literal.
pub fn skip(input: &[u8]) -> Skip {
    const TAIL: usize = 32;
    match line(input) {
        Some((text, length)) => Skip {
            consumed: length,
            rest: after(literal(text)),
        },
        None => Skip {
            consumed: input.len().saturating_sub(TAIL),
            rest: Rest::Line,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_whole_at_its_end() {
        assert_eq!(
            frame(b"a NOOP\r\nb NOOP"),
            Frame::Whole {
                length: 8,
                text: 6,
                continuations: 0
            }
        );
        assert_eq!(
            frame(b"a NOOP\n"),
            Frame::Whole {
                length: 7,
                text: 6,
                continuations: 0
            }
        );
        assert_eq!(frame(b"a NOOP"), Frame::Partial { continuations: 0 });
    }

    #[test]
    fn synchronising_literals_are_counted_and_others_not() {
        assert_eq!(
            frame(b"a LOGIN {1}\r\n"),
            Frame::Partial { continuations: 1 }
        );
        assert_eq!(
            frame(b"a LOGIN {1}\r\nx {1+}\r\n"),
            Frame::Partial { continuations: 1 }
        );
        assert_eq!(
            frame(b"a LOGIN {1}\r\nx {1+}\r\ny\r\n"),
            Frame::Whole {
                length: 24,
                text: 22,
                continuations: 1
            }
        );
    }

    #[test]
    fn a_message_of_append_ends_the_frame_and_a_mailbox_name_does_not() {
        assert_eq!(
            frame(b"a append {5}\r\n"),
            Frame::Partial { continuations: 1 }
        );
        let input = b"a append {5}\r\nINBOX {99999999+}\r\n";
        let literal = Literal {
            size: 99_999_999,
            synchronising: false,
            width: 11,
            binary: false,
        };
        assert_eq!(
            frame(input),
            Frame::Message {
                length: 33,
                text: 20,
                literal,
                continuations: 1
            }
        );
    }

    #[test]
    fn the_mailbox_of_a_replace_stands_behind_a_number() {
        for start in ["a replace 4 ", "a UID Replace * "] {
            let mailbox = format!("{start}{{5}}\r\n");
            assert_eq!(
                frame(mailbox.as_bytes()),
                Frame::Partial { continuations: 1 }
            );
            let message = format!("{start}INBOX {{5}}\r\n");
            assert!(matches!(frame(message.as_bytes()), Frame::Message { .. }));
        }
    }

    #[test]
    fn an_oversized_literal_is_refused_and_its_octets_are_dropped_only_if_they_come() {
        let reason = "the literal is larger than 64000 octets";
        assert_eq!(
            frame(b"a X {64001}\r\n"),
            refused(13, reason, Rest::Nothing, 0)
        );
        assert_eq!(
            frame(b"a X {64001+}\r\n"),
            refused(14, reason, Rest::Literal(64_001), 0)
        );
        assert_eq!(
            frame(b"a X {99999999999999999999999}\r\n"),
            refused(31, reason, Rest::Nothing, 0)
        );
    }

    #[test]
    fn an_endless_line_is_refused_and_dropped_to_its_end() {
        let endless = vec![b'x'; limits::LINE + 1];
        assert_eq!(
            frame(&endless),
            refused(
                limits::LINE + 1,
                "the line is longer than 64000 octets",
                Rest::Line,
                0
            )
        );
        assert_eq!(
            skip(b"more of it {1"),
            Skip {
                consumed: 0,
                rest: Rest::Line
            }
        );
        assert_eq!(
            skip(b"more of it {12+}\r\n"),
            Skip {
                consumed: 18,
                rest: Rest::Literal(12)
            }
        );
        assert_eq!(
            skip(b"the end\r\nb NOOP\r\n"),
            Skip {
                consumed: 9,
                rest: Rest::Nothing
            }
        );
    }
}
