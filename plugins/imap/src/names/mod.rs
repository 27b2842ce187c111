//! Mailbox names: as clients write them, and as paths in the folder tree.
//!
//! The hierarchy separator is `/`. `INBOX` is the folder with that role, whatever its case; below it stand its
//! subfolders. Only folders for mail are shown: container class `IPF.Note` or its subclasses, or none.

mod tree;
mod utf7;

use serde::{Deserialize, Serialize};

pub use tree::{INBOX_ROLE, Node, Place, Tree};

/// The hierarchy separator.
pub const SEPARATOR: char = '/';

/// Above the mailboxes of other users (RFC 2342 section 5): `Other Users/anna@example.org/INBOX`.
pub const OTHER_USERS: &str = "Other Users";
/// Above the public folders of the own domain.
pub const PUBLIC: &str = "Public";

/// Whose a mailbox is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Realm<'a> {
    /// The user's own.
    Personal,
    /// Of the account of this address; none for what stands above them all.
    OtherUsers(Option<&'a str>),
    /// Of the account with the public folders.
    Public,
}

/// A name in Unicode, `INBOX` in capitals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MailboxName(String);

impl MailboxName {
    /// Reads what a client sent: UTF-8 where that is enabled, else modified UTF-7 (RFC 3501 5.1.3). Raw
    /// UTF-8 is accepted in both, for clients that do not know better.
    pub fn from_wire(raw: &[u8], utf8: bool) -> Option<Self> {
        let text = match utf8 || !raw.is_ascii() {
            true => String::from_utf8(raw.to_vec()).ok()?,
            false => utf7::decode(std::str::from_utf8(raw).ok()?)?,
        };
        match text.chars().any(|c| c.is_control()) {
            true => None,
            false => Some(Self::new(&text)),
        }
    }

    /// From Unicode.
    pub fn new(name: &str) -> Self {
        let (first, rest) = match name.split_once(SEPARATOR) {
            Some((first, rest)) => (first, Some(rest)),
            None => (name, None),
        };
        if !first.eq_ignore_ascii_case("INBOX") {
            return MailboxName(name.to_owned());
        }
        MailboxName(rest.map_or_else(
            || "INBOX".to_owned(),
            |rest| format!("INBOX{SEPARATOR}{rest}"),
        ))
    }

    /// In Unicode.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As the client is to see it.
    pub fn to_wire(&self, utf8: bool) -> String {
        if utf8 {
            self.0.clone()
        } else {
            utf7::encode(&self.0)
        }
    }

    /// Whether this is INBOX itself.
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }

    /// Without a separator at its end, which CREATE allows (RFC 9051 6.3.4).
    #[must_use]
    pub fn trimmed(&self) -> Self {
        MailboxName(self.0.strip_suffix(SEPARATOR).unwrap_or(&self.0).to_owned())
    }

    /// Whose it is.
    pub fn realm(&self) -> Realm<'_> {
        let mut levels = self.0.split(SEPARATOR);
        match levels.next() {
            Some(PUBLIC) => Realm::Public,
            Some(OTHER_USERS) => Realm::OtherUsers(levels.next().filter(|name| !name.is_empty())),
            _ => Realm::Personal,
        }
    }

    /// Name of the parent, and the last component.
    pub fn split(&self) -> (Option<MailboxName>, &str) {
        match self.0.rsplit_once(SEPARATOR) {
            Some((parent, last)) => (Some(MailboxName(parent.to_owned())), last),
            None => (None, &self.0),
        }
    }

    /// Whether every component has a name.
    pub fn is_well_formed(&self) -> bool {
        self.0
            .split(SEPARATOR)
            .all(|component| !component.is_empty())
    }
}

/// Whether a LIST pattern can match a name at or below another.
pub fn reaches(pattern: &str, above: &str) -> bool {
    let literal = pattern.split(['*', '%']).next().unwrap_or_default();
    literal.starts_with(above) || above.starts_with(literal)
}

/// Whether a LIST pattern matches: `*` any octets, `%` any but the separator (RFC 9051 6.3.9).
pub fn matches(pattern: &str, name: &str) -> bool {
    // Positions in the name that the pattern read so far can end at: linear in both, whatever the wildcards.
    let name: Vec<char> = name.chars().collect();
    let mut reach = vec![false; name.len() + 1];
    if let Some(start) = reach.first_mut() {
        *start = true;
    }
    for wanted in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        let mut flowing = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reach.get(at).copied().unwrap_or(false);
            let before = at.checked_sub(1);
            let previous = before.and_then(|before| name.get(before)).copied();
            *slot = match wanted {
                '*' => here || flowing,
                '%' => here || (flowing && previous != Some(SEPARATOR)),
                exact => {
                    before.is_some_and(|b| reach.get(b).copied().unwrap_or(false))
                        && previous == Some(exact)
                }
            };
            flowing = *slot;
        }
        reach = next;
    }
    reach.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inbox_has_one_spelling() {
        assert_eq!(MailboxName::new("inBox").as_str(), "INBOX");
        assert_eq!(MailboxName::new("inbox/Sub").as_str(), "INBOX/Sub");
        assert_eq!(MailboxName::new("inboxes").as_str(), "inboxes");
    }

    #[test]
    fn whose_a_mailbox_is_stands_in_front() {
        let realm = |name: &str| match MailboxName::new(name).realm() {
            Realm::Personal => "personal".to_owned(),
            Realm::Public => "public".to_owned(),
            Realm::OtherUsers(whose) => whose.unwrap_or("all").to_owned(),
        };
        assert_eq!(realm("INBOX"), "personal");
        assert_eq!(realm("Publications"), "personal");
        assert_eq!(realm("Public/News"), "public");
        assert_eq!(realm("Other Users"), "all");
        assert_eq!(realm("Other Users/anna@x/INBOX"), "anna@x");
    }

    #[test]
    fn a_pattern_reaches_what_its_beginning_allows() {
        for pattern in ["*", "%", "Oth*", "Other Users/%", "Other Users/anna@x/I*"] {
            assert!(reaches(pattern, OTHER_USERS), "{pattern}");
        }
        for pattern in ["INBOX", "Public/*", "other*"] {
            assert!(!reaches(pattern, OTHER_USERS), "{pattern}");
        }
    }

    #[test]
    fn names_are_modified_utf7_until_utf8_is_enabled() {
        let name = MailboxName::from_wire(b"Entw&APw-rfe", false).unwrap();
        assert_eq!(name.as_str(), "Entwürfe");
        assert_eq!(name.to_wire(false), "Entw&APw-rfe");
        assert_eq!(name.to_wire(true), "Entwürfe");
        assert_eq!(
            MailboxName::from_wire(b"A&B", true).unwrap().as_str(),
            "A&B"
        );
        assert_eq!(MailboxName::from_wire(b"A&B", false), None);
        assert_eq!(MailboxName::from_wire(b"a\x01", true), None);
    }

    #[test]
    fn a_percent_stops_at_the_separator_and_a_star_does_not() {
        assert!(matches("*", "a/b/c"));
        assert!(matches("%", "a"));
        assert!(!matches("%", "a/b"));
        assert!(matches("%/b", "a/b"));
        assert!(matches("a*c", "a/b/c"));
        assert!(!matches("a%c", "a/b/c"));
        assert!(matches("", ""));
        assert!(!matches("", "a"));
    }

    #[test]
    fn many_wildcards_cost_no_more_than_their_number() {
        let name = "a".repeat(1_000);
        assert!(!matches(&format!("{}b", "*a".repeat(500)), &name));
    }
}
