//! Whom a canary serves: named users, and a share of all mailboxes.
//!
//! A mailbox is in the share by a hash of the plugin's name and the mailbox's id: the same mailbox always answers the
//! same, on every connection, after a restart and after the user was renamed; and while the percentage grows nobody
//! who was in falls out. The plugin's name is in the hash so that it is not the same people who try everything.

use serde::{Deserialize, Serialize};
use waxwing_directory::User;

/// See the module comment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// Canonical addresses.
    #[serde(default)]
    pub users: Vec<String>,
    /// 0 to 100.
    #[serde(default)]
    pub percent: u8,
}

impl Audience {
    /// Whether there can be anybody in it.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.users.is_empty() && self.percent == 0
    }

    pub(crate) fn includes(&self, plugin: &str, user: &User) -> bool {
        bucket(plugin, &user.mailbox) < u64::from(self.percent)
            || self.users.contains(&user.address)
    }
}

/// 0 to 99.
fn bucket(plugin: &str, mailbox: &str) -> u64 {
    let mut hash = blake3::Hasher::new();
    hash.update(plugin.as_bytes());
    hash.update(&[0]);
    hash.update(mailbox.as_bytes());
    let mut first = [0; 8];
    hash.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first) % 100
}

impl std::fmt::Display for Audience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let users = self.users.join(", ");
        match (self.users.as_slice(), self.percent) {
            ([], 0) => f.write_str("nobody"),
            ([], percent) => write!(f, "{percent} % of mailboxes"),
            (_, 0) => f.write_str(&users),
            (_, percent) => write!(f, "{users} and {percent} % of mailboxes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user(address: &str, mailbox: u64) -> User {
        User {
            address: address.into(),
            display_name: String::new(),
            mailbox: format!("{mailbox:032x}"),
            enabled: true,
            features_off: Vec::new(),
        }
    }

    fn share(percent: u8) -> Audience {
        Audience {
            percent,
            ..Audience::default()
        }
    }

    #[test]
    fn a_share_of_ten_percent_has_about_a_tenth_of_the_mailboxes() {
        let included = (0..10_000).filter(|n| share(10).includes("imap", &user("a@b", *n)));
        assert!((900..1_100).contains(&included.count()));
        assert!((0..1_000).all(|n| share(100).includes("imap", &user("a@b", n))));
        assert!((0..1_000).all(|n| !share(0).includes("imap", &user("a@b", n))));
    }

    #[test]
    fn it_is_not_the_same_people_who_try_every_plugin() {
        let both = (0..10_000).filter(|n| {
            let user = user("a@b", *n);
            share(10).includes("imap", &user) && share(10).includes("status", &user)
        });
        assert!((50..200).contains(&both.count()));
    }

    #[test]
    fn named_users_are_in_whatever_the_percentage() {
        let audience = Audience {
            users: vec!["anna@example.org".into()],
            percent: 0,
        };
        assert!(audience.includes("imap", &user("anna@example.org", 7)));
        assert!(!audience.includes("imap", &user("bob@example.org", 7)));
    }

    proptest! {
        #[test]
        fn nobody_falls_out_while_the_percentage_grows(mailbox: u64, percent in 0u8..100) {
            let user = user("a@b", mailbox);
            if share(percent).includes("imap", &user) {
                prop_assert!(share(percent + 1).includes("imap", &user));
            }
        }
    }
}
