//! Frozen states and where they are thawed: on the next version (upgrade), on a fresh instance of the same one (crash,
//! wake). The new instance is tried on a copy of the session's host side, and nothing of the old one is given up
//! before it has answered.
//!
//! A refusal is counted and logged with its reason, and is not asked for again at once: a version that could not
//! freeze is asked after its next turn, one that could not thaw when another version becomes active.

use std::sync::Arc;

use bytes::Bytes;

use super::{Session, Standing, translate, translate::Outcome};
use crate::{
    Error, Result,
    bindings::exports::waxwing::session::handoff::{Cause, Crash, Snapshot},
    host_side::HostSide,
    instance::{Failed, FailureKind, Instance},
    limits::reached,
    plugins::{Counters, Version},
    protocol::{Action, Turn},
};

/// After so many failed turns in a row the session ends: its state itself must be what breaks them.
const FAILURES: u32 = 3;

/// A hand-over that did not happen.
pub(super) enum Refused {
    /// The old version could not freeze; after this many turns.
    Freeze { turns: u64 },
    /// The new version could not thaw; at this count of swaps.
    Thaw { swap: u64 },
}

struct Thawed {
    instance: Instance,
    host: Arc<HostSide>,
    outcome: Outcome,
}

impl Session {
    /// Keeps the state after a completed turn, in place of the one before.
    pub(super) async fn freeze(&mut self) {
        let version = self.standing.version.clone();
        let Some(mut instance) = self.live.take() else {
            return;
        };
        let frozen = if version.can_hand_over() {
            instance.freeze().await
        } else {
            Ok(Err(format!(
                "{} has no hand-over",
                version.facts.identity()
            )))
        };
        self.frozen = None;
        let limit = version.facts.limits.frozen_bytes;
        self.unfrozen = match frozen {
            Ok(Ok(snapshot)) if snapshot.bytes.len() as u64 > limit => {
                reached("frozen_bytes", limit)
            }
            Ok(Ok(snapshot)) if !version.accepts(snapshot.format) => format!(
                "{} froze to format {}, which its manifest does not accept",
                version.facts.identity(),
                snapshot.format
            ),
            Ok(Ok(snapshot)) => {
                self.host.commit_kept();
                self.frozen = Some(snapshot);
                self.live = Some(instance);
                return;
            }
            Ok(Err(refusal)) => refusal,
            Err(failed) => {
                self.count_failure(&failed);
                self.unfrozen = failed.reason;
                return;
            }
        };
        self.live = Some(instance);
        tracing::debug!(reason = %self.unfrozen, "the session cannot be frozen now");
    }

    /// The version to hand over to, if there is a better one than ours and it is worth asking.
    pub(super) fn upgrade_target(&self) -> Option<Arc<Version>> {
        let target = self.plugin.version_for(|| self.host.principal())?;
        let ours = &self.standing.version;
        if Arc::ptr_eq(&target, ours) || !target.can_hand_over() || !ours.can_hand_over() {
            return None;
        }
        match self.refused {
            Some(Refused::Freeze { turns }) if turns == self.turns => None,
            Some(Refused::Thaw { swap }) if swap == *self.swaps.borrow() => None,
            _ => Some(target),
        }
    }

    /// Hands over if there is a version to hand over to.
    pub(super) async fn hand_over(&mut self) -> Turn {
        let Some(target) = self.upgrade_target() else {
            return Turn::default();
        };
        let Some(snapshot) = self.frozen.clone() else {
            let reason = self.unfrozen.clone();
            self.refused = Some(Refused::Freeze { turns: self.turns });
            return self.refuse(&self.standing.version, &target, &reason);
        };
        let swap = *self.swaps.borrow();
        match self.thaw(&target, &snapshot, Cause::Upgrade).await {
            Ok(thawed) => {
                tracing::info!(from = %self.standing.version.facts.version, to = %target.facts.version, "handed over");
                Counters::add(&target.facts.counters.handovers);
                self.adopt(target, thawed).await
            }
            Err(failed) => {
                target.failed(&failed);
                self.refused = Some(Refused::Thaw { swap });
                self.refuse(&target, &target, &failed.reason)
            }
        }
    }

    fn refuse(&self, who: &Version, target: &Version, reason: &str) -> Turn {
        Counters::add(&who.facts.counters.refusals);
        tracing::warn!(from = %self.standing.version.facts.version, to = %target.facts.version, reason, "not handed over");
        Turn::default()
    }

    /// Thaws a parked session.
    pub(super) async fn revive(&mut self) -> Result<Turn> {
        let Some(snapshot) = self.frozen.clone() else {
            let reason = self.unfrozen.clone();
            return Err(self.lost(&reason));
        };
        let ours = self.standing.version.clone();
        match self.thaw(&ours, &snapshot, Cause::Wake).await {
            Ok(thawed) => Ok(self.adopt(ours, thawed).await),
            Err(failed) if failed.kind == FailureKind::NoPlace => Err(Error::Limit(failed.reason)),
            Err(mut failed) => {
                // Nobody may refuse what he wrote himself.
                if failed.kind == FailureKind::Refusal {
                    failed.kind = FailureKind::Trap;
                }
                self.count_failure(&failed);
                Err(self.lost(&failed.reason))
            }
        }
    }

    /// Goes on after a failed turn, from the state before it.
    pub(super) async fn recover(&mut self, failed: Failed, input: Bytes) -> Result<Turn> {
        self.count_failure(&failed);
        self.live = None;
        self.failures += 1;
        let Some(snapshot) = self.frozen.clone().filter(|_| self.failures <= FAILURES) else {
            let why = if self.failures > FAILURES {
                "too many failed turns in a row"
            } else {
                self.unfrozen.as_str()
            };
            let reason = format!("{}; {why}", failed.reason);
            return Err(self.lost(&reason));
        };
        let ours = self.standing.version.clone();
        let meant = self
            .plugin
            .version_for(|| self.host.principal())
            .filter(|meant| !Arc::ptr_eq(meant, &ours) && meant.can_hand_over());
        let cause = Cause::Crash(Crash {
            reason: failed.reason.clone(),
            input: input.to_vec(),
        });
        for version in std::iter::once(ours).chain(meant) {
            match self.thaw(&version, &snapshot, cause.clone()).await {
                Ok(thawed) => {
                    Counters::add(&self.standing.version.facts.counters.recoveries);
                    return Ok(self.adopt(version, thawed).await);
                }
                Err(again) => {
                    version.failed(&again);
                    tracing::error!(version = %version.facts.version, reason = %again.reason, "cannot go on after the failed turn");
                }
            }
        }
        Err(self.lost(&failed.reason))
    }

    /// Tries a frozen state on a fresh instance.
    async fn thaw(
        &mut self,
        version: &Arc<Version>,
        snapshot: &Snapshot,
        cause: Cause,
    ) -> std::result::Result<Thawed, Failed> {
        if !version.accepts(snapshot.format) {
            return Err(Failed::refusal(format!(
                "{} does not accept format {}",
                version.facts.identity(),
                snapshot.format
            )));
        }
        let host = Arc::new(self.host.trial());
        host.begin_thaw();
        match self.thaw_on(version, snapshot, cause, &host).await {
            Ok((instance, outcome)) => Ok(Thawed {
                instance,
                host,
                outcome,
            }),
            Err(failed) => {
                self.host.discard(&host);
                Err(failed)
            }
        }
    }

    async fn thaw_on(
        &mut self,
        version: &Arc<Version>,
        snapshot: &Snapshot,
        cause: Cause,
        host: &Arc<HostSide>,
    ) -> std::result::Result<(Instance, Outcome), Failed> {
        let offered = if let Cause::Crash(crash) = &cause {
            crash.input.len()
        } else {
            0
        };
        let context = self.told(version);
        let mut instance =
            Instance::new(&self.shared.engine, version, &self.shared.services, host).await?;
        let turn = instance
            .thaw(snapshot, &context, &cause)
            .await?
            .map_err(|refusal| Failed::refusal(format!("thaw refused: {refusal}")))?;
        let outcome = translate::outcome(turn, offered, instance.state())?;
        // Another event may follow in the same turn: what must come last cannot come before it.
        let last = |action: &Action| {
            matches!(
                action,
                Action::More
                    | Action::ReceiveBody { .. }
                    | Action::StartTls
                    | Action::StartCompression
            )
        };
        if !matches!(cause, Cause::Crash(_)) && outcome.turn.actions.iter().any(last) {
            return Err(Failed::answer(
                "thaw answered with an action that only follows an event",
            ));
        }
        Ok((instance, outcome))
    }

    /// Makes a thawed instance the session's.
    async fn adopt(&mut self, version: Arc<Version>, thawed: Thawed) -> Turn {
        if Arc::ptr_eq(&version, &self.standing.version) {
            self.standing.set_frozen(false);
        } else {
            self.standing = Standing::on(version);
            self.refused = None;
        }
        self.host = thawed.host;
        self.live = Some(thawed.instance);
        self.registration.stands_on(&self.standing.version, false);
        self.settle(thawed.outcome).await
    }
}
