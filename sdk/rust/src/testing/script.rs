//! The text of a transcript, taken apart.

use crate::stream::CloseReason;

/// A transcript and a plugin differ, or a transcript is malformed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Mismatch {
    place: String,
    what: String,
}

impl Mismatch {
    pub(super) fn at(line: usize, what: impl Into<String>) -> Mismatch {
        Mismatch {
            place: format!("line {line}"),
            what: what.into(),
        }
    }

    pub(super) fn at_end(what: impl Into<String>) -> Mismatch {
        Mismatch {
            place: "at the end".into(),
            what: what.into(),
        }
    }
}

/// What the plugin may ask for besides output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Request {
    Park,
    Close,
    StartTls,
    StartCompression,
}

impl Request {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Request::Park => "park",
            Request::Close => "close",
            Request::StartTls => "start-tls",
            Request::StartCompression => "start-compression",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The client sends octets.
    Client(Vec<u8>),
    /// A line that must come, `...` for anything.
    Line(String),
    /// Octets that must come.
    Octets(Vec<u8>),
    /// Something the plugin must have asked for.
    Asked(Request),
    HandOver,
    Timer(u32),
    Tls,
    Closing(CloseReason),
    Crash(Vec<u8>),
    Disconnect,
}

/// A transcript.
#[derive(Debug, Clone)]
pub struct Script {
    /// With their line numbers, from 1.
    pub(super) steps: Vec<(usize, Step)>,
}

impl Script {
    /// Takes a transcript apart.
    ///
    /// # Errors
    /// The line that is no step.
    pub fn parse(text: &str) -> Result<Script, Mismatch> {
        let mut steps = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if !line.trim().is_empty() && !line.starts_with('#') {
                let step = step(line)
                    .ok_or_else(|| Mismatch::at(index + 1, format!("no such step: `{line}`")))?;
                steps.push((index + 1, step));
            }
        }
        Ok(Script { steps })
    }
}

fn step(line: &str) -> Option<Step> {
    let (mark, text) = line.split_at_checked(2)?;
    let text = text.strip_prefix(' ').unwrap_or(text);
    match mark {
        "C:" => Some(Step::Client(format!("{text}\r\n").into_bytes())),
        "S:" => Some(Step::Line(text.to_owned())),
        "C>" => octets(text).map(Step::Client),
        "S>" => octets(text).map(Step::Octets),
        "S!" => request(text.trim()).map(Step::Asked),
        _ => event(line.strip_prefix('!')?),
    }
}

fn request(name: &str) -> Option<Request> {
    [
        Request::Park,
        Request::Close,
        Request::StartTls,
        Request::StartCompression,
    ]
    .into_iter()
    .find(|request| request.name() == name)
}

fn event(text: &str) -> Option<Step> {
    let (name, argument) = text.split_once(' ').unwrap_or((text, ""));
    match (name, argument) {
        ("freeze-thaw", "") => Some(Step::HandOver),
        ("timer", id) => id.parse().ok().map(Step::Timer),
        ("tls", "") => Some(Step::Tls),
        ("disconnect", "") => Some(Step::Disconnect),
        ("crash", line) => Some(Step::Crash(format!("{line}\r\n").into_bytes())),
        ("closing", "shutdown") => Some(Step::Closing(CloseReason::Shutdown)),
        ("closing", "administrator") => Some(Step::Closing(CloseReason::Administrator)),
        ("closing", "idle") => Some(Step::Closing(CloseReason::Idle)),
        ("closing", "login-timeout") => Some(Step::Closing(CloseReason::LoginTimeout)),
        ("closing", "limit") => Some(Step::Closing(CloseReason::Limit)),
        _ => None,
    }
}

/// Undoes `\r \n \t \\ \xNN`; a backslash at the end stands for nothing, so that spaces before it are seen.
fn octets(text: &str) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        if *octet != b'\\' {
            plain.push(*octet);
            continue;
        }
        let Some((escape, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        plain.push(match escape {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'\\' => b'\\',
            b'x' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            _ => return None,
        });
    }
    Some(plain)
}

/// Whether a line is what a pattern says; `...` stands for any run of characters.
pub(super) fn matches(pattern: &str, line: &str) -> bool {
    let mut pieces = pattern.split("...");
    let Some(mut rest) = pieces.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_stand_for_any_run() {
        for (pattern, line) in [
            ("a", "a"),
            ("a...", "abc"),
            ("...c", "abc"),
            ("a...c...e", "abcde"),
            ("...", ""),
            ("a......b", "ab"),
        ] {
            assert!(matches(pattern, line), "{pattern} {line}");
        }
        for (pattern, line) in [
            ("a", "ab"),
            ("a...", "b"),
            ("a...c", "ab"),
            ("...b...", "ac"),
            ("ab...b", "ab"),
        ] {
            assert!(!matches(pattern, line), "{pattern} {line}");
        }
    }

    #[test]
    fn octets_are_written_with_escapes() {
        assert_eq!(octets("a\\r\\n\\x00\\\\ \\"), Some(b"a\r\n\0\\ ".to_vec()));
        assert_eq!(octets("\\q"), None);
        assert_eq!(octets("\\x0"), None);
    }
}
