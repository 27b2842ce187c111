//! Who may do what: MAPI rights of folders ([MS-OXCPERM] 2.2.7), the base of IMAP ACL and WebDAV ACL too.
//! The owner and the system may do all; anybody else gets the entry of their address, or what the entries of their groups give
//! together, or the `default` one, and a new mailbox has none. What an actor may not see does not exist for them.

use std::sync::Arc;

use waxwing_formats_mapi::Rights;

use super::state::State;
use crate::{Error, FolderId, Permission, Result};

/// Somebody as the entries of permissions name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The primary address.
    pub address: String,
    /// Groups and aliases that stand for them.
    pub groups: Arc<[String]>,
}

impl From<&str> for Identity {
    /// Somebody of no group.
    fn from(address: &str) -> Identity {
        Identity {
            address: address.to_owned(),
            groups: Arc::default(),
        }
    }
}

/// Who acts. `Owner` and `System` may do all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The host itself: delivery, checks, import.
    System,
    /// The mailbox's owner.
    Owner,
    /// Somebody else.
    User(Identity),
}

impl Actor {
    /// Who is noted as the maker of an item; the owner is not.
    pub(crate) fn creator(&self) -> Option<&str> {
        match self {
            Actor::User(identity) => Some(&identity.address),
            Actor::Owner | Actor::System => None,
        }
    }
}

/// The member name of everybody who is logged in.
pub(crate) const DEFAULT_MEMBER: &str = "default";

impl State {
    /// What the actor may do in the folder; folder owners may do all.
    pub(crate) fn rights(&self, actor: &Actor, folder: FolderId) -> Rights {
        let Actor::User(identity) = actor else {
            return Rights::OWNER;
        };
        let Some(entries) = self.permissions.get(&folder) else {
            return Rights::empty();
        };
        let rights = of_entries(entries, identity);
        if rights.contains(Rights::FOLDER_OWNER) {
            Rights::OWNER
        } else {
            rights
        }
    }

    /// Refuses unless the actor has one of the rights; a folder that the actor may not see does not exist.
    pub(crate) fn demand(&self, actor: &Actor, folder: FolderId, one_of: Rights) -> Result<()> {
        let rights = self.rights(actor, folder);
        let Some(state) = self
            .folders
            .get(&folder)
            .filter(|_| rights.intersects(Rights::FOLDER_VISIBLE | Rights::READ_ANY))
        else {
            return Err(Error::NotFound(format!("folder {folder}")));
        };
        if rights.intersects(one_of) {
            return Ok(());
        }
        let names: Vec<_> = one_of.iter_names().map(|(name, _)| name).collect();
        Err(Error::Denied(format!(
            "folder {:?} asks for {}",
            state.name,
            names.join(" or ")
        )))
    }
}

/// The own entry says all that is to be said of somebody; groups add to each other; the rest is for those of whom nothing is said.
fn of_entries(entries: &[Permission], identity: &Identity) -> Rights {
    let rights = |entry: &Permission| Rights::from_bits_truncate(entry.rights);
    let named = |name: &str| {
        let mut named = entries.iter();
        named.find(|entry| entry.member.eq_ignore_ascii_case(name))
    };
    if let Some(own) = named(&identity.address) {
        return rights(own);
    }
    let groups = identity.groups.iter().filter_map(|group| named(group));
    groups
        .map(rights)
        .reduce(Rights::union)
        .or_else(|| named(DEFAULT_MEMBER).map(rights))
        .unwrap_or(Rights::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_entry_wins_over_groups_and_groups_over_everybody() {
        let entry = |member: &str, rights: Rights| Permission {
            member: member.into(),
            rights: rights.bits(),
        };
        let entries = [
            entry("default", Rights::FOLDER_VISIBLE),
            entry("Sales@x", Rights::READ_ANY),
            entry("all@x", Rights::CREATE),
            entry("anna@x", Rights::empty()),
        ];
        let member_of = |address: &str, groups: &[&str]| Identity {
            groups: groups.iter().map(ToString::to_string).collect(),
            ..address.into()
        };
        let both = member_of("bob@x", &["sales@x", "all@x"]);
        assert_eq!(
            of_entries(&entries, &both),
            Rights::READ_ANY | Rights::CREATE
        );
        let anna = member_of("Anna@x", &["sales@x"]);
        assert_eq!(of_entries(&entries, &anna), Rights::empty());
        let other = member_of("eve@x", &["none@x"]);
        assert_eq!(of_entries(&entries, &other), Rights::FOLDER_VISIBLE);
    }
}
