//! The bound on memory for folder indexes: when all loaded indexes of the store together grow beyond it, those used longest
//! ago are forgotten; a view that needs one again loads it again. The newest always stays, however large it is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::{FolderId, MailboxGuid, mailbox::Core};

#[derive(Debug)]
struct Loaded {
    octets: usize,
    used: u64,
    core: Weak<Core>,
}

#[derive(Debug, Default)]
struct Ledger {
    clock: u64,
    loaded: HashMap<(MailboxGuid, FolderId), Loaded>,
}

/// Who has which index loaded.
#[derive(Debug)]
pub(crate) struct IndexCache {
    limit: usize,
    ledger: Mutex<Ledger>,
}

impl IndexCache {
    pub(crate) fn new(limit: usize) -> IndexCache {
        IndexCache {
            limit,
            ledger: Mutex::default(),
        }
    }

    /// How much is loaded, and how much may be.
    pub(crate) fn octets_of(&self) -> (usize, usize) {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = ledger.loaded.values().map(|loaded| loaded.octets).sum();
        (loaded, self.limit)
    }

    pub(crate) fn used(&self, mailbox: MailboxGuid, folder: FolderId) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.clock += 1;
        let clock = ledger.clock;
        if let Some(loaded) = ledger.loaded.get_mut(&(mailbox, folder)) {
            loaded.used = clock;
        }
    }

    pub(crate) fn loaded(&self, core: &Arc<Core>, folder: FolderId, octets: usize) {
        let mut forgotten = Vec::new();
        {
            let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            ledger.clock += 1;
            let used = ledger.clock;
            ledger.loaded.insert(
                (core.guid, folder),
                Loaded {
                    octets,
                    used,
                    core: Arc::downgrade(core),
                },
            );
            let mut total: usize = ledger.loaded.values().map(|loaded| loaded.octets).sum();
            while total > self.limit && ledger.loaded.len() > 1 {
                let oldest = ledger
                    .loaded
                    .iter()
                    .min_by_key(|(_, loaded)| loaded.used)
                    .map(|(key, _)| *key);
                let Some((key, loaded)) = oldest.and_then(|key| ledger.loaded.remove_entry(&key))
                else {
                    break;
                };
                total -= loaded.octets;
                forgotten.push((key.1, loaded.core));
            }
        }
        for (folder, core) in forgotten {
            if let Some(core) = core.upgrade() {
                core.forget_index(folder);
            }
        }
    }
}
