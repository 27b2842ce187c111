//! Flag lists (RFC 9051 section 7.5.2).

use crate::parse::FlagBits;

/// System flags, and the keywords that the store keeps as flags, by their bits.
pub const NAMED: [(FlagBits, &str); 8] = [
    (FlagBits::ANSWERED, "\\Answered"),
    (FlagBits::FLAGGED, "\\Flagged"),
    (FlagBits::DELETED, "\\Deleted"),
    (FlagBits::SEEN, "\\Seen"),
    (FlagBits::DRAFT, "\\Draft"),
    (FlagBits::FORWARDED, "$Forwarded"),
    (FlagBits::MDN_SENT, "$MDNSent"),
    (FlagBits::RECENT, "\\Recent"),
];

/// Keywords that clients look for and that a mailbox may not know yet.
const USUAL: [&str; 2] = ["$Junk", "$NotJunk"];

/// `(\Seen work)`
pub fn of_message<'a>(out: &mut Vec<u8>, bits: FlagBits, keywords: impl Iterator<Item = &'a str>) {
    let named = NAMED
        .iter()
        .filter(|(bit, _)| bits.has(*bit))
        .map(|(_, name)| *name);
    list(out, named.chain(keywords));
}

/// What can be set in a mailbox that knows these keywords, without `\Recent`.
pub fn of_mailbox(out: &mut Vec<u8>, keywords: &[String], extensible: bool) {
    let named = NAMED
        .iter()
        .filter(|(bit, _)| *bit != FlagBits::RECENT)
        .map(|(_, name)| *name);
    let unknown = |usual: &&str| {
        !keywords
            .iter()
            .any(|known| known.eq_ignore_ascii_case(usual))
    };
    let usual = USUAL.iter().copied().filter(unknown);
    let known = keywords.iter().map(String::as_str);
    list(
        out,
        named
            .chain(usual)
            .chain(known)
            .chain(extensible.then_some("\\*")),
    );
}

fn list<'a>(out: &mut Vec<u8>, names: impl Iterator<Item = &'a str>) {
    out.push(b'(');
    for (at, name) in names.enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_a_message_are_named() {
        let mut out = Vec::new();
        of_message(
            &mut out,
            FlagBits::SEEN.with(FlagBits::FORWARDED),
            ["Work"].into_iter(),
        );
        of_message(&mut out, FlagBits::default(), [].into_iter());
        assert_eq!(out, b"(\\Seen $Forwarded Work)()");
    }

    #[test]
    fn flags_of_a_mailbox_hold_the_usual_keywords_once() {
        let mut out = Vec::new();
        of_mailbox(&mut out, &["$junk".to_owned()], true);
        assert_eq!(out, b"(\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent $NotJunk $junk \\*)");
    }
}
