//! Answers kept in memory, right after a change.
//!
//! Every entry carries the generation in which its question was asked; a change raises the generation after its commit
//! and before it returns. An answer that was read before the commit and stored after it carries the old generation and is
//! never used, so there is no moment in which a stale answer can be put back. Bounds: [`MAX_ENTRIES`] per map; a full map
//! is emptied, which costs a query each and keeps no list of who was used when.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use dashmap::DashMap;

use crate::{DkimSecret, Resolution, Sharer, authenticate::Account, domains::KnownDomain};

/// Entries in each map.
const MAX_ENTRIES: usize = 50_000;
/// Octets of a name worth keeping: RFC 5321's longest address. Clients choose the spelling, and may pad it.
const MAX_NAME: usize = 320;

/// The moment at which a question was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// One kind of answer, by name.
pub(crate) struct Answers<T>(DashMap<String, (Generation, Arc<T>)>);

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Answers(DashMap::new())
    }
}

impl<T> Answers<T> {
    fn get(&self, now: Generation, name: &str) -> Option<Arc<T>> {
        self.0
            .get(name)
            .filter(|entry| entry.0 == now)
            .map(|entry| entry.1.clone())
    }

    fn put(&self, asked: Generation, name: &str, answer: Arc<T>) {
        if name.len() > MAX_NAME {
            return;
        }
        if self.0.len() >= MAX_ENTRIES {
            self.0.clear();
        }
        self.0.insert(name.to_owned(), (asked, answer));
    }
}

/// All domains, by name.
pub(crate) type Domains = HashMap<String, KnownDomain>;

#[derive(Default)]
pub(crate) struct Cache {
    generation: AtomicU64,
    resolutions: Answers<Resolution>,
    accounts: Answers<Account>,
    domains: RwLock<Option<(Generation, Arc<Domains>)>>,
    signers: Answers<Vec<DkimSecret>>,
    /// By primary address.
    names: Answers<Vec<String>>,
    /// The same.
    sharers: Answers<Vec<Sharer>>,
}

impl Cache {
    /// Note it before the question goes to the database.
    pub(crate) fn now(&self) -> Generation {
        Generation(self.generation.load(Ordering::Acquire))
    }

    /// After a commit: nothing that was asked before is used again.
    pub(crate) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn resolution(&self, address: &str) -> Option<Arc<Resolution>> {
        self.resolutions.get(self.now(), address)
    }

    pub(crate) fn put_resolution(
        &self,
        asked: Generation,
        address: &str,
        answer: Resolution,
    ) -> Arc<Resolution> {
        let answer = Arc::new(answer);
        self.resolutions.put(asked, address, answer.clone());
        answer
    }

    pub(crate) fn account(&self, address: &str) -> Option<Arc<Account>> {
        self.accounts.get(self.now(), address)
    }

    pub(crate) fn put_account(&self, asked: Generation, address: &str, answer: Arc<Account>) {
        self.accounts.put(asked, address, answer);
    }

    pub(crate) fn signers(&self, domain: &str) -> Option<Arc<Vec<DkimSecret>>> {
        self.signers.get(self.now(), domain)
    }

    pub(crate) fn put_signers(
        &self,
        asked: Generation,
        domain: &str,
        answer: Arc<Vec<DkimSecret>>,
    ) {
        self.signers.put(asked, domain, answer);
    }

    pub(crate) fn names(&self, user: &str) -> Option<Arc<Vec<String>>> {
        self.names.get(self.now(), user)
    }

    pub(crate) fn put_names(&self, asked: Generation, user: &str, answer: Arc<Vec<String>>) {
        self.names.put(asked, user, answer);
    }

    pub(crate) fn sharers(&self, user: &str) -> Option<Arc<Vec<Sharer>>> {
        self.sharers.get(self.now(), user)
    }

    pub(crate) fn put_sharers(&self, asked: Generation, user: &str, answer: Arc<Vec<Sharer>>) {
        self.sharers.put(asked, user, answer);
    }

    pub(crate) fn domains(&self) -> Option<Arc<Domains>> {
        let domains = self.domains.read().unwrap_or_else(PoisonError::into_inner);
        domains
            .as_ref()
            .filter(|(asked, _)| *asked == self.now())
            .map(|(_, domains)| domains.clone())
    }

    pub(crate) fn put_domains(&self, asked: Generation, domains: Domains) -> Arc<Domains> {
        let domains = Arc::new(domains);
        *self.domains.write().unwrap_or_else(PoisonError::into_inner) =
            Some((asked, domains.clone()));
        domains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_read_before_a_change_is_not_kept_after_it() {
        let cache = Cache::default();
        let asked = cache.now();
        cache.changed();
        cache.put_resolution(asked, "anna@example.org", Resolution::Unknown);
        assert!(cache.resolution("anna@example.org").is_none());
        cache.put_resolution(cache.now(), "anna@example.org", Resolution::Unknown);
        assert_eq!(
            cache.resolution("anna@example.org").as_deref(),
            Some(&Resolution::Unknown)
        );
    }

    #[test]
    fn an_endless_name_is_not_kept() {
        let answers = Answers::default();
        answers.put(Generation(0), &"a".repeat(MAX_NAME + 1), Arc::new(1));
        assert!(answers.0.is_empty());
    }

    #[test]
    fn a_full_map_is_emptied() {
        let answers = Answers::default();
        for number in 0..=MAX_ENTRIES {
            answers.put(Generation(0), &number.to_string(), Arc::new(number));
        }
        assert_eq!(answers.0.len(), 1);
    }
}
