//! Rights as RFC 4314 writes them, and as the store keeps them ([MS-OXCPERM] 2.2.7).
//!
//! | right | what it allows | kept as |
//! |---|---|---|
//! | `l` | see the mailbox, subscribe to it | `FOLDER_VISIBLE` |
//! | `r` | open it and read | `READ_ANY` |
//! | `s`, `w` | change `\Seen`, other flags and keywords | `EDIT_ANY` |
//! | `i`, `p` | add messages, post to it | `CREATE` |
//! | `k` | make mailboxes below it | `CREATE_SUBFOLDER` |
//! | `t`, `e` | set `\Deleted`, expunge | `DELETE_ANY` |
//! | `x`, `a` | delete and rename the mailbox, give rights | `FOLDER_OWNER` |
//!
//! Letters of one row are tied: who has one has the other; and who has `xa` has all. `c` and `d` of RFC 2086 stand for `k` and for `t` and `e`; `d` is not `x` too,
//! because that would make everybody to whom an old client gives it an owner.

use waxwing_formats_mapi::Rights;

/// Each with the store's right, in the order in which they are told.
const LETTERS: [(char, Rights); 11] = [
    ('l', Rights::FOLDER_VISIBLE),
    ('r', Rights::READ_ANY),
    ('s', Rights::EDIT_ANY),
    ('w', Rights::EDIT_ANY),
    ('i', Rights::CREATE),
    ('p', Rights::CREATE),
    ('k', Rights::CREATE_SUBFOLDER),
    ('x', Rights::FOLDER_OWNER),
    ('t', Rights::DELETE_ANY),
    ('e', Rights::DELETE_ANY),
    ('a', Rights::FOLDER_OWNER),
];

/// Rights of RFC 2086.
const VIRTUAL: [(char, Rights); 2] = [('c', Rights::CREATE_SUBFOLDER), ('d', Rights::DELETE_ANY)];

/// What can be given apart from each other (RFC 4314 section 3.7), letters that are tied together.
pub const TIED: [&str; 7] = ["l", "r", "sw", "ip", "kc", "ted", "xa"];

/// What a change of rights leaves as it is.
const ASIDE: Rights = Rights::FOLDER_CONTACT
    .union(Rights::FREE_BUSY_SIMPLE)
    .union(Rights::FREE_BUSY_DETAILED);

fn kept(bits: u32) -> Rights {
    let rights = Rights::from_bits_truncate(bits);
    match rights.contains(Rights::FOLDER_OWNER) {
        true => rights | Rights::OWNER,
        false => rights,
    }
}

/// The letters of what the store keeps.
pub fn letters(bits: u32) -> String {
    let mut rights = kept(bits);
    if rights.contains(Rights::READ_ANY) {
        // Who may read it may see it.
        rights |= Rights::FOLDER_VISIBLE;
    }
    let all = LETTERS.iter().chain(&VIRTUAL);
    all.filter(|(_, right)| rights.contains(*right))
        .map(|(letter, _)| *letter)
        .collect()
}

/// Whether there is such a right.
pub fn is_right(letter: char) -> bool {
    LETTERS
        .iter()
        .chain(&VIRTUAL)
        .any(|(known, _)| *known == letter)
}

/// What a SETACL does with the rights that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightsMode {
    /// They are replaced.
    Replace,
    /// `+`
    Add,
    /// `-`
    Remove,
}

/// A change of rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightsChange {
    /// How.
    pub mode: RightsMode,
    /// Letters, each of which [`is_right`].
    pub letters: String,
}

impl RightsChange {
    /// What is kept after the change.
    pub fn apply(&self, bits: u32) -> u32 {
        let before = kept(bits);
        let all = LETTERS.iter().chain(&VIRTUAL);
        let named = all.filter(|(letter, _)| self.letters.contains(*letter));
        let given = named.fold(Rights::empty(), |rights, (_, right)| rights | *right);
        let expressible = before - ASIDE - Rights::EDIT_OWNED - Rights::DELETE_OWNED;
        let mut after = match self.mode {
            RightsMode::Replace => given,
            RightsMode::Add => expressible | given,
            RightsMode::Remove => expressible - given,
        };
        // Own items go with all of them, and stay editable when more is given.
        for (any, owned) in [
            (Rights::EDIT_ANY, Rights::EDIT_OWNED),
            (Rights::DELETE_ANY, Rights::DELETE_OWNED),
        ] {
            let stays = self.mode == RightsMode::Add
                || (self.mode == RightsMode::Remove && !given.contains(any));
            if after.contains(any) || (stays && before.contains(owned)) {
                after |= owned;
            }
        }
        (after | (before & ASIDE)).bits()
    }
}

/// Which flags somebody may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permanent {
    /// `\Deleted`
    pub deleted: bool,
    /// All others, keywords too.
    pub others: bool,
}

impl Permanent {
    /// By rights of the store.
    pub fn of(bits: u32) -> Self {
        let rights = kept(bits);
        Permanent {
            deleted: rights.intersects(Rights::DELETE_ANY | Rights::DELETE_OWNED),
            others: rights.intersects(Rights::EDIT_ANY | Rights::EDIT_OWNED),
        }
    }
}

/// Whether somebody may give rights in the mailbox.
pub fn is_owner(bits: u32) -> bool {
    kept(bits).contains(Rights::FOLDER_OWNER)
}

/// Whether somebody may open the mailbox and see what it holds.
pub fn is_readable(bits: u32) -> bool {
    kept(bits).contains(Rights::READ_ANY)
}

/// Whether somebody can change anything in the mailbox: SELECT is READ-ONLY otherwise (RFC 4314 section 5.2).
pub fn is_writable(bits: u32) -> bool {
    let Permanent { deleted, others } = Permanent::of(bits);
    deleted || others || kept(bits).contains(Rights::CREATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(text: &str) -> RightsChange {
        let (mode, letters) = match text.split_at(1) {
            ("+", letters) => (RightsMode::Add, letters),
            ("-", letters) => (RightsMode::Remove, letters),
            _ => (RightsMode::Replace, text),
        };
        RightsChange {
            mode,
            letters: letters.into(),
        }
    }

    #[test]
    fn letters_are_tied_and_old_ones_are_told_beside_the_new() {
        for (given, told) in [
            ("lr", "lr"),
            ("r", "lr"),
            ("s", "sw"),
            ("lri", "lrip"),
            ("c", "kc"),
            ("d", "ted"),
            ("x", "lrswipkxteacd"),
        ] {
            assert_eq!(letters(change(given).apply(0)), told, "{given}");
        }
    }

    #[test]
    fn rights_are_added_and_taken_away() {
        let editor = change("lrswite").apply(0);
        assert_eq!(editor, 0x47B);
        assert_eq!(letters(change("-w").apply(editor)), "lripted");
        assert_eq!(letters(change("+k").apply(editor)), "lrswipktecd");
        assert_eq!(letters(change("-a").apply(0x1DFB)), "lrswipktecd");
    }

    #[test]
    fn what_imap_has_no_letter_for_stays() {
        let (author, busy) = (0x41B, 0x0800);
        assert_eq!(change("+k").apply(author | busy), 0x49B | busy);
        assert_eq!(change("lr").apply(author | busy), 0x401 | busy);
    }

    #[test]
    fn reading_alone_is_read_only() {
        assert!(!is_writable(change("lr").apply(0)));
        for right in ["s", "t", "i"] {
            assert!(is_writable(change(right).apply(0)), "{right}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_added_is_there_and_what_is_taken_away_is_not(
            bits in 0_u32..0x2000,
            given in "[lrswipkxteacd]{0,8}",
        ) {
            let change = |mode| RightsChange { mode, letters: given.clone() };
            let added = change(RightsMode::Add).apply(bits);
            let removed = change(RightsMode::Remove).apply(bits);
            let replaced = change(RightsMode::Replace).apply(bits);
            let (has, left) = (letters(added), letters(removed));
            // Who may read may see, and an owner may do all, whatever else was said.
            let implied = |letter: char| left.contains('a') || (letter == 'l' && left.contains('r'));
            let told = |letter: char| left.contains(letter) && !implied(letter);
            for letter in given.chars() {
                proptest::prop_assert!(has.contains(letter), "{letter} of {has}");
                proptest::prop_assert!(!told(letter), "{letter} of {left}");
            }
            for after in [added, removed, replaced] {
                proptest::prop_assert!(Rights::from_bits(after).is_some());
            }
        }
    }
}
