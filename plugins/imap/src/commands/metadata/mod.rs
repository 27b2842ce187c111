//! METADATA (RFC 5464) of the server and of mailboxes, and METADATA in LIST (RFC 9590).
//!
//! What clients set is kept in the mailbox of the account ([`entries`]), so that it is backed up with it. Entries of a mailbox are
//! kept under the number of its folder: they go with it through RENAME, and a mailbox that is created anew under an old name has
//! none; mailboxes of others have none here. Shared entries of the server are what the operator says (the settings `metadata_comment` and `metadata_admin`), and
//! nobody else.

mod entries;
mod get;
mod set;

pub(super) use entries::Entries;
pub(super) use get::{list, run as get};
pub(super) use set::run as set;

use waxwing_sdk::{config, kv};

use super::list::special_use;
use crate::names::{MailboxName, Node};
use crate::session::{Imap, Refusal};

/// Whose entries they are.
#[derive(Debug, Clone)]
enum Place {
    Server,
    Mailbox(Box<Node>),
}

impl Place {
    /// The empty name is the server's.
    fn of(session: &mut Imap, mailbox: &MailboxName) -> Result<Self, Refusal> {
        if mailbox.as_str().is_empty() {
            return Ok(Place::Server);
        }
        let account = session.account_of(mailbox)?;
        let node = account
            .tree
            .selectable(mailbox)
            .ok_or_else(|| Refusal::no("[NONEXISTENT] There is no such mailbox"))?;
        if !account.own {
            return Err(Refusal::no(
                "[NOPERM] Only the own mailboxes have metadata that can be read and set",
            ));
        }
        Ok(Place::Mailbox(Box::new(node.clone())))
    }

    fn key(&self) -> String {
        match self {
            Place::Server => "metadata/server".to_owned(),
            Place::Mailbox(node) => key(node.folder.id),
        }
    }

    /// Entries that nobody sets by SETMETADATA, where they have a value.
    fn fixed(&self) -> Vec<(&'static str, Vec<u8>)> {
        let setting = |entry, key: &str| {
            let text: String = config::get_or(key, String::new());
            (entry, text.into_bytes())
        };
        let all = match self {
            Place::Server => vec![
                setting("/shared/comment", "metadata_comment"),
                setting("/shared/admin", "metadata_admin"),
            ],
            // RFC 6154 section 4
            Place::Mailbox(node) => special_use(node)
                .map(|name| ("/private/specialuse", name.as_bytes().to_vec()))
                .into_iter()
                .collect(),
        };
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }

    /// Whether SETMETADATA is refused for an entry.
    fn is_fixed(&self, entry: &str) -> bool {
        match self {
            Place::Server => entry.starts_with("/shared"),
            Place::Mailbox(_) => entry == "/private/specialuse",
        }
    }
}

const KEYS: &str = "metadata/";

fn key(folder: u64) -> String {
    format!("{KEYS}{folder:x}")
}

/// The mailbox was deleted.
pub(super) fn forget(session: &mut Imap, folder: u64) -> Result<(), Refusal> {
    Ok(kv::delete(session.mailbox()?, &key(folder))?)
}
