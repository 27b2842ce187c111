//! What a mailbox may hold. The limits are the directory's, which stands beside this room; whoever opens both hands them over
//! ([`Store::set_quotas`]) and does so again when they change. They live in memory: nothing has to be read to refuse.
//!
//! - Counted is what people see: the normal items of all folders, with the octets that their protocols tell as sizes. Deleted items
//!   that can be brought back, associated items and what the database itself takes are not.
//! - One place refuses: a transaction after which a mailbox would hold more than before, and more than it may. So what makes a
//!   mailbox smaller, or moves within it, is always possible. Appends are committed together and are judged one by one.
//! - The salvage of a damaged mailbox is not bounded: what was there stays there.

use std::sync::Arc;

use dashmap::DashMap;

use crate::{
    Error, Mailbox, MailboxGuid, Result, Store,
    mailbox::{commit::Work, state::State},
};

/// The limits of a mailbox; none: as much as there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// In octets.
    pub storage: Option<u64>,
    /// In items.
    pub messages: Option<u64>,
}

impl Quota {
    fn is_unlimited(self) -> bool {
        self.storage.is_none() && self.messages.is_none()
    }

    /// Which limit this much would pass.
    fn passed_by(self, holding: Holding) -> Option<String> {
        let octets = self
            .storage
            .filter(|limit| holding.storage > *limit)
            .map(|limit| format!("its quota is {limit} octets"));
        let items = self
            .messages
            .filter(|limit| holding.messages > *limit)
            .map(|limit| format!("its quota is {limit} items"));
        octets.or(items)
    }
}

/// What a mailbox holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holding {
    /// In octets.
    pub storage: u64,
    /// In items.
    pub messages: u64,
}

impl Holding {
    pub(crate) fn of(state: &State) -> Holding {
        let mut holding = Holding::default();
        for folder in state.folders.values() {
            holding.storage = holding.storage.saturating_add(folder.size);
            holding.messages += u64::from(folder.items);
        }
        holding
    }

    /// With so many items more.
    pub(crate) fn and(self, messages: usize, octets: u64) -> Holding {
        Holding {
            storage: self.storage.saturating_add(octets),
            messages: self.messages + messages as u64,
        }
    }

    fn exceeds(self, other: Holding) -> bool {
        self.storage > other.storage || self.messages > other.messages
    }
}

/// The limits of all mailboxes that have some.
#[derive(Debug, Default)]
pub(crate) struct Quotas(DashMap<MailboxGuid, Quota>);

impl Quotas {
    pub(crate) fn of(&self, mailbox: MailboxGuid) -> Option<Quota> {
        self.0.get(&mailbox).map(|quota| *quota)
    }

    fn replace(&self, quotas: impl IntoIterator<Item = (MailboxGuid, Quota)>) {
        let quotas: std::collections::HashMap<_, _> = quotas
            .into_iter()
            .filter(|(_, quota)| !quota.is_unlimited())
            .collect();
        self.0.retain(|mailbox, _| quotas.contains_key(mailbox));
        for (mailbox, quota) in quotas {
            self.0.insert(mailbox, quota);
        }
    }
}

impl Store {
    /// The limits of all mailboxes, from now on; those that are not named have none.
    pub fn set_quotas(&self, quotas: impl IntoIterator<Item = (MailboxGuid, Quota)>) {
        self.commons().quotas.replace(quotas);
    }

    /// The limits of one mailbox, from now on.
    pub fn set_quota(&self, mailbox: MailboxGuid, quota: Quota) {
        let quotas = &self.commons().quotas.0;
        if quota.is_unlimited() {
            quotas.remove(&mailbox);
        } else {
            quotas.insert(mailbox, quota);
        }
    }
}

impl Mailbox {
    /// The limits of this mailbox.
    #[must_use]
    pub fn quota(&self) -> Quota {
        let quotas = &self.core.commons.quotas;
        quotas.of(self.core.guid).unwrap_or_default()
    }

    /// What it holds now, whoever asks.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn holding(&self) -> Result<Holding> {
        Ok(Holding::of(&*self.core.state().await?))
    }

    /// Whether one more item of so many octets would be taken now.
    ///
    /// # Errors
    /// `OverQuota` when it would not.
    pub async fn demand_room(&self, octets: u64) -> Result<()> {
        let Some(quota) = self.core.commons.quotas.of(self.core.guid) else {
            return Ok(());
        };
        judge(self.core.guid, quota, self.holding().await?.and(1, octets))
    }
}

impl Work {
    /// Refuses so many items more, when the mailbox may not hold them.
    pub(crate) fn demand_room(&self, messages: usize, octets: u64) -> Result<()> {
        let core = self.core();
        let Some(quota) = core.commons.quotas.of(core.guid) else {
            return Ok(());
        };
        let holding = Holding::of(&self.state).and(messages, octets);
        judge(core.guid, quota, holding)
    }

    /// This transaction may make the mailbox as large as it has to.
    pub(crate) fn disregard_quota(&mut self) {
        self.bounded = false;
    }

    /// Refuses what the transaction has done, when the mailbox would hold more than before and more than it may.
    pub(crate) fn demand_quota(&self, before: &Arc<State>) -> Result<()> {
        let core = self.core();
        let Some(quota) = core.commons.quotas.of(core.guid) else {
            return Ok(());
        };
        let after = Holding::of(&self.state);
        if self.bounded && after.exceeds(Holding::of(before)) {
            judge(core.guid, quota, after)
        } else {
            Ok(())
        }
    }
}

fn judge(mailbox: MailboxGuid, quota: Quota, holding: Holding) -> Result<()> {
    match quota.passed_by(holding) {
        Some(limit) => Err(Error::OverQuota(format!("mailbox {mailbox}: {limit}"))),
        None => Ok(()),
    }
}
