//! All entries of one mailbox or of the server, as they are kept: one value of the plugin's own store, so that a SETMETADATA of
//! several entries is done or not done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use waxwing_sdk::frozen::Frozen as _;
use waxwing_sdk::store::Mailbox;
use waxwing_sdk::{Frozen, kv};

use crate::parse::{Depth, EntryName};
use crate::session::Refusal;

/// Octets of a value.
pub(super) const VALUE: usize = 16 * 1024;
/// Entries that are kept.
const COUNT: usize = 100;
/// Octets of all together; the host keeps no larger value.
const OCTETS: usize = 60 * 1024;

/// Values by name, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
pub(in crate::commands) struct Entries {
    values: BTreeMap<String, Vec<u8>>,
}

impl Entries {
    pub(super) fn load(mailbox: &Mailbox, key: &str) -> Result<Self, Refusal> {
        let Some(kept) = kv::get(mailbox, key)? else {
            return Ok(Entries::default());
        };
        Entries::from_ticket(&kept).map_err(|reason| {
            waxwing_sdk::error!("metadata cannot be read", key = key, reason = reason);
            Refusal::no("[CORRUPTION] The metadata cannot be read, tell the administrator")
        })
    }

    pub(super) fn keep(&self, mailbox: &Mailbox, key: &str) -> Result<(), Refusal> {
        if self.values.is_empty() {
            return Ok(kv::delete(mailbox, key)?);
        }
        let octets = self.to_ticket().map_err(|reason| {
            waxwing_sdk::error!("metadata cannot be written", key = key, reason = reason);
            Refusal::no("[SERVERBUG] The metadata cannot be written")
        })?;
        if self.values.len() > COUNT || octets.len() > OCTETS {
            waxwing_sdk::info!(
                "limit reached: metadata of a mailbox",
                entries = COUNT,
                octets = OCTETS
            );
            return Err(Refusal::no(
                "[METADATA TOOMANY] A mailbox may have 100 entries, of 61440 octets together",
            ));
        }
        Ok(kv::put(mailbox, key, &octets)?)
    }

    /// None removes the entry.
    pub(super) fn set(&mut self, name: &str, value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.values.insert(name.to_owned(), value),
            None => self.values.remove(name),
        };
    }

    /// The entry, and those below it as far as asked for.
    pub(super) fn find(&self, entry: &EntryName, depth: Depth) -> Vec<(&str, &[u8])> {
        let wanted = |name: &str| match name.strip_prefix(entry.as_str()) {
            Some("") => true,
            Some(below) if below.starts_with('/') => match depth {
                Depth::Zero => false,
                Depth::One => below.matches('/').count() == 1,
                Depth::Infinity => true,
            },
            _ => false,
        };
        let found = self.values.iter().filter(|(name, _)| wanted(name));
        found
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_as_deep_as_asked_for() {
        let mut entries = Entries::default();
        for name in [
            "/private/a",
            "/private/a/b",
            "/private/a/b/c",
            "/private/ab",
        ] {
            entries.set(name, Some(b"x".to_vec()));
        }
        let found = |depth| -> Vec<String> {
            let entry = EntryName::new("/private/a").unwrap();
            let found = entries.find(&entry, depth);
            found.iter().map(|(name, _)| (*name).to_owned()).collect()
        };
        assert_eq!(found(Depth::Zero), ["/private/a"]);
        assert_eq!(found(Depth::One), ["/private/a", "/private/a/b"]);
        assert_eq!(found(Depth::Infinity).len(), 3);
        entries.set("/private/a", None);
        assert!(
            entries
                .find(&EntryName::new("/private/a").unwrap(), Depth::Zero)
                .is_empty()
        );
    }

    /// Mailboxes hold these bytes.
    #[test]
    fn what_was_kept_is_read_for_ever() {
        let kept = b"\x01\0\0\0\x01\x0f/shared/comment\x02hi";
        let entries = Entries::from_ticket(kept).unwrap();
        assert_eq!(entries.to_ticket().unwrap(), kept);
        let comment = EntryName::new("/shared/comment").unwrap();
        assert_eq!(
            entries.find(&comment, Depth::Zero),
            [("/shared/comment", &b"hi"[..])]
        );
    }
}
