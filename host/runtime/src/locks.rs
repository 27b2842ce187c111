//! Locks that sessions take on mailboxes: a name that one of them has at a time (a maildrop of POP3, say).
//!
//! They live in memory, like the sessions they belong to: a server that starts has none, so none is ever left behind. A lock is
//! given back when its last holder is dropped; the session's host side holds it, and with it the copies that a turn or a
//! trial may go back to. It keeps nobody from the mailbox: it only says no to whoever asks for the same name.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use waxwing_exmdb::MailboxGuid;

/// What is locked: a mailbox, for plugins of a name, under a name of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LockName {
    pub(crate) mailbox: MailboxGuid,
    pub(crate) plugin: Arc<str>,
    pub(crate) name: String,
}

/// All locks of a server.
#[derive(Debug, Default)]
pub(crate) struct Locks(Mutex<HashSet<Arc<LockName>>>);

/// The right to a lock.
#[derive(Debug)]
pub(crate) struct Lock {
    name: Arc<LockName>,
    among: Arc<Locks>,
}

impl Locks {
    fn taken(&self) -> MutexGuard<'_, HashSet<Arc<LockName>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None while somebody has it.
    pub(crate) fn take(self: &Arc<Self>, name: LockName) -> Option<Lock> {
        let name = Arc::new(name);
        self.taken().insert(name.clone()).then(|| Lock {
            name,
            among: self.clone(),
        })
    }
}

impl Lock {
    pub(crate) fn is(&self, name: &LockName) -> bool {
        *self.name == *name
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.among.taken().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(plugin: &str) -> LockName {
        LockName {
            mailbox: MailboxGuid([7; 16]),
            plugin: plugin.into(),
            name: "maildrop".into(),
        }
    }

    #[test]
    fn a_lock_is_one_holders_until_it_is_dropped() {
        let locks = Arc::new(Locks::default());
        let first = locks.take(name("pop3")).unwrap();
        assert!(first.is(&name("pop3")));
        assert!(locks.take(name("pop3")).is_none());
        assert!(
            locks.take(name("other")).is_some(),
            "plugins share no names"
        );
        drop(first);
        assert!(locks.take(name("pop3")).is_some());
    }
}
