//! Flag lists (RFC 9051 section 7.5.2).

use crate::parse::FlagBits;
use crate::rights::Permanent;

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

/// What there can be in a mailbox that knows these keywords, without `\Recent`.
pub fn of_mailbox(out: &mut Vec<u8>, keywords: &[String]) {
    let all = Permanent {
        deleted: true,
        others: true,
    };
    applicable(out, keywords, all, false);
}

/// What of it can be set, and that keywords can be made.
pub fn permanent(out: &mut Vec<u8>, keywords: &[String], permanent: Permanent) {
    applicable(out, keywords, permanent, permanent.others);
}

fn applicable(out: &mut Vec<u8>, keywords: &[String], permanent: Permanent, extensible: bool) {
    let settable = |bit: FlagBits| match bit {
        FlagBits::RECENT => false,
        FlagBits::DELETED => permanent.deleted,
        _ => permanent.others,
    };
    let named = NAMED
        .iter()
        .filter(|(bit, _)| settable(*bit))
        .map(|(_, name)| *name);
    let unknown = |usual: &&str| {
        !keywords
            .iter()
            .any(|known| known.eq_ignore_ascii_case(usual))
    };
    let usual = USUAL.iter().copied().filter(unknown);
    let known = keywords.iter().map(String::as_str);
    let (usual, known) = (
        usual.filter(|_| permanent.others),
        known.filter(|_| permanent.others),
    );
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
        let all = Permanent {
            deleted: true,
            others: true,
        };
        permanent(&mut out, &["$junk".to_owned()], all);
        assert_eq!(out, b"(\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent $NotJunk $junk \\*)");
    }

    #[test]
    fn what_there_is_no_right_for_cannot_be_set() {
        let shown = |deleted, others| {
            let mut out = Vec::new();
            permanent(&mut out, &["x".to_owned()], Permanent { deleted, others });
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(false, false), "()");
        assert_eq!(shown(true, false), "(\\Deleted)");
        assert!(!shown(false, true).contains("Deleted"));
    }
}
