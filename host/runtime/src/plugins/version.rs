//! One version of a plugin: what is linked, what it may use, and what has been counted of it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use wasmtime::component::InstancePre;

use crate::{
    PluginStatus,
    instance::{Exports, FailureKind},
    limits::Limits,
    memory::Total,
    package::{grants::Grants, manifest::Manifest},
    state::State,
};

/// Sums since the version was loaded; `sessions` and `frozen` are of now.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) sessions: AtomicU64,
    pub(crate) frozen: AtomicU64,
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

    pub(crate) fn failed(&self, kind: FailureKind) {
        match kind {
            FailureKind::Trap => Counters::add(&self.traps),
            FailureKind::Timeout => Counters::add(&self.timeouts),
            FailureKind::Limit => Counters::add(&self.limits),
            FailureKind::NoPlace => {}
        }
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
    pub(crate) counters: Counters,
}

impl Facts {
    /// `imap 1.2.0`.
    pub(crate) fn identity(&self) -> String {
        format!("{} {}", self.plugin, self.version)
    }
}

/// A linked version.
pub(crate) struct Version {
    pub(crate) facts: Arc<Facts>,
    pub(crate) manifest: Manifest,
    pub(crate) manifest_text: String,
    pub(crate) digest: String,
    pub(crate) signed_by: Option<String>,
    pub(crate) grants: Grants,
    pub(crate) pre: InstancePre<State>,
    pub(crate) exports: Exports,
}

impl Version {
    /// Names it among all that were ever loaded: number and the beginnings of two digests, because a manifest may
    /// change while the component does not.
    pub(crate) fn key(&self) -> String {
        let manifest = blake3::hash(self.manifest_text.as_bytes()).to_hex();
        let short = |digest: &str| digest.chars().take(12).collect::<String>();
        format!(
            "{}-{}-{}",
            self.facts.version,
            short(&self.digest),
            short(&manifest)
        )
    }

    pub(crate) fn can_hand_over(&self) -> bool {
        self.exports.handoff.is_some()
    }

    /// Whether it says that it reads a frozen format.
    pub(crate) fn accepts(&self, format: u32) -> bool {
        self.manifest
            .handoff
            .as_ref()
            .is_some_and(|handoff| handoff.accepts.contains(&format))
    }

    pub(crate) fn status(&self, state: &str, memory: u64) -> PluginStatus {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.facts.counters;
        PluginStatus {
            plugin: self.facts.plugin.clone(),
            version: self.facts.version.clone(),
            state: state.to_owned(),
            digest: self.digest.clone(),
            signed_by: self.signed_by.clone(),
            ungranted: self.grants.ungranted(),
            sessions: read(&counters.sessions),
            frozen: read(&counters.frozen),
            turns: read(&counters.turns),
            host_calls: read(&counters.host_calls),
            cpu_ms: read(&counters.cpu_micros) / 1_000,
            memory,
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
