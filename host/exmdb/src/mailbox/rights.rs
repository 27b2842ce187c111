//! Who may do what: MAPI rights of folders ([MS-OXCPERM] 2.2.7), the base of IMAP ACL and WebDAV ACL too.
//! The owner and the system may do all; anybody else gets the entry of their address, or the `default` one, and a new
//! mailbox has none. What an actor may not see does not exist for them.

use waxwing_formats_mapi::Rights;

use super::state::State;
use crate::{Error, FolderId, Result};

/// Who acts. `Owner` and `System` may do all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The host itself: delivery, checks, import.
    System,
    /// The mailbox's owner.
    Owner,
    /// Somebody else, by primary address.
    User(String),
}

/// The member name of everybody who is logged in.
pub(crate) const DEFAULT_MEMBER: &str = "default";

impl State {
    /// What the actor may do in the folder; folder owners may do all.
    pub(crate) fn rights(&self, actor: &Actor, folder: FolderId) -> Rights {
        let Actor::User(address) = actor else {
            return Rights::OWNER;
        };
        let Some(entries) = self.permissions.get(&folder) else {
            return Rights::empty();
        };
        let entry = entries
            .iter()
            .find(|entry| entry.member.eq_ignore_ascii_case(address))
            .or_else(|| entries.iter().find(|entry| entry.member == DEFAULT_MEMBER));
        let rights = entry.map_or(Rights::empty(), |entry| {
            Rights::from_bits_truncate(entry.rights)
        });
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
