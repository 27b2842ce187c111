//! A mailbox: one SQLite file, its blobs, and what memory keeps of them.
//!
//! Every change is one transaction ([`commit`]) behind the mailbox's lock; memory ([`state`], folder indexes) is updated
//! after the commit is durable and before the lock is released, so whoever holds the lock sees both agree. Operations that
//! write run as tasks of their own: a caller that goes away (a client that disconnects) cannot leave a transaction open or
//! memory behind the disk.

pub(crate) mod commit;
pub(crate) mod core;
pub(crate) mod create;
pub(crate) mod keywords;
mod kv;
pub(crate) mod open;
pub(crate) mod rights;
mod scripts;
pub(crate) mod state;
mod trouble;

use std::sync::Arc;

pub(crate) use self::create::{RECEIVE_CLASSES, SPECIAL};
pub(crate) use self::{
    core::{Core, Living, Reader},
    open::DATABASE,
};
pub use rights::{Actor, Identity};
pub use scripts::ScriptEntry;

use crate::{MailboxGuid, Result};

/// One mailbox, for one actor. Cheap to clone; the database behind it may be closed and reopened under it.
#[derive(Debug, Clone)]
pub struct Mailbox {
    pub(crate) core: Arc<Core>,
    pub(crate) actor: Actor,
}

impl Mailbox {
    pub(crate) fn of_owner(core: Arc<Core>) -> Mailbox {
        Mailbox {
            core,
            actor: Actor::Owner,
        }
    }

    /// Its identity.
    #[must_use]
    pub fn guid(&self) -> MailboxGuid {
        self.core.guid
    }

    /// The primary address of its owner, as it was at creation.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn owner(&self) -> Result<String> {
        Ok(self.core.state().await?.owner.to_string())
    }

    /// The same mailbox, acting for somebody: every call is checked.
    #[must_use]
    pub fn acting(&self, actor: Actor) -> Mailbox {
        Mailbox {
            core: self.core.clone(),
            actor,
        }
    }
}

/// Seconds since 1970, now.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
