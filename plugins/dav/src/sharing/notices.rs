//! What the owner of a collection is told: whoever he invited has answered. One row each, `notice/UID`, in his own mailbox; the oldest go
//! when there are too many, since most programs never look.

use serde::{Deserialize, Serialize};
use waxwing_sdk::fault::Fault;
use waxwing_sdk::kv;
use waxwing_sdk::store::Mailbox;

use super::invites::Invite;
use crate::answer::Refusal;
use crate::chance;

/// Notices that a mailbox keeps.
const MOST: usize = 100;
const MAX_ROWS: u32 = 1_000;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) uid: String,
    /// As it was when it was answered.
    pub(crate) invite: Invite,
    pub(crate) stamp: i64,
}

pub(crate) fn all(mailbox: &Mailbox) -> Result<Vec<Notice>, Fault> {
    let mut found: Vec<Notice> = Vec::new();
    for key in kv::list_keys(mailbox, "notice/", None, MAX_ROWS)? {
        let value = kv::get(mailbox, &key)?;
        found.extend(value.and_then(|value| serde_json::from_slice::<Notice>(&value).ok()));
    }
    found.sort_by_key(|notice| notice.stamp);
    Ok(found)
}

pub(crate) fn put(mailbox: &Mailbox, invite: &Invite, stamp: i64) -> Result<(), Refusal> {
    let notice = Notice {
        uid: chance::name(),
        invite: invite.clone(),
        stamp,
    };
    let value = serde_json::to_vec(&notice)
        .map_err(|error| Refusal::new(500, format!("a notice cannot be written: {error}")))?;
    let there = all(mailbox)?;
    for old in there.iter().take(there.len().saturating_sub(MOST - 1)) {
        remove(mailbox, &old.uid)?;
    }
    Ok(kv::put(mailbox, &format!("notice/{}", notice.uid), &value)?)
}

pub(crate) fn remove(mailbox: &Mailbox, uid: &str) -> Result<(), Fault> {
    kv::delete(mailbox, &format!("notice/{uid}"))
}
