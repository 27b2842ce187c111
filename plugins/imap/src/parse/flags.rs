//! Flags of STORE and APPEND (RFC 9051 section 2.3.2).

use serde::{Deserialize, Serialize};

use super::{Bad, cursor::Cursor, limits};

/// Bits of `store/types.item-flags`, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlagBits(pub u32);

impl FlagBits {
    /// `\Seen`
    pub const SEEN: FlagBits = FlagBits(1);
    /// `\Answered`
    pub const ANSWERED: FlagBits = FlagBits(2);
    /// `\Flagged`
    pub const FLAGGED: FlagBits = FlagBits(4);
    /// `\Deleted`
    pub const DELETED: FlagBits = FlagBits(8);
    /// `\Draft`
    pub const DRAFT: FlagBits = FlagBits(16);
    /// `\Recent`
    pub const RECENT: FlagBits = FlagBits(32);
    /// `$Forwarded`, which the store keeps as a flag
    pub const FORWARDED: FlagBits = FlagBits(64);
    /// `$MDNSent`, which the store keeps as a flag
    pub const MDN_SENT: FlagBits = FlagBits(128);

    /// Whether all bits of `other` are set.
    pub fn has(self, other: FlagBits) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: FlagBits) -> FlagBits {
        FlagBits(self.0 | other.0)
    }

    /// The bit of a keyword that the store keeps as a flag.
    pub fn of_keyword(keyword: &str) -> Option<FlagBits> {
        if keyword.eq_ignore_ascii_case("$Forwarded") {
            Some(FlagBits::FORWARDED)
        } else if keyword.eq_ignore_ascii_case("$MDNSent") {
            Some(FlagBits::MDN_SENT)
        } else {
            None
        }
    }

    fn of_system_flag(name: &str) -> Option<FlagBits> {
        [
            ("Seen", FlagBits::SEEN),
            ("Answered", FlagBits::ANSWERED),
            ("Flagged", FlagBits::FLAGGED),
            ("Deleted", FlagBits::DELETED),
            ("Draft", FlagBits::DRAFT),
        ]
        .into_iter()
        .find_map(|(known, bit)| known.eq_ignore_ascii_case(name).then_some(bit))
    }
}

/// System flags and keywords of a command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlagList {
    /// System flags, and the keywords kept as flags.
    pub bits: FlagBits,
    /// Other keywords, as spelled.
    pub keywords: Vec<String>,
}

impl FlagList {
    /// `(\Seen foo)`
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let mut flags = FlagList::default();
        cursor.list("a list of flags", |cursor| flags.add(cursor))?;
        Ok(flags)
    }

    /// The same, or the flags without parentheses that STORE allows.
    pub(super) fn parse_bare(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        if cursor.peek() == Some(b'(') {
            return Self::parse(cursor);
        }
        let mut flags = FlagList::default();
        loop {
            flags.add(cursor)?;
            if !cursor.eat(b' ') {
                return Ok(flags);
            }
        }
    }

    fn add(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Bad> {
        if cursor.eat(b'\\') {
            let name = cursor.atom("a flag")?;
            if name.eq_ignore_ascii_case("Recent") {
                // Nobody can set it; clients that copy a FLAGS answer into APPEND mean no harm.
                return Ok(());
            }
            let bit = FlagBits::of_system_flag(name)
                .ok_or_else(|| Bad::new(format!("unknown system flag \\{name}")))?;
            self.bits = self.bits.with(bit);
            return Ok(());
        }
        let keyword = cursor.atom("a flag")?;
        if keyword.len() > limits::KEYWORD {
            return Err(Bad::new("a keyword is longer than 255 octets"));
        }
        match FlagBits::of_keyword(keyword) {
            Some(bit) => self.bits = self.bits.with(bit),
            None if self
                .keywords
                .iter()
                .any(|known| known.eq_ignore_ascii_case(keyword)) => {}
            None if self.keywords.len() >= limits::KEYWORDS => {
                return Err(Bad::new("more than 128 keywords in a command"));
            }
            None => self.keywords.push(keyword.to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Mode;

    fn parse(text: &str) -> Result<FlagList, Bad> {
        FlagList::parse_bare(&mut Cursor::new(text.as_bytes(), Mode::default()))
    }

    #[test]
    fn system_flags_and_keywords_are_told_apart_whatever_their_case() {
        let flags = parse(r"(\seen \DELETED $forwarded Work work)").unwrap();
        assert_eq!(
            flags.bits,
            FlagBits::SEEN
                .with(FlagBits::DELETED)
                .with(FlagBits::FORWARDED)
        );
        assert_eq!(flags.keywords, ["Work"]);
    }

    #[test]
    fn flags_may_stand_without_parentheses() {
        assert_eq!(parse(r"\Seen a b").unwrap().keywords, ["a", "b"]);
        assert_eq!(parse("()").unwrap(), FlagList::default());
    }

    #[test]
    fn an_unknown_system_flag_is_refused_and_recent_is_ignored() {
        assert!(parse(r"(\Foo)").is_err());
        assert_eq!(parse(r"(\Recent)").unwrap(), FlagList::default());
    }
}
