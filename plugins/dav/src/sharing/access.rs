//! Reading, or reading and changing.

use serde::{Deserialize, Serialize};
use waxwing_formats_mapi::Rights;
use waxwing_sdk::fault::Fault;
use waxwing_sdk::store::Mailbox;
use waxwing_sdk::store::permissions::{self, Entry};

use crate::property::acl::{EVERYBODY, NOBODY};

/// What is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Access {
    Read,
    ReadWrite,
}

impl Access {
    pub(crate) const CHANGES: Rights = Rights::CREATE
        .union(Rights::EDIT_ANY)
        .union(Rights::DELETE_ANY);

    pub(crate) fn rights(self) -> Rights {
        let read = Rights::READ_ANY | Rights::FOLDER_VISIBLE;
        match self {
            Access::Read => read,
            Access::ReadWrite => read | Access::CHANGES,
        }
    }

    /// What rights come to; none when nothing may be read.
    pub(crate) fn of(rights: Rights) -> Option<Access> {
        if !rights.contains(Rights::READ_ANY) {
            return None;
        }
        Some(match rights.intersects(Access::CHANGES) {
            true => Access::ReadWrite,
            false => Access::Read,
        })
    }

    /// The element in `CS:access` and `CS:set`.
    pub(crate) fn element(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::ReadWrite => "read-write",
        }
    }
}

/// People who are named in the permissions of a folder, with what they may do.
pub(crate) fn people(mailbox: &Mailbox, folder: u64) -> Result<Vec<(String, Access)>, Fault> {
    let entries = permissions::get(mailbox, folder)?;
    let person = |entry: Entry| {
        let is_person = entry.member != EVERYBODY && entry.member != NOBODY;
        let access = Access::of(Rights::from_bits_truncate(entry.rights))?;
        is_person.then(|| (entry.member.to_lowercase(), access))
    };
    Ok(entries.into_iter().filter_map(person).collect())
}

/// Gives to some and takes from others; the entries of all others stay.
pub(crate) fn change(
    mailbox: &Mailbox,
    folder: u64,
    (given, taken): (&[(String, Access)], &[String]),
) -> Result<(), Fault> {
    let mut entries = permissions::get(mailbox, folder)?;
    let is_one = |member: &str, other: &str| member.eq_ignore_ascii_case(other);
    entries.retain(|entry| {
        let is_given = given
            .iter()
            .any(|(member, _)| is_one(member, &entry.member));
        !is_given && !taken.iter().any(|member| is_one(member, &entry.member))
    });
    entries.extend(given.iter().map(|(member, access)| Entry {
        member: member.clone(),
        rights: access.rights().bits(),
    }));
    permissions::set(mailbox, folder, &entries).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_what_is_told() {
        for access in [Access::Read, Access::ReadWrite] {
            assert_eq!(Access::of(access.rights()), Some(access));
        }
        assert_eq!(Access::of(Rights::FOLDER_VISIBLE), None);
    }
}
