//! Who is invited to a collection, and what he said: one row each, `invite/ADDRESS/FOLDER`, in the mailbox of the owner.

use serde::{Deserialize, Serialize};
use waxwing_sdk::fault::Fault;
use waxwing_sdk::kv;
use waxwing_sdk::store::{Mailbox, folders};

use super::access::Access;
use crate::answer::Refusal;
use crate::xml::{Name, ns};

/// Invitations of a mailbox.
const MAX_INVITES: u32 = 1_000;
/// Octets of a text in one.
const MAX_TEXT: usize = 1_000;
/// Octets of an address.
const MAX_ADDRESS: usize = 320;

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    NoResponse,
    Accepted,
    Declined,
    /// There is nobody of that address.
    Invalid,
}

impl Status {
    pub(crate) fn name(self) -> Name {
        Name::new(
            ns::CALENDARSERVER,
            match self {
                Status::NoResponse => "invite-noresponse",
                Status::Accepted => "invite-accepted",
                Status::Declined => "invite-declined",
                Status::Invalid => "invite-invalid",
            },
        )
    }
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invite {
    /// Names it in notifications.
    pub(crate) uid: String,
    /// Whom it is for; what was said, when that is nobody.
    pub(crate) address: String,
    pub(crate) folder: u64,
    pub(crate) common_name: String,
    pub(crate) summary: String,
    pub(crate) access: Access,
    pub(crate) status: Status,
    /// Seconds since 1970.
    pub(crate) stamp: i64,
    /// The invited does not want to see the notification any more.
    pub(crate) is_dismissed: bool,
}

/// A text as it is kept.
pub(crate) fn text(text: &str) -> String {
    let text = text.trim();
    let end = text.floor_char_boundary(MAX_TEXT);
    text.get(..end).unwrap_or_default().to_owned()
}

fn key(address: &str, folder: u64) -> String {
    let end = address.floor_char_boundary(MAX_ADDRESS);
    let address = address.get(..end).unwrap_or_default().replace('/', "_");
    format!("invite/{address}/{folder}")
}

/// The folder that a key leads to.
fn folder_of(key: &str) -> Option<u64> {
    let (_, folder) = key.rsplit_once('/')?;
    folder.parse().ok()
}

fn read(mailbox: &Mailbox, prefix: &str, ending: &str) -> Result<Vec<Invite>, Fault> {
    let mut found = Vec::new();
    for key in kv::list_keys(mailbox, prefix, None, MAX_INVITES)? {
        if !key.ends_with(ending) {
            continue;
        }
        let value = kv::get(mailbox, &key)?;
        let invite = value.and_then(|value| serde_json::from_slice(&value).ok());
        found.extend(invite);
    }
    Ok(found)
}

/// The invitations to a collection.
pub(crate) fn to(mailbox: &Mailbox, folder: u64) -> Result<Vec<Invite>, Fault> {
    read(mailbox, "invite/", &format!("/{folder}"))
}

/// The invitations of somebody to collections of a mailbox.
pub(crate) fn of(mailbox: &Mailbox, address: &str) -> Result<Vec<Invite>, Fault> {
    read(mailbox, &format!("invite/{address}/"), "")
}

/// The invitation of somebody to a collection.
pub(crate) fn get(
    mailbox: &Mailbox,
    (address, folder): (&str, u64),
) -> Result<Option<Invite>, Fault> {
    let value = kv::get(mailbox, &key(address, folder))?;
    Ok(value.and_then(|value| serde_json::from_slice(&value).ok()))
}

pub(crate) fn put(mailbox: &Mailbox, invite: &Invite) -> Result<(), Refusal> {
    let key = key(&invite.address, invite.folder);
    let value = serde_json::to_vec(invite)
        .map_err(|error| Refusal::new(500, format!("an invitation cannot be written: {error}")))?;
    Ok(kv::put(mailbox, &key, &value)?)
}

/// Whether there is room for another one. Who sees all folders of the mailbox makes some first: those to what is gone go.
pub(crate) fn demand_room(mailbox: &Mailbox, sees_all: bool) -> Result<(), Refusal> {
    let mut there = kv::list_keys(mailbox, "invite/", None, MAX_INVITES)?;
    if there.len() >= MAX_INVITES as usize && sees_all {
        let all = folders::all(mailbox)?;
        let is_there = |folder: u64| all.iter().any(|one| one.id == folder);
        let (kept, gone): (Vec<String>, Vec<String>) = there
            .into_iter()
            .partition(|key| folder_of(key).is_none_or(is_there));
        for key in gone {
            kv::delete(mailbox, &key)?;
        }
        there = kept;
    }
    if there.len() < MAX_INVITES as usize {
        return Ok(());
    }
    Err(Refusal::new(
        507,
        format!("limit invitations of a mailbox = {MAX_INVITES} reached"),
    ))
}

pub(crate) fn remove(mailbox: &Mailbox, (address, folder): (&str, u64)) -> Result<(), Fault> {
    kv::delete(mailbox, &key(address, folder))
}

/// Takes away the invitations to a collection that is gone.
pub(crate) fn forget(mailbox: &Mailbox, folder: u64) -> Result<(), Fault> {
    for key in kv::list_keys(mailbox, "invite/", None, MAX_INVITES)? {
        if folder_of(&key) == Some(folder) {
            kv::delete(mailbox, &key)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_one_person_and_one_folder() {
        assert_eq!(key("ann@a.example", 7), "invite/ann@a.example/7");
        assert_eq!(folder_of(&key("ann@a.example", 7)), Some(7));
        assert_eq!(folder_of("invite/ann@a.example/x"), None);
        assert!(key(&"ü/".repeat(400), u64::MAX).len() < 512);
        assert_eq!(text(&" ü".repeat(600)).len(), 999);
    }
}
