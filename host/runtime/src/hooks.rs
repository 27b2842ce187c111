//! Hooks in the mail flow: plugins of the world `mail-flow-hook`, asked at the stages that their manifests name.
//!
//! Each call has a fresh instance that sees one message and what was said about it; what it may call besides is its grant. Trap,
//! time and limits are counted against its version as those of a session are, so that one that fails too much is taken back. What
//! becomes of the message then is the operator's to say, for each hook ([`OnFailure`]).
//!
//! As people's own filters ([`crate::filter`]), hooks are given to the mail flow below as a trait, and hold the runtime weakly.

mod translate;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;
use waxwing_transport::{HookFailure, Hooks, Question, Stage, Verdict};

use crate::{
    host_side::{HostSide, Identity},
    instance::{Failed, Instance},
    plugins::{Counters, Plugin, Version},
    runtime::Shared,
    session::Standing,
};

/// A sender waits meanwhile. A hook may wait for the store; its time on the CPU has a limit of its own.
const TIME: Duration = Duration::from_secs(30);

/// What becomes of a message when a hook gives no answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// Its sender comes again.
    #[default]
    Closed,
    /// It goes on.
    Open,
    /// The version that was active before is asked; without one, or when that fails too, its sender comes again.
    Previous,
}

/// What the operator says to a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookKeys {
    /// Hooks with a smaller one are asked before; those with the same by their names.
    pub priority: u32,
    /// When it gives no answer.
    pub on_failure: OnFailure,
}

impl Default for HookKeys {
    fn default() -> HookKeys {
        HookKeys {
            priority: 100,
            on_failure: OnFailure::Closed,
        }
    }
}

/// What the mail flow asks.
pub(crate) struct MailFlowHooks(Weak<Shared>);

impl MailFlowHooks {
    pub(crate) fn of(shared: &Arc<Shared>) -> MailFlowHooks {
        MailFlowHooks(Arc::downgrade(shared))
    }
}

impl Shared {
    fn hook_keys(&self, plugin: &str) -> HookKeys {
        let operator = self.config.plugins.get(plugin);
        operator.map(|operator| operator.hook).unwrap_or_default()
    }

    /// Whose hook it is decides who gets a canary.
    async fn hook_version(&self, plugin: &Plugin, person: &str) -> Option<Arc<Version>> {
        let person = match plugin.has_canary() {
            true => self.services.directory.user(person).await.ok(),
            false => None,
        };
        plugin.version_for(|| person)
    }

    /// One version's answer; a failure is counted and told.
    async fn ask_version(
        &self,
        plugin: &Plugin,
        version: &Arc<Version>,
        question: &Question,
    ) -> Result<Verdict, String> {
        let peer = question.envelope.peer;
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let identity = Identity::new(
            question.envelope.session.as_str().into(),
            plugin.name.clone(),
            SocketAddr::from((peer, 0)),
            |hook| tracing::info_span!("hook", session = %hook.id, plugin = %hook.plugin, principal = tracing::field::Empty),
            &version.facts.limits,
        );
        let host = Arc::new(HostSide::new(identity, self.locks.clone(), None, None));
        let span = host.span();
        let run = self.run_hook(version, &host, question).instrument(span);
        let done = tokio::time::timeout(TIME, run).await;
        host.close();
        let failed = match done {
            Ok(Ok(verdict)) => return Ok(verdict),
            Ok(Err(failed)) => failed,
            Err(_) => Failed::timeout(format!("it took more than {} s", TIME.as_secs())),
        };
        version.failed(&failed);
        let (session, stage) = (&question.envelope.session, question.stage.name());
        tracing::error!(session, hook = %plugin.name, version = %version.facts.version, stage, kind = ?failed.kind, reason = %failed.reason, "a hook failed");
        Err(failed.reason)
    }

    async fn run_hook(
        &self,
        version: &Arc<Version>,
        host: &Arc<HostSide>,
        question: &Question,
    ) -> Result<Verdict, Failed> {
        let _standing = Standing::on(version.clone());
        host.begin_turn();
        let mut instance = Instance::new(&self.engine, version, &self.services, host).await?;
        let told = translate::message(question, instance.state())?;
        let answered = match question.stage {
            Stage::Connect => instance.on_connect(&told.connection).await?,
            Stage::Envelope => {
                let envelope = &told.envelope;
                instance.on_envelope(&told.connection, envelope).await?
            }
            Stage::MessageIn => instance.on_message_in(&told).await?,
            Stage::MessageOut => instance.on_message_out(&told).await?,
            Stage::Deliver => instance.on_deliver(&told, &question.recipient).await?,
        };
        Counters::add(&version.facts.counters.turns);
        let verdict = translate::verdict(answered, instance.state())?;
        host.commit();
        Ok(verdict)
    }
}

#[async_trait]
impl Hooks for MailFlowHooks {
    fn at(&self, stage: Stage) -> Vec<Arc<str>> {
        let Some(shared) = self.0.upgrade() else {
            return Vec::new();
        };
        let mut hooks = shared.plugins.hooks_at(stage);
        hooks.sort_by_cached_key(|name| (shared.hook_keys(name).priority, name.clone()));
        hooks
    }

    async fn ask(&self, hook: &str, question: Question) -> Result<Verdict, HookFailure> {
        let closed = |reason: String| HookFailure {
            reason,
            passes: false,
        };
        let shared = self.0.upgrade();
        let shared = shared.ok_or_else(|| closed("the server is stopping".into()))?;
        let keys = shared.hook_keys(hook);
        let failure = |reason: String| HookFailure {
            reason,
            passes: keys.on_failure == OnFailure::Open,
        };
        if shared.plugins.is_missing(hook) {
            let reason = "its active version could not be brought back at the start";
            return Err(failure(reason.to_owned()));
        }
        let plugin = shared.plugins.get(hook);
        let plugin = plugin.map_err(|error| closed(error.to_string()))?;
        let version = shared.hook_version(&plugin, &question.person).await;
        // Another version became active since, which wants nothing of this stage, or none at all.
        let Some(version) = version.filter(|version| version.wants(question.stage)) else {
            return Ok(Verdict::Accept);
        };
        let reason = match shared.ask_version(&plugin, &version, &question).await {
            Ok(verdict) => return Ok(verdict),
            Err(reason) => reason,
        };
        let before = match keys.on_failure {
            OnFailure::Previous => plugin.before(&version),
            OnFailure::Closed | OnFailure::Open => None,
        };
        let Some(before) = before.filter(|before| before.wants(question.stage)) else {
            return Err(failure(reason));
        };
        let again = shared.ask_version(&plugin, &before, &question).await;
        again.map_err(failure)
    }
}
