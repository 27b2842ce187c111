//! Answers that are made page by page.
//!
//! A calendar may have a hundred thousand objects. An answer about all of them would be too much for one turn, in octets and in time, so
//! a turn makes a page of it and leaves a [`Ticket`], from which a fresh instance, perhaps of a newer version, makes the next when the
//! client has taken this one. A ticket is the request once more (its body stays with the host) and a [`Cursor`].

use serde::{Deserialize, Serialize};
use waxwing_sdk::Frozen;

/// Octets after which a page ends.
pub(crate) const PAGE_OCTETS: usize = 1024 * 1024;
/// Objects that a page looks at.
pub(crate) const PAGE_OBJECTS: u32 = 2_000;

/// Where an answer goes on: a page of the store's list, and the item in it that was the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) after: u32,
    pub(crate) item: u64,
}

impl Cursor {
    /// Nothing was told yet.
    pub(crate) fn is_start(self) -> bool {
        self == Cursor::default()
    }
}

/// The rest of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rest {
    pub(crate) cursor: Cursor,
    /// Time zones that an export has written already.
    pub(crate) zones: Vec<String>,
}

impl From<Cursor> for Rest {
    fn from(cursor: Cursor) -> Rest {
        Rest {
            cursor,
            zones: Vec::new(),
        }
    }
}

/// A request that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
pub(crate) struct Ticket {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The fields that the rest of the answer depends on.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// Under which token the host keeps the body.
    pub(crate) body: Option<u64>,
    pub(crate) cursor: Cursor,
    pub(crate) zones: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_of_every_release_are_read() {
        let ticket = Ticket {
            method: "REPORT".into(),
            path: "/dav/calendars/a/b/".into(),
            headers: vec![("depth".into(), b"1".to_vec())],
            body: Some(3),
            cursor: Cursor {
                after: 7,
                item: 300,
            },
            zones: vec!["Europe/Berlin".into()],
        };
        waxwing_sdk::testing::check_formats(
            &[(1, include_str!("../frozen/1.txt"))],
            &[("page", ticket)],
        );
    }
}
