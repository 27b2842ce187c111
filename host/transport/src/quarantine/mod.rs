//! What hooks keep apart: messages that an operator looks at, and lets go on or throws away.
//!
//! Two files for each in one folder: `17.eml`, the message as it was when a hook stopped it, and `17.json`, what is known of it. The
//! second one is put in its place when both are on disk; what has no second one was never taken, and goes at the start. All second
//! files are in memory. Not a database: a message is written once, read once and taken away, and an operator in need can read it
//! with any program.
//!
//! **Promises**: the sender hears 250 once the message is durable here; nothing that is here makes room for something new, so nobody can
//! push out a message by sending others. **Bounds** ([`QuarantineLimits`]): when it is full the sender is told to come again; what is older than
//! [`QuarantineLimits::keep`] goes, with a line in the log.

mod files;
mod release;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use waxwing_exmdb::{Body, BodyWriter, MailboxGuid};

use self::files::Files;
pub use self::release::Released;
use crate::{Envelope, Error, Recipient, Result, Stage, passed::Passed};

/// The number of a message in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuarantineId(pub u64);

impl fmt::Display for QuarantineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuarantineLimits {
    /// What is older goes; zero: never.
    pub keep: Duration,
    /// Messages.
    pub messages: u64,
    /// Octets of all messages.
    pub octets: u64,
}

impl Default for QuarantineLimits {
    fn default() -> QuarantineLimits {
        QuarantineLimits {
            keep: Duration::from_secs(30 * 24 * 3600),
            messages: 10_000,
            octets: 1 << 30,
        }
    }
}

/// What is known of a message that is to be kept apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Held {
    /// Which hook stopped it.
    pub hook: String,
    /// At which stage, as manifests name it.
    pub stage: String,
    /// In the hook's words.
    pub reason: String,
    /// The session that brought it.
    pub session: String,
    /// With the recipients that are left.
    pub envelope: Envelope,
    /// Those that filters have added, wherever they are.
    pub added: Vec<Recipient>,
    /// Who was logged in.
    pub principal: Option<String>,
    /// At `on-deliver`: the one mailbox that it was for.
    pub mailbox: Option<MailboxGuid>,
}

impl Held {
    /// A message for all of its recipients.
    pub(crate) fn whole(
        hook: &str,
        stage: Stage,
        reason: &str,
        passed: &Passed,
        principal: Option<&str>,
    ) -> Held {
        Held {
            hook: hook.to_owned(),
            stage: stage.name().to_owned(),
            reason: reason.to_owned(),
            session: passed.envelope.session.clone(),
            envelope: passed.envelope.clone(),
            added: passed.added.clone(),
            principal: principal.map(str::to_owned),
            mailbox: None,
        }
    }

    /// A message for one mailbox, to which a recipient led.
    pub(crate) fn of_mailbox(
        hook: &str,
        reason: &str,
        envelope: &Envelope,
        recipient: &str,
        mailbox: MailboxGuid,
    ) -> Held {
        let recipient = Recipient {
            address: recipient.to_owned(),
            ..Recipient::default()
        };
        Held {
            hook: hook.to_owned(),
            stage: Stage::Deliver.name().to_owned(),
            reason: reason.to_owned(),
            session: envelope.session.clone(),
            envelope: Envelope {
                recipients: vec![recipient],
                ..envelope.clone()
            },
            mailbox: Some(mailbox),
            ..Held::default()
        }
    }

    /// Everybody that it is for.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        let all = self.envelope.recipients.iter().chain(&self.added);
        all.map(|recipient| recipient.address.as_str())
    }
}

/// A message in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Its number.
    pub id: QuarantineId,
    /// Seconds since 1970.
    pub arrived: i64,
    /// Octets.
    pub size: u64,
    /// All else.
    pub held: Held,
}

/// The quarantine of one server. Cheap to clone.
#[derive(Clone)]
pub struct Quarantine(Arc<Inner>);

struct Inner {
    files: Files,
    limits: QuarantineLimits,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    all: BTreeMap<QuarantineId, Quarantined>,
    /// With what is being written.
    messages: u64,
    octets: u64,
    last: u64,
    /// Those that are being let go.
    leaving: BTreeSet<QuarantineId>,
}

/// A message that nobody else lets go or throws away meanwhile.
pub(crate) struct Claim<'a> {
    quarantine: &'a Quarantine,
    pub(crate) known: Quarantined,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.quarantine.index().leaving.remove(&self.known.id);
    }
}

impl Index {
    fn leave(&mut self, size: u64) {
        self.messages = self.messages.saturating_sub(1);
        self.octets = self.octets.saturating_sub(size);
    }
}

impl Quarantine {
    /// Opens the quarantine of a folder, which is made when something comes.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn open(folder: &Path, limits: QuarantineLimits) -> Result<Quarantine> {
        let files = Files::new(folder);
        let mut index = Index::default();
        let (all, last) = files.recall().await?;
        index.last = last;
        for known in all {
            index.messages += 1;
            index.octets += known.size;
            index.all.insert(known.id, known);
        }
        let quarantine = Quarantine(Arc::new(Inner {
            files,
            limits,
            index: Mutex::new(index),
        }));
        quarantine.prune().await;
        Ok(quarantine)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message; durable when it answers.
    pub(crate) async fn add(&self, held: Held, message: &Body) -> Result<QuarantineId> {
        self.prune().await;
        let size = message.size();
        let quarantined = Quarantined {
            id: self.reserve(size)?,
            arrived: Timestamp::now().as_second(),
            size,
            held,
        };
        let id = quarantined.id;
        match self.0.files.write(&quarantined, message).await {
            Ok(()) => {
                self.index().all.insert(id, quarantined);
                Ok(id)
            }
            Err(error) => {
                if let Err(error) = self.0.files.delete(id).await {
                    tracing::warn!(%id, %error, "half of a message stays in the quarantine until the next start");
                }
                self.index().leave(size);
                Err(error)
            }
        }
    }

    fn reserve(&self, size: u64) -> Result<QuarantineId> {
        let (limits, mut index) = (&self.0.limits, self.index());
        if index.messages >= limits.messages {
            let limit = format!("quarantine_messages = {}", limits.messages);
            return Err(Error::QuarantineFull(limit));
        }
        if index.octets.saturating_add(size) > limits.octets {
            let limit = format!("quarantine_octets = {}", limits.octets);
            return Err(Error::QuarantineFull(limit));
        }
        index.messages += 1;
        index.octets += size;
        index.last += 1;
        Ok(QuarantineId(index.last))
    }

    /// At most so many behind a number, in the order of their numbers.
    #[must_use]
    pub fn list(&self, after: QuarantineId, most: usize) -> Vec<Quarantined> {
        let index = self.index();
        let behind = index.all.values().filter(|known| known.id > after);
        behind.take(most).cloned().collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// When it is not there.
    pub fn get(&self, id: QuarantineId) -> Result<Quarantined> {
        let known = self.index().all.get(&id).cloned();
        known.ok_or(Error::NotQuarantined(id))
    }

    /// Octets of a message, from its beginning.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub async fn read(&self, id: QuarantineId, most: u64) -> Result<Vec<u8>> {
        self.get(id)?;
        Ok(self.0.files.read(id, most).await?)
    }

    pub(crate) async fn body(&self, id: QuarantineId, spool: BodyWriter) -> Result<Body> {
        self.get(id)?;
        self.0.files.body(id, spool).await
    }

    /// One to let go.
    pub(crate) fn claim(&self, id: QuarantineId) -> Result<Claim<'_>> {
        let mut index = self.index();
        let known = index.all.get(&id).cloned();
        let known = known.ok_or(Error::NotQuarantined(id))?;
        match index.leaving.insert(id) {
            true => Ok(Claim {
                quarantine: self,
                known,
            }),
            false => Err(Error::QuarantineBusy(id)),
        }
    }

    /// Throws one away. Nobody is told.
    ///
    /// # Errors
    /// When it is not there, or is being let go.
    pub async fn delete(&self, id: QuarantineId) -> Result<()> {
        let claim = self.claim(id)?;
        self.take_out(&claim.known).await
    }

    async fn take_out(&self, known: &Quarantined) -> Result<()> {
        let id = known.id;
        self.0.files.delete(id).await?;
        let mut index = self.index();
        if index.all.remove(&id).is_some() {
            index.leave(known.size);
        }
        Ok(())
    }

    /// Some recipients have it.
    async fn keep_for(&self, known: Quarantined) -> Result<()> {
        self.0.files.describe(&known).await?;
        self.index().all.insert(known.id, known);
        Ok(())
    }

    /// What is too old goes.
    pub async fn prune(&self) {
        let keep = i64::try_from(self.0.limits.keep.as_secs()).unwrap_or(i64::MAX);
        if keep == 0 {
            return;
        }
        let before = Timestamp::now().as_second().saturating_sub(keep);
        let old: Vec<QuarantineId> = {
            let index = self.index();
            let old = index.all.values().filter(|known| known.arrived < before);
            old.map(|known| known.id).collect()
        };
        for id in old {
            match self.delete(id).await {
                Ok(()) => tracing::info!(%id, "too old for the quarantine, it is gone"),
                Err(error) => tracing::warn!(%id, %error, "not taken out of the quarantine"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
