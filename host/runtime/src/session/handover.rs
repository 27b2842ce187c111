//! Frozen states and where they are thawed: on the next version (upgrade), on a fresh instance of the same one (crash,
//! wake). The new instance is tried on a copy of the session's host side, and nothing of the old one is given up
//! before it has answered.
//!
//! A refusal is counted and logged with its reason, and is not asked for again at once: a version that could not
//! freeze is asked after its next turn, one that could not thaw when another version becomes active. Until then the session
//! lingers on its old version, which says so in `plugin status` and stays until its last session has gone.

use std::sync::Arc;

use bytes::Bytes;

use super::{Session, Standing, translate, translate::Outcome};
use crate::{
    Result,
    bindings::exports::waxwing::session::handoff::{Cause, Crash, Snapshot},
    host_side::HostSide,
    instance::{Failed, FailureKind, Frozen, Instance},
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
    instance: Box<Instance>,
    host: Arc<HostSide>,
    outcome: Outcome,
    frozen: Frozen,
}

/// A copy of a session's host side. What has not been committed when the trial ends, however it ends, is rolled back.
struct Trial(Arc<HostSide>);

impl Drop for Trial {
    fn drop(&mut self) {
        self.0.roll_back();
    }
}

/// A version that has no hand-over, or freezes to what it could not thaw, freezes to nothing.
fn of_use(version: &Version, frozen: Option<Frozen>) -> Frozen {
    let identity = || version.facts.identity();
    let limit = version.facts.limits.frozen_bytes;
    match frozen {
        None => Err(format!("{} has no hand-over", identity())),
        Some(Ok(snapshot)) if snapshot.bytes.len() as u64 > limit => {
            Err(reached("frozen_bytes", limit))
        }
        Some(Ok(snapshot)) if !version.writes(snapshot.format) => Err(format!(
            "{} froze to format {}, which is not what its manifest says it writes",
            identity(),
            snapshot.format
        )),
        Some(frozen) => frozen,
    }
}

impl Session {
    /// Takes the state after a turn, in place of the one before; with it the turn is complete. One that broke at freezing never
    /// came here: it is a failed turn like any other, and nothing of its answer has left.
    pub(super) fn complete(&mut self, frozen: Option<Frozen>) {
        let frozen = of_use(&self.standing.version, frozen);
        self.host.commit();
        self.keep_frozen(frozen);
    }

    fn keep_frozen(&mut self, frozen: Frozen) {
        self.frozen = None;
        match frozen {
            Ok(snapshot) => {
                self.frozen = Some(snapshot);
                self.writer = self.standing.version.clone();
            }
            Err(reason) => {
                tracing::debug!(reason, "the session cannot be frozen now");
                self.unfrozen = reason;
            }
        }
    }

    /// The version to hand over to, if there is a better one than ours and it is worth asking.
    pub(super) fn upgrade_target(&mut self) -> Option<Arc<Version>> {
        let target = self.plugin.version_for(|| self.host.principal())?;
        let ours = &self.standing.version;
        if Arc::ptr_eq(&target, ours) {
            self.standing.belong();
            return None;
        }
        let unable = [ours, &target].into_iter().find(|one| !one.can_hand_over());
        if let Some(unable) = unable {
            let reason = format!("{} has no hand-over", unable.facts.identity());
            self.standing.linger(&reason);
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
        // Before the target is looked up: a swap that comes in between must not count as the one that was refused.
        let swap = *self.swaps.borrow();
        let Some(target) = self.upgrade_target() else {
            return Turn::default();
        };
        let Some(snapshot) = self.frozen.clone() else {
            let reason = self.unfrozen.clone();
            self.refused = Some(Refused::Freeze { turns: self.turns });
            let ours = self.standing.version.clone();
            return self.refuse(&ours, &target, &reason);
        };
        if self.shared.engine.is_full() {
            // Our own place is the one we can be sure of; the state is as good frozen.
            self.park().await;
        }
        match self.thaw(&target, &snapshot, Cause::Upgrade).await {
            Ok(thawed) => {
                tracing::info!(from = %self.standing.version.facts.version, to = %target.facts.version, "handed over");
                Counters::add(&target.facts.counters.handovers);
                target.has_shown_itself(true);
                self.adopt(target, thawed)
            }
            Err(failed) if failed.kind == FailureKind::NoPlace => {
                tracing::debug!(
                    reason = failed.reason,
                    "not handed over yet, there is no place"
                );
                Turn::default()
            }
            Err(failed) => {
                target.failed(&failed);
                target.has_shown_itself(false);
                self.refused = Some(Refused::Thaw { swap });
                self.refuse(&target, &target, &failed.reason)
            }
        }
    }

    fn refuse(&mut self, who: &Version, target: &Version, reason: &str) -> Turn {
        Counters::add(&who.facts.counters.refusals);
        tracing::warn!(from = %self.standing.version.facts.version, to = %target.facts.version, reason, "not handed over");
        self.standing.linger(reason);
        Turn::default()
    }

    /// Hands a waiting session over without waking it: its frozen state is now the target's to thaw, which accepts its
    /// format. Should it not thaw when the client wakes, the version that wrote it goes on.
    pub(super) fn hand_over_asleep(&mut self, target: Arc<Version>) {
        tracing::debug!(from = %self.standing.version.facts.version, to = %target.facts.version, "handed over asleep");
        Counters::add(&target.facts.counters.handovers);
        self.live = None;
        self.host.rest();
        self.stand_on(target, true);
    }

    fn stand_on(&mut self, version: Arc<Version>, frozen: bool) {
        self.standing = Standing::on(version);
        self.standing.set_frozen(frozen);
        self.refused = None;
        self.registration.stands_on(&self.standing.version, frozen);
    }

    /// Thaws a session on the version that it was handed over to asleep. None when that one fails: the session stands on the
    /// version that wrote its state again.
    async fn wake_handed_over(&mut self, snapshot: &Snapshot) -> Option<Turn> {
        let (target, swap) = (self.standing.version.clone(), *self.swaps.borrow());
        let failed = loop {
            match self.thaw(&target, snapshot, Cause::Upgrade).await {
                Ok(thawed) => return Some(self.adopt(target, thawed)),
                Err(failed) if failed.kind == FailureKind::NoPlace => {
                    tracing::warn!(reason = failed.reason, "a session waits for an instance");
                }
                Err(failed) => break failed,
            }
        };
        target.failed(&failed);
        target.has_shown_itself(false);
        self.stand_on(self.writer.clone(), true);
        self.refused = Some(Refused::Thaw { swap });
        self.refuse(&target, &target, &failed.reason);
        None
    }

    /// Thaws a parked session.
    pub(super) async fn revive(&mut self) -> Result<Turn> {
        let Some(snapshot) = self.frozen.clone() else {
            let reason = self.unfrozen.clone();
            return Err(self.lost(&reason));
        };
        if !Arc::ptr_eq(&self.writer, &self.standing.version)
            && let Some(turn) = self.wake_handed_over(&snapshot).await
        {
            return Ok(turn);
        }
        match self.thaw_anywhere(&snapshot, Cause::Wake).await {
            Ok(turn) => Ok(turn),
            Err(failed) => Err(self.lost(&failed.reason)),
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
        let cause = Cause::Crash(Crash {
            reason: failed.reason.clone(),
            input: input.to_vec(),
        });
        let failing = self.standing.version.clone();
        match self.thaw_anywhere(&snapshot, cause).await {
            Ok(turn) => {
                Counters::add(&failing.facts.counters.recoveries);
                // A command was answered: it was the command, and not the state, that broke the turn.
                if turn.consumed > 0 {
                    self.failures = 0;
                }
                Ok(turn)
            }
            Err(_) => Err(self.lost(&failed.reason)),
        }
    }

    /// Thaws on our own version, or on the next best that takes the state: a session is given up only when none does. Waits
    /// for a place, however long: a session that exists does not end because others are many.
    async fn thaw_anywhere(
        &mut self,
        snapshot: &Snapshot,
        cause: Cause,
    ) -> std::result::Result<Turn, Failed> {
        let ours = self.standing.version.clone();
        let mut failure = None;
        let accepting = |version: &Arc<Version>| version.accepts(snapshot.format);
        let meant = self.plugin.version_for(|| self.host.principal());
        let successors = self.plugin.successors(&ours, meant);
        for version in successors.into_iter().filter(accepting) {
            let thawed = loop {
                match self.thaw(&version, snapshot, cause.clone()).await {
                    Err(failed) if failed.kind == FailureKind::NoPlace => {
                        tracing::warn!(reason = failed.reason, "a session waits for an instance");
                    }
                    other => break other,
                }
            };
            match thawed {
                Ok(thawed) => return Ok(self.adopt(version, thawed)),
                Err(mut failed) => {
                    // Nobody may refuse what he wrote himself.
                    if failed.kind == FailureKind::Refusal && Arc::ptr_eq(&version, &ours) {
                        failed.kind = FailureKind::Trap;
                    }
                    version.failed(&failed);
                    tracing::error!(version = %version.facts.version, reason = %failed.reason, "a session cannot go on with this version");
                    failure.get_or_insert(failed);
                }
            }
        }
        Err(failure.unwrap_or_else(|| Failed::answer("no version takes the session")))
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
        // What a failed turn, or one that was given up, has left half-done.
        self.host.roll_back();
        let trial = Trial(Arc::new(self.host.trial()));
        trial.0.begin_thaw();
        let thawed = self.thaw_on(version, snapshot, cause, &trial.0).await?;
        trial.0.commit();
        Ok(thawed)
    }

    async fn thaw_on(
        &mut self,
        version: &Arc<Version>,
        snapshot: &Snapshot,
        cause: Cause,
        host: &Arc<HostSide>,
    ) -> std::result::Result<Thawed, Failed> {
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
        // A version that breaks at freezing would be a way without return.
        let frozen = of_use(version, instance.freeze().await?);
        Ok(Thawed {
            instance: Box::new(instance),
            host: host.clone(),
            outcome,
            frozen,
        })
    }

    /// Makes a thawed instance the session's.
    fn adopt(&mut self, version: Arc<Version>, thawed: Thawed) -> Turn {
        if Arc::ptr_eq(&version, &self.standing.version) {
            self.standing.set_frozen(false);
            self.registration.stands_on(&version, false);
        } else {
            self.stand_on(version, false);
        }
        self.host = thawed.host;
        self.live = Some(thawed.instance);
        self.keep_frozen(thawed.frozen);
        self.settle(thawed.outcome)
    }
}
