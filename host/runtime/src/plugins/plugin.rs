//! One plugin: its versions, and which of them serves whom. The list says what became of each version; what sessions
//! and requests ask is made of it and published as one pointer, so that a change is seen whole and never waited for.

use std::{
    borrow::Borrow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use waxwing_directory::User;

use super::{Audience, Remembered, Version, VersionState};
use crate::{Error, PluginStatus, Result, Swap, memory::Total};

/// Retired versions that are kept for `rollback` and for looking back; and as many failed ones.
const KEPT: usize = 5;

pub(super) struct Entry {
    pub(super) version: Arc<Version>,
    pub(super) state: VersionState,
}

/// Who gets which version.
#[derive(Default)]
struct Routing {
    active: Option<Arc<Version>>,
    canary: Option<(Arc<Version>, Audience)>,
}

/// See the module comment.
pub(crate) struct Plugin {
    pub(crate) name: Arc<str>,
    pub(crate) memory: Arc<Total>,
    routing: ArcSwap<Routing>,
    changed: watch::Sender<u64>,
    /// In the order of loading; retired ones in the order of their retirement at the front.
    entries: Mutex<Vec<Entry>>,
}

impl Plugin {
    pub(super) fn new(name: &str) -> Plugin {
        Plugin {
            name: name.into(),
            memory: Arc::default(),
            routing: ArcSwap::default(),
            changed: watch::channel(0).0,
            entries: Mutex::default(),
        }
    }

    /// What serves those of whom nothing is known.
    pub(crate) fn active(&self) -> Option<Arc<Version>> {
        self.routing.load().active.clone()
    }

    /// What serves somebody. The principal is only asked for while there is a canary.
    pub(crate) fn version_for<U: Borrow<User>>(
        &self,
        principal: impl FnOnce() -> Option<U>,
    ) -> Option<Arc<Version>> {
        let routing = self.routing.load();
        if let Some((version, audience)) = &routing.canary
            && principal().is_some_and(|user| audience.includes(&self.name, user.borrow()))
        {
            return Some(version.clone());
        }
        routing.active.clone()
    }

    /// Changes whenever somebody may get another version.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version that has this component and manifest already.
    pub(crate) fn same(&self, version: &str, digest: &str, manifest: &str) -> Option<Arc<Version>> {
        let found = |entry: &&Entry| {
            let held = &entry.version;
            held.facts.version == version && held.digest == digest && held.manifest_text == manifest
        };
        self.entries()
            .iter()
            .find(found)
            .map(|entry| entry.version.clone())
    }

    /// Who can go on with a session of `ours`, best first: itself, what is meant for it, and what served before.
    pub(crate) fn successors(
        &self,
        ours: &Arc<Version>,
        meant: Option<Arc<Version>>,
    ) -> Vec<Arc<Version>> {
        let entries = self.entries();
        let retired = entries
            .iter()
            .rev()
            .filter(|entry| entry.state == VersionState::Retired)
            .map(|entry| entry.version.clone());
        let mut all = vec![ours.clone()];
        for version in meant.into_iter().chain(self.active()).chain(retired) {
            if version.can_hand_over() && !all.iter().any(|known| Arc::ptr_eq(known, &version)) {
                all.push(version);
            }
        }
        all
    }

    pub(crate) fn add(&self, version: Arc<Version>, state: VersionState) {
        let mut entries = self.entries();
        entries.push(Entry { version, state });
        self.publish(&entries);
    }

    fn publish(&self, entries: &[Entry]) {
        let active = entries.iter().find(|entry| entry.state.is_active());
        let canary = entries.iter().find_map(|entry| match &entry.state {
            VersionState::Canary(audience) => Some((entry.version.clone(), audience.clone())),
            _ => None,
        });
        self.routing.store(Arc::new(Routing {
            active: active.map(|entry| entry.version.clone()),
            canary,
        }));
        self.changed.send_modify(|count| *count += 1);
    }

    /// The version that is meant: by number the one loaded last, or by its key; without either the canary, else the
    /// newest that is staged.
    pub(super) fn choose(&self, wanted: Option<&str>) -> Result<Arc<Version>> {
        let entries = self.entries();
        let newest =
            |which: &dyn Fn(&Entry) -> bool| entries.iter().rev().find(|entry| which(entry));
        let found = match wanted {
            Some(number) => newest(&|entry| {
                entry.version.facts.version == number || entry.version.key == number
            }),
            None => newest(&|entry| matches!(entry.state, VersionState::Canary(_)))
                .or_else(|| newest(&|entry| entry.state == VersionState::Staged)),
        };
        found
            .map(|entry| entry.version.clone())
            .ok_or_else(|| match wanted {
                Some(number) => Error::Package(format!("{} {number} is not loaded", self.name)),
                None => Error::Package(format!("{} has no staged version", self.name)),
            })
    }

    /// The version that was active before.
    pub(super) fn previous(&self) -> Result<Arc<Version>> {
        let entries = self.entries();
        let found = entries
            .iter()
            .rfind(|entry| entry.state == VersionState::Retired);
        found.map(|entry| entry.version.clone()).ok_or_else(|| {
            Error::Package(format!(
                "{} has no earlier version to go back to",
                self.name
            ))
        })
    }

    pub(super) fn canary(&self) -> Option<Arc<Version>> {
        let routing = self.routing.load();
        routing.canary.as_ref().map(|(version, _)| version.clone())
    }

    pub(crate) fn has_canary(&self) -> bool {
        self.routing.load().canary.is_some()
    }

    /// What stands in for a version that gives no answer: the active one for a canary, else the one that was active before.
    pub(crate) fn before(&self, version: &Arc<Version>) -> Option<Arc<Version>> {
        let active = self.active().filter(|active| !Arc::ptr_eq(active, version));
        active.or_else(|| self.previous().ok())
    }

    /// Why a version was taken back by itself, if it was.
    pub(super) fn failure(&self, version: &Arc<Version>) -> Option<String> {
        let entries = self.entries();
        entries.iter().find_map(|entry| match &entry.state {
            VersionState::Failed(why) if Arc::ptr_eq(&entry.version, version) => Some(why.clone()),
            _ => None,
        })
    }

    /// A version that was taken back by itself is staged once more.
    pub(crate) fn forgive(&self, version: &Arc<Version>) {
        version.begin_trial();
        for entry in self.entries().iter_mut() {
            if Arc::ptr_eq(&entry.version, version)
                && matches!(entry.state, VersionState::Failed(_))
            {
                entry.state = VersionState::Staged;
            }
        }
    }

    /// Makes a version the active one; what was active becomes `gone`, a canary is staged again.
    pub(super) fn activate(
        &self,
        version: &Arc<Version>,
        since: Option<SystemTime>,
        gone: &VersionState,
    ) -> Swap {
        let mut entries = self.entries();
        let before = self.active();
        if before
            .as_ref()
            .is_none_or(|before| !Arc::ptr_eq(before, version))
        {
            for entry in entries.iter_mut() {
                match &entry.state {
                    _ if Arc::ptr_eq(&entry.version, version) => {
                        entry.state = VersionState::Active(since);
                    }
                    VersionState::Active(_) => entry.state = gone.clone(),
                    VersionState::Canary(_) => entry.state = VersionState::Staged,
                    _ => {}
                }
            }
        }
        // The version retired last stands last, so that a second rollback goes further back.
        entries.sort_by_key(|entry| match (&before, &entry.state) {
            (Some(before), VersionState::Retired) if Arc::ptr_eq(&entry.version, before) => 1,
            (_, VersionState::Retired) => 0,
            _ => 2,
        });
        forget_oldest(&mut entries, |state| *state == VersionState::Retired);
        forget_oldest(&mut entries, |state| {
            matches!(state, VersionState::Failed(_))
        });
        self.publish(&entries);
        self.swap(before.as_ref(), version)
    }

    /// Some get a version of their own, in place of the canary there may be.
    pub(super) fn start_canary(&self, version: &Arc<Version>, audience: &Audience) {
        let mut entries = self.entries();
        for entry in entries.iter_mut() {
            if Arc::ptr_eq(&entry.version, version) {
                entry.state = VersionState::Canary(audience.clone());
            } else if matches!(entry.state, VersionState::Canary(_)) {
                entry.state = VersionState::Staged;
            }
        }
        self.publish(&entries);
    }

    /// The canary's users go back to the active version.
    pub(super) fn stop_canary(&self, gone: &VersionState) -> Result<Swap> {
        let none = |what: &str| Error::Package(format!("{} has no {what}", self.name));
        let canary = self.canary().ok_or_else(|| none("canary"))?;
        let active = self.active().ok_or_else(|| none("active version"))?;
        let mut entries = self.entries();
        for entry in entries.iter_mut() {
            if Arc::ptr_eq(&entry.version, &canary) {
                entry.state = gone.clone();
            }
        }
        self.publish(&entries);
        Ok(self.swap(Some(&canary), &active))
    }

    /// Takes a version back that fails too much, if it is one that is on trial and there is another to go to.
    pub(super) fn take_back(&self, key: &str, why: &str, now: SystemTime) -> Option<Swap> {
        let (state, trial) = {
            let entries = self.entries();
            let entry = entries.iter().find(|entry| entry.version.key == key)?;
            let trial = entry.version.monitor.slo.trial_seconds;
            (entry.state.clone(), Duration::from_secs(trial))
        };
        let failed = VersionState::Failed(why.to_owned());
        match state {
            VersionState::Canary(_) => self.stop_canary(&failed).ok(),
            state if state.is_on_trial(now, trial) => {
                let previous = self.previous().ok()?;
                Some(self.activate(&previous, None, &failed))
            }
            _ => None,
        }
    }

    fn swap(&self, from: Option<&Arc<Version>>, to: &Version) -> Swap {
        Swap {
            plugin: self.name.to_string(),
            from: from.map(|from| from.facts.version.clone()),
            to: to.facts.version.clone(),
            from_key: from.map(|from| from.key.clone()),
            to_key: to.key.clone(),
        }
    }

    /// Tells the monitors of serving versions how many turns there were.
    pub(super) fn sample(&self, now: Instant) {
        let routing = self.routing.load();
        let canary = routing.canary.as_ref().map(|(version, _)| version);
        for version in routing.active.iter().chain(canary) {
            version.sample(now);
        }
    }

    pub(super) fn status(&self) -> Vec<PluginStatus> {
        self.entries()
            .iter()
            .map(|entry| entry.version.status(&entry.state))
            .collect()
    }

    pub(super) fn remembered(&self) -> Vec<Remembered> {
        self.entries()
            .iter()
            .map(|entry| {
                let version = &entry.version;
                Remembered::new(version.key.clone(), &entry.state).wanting(&version.manifest.stages)
            })
            .collect()
    }
}

/// Keeps the newest of a kind, and those that still serve somebody.
fn forget_oldest(entries: &mut Vec<Entry>, kind: impl Fn(&VersionState) -> bool) {
    let mut over = entries
        .iter()
        .filter(|entry| kind(&entry.state))
        .count()
        .saturating_sub(KEPT);
    entries.retain(|entry| {
        let goes = over > 0 && kind(&entry.state) && !entry.version.is_in_use();
        over -= usize::from(goes);
        !goes
    });
}
