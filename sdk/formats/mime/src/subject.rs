//! Subjects: the base subject of RFC 5256 section 2.1, and prefix and normalized subject of MS-OXCMSG.

/// A subject without what replies and forwards add to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseSubject {
    /// The base subject, in the case it is written in; comparisons ignore case.
    pub text: String,
    /// Whether something of a reply or forward was removed (RFC 5256 needs it for threads).
    pub is_reply_or_forward: bool,
}

/// Extracts the base subject of a decoded subject.
pub fn base(subject: &str) -> BaseSubject {
    let collapsed = subject.split_ascii_whitespace().collect::<Vec<_>>();
    let collapsed = collapsed.join(" ");
    let mut text = collapsed.as_str();
    let mut removed = false;
    loop {
        let trailed = strip_trailers(text);
        removed |= trailed.len() < text.trim_end().len();
        text = trailed;
        while let Some(rest) = strip_leader(text.trim_start()) {
            removed = true;
            text = rest;
        }
        text = text.trim_start();
        // What is left of blobs hides no further leader: `strip_leader` has looked behind them all.
        while let Some(rest) = strip_blob(text).filter(|rest| !rest.is_empty()) {
            text = rest;
        }
        match strip_forward_brackets(text) {
            Some(inner) => {
                removed = true;
                text = inner;
            }
            None => break,
        }
    }
    BaseSubject {
        text: text.to_owned(),
        is_reply_or_forward: removed,
    }
}

/// Splits a decoded subject in its prefix and the rest (MS-OXCMSG 3.2.1.1): up to three characters other
/// than digits, a colon and a space, all of which belong to the prefix.
pub fn split_prefix(subject: &str) -> (&str, &str) {
    let colon = subject
        .char_indices()
        .take(4)
        .find(|(_, character)| *character == ':');
    let split = colon.filter(|(at, _)| *at > 0).and_then(|(at, _)| {
        let (prefix, _) = subject.split_at_checked(at)?;
        let rest = subject.get(at + 1..)?.strip_prefix(' ')?;
        let letters = prefix
            .chars()
            .all(|c| !c.is_ascii_digit() && !c.is_whitespace());
        letters.then(|| subject.split_at_checked(subject.len() - rest.len()))?
    });
    split.unwrap_or(("", subject))
}

/// `subj-trailer`: `(fwd)` and white space.
fn strip_trailers(mut text: &str) -> &str {
    loop {
        text = text.trim_end();
        match strip_suffix_ignoring_case(text, "(fwd)") {
            Some(rest) => text = rest,
            None => return text,
        }
    }
}

/// `*subj-blob subj-refwd`
fn strip_leader(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(after) = strip_blob(rest) {
        rest = after;
    }
    let word = ["re", "fwd", "fw"];
    let rest = word
        .iter()
        .find_map(|word| strip_prefix_ignoring_case(rest, word))?;
    let rest = rest.trim_start();
    strip_blob(rest).unwrap_or(rest).strip_prefix(':')
}

/// `subj-blob`: `[` anything but brackets `]` and white space.
fn strip_blob(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(['[', ']'])?;
    Some(inner.get(end..)?.strip_prefix(']')?.trim_start())
}

/// `subj-fwd-hdr … subj-fwd-trl`
fn strip_forward_brackets(text: &str) -> Option<&str> {
    strip_prefix_ignoring_case(text, "[fwd:")?.strip_suffix(']')
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_and_forwards_have_the_subject_they_answer() {
        let table = [
            ("Hello  world", "Hello world", false),
            ("Re: Hello", "Hello", true),
            ("RE : [list] FW: fwd[2]:  Hello (fwd) (FWD)", "Hello", true),
            ("[list] Re: Hello", "Hello", true),
            ("[list] Hello", "Hello", false),
            ("[only]", "[only]", false),
            ("[a] [b] [c]", "[c]", false),
            ("[a] [b] Re: [c] x", "x", true),
            ("[Fwd: Re: Hello]", "Hello", true),
            ("[Fwd: [Fwd: Hello (fwd)]]", "Hello", true),
            ("Reply", "Reply", false),
            ("re:", "", true),
            ("\u{e4}(fw", "\u{e4}(fw", false),
        ];
        for (subject, text, is_reply_or_forward) in table {
            let expected = BaseSubject {
                text: text.to_owned(),
                is_reply_or_forward,
            };
            assert_eq!(base(subject), expected, "{subject}");
        }
    }

    #[test]
    fn the_prefix_is_at_most_three_characters_and_a_colon() {
        let table = [
            ("RE: Hello", ("RE: ", "Hello")),
            ("AW: RE: Hello", ("AW: ", "RE: Hello")),
            ("SV:x", ("", "SV:x")),
            ("Note: x", ("", "Note: x")),
            ("12: x", ("", "12: x")),
            (": x", ("", ": x")),
            ("\u{56de}\u{8986}: x", ("\u{56de}\u{8986}: ", "x")),
        ];
        for (subject, expected) in table {
            assert_eq!(split_prefix(subject), expected, "{subject}");
        }
    }
}
