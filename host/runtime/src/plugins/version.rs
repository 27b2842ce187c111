//! One version of a plugin: what is linked, what it may use, and what has been counted of it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::mpsc::UnboundedSender;
use wasmtime::component::InstancePre;
use waxwing_transport::Stage;

use super::{Breach, Monitor, VersionState};
use crate::{
    PluginStatus,
    instance::{Exports, Failed, FailureKind},
    limits::Limits,
    long_turns::Pace,
    memory::Total,
    package::{
        grants::Grants,
        manifest::{Manifest, RouteAuth},
    },
    state::State,
};

/// Sums since the version was loaded; `sessions`, `frozen` and `lingering` are of now.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) sessions: AtomicU64,
    pub(crate) frozen: AtomicU64,
    /// Sessions that stay although another version is meant for them.
    pub(crate) lingering: AtomicU64,
    /// Why the last of them does.
    last_refusal: Mutex<Option<String>>,
    pub(crate) turns: AtomicU64,
    pub(crate) host_calls: AtomicU64,
    pub(crate) cpu_micros: AtomicU64,
    pub(crate) traps: AtomicU64,
    pub(crate) timeouts: AtomicU64,
    pub(crate) limits: AtomicU64,
    /// Sessions that came from another version.
    pub(crate) handovers: AtomicU64,
    /// Sessions that this version did not take, or could not freeze.
    pub(crate) refusals: AtomicU64,
    /// Sessions that went on after a failed turn.
    pub(crate) recoveries: AtomicU64,
    pub(crate) lost: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn subtract(counter: &AtomicU64) {
        counter.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn set_last_refusal(&self, reason: &str) {
        let mut last = self
            .last_refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(reason.to_owned());
    }

    fn last_refusal(&self) -> Option<String> {
        let last = self
            .last_refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }

    /// Whether it is a failure of the version.
    fn failed(&self, kind: FailureKind) -> bool {
        match kind {
            FailureKind::Trap => Counters::add(&self.traps),
            FailureKind::Timeout => Counters::add(&self.timeouts),
            FailureKind::Limit => Counters::add(&self.limits),
            FailureKind::Refusal | FailureKind::NoPlace => return false,
        }
        true
    }
}

/// What an instance must know of its version.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) plugin: String,
    pub(crate) version: String,
    pub(crate) limits: Limits,
    /// The operator's `[plugin.NAME.config]`, as JSON texts.
    pub(crate) settings: BTreeMap<String, String>,
    /// Of all instances of the plugin.
    pub(crate) memory: Arc<Total>,
    /// Of all instances of this version.
    pub(crate) version_memory: Arc<Total>,
    pub(crate) counters: Counters,
    /// What its turns take on average.
    pub(crate) pace: Pace,
}

impl Facts {
    /// `imap 1.2.0`.
    pub(crate) fn identity(&self) -> String {
        format!("{} {}", self.plugin, self.version)
    }
}

/// Waiting sessions that come from another version.
#[derive(Debug, Default)]
pub(crate) struct Newcomers {
    offered: AtomicU64,
    /// Whether the last one that was thawed was taken.
    taken: AtomicBool,
}

/// A linked version.
pub(crate) struct Version {
    pub(crate) facts: Arc<Facts>,
    pub(crate) manifest: Manifest,
    pub(crate) manifest_text: String,
    /// `Package::key`.
    pub(crate) key: String,
    pub(crate) digest: String,
    pub(crate) signed_by: Option<String>,
    pub(crate) grants: Grants,
    pub(crate) pre: InstancePre<State>,
    pub(crate) exports: Exports,
    pub(crate) monitor: Monitor,
    /// Whom to tell when it fails too much.
    pub(crate) guard: UnboundedSender<Breach>,
    pub(crate) newcomers: Newcomers,
}

impl Version {
    /// Counts a failed turn, and raises the alarm when they are more than its `[slo]` allows.
    pub(crate) fn failed(&self, failed: &Failed) {
        let counters = &self.facts.counters;
        if !counters.failed(failed.kind) {
            return;
        }
        let turns = counters.turns.load(Ordering::Relaxed);
        if let Some(what) = self.monitor.failed(Instant::now(), turns) {
            // Fails only when the runtime is being dropped.
            let _ = self.guard.send(Breach {
                plugin: self.facts.plugin.clone(),
                version: self.key.clone(),
                why: format!("{what}; the last one: {}", failed.reason),
            });
        }
    }

    /// Failures of before do not count any more.
    pub(crate) fn begin_trial(&self) {
        let turns = self.facts.counters.turns.load(Ordering::Relaxed);
        self.monitor.forget(Instant::now(), turns);
    }

    pub(super) fn sample(&self, now: Instant) {
        let turns = self.facts.counters.turns.load(Ordering::Relaxed);
        self.monitor.sample(now, turns);
    }

    pub(crate) fn is_in_use(&self) -> bool {
        self.facts.counters.sessions.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn can_hand_over(&self) -> bool {
        self.exports.handoff.is_some()
    }

    /// Whether somebody who has logged in can come to it: a session by a hand-over, a request by its route.
    pub(super) fn can_be_reached(&self) -> bool {
        self.can_hand_over()
            || self.exports.filter.is_some()
            || self.exports.mail_flow.is_some()
            || self
                .manifest
                .routes
                .iter()
                .any(|route| route.auth != RouteAuth::None)
    }

    /// Whether it is asked at a stage of the mail flow.
    pub(crate) fn wants(&self, stage: Stage) -> bool {
        self.exports.mail_flow.is_some() && self.manifest.stages.contains(&stage)
    }

    /// Whether a waiting session is thawed at once to see if this version really takes it, and not only when its client
    /// wakes: every one until one was taken and again after a refusal, else one of so many. So a version that refuses is
    /// found out at once, by all whom it refuses, and a swap to one that does not wakes few.
    pub(crate) fn is_to_be_tried(&self) -> bool {
        const ONE_IN: u64 = 64;
        let offered = self.newcomers.offered.fetch_add(1, Ordering::Relaxed);
        !self.newcomers.taken.load(Ordering::Relaxed) || offered.is_multiple_of(ONE_IN)
    }

    /// Whether it took the last session that was handed over to it.
    pub(crate) fn has_shown_itself(&self, taken: bool) {
        self.newcomers.taken.store(taken, Ordering::Relaxed);
    }

    /// Whether it says that it reads a frozen format.
    pub(crate) fn accepts(&self, format: u32) -> bool {
        self.manifest
            .handoff
            .as_ref()
            .is_some_and(|handoff| handoff.accepts.contains(&format))
    }

    /// Whether it says that it writes a frozen format.
    pub(crate) fn writes(&self, format: u32) -> bool {
        self.manifest
            .handoff
            .as_ref()
            .is_some_and(|handoff| handoff.writes == format)
    }

    pub(super) fn status(&self, state: &VersionState) -> PluginStatus {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.facts.counters;
        PluginStatus {
            plugin: self.facts.plugin.clone(),
            version: self.facts.version.clone(),
            key: self.key.clone(),
            state: state.name().to_owned(),
            audience: match state {
                VersionState::Canary(audience) => Some(audience.clone()),
                _ => None,
            },
            reason: match state {
                VersionState::Failed(why) => Some(why.clone()),
                _ => None,
            },
            digest: self.digest.clone(),
            signed_by: self.signed_by.clone(),
            ungranted: self.grants.ungranted(),
            sessions: read(&counters.sessions),
            frozen: read(&counters.frozen),
            lingering: read(&counters.lingering),
            last_refusal: counters.last_refusal(),
            turns: read(&counters.turns),
            host_calls: read(&counters.host_calls),
            cpu: Duration::from_micros(read(&counters.cpu_micros)),
            memory: self.facts.version_memory.octets(),
            traps: read(&counters.traps),
            timeouts: read(&counters.timeouts),
            limits: read(&counters.limits),
            handovers: read(&counters.handovers),
            refusals: read(&counters.refusals),
            recoveries: read(&counters.recoveries),
            lost: read(&counters.lost),
        }
    }
}
