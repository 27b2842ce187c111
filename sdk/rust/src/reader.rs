//! Lines and literals, read from input that has not been consumed.
//!
//! The host offers all unconsumed input again, longer, so a reader keeps nothing: it looks at the octets from their
//! beginning, answers what is whole, and the turn consumes that. All results borrow from the input. What bounds it are
//! the limits the caller names; each error says which one was passed, so that the protocol can name it.
//!
//! ```
//! use waxwing_sdk::reader::{Endings, Lines};
//!
//! let mut lines = Lines::new(b"NOOP\r\nQUI", Endings::CrLf, 512);
//! assert_eq!(lines.next_line(), Ok(Some(&b"NOOP"[..])));
//! assert_eq!(lines.next_line(), Ok(None));
//! assert_eq!(lines.consumed(), 6);
//! ```

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endings {
    /// Only CRLF; a CR or LF by itself is an error (RFC 5321 2.3.8).
    CrLf,
    /// LF, with or without a CR before it.
    Any,
}

/// Why there is no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The line is, or will be, longer than the limit. Nothing was consumed.
    #[error("a line passes the limit of {limit} octets")]
    TooLong {
        /// The limit, in octets with the line's end.
        limit: usize,
    },
    /// A CR or LF stands by itself. The octets up to the next LF count as consumed.
    #[error("a CR or LF stands by itself")]
    BareEnding,
}

/// Reads line after line.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    input: &'a [u8],
    consumed: usize,
    endings: Endings,
    limit: usize,
}

impl<'a> Lines<'a> {
    /// Lines of at most `limit` octets, counted with their ends.
    #[must_use]
    pub const fn new(input: &'a [u8], endings: Endings, limit: usize) -> Lines<'a> {
        Lines {
            input,
            consumed: 0,
            endings,
            limit,
        }
    }

    /// Octets of all lines read so far, for [`Turn::consumed`](crate::stream::Turn::consumed).
    #[must_use]
    pub const fn consumed(&self) -> usize {
        self.consumed
    }

    /// What follows the lines read so far.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.input.get(self.consumed..).unwrap_or_default()
    }

    /// The next line without its end; `None` until it is whole.
    ///
    /// # Errors
    /// As [`LineError`] says.
    pub fn next_line(&mut self) -> Result<Option<&'a [u8]>, LineError> {
        let rest = self.rest();
        let Some(end) = rest
            .iter()
            .take(self.limit)
            .position(|octet| *octet == b'\n')
        else {
            let limit = self.limit;
            return if rest.len() >= limit {
                Err(LineError::TooLong { limit })
            } else {
                Ok(None)
            };
        };
        self.consumed += end + 1;
        let whole = rest.get(..end).unwrap_or_default();
        let line = whole.strip_suffix(b"\r");
        match self.endings {
            Endings::Any => Ok(Some(line.unwrap_or(whole))),
            Endings::CrLf => match line {
                Some(line) if !line.contains(&b'\r') => Ok(Some(line)),
                _ => Err(LineError::BareEnding),
            },
        }
    }

    /// After [`LineError::TooLong`]: drops octets up to the end of the line. `false` while that end has not come; all
    /// octets so far are consumed then, and the next input goes on with dropping.
    pub fn skip_line(&mut self) -> bool {
        let rest = self.rest();
        let end = rest.iter().position(|octet| *octet == b'\n');
        self.consumed += end.map_or(rest.len(), |end| end + 1);
        end.is_some()
    }
}

/// A literal that a line announces (RFC 9051 4.3): `{n}`, `{n+}` (RFC 7888), `~{n}` and `~{n+}` (RFC 3516).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal {
    /// Octets.
    pub size: u64,
    /// The client waits for a `+` before it sends.
    pub synchronizing: bool,
    /// May hold NUL (literal8).
    pub binary: bool,
}

impl Literal {
    /// The literal that a line (without its end) announces.
    #[must_use]
    pub fn announced_by(line: &[u8]) -> Option<Literal> {
        let inner = line.strip_suffix(b"}")?;
        let open = inner.iter().rposition(|octet| *octet == b'{')?;
        let digits = inner.get(open + 1..)?;
        let (digits, synchronizing) = match digits.strip_suffix(b"+") {
            Some(digits) => (digits, false),
            None => (digits, true),
        };
        // number64 of RFC 9051: at most 19 digits.
        if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let size = std::str::from_utf8(digits).ok()?.parse().ok()?;
        let binary = inner.get(..open)?.ends_with(b"~");
        Some(Literal {
            size,
            synchronizing,
            binary,
        })
    }
}

/// The limits of a command with literals.
#[derive(Debug, Clone, Copy)]
pub struct CommandLimits {
    /// Octets of the lines of one command together.
    pub lines: usize,
    /// Octets of one literal that may be taken into the command.
    pub literal: u64,
    /// Octets of all literals together.
    pub literals: u64,
}

impl CommandLimits {
    /// The limit that a literal, or all of them, pass.
    fn passed_by(&self, literal: u64, all: u64) -> Option<u64> {
        let too_big = (literal > self.literal).then_some(self.literal);
        too_big.or((all > self.literals).then_some(self.literals))
    }
}

/// A stretch of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// A line without its end; all but the last announce a literal.
    Line(&'a [u8]),
    /// The octets of a literal.
    Literal(&'a [u8]),
}

/// How far a command with literals has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Whole: its parts, and the octets to consume.
    Complete {
        /// Lines and literals, alternating.
        parts: Vec<Part<'a>>,
        /// Octets of the command with all line ends.
        length: usize,
    },
    /// The end of a line is missing.
    Partial,
    /// The octets of a literal are missing.
    AwaitingLiteral {
        /// What was announced.
        literal: Literal,
        /// How many literals of this command came before. A plugin that remembers for how many it has sent a `+`
        /// sends each once.
        index: usize,
        /// Octets of the command before the literal.
        offset: usize,
        /// Octets of the literal that are here.
        present: usize,
        /// What came before it.
        parts: Vec<Part<'a>>,
    },
}

/// Why a command cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Its lines are too long.
    #[error("a command passes the limit of {limit} octets")]
    TooLong {
        /// The limit on the lines, in octets.
        limit: usize,
    },
    /// A literal is too big to be taken into the command.
    #[error("a literal of {} octets passes the limit of {limit}", literal.size)]
    LiteralTooBig {
        /// What was announced.
        literal: Literal,
        /// Octets of the command before the literal.
        offset: usize,
        /// The limit that was passed.
        limit: u64,
    },
}

/// Reads the command at the beginning of the input.
///
/// # Errors
/// As [`CommandError`] says; nothing is consumed.
pub fn command<'a>(input: &'a [u8], limits: &CommandLimits) -> Result<Command<'a>, CommandError> {
    let too_long = CommandError::TooLong {
        limit: limits.lines,
    };
    let mut parts = Vec::new();
    let (mut position, mut line_octets, mut literal_octets, mut index) = (0, 0, 0, 0);
    loop {
        let rest = input.get(position..).unwrap_or_default();
        let Some(end) = rest.iter().position(|octet| *octet == b'\n') else {
            return if line_octets + rest.len() >= limits.lines {
                Err(too_long)
            } else {
                Ok(Command::Partial)
            };
        };
        line_octets += end + 1;
        if line_octets > limits.lines {
            return Err(too_long);
        }
        position += end + 1;
        let line = rest.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        parts.push(Part::Line(line));
        let Some(literal) = Literal::announced_by(line) else {
            return Ok(Command::Complete {
                parts,
                length: position,
            });
        };
        literal_octets = literal.size.saturating_add(literal_octets);
        if let Some(limit) = limits.passed_by(literal.size, literal_octets) {
            let offset = position;
            return Err(CommandError::LiteralTooBig {
                literal,
                offset,
                limit,
            });
        }
        let rest = input.get(position..).unwrap_or_default();
        match usize::try_from(literal.size)
            .ok()
            .and_then(|size| rest.get(..size))
        {
            Some(octets) => {
                parts.push(Part::Literal(octets));
                position += octets.len();
                index += 1;
            }
            None => {
                return Ok(Command::AwaitingLiteral {
                    literal,
                    index,
                    offset: position,
                    present: rest.len(),
                    parts,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: CommandLimits = CommandLimits {
        lines: 64,
        literal: 100,
        literals: 150,
    };

    #[test]
    fn a_line_without_its_end_is_not_read() {
        let mut lines = Lines::new(b"QUIT\r", Endings::CrLf, 512);
        assert_eq!(lines.next_line(), Ok(None));
        assert_eq!(lines.consumed(), 0);
    }

    #[test]
    fn a_bare_cr_or_lf_is_an_error_only_where_crlf_is_demanded() {
        for input in [&b"a\n"[..], b"a\rb\r\n", b"a\r\r\n"] {
            assert_eq!(
                Lines::new(input, Endings::CrLf, 512).next_line(),
                Err(LineError::BareEnding)
            );
            assert!(matches!(
                Lines::new(input, Endings::Any, 512).next_line(),
                Ok(Some(_))
            ));
        }
    }

    #[test]
    fn the_limit_counts_the_line_end() {
        assert_eq!(
            Lines::new(b"abc\r\n", Endings::CrLf, 5).next_line(),
            Ok(Some(&b"abc"[..]))
        );
        assert_eq!(
            Lines::new(b"abcd\r\n", Endings::CrLf, 5).next_line(),
            Err(LineError::TooLong { limit: 5 })
        );
        assert_eq!(Lines::new(b"abcd", Endings::CrLf, 5).next_line(), Ok(None));
    }

    #[test]
    fn an_overlong_line_can_be_skipped_across_inputs() {
        let mut first = Lines::new(b"xxxxxxx", Endings::CrLf, 5);
        assert!(first.next_line().is_err());
        assert!(!first.skip_line());
        let mut second = Lines::new(b"xx\r\nNOOP\r\n", Endings::CrLf, 6);
        assert!(second.skip_line());
        assert_eq!(second.next_line(), Ok(Some(&b"NOOP"[..])));
    }

    #[test]
    fn the_four_kinds_of_literal_are_recognised() {
        let of = |line: &str| {
            Literal::announced_by(line.as_bytes()).map(|l| (l.size, l.synchronizing, l.binary))
        };
        assert_eq!(of("a LOGIN {5}"), Some((5, true, false)));
        assert_eq!(of("a LOGIN {5+}"), Some((5, false, false)));
        assert_eq!(of("a APPEND x ~{7}"), Some((7, true, true)));
        assert_eq!(of("a APPEND x ~{7+}"), Some((7, false, true)));
        for none in [
            "{}",
            "{x}",
            "{-1}",
            "{1",
            "1}",
            "{99999999999999999999}",
            "{+}",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn a_command_with_literals_is_taken_apart() {
        let whole = b"a LOGIN {3}\r\njoe {2+}\r\npw\r\nb NOOP\r\n";
        let Ok(Command::Complete { parts, length }) = command(whole, &LIMITS) else {
            panic!("not complete")
        };
        assert_eq!(
            parts,
            [
                Part::Line(b"a LOGIN {3}"),
                Part::Literal(b"joe"),
                Part::Line(b" {2+}"),
                Part::Literal(b"pw"),
                Part::Line(b"")
            ]
        );
        assert_eq!(&whole[length..], b"b NOOP\r\n");
    }

    #[test]
    fn a_missing_literal_is_named_with_its_place() {
        let answer = command(b"a LOGIN {3}\r\njoe {2}\r\np", &LIMITS);
        let Ok(Command::AwaitingLiteral {
            literal,
            index,
            offset,
            present,
            ..
        }) = answer
        else {
            panic!("{answer:?}")
        };
        assert_eq!((literal.size, index, offset, present), (2, 1, 22, 1));
    }

    #[test]
    fn limits_are_named() {
        assert_eq!(
            command(&[b'x'; 64], &LIMITS),
            Err(CommandError::TooLong { limit: 64 })
        );
        assert!(matches!(
            command(b"a {101}\r\n", &LIMITS),
            Err(CommandError::LiteralTooBig {
                limit: 100,
                offset: 9,
                ..
            })
        ));
        let two = [b"a {100+}\r\n".as_slice(), &[b'x'; 100], b" {51}\r\n"].concat();
        assert!(matches!(
            command(&two, &LIMITS),
            Err(CommandError::LiteralTooBig { limit: 150, .. })
        ));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic_and_within_bounds(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Command::Complete { length, .. }) = command(&input, &LIMITS) {
                prop_assert!(length <= input.len());
            }
            let mut lines = Lines::new(&input, Endings::CrLf, 20);
            while let Ok(Some(_)) | Err(LineError::BareEnding) = lines.next_line() {}
            prop_assert!(lines.consumed() <= input.len());
        }

        #[test]
        fn lines_are_the_same_however_the_input_is_cut(text in "[a-z\r\n]{0,60}", cut in 0usize..60) {
            let all = read_all(&[text.as_bytes()]);
            let cut = cut.min(text.len());
            prop_assert_eq!(read_all(&[&text.as_bytes()[..cut], &text.as_bytes()[cut..]]), all);
        }
    }

    fn read_all(chunks: &[&[u8]]) -> Vec<Result<Vec<u8>, LineError>> {
        let (mut pending, mut read) = (Vec::new(), Vec::new());
        for chunk in chunks {
            pending.extend_from_slice(chunk);
            let mut lines = Lines::new(&pending, Endings::CrLf, 1000);
            loop {
                match lines.next_line() {
                    Ok(None) | Err(LineError::TooLong { .. }) => break,
                    Ok(Some(line)) => read.push(Ok(line.to_vec())),
                    Err(error) => read.push(Err(error)),
                }
            }
            let consumed = lines.consumed();
            pending.drain(..consumed);
        }
        read
    }
}
