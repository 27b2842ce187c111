//! Write locks (RFC 4918 sections 6, 7 and 10.4), exclusive and shared.
//!
//! | room | what |
//! |---|---|
//! | [`kept`] | where locks lie: rows in the mailbox that holds what is locked |
//! | [`lists`] | the `If` field, read |
//! | [`state`] | the `If` field, held against what is there |
//! | [`guard`] | which tokens a change must come with |
//! | [`discovery`] | `lockdiscovery`, `supportedlock` |
//!
//! A lock is about what clients do here. What the server changes itself (an answer of an attendee, an invitation that arrives) and what
//! other protocols change passes by locks: a meeting that somebody answers is no edit that gets lost, and entity tags tell of it. A
//! request looks at the locks before its commit and not within it: a change that was let in may still land right after somebody else
//! has got a lock. Who edits with a lock and an entity tag, as all clients that lock do, then finds a 412 and no lost change.
//!
//! A name that nothing has cannot be locked: what a lock would have to make there (section 7.3) is an empty resource, and no calendar or
//! address book may hold one.

mod discovery;
mod guard;
mod kept;
mod lists;
mod state;

pub(crate) use discovery::{write_discovery, write_supported};
pub(crate) use guard::{Change, demand};
pub(crate) use kept::{Locks, renew, shut, unlock};
pub(crate) use lists::Lists;
pub(crate) use state::evaluate;

use crate::place::{CollectionPlace, Place};

/// Seconds that a lock lasts when its client does not say.
const USUAL_TIMEOUT: i64 = 3_600;
/// Seconds that a lock lasts at most without being refreshed.
const MAX_TIMEOUT: i64 = 86_400;
/// Locks of a mailbox.
const MAX_LOCKS: usize = 500;

/// A lock that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lock {
    /// The object that it was asked for; none for the collection.
    pub(crate) name: Option<String>,
    /// A URI.
    pub(crate) token: String,
    /// Seconds since 1970.
    pub(crate) expires: i64,
    pub(crate) is_exclusive: bool,
    /// With the collection, all that is in it.
    pub(crate) is_infinite: bool,
    /// The address of whoever took it. Nobody else can use the token.
    pub(crate) principal: String,
    /// What its client said of whoever took it: XML within a document.
    pub(crate) owner: String,
}

impl Lock {
    /// Whether an object of this name is locked by it.
    pub(crate) fn covers(&self, name: &str) -> bool {
        match &self.name {
            Some(own) => own == name,
            None => self.is_infinite,
        }
    }

    /// Whether a resource of the collection (none: itself) is locked by it.
    pub(crate) fn is_on(&self, name: Option<&str>) -> bool {
        match name {
            Some(name) => self.covers(name),
            None => self.name.is_none(),
        }
    }

    /// The path of what it was asked for (`lockroot`).
    pub(crate) fn root(&self, collection: &CollectionPlace) -> String {
        match &self.name {
            Some(name) => Place::Object(collection.clone(), name.clone()),
            None => Place::Collection(collection.clone()),
        }
        .path()
    }
}

/// The seconds of a `Timeout` field (RFC 4918 section 10.7): the first that can be read, within what we give.
pub(crate) fn timeout(field: Option<&str>) -> i64 {
    let wished = field.unwrap_or_default().split(',').find_map(|one| {
        let one = one.trim();
        if one.eq_ignore_ascii_case("infinite") {
            return Some(MAX_TIMEOUT);
        }
        let seconds = one.split_at_checked("second-".len());
        let seconds = seconds.filter(|(start, _)| start.eq_ignore_ascii_case("second-"));
        // More digits than a number has are still a long time.
        seconds
            .filter(|(_, digits)| {
                !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
            })
            .map(|(_, digits)| digits.parse().unwrap_or(MAX_TIMEOUT))
    });
    wished.unwrap_or(USUAL_TIMEOUT).clamp(1, MAX_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_the_first_that_can_be_read_and_never_endless() {
        for (field, seconds) in [
            (None, USUAL_TIMEOUT),
            (Some("Second-600"), 600),
            (Some("Infinite, Second-4100000000"), MAX_TIMEOUT),
            (Some("Extended-7, second-5"), 5),
            (Some("Second-99999999999999999999"), MAX_TIMEOUT),
            (Some("Second-0"), 1),
            (Some("Second-"), USUAL_TIMEOUT),
        ] {
            assert_eq!(timeout(field), seconds, "{field:?}");
        }
    }
}
