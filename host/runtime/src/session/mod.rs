//! The plugin's side of one connection: a live instance, or its frozen state.
//!
//! A session runs one turn at a time. At the end of each it asks the instance for its frozen state, which is
//! cheap and pure, and keeps it: that one byte string is what a crash falls back on, what a hand-over passes to
//! another version, and all that is left when the instance is dropped (`handover`). It is never older than the last
//! completed turn; a version that refused to freeze has nothing to fall back on, rather than something stale.
//!
//! What belongs to the connection and not to the plugin stands outside the instance: the principal, mailboxes, views
//! and kept bodies (`HostSide`), timers and watches (`alarms`). It goes back with the plugin's state: what a turn that
//! failed had been told of a view, the next turn is told.
//!
//! A plugin without `handoff` is served all the same; its sessions end with a crash and stay on their version.

mod alarms;
mod handover;
mod registry;
pub(crate) mod translate;

use std::sync::Arc;

use tokio::{sync::watch, time::Instant};
use tracing::Instrument as _;
use waxwing_exmdb::FolderId;

pub use self::registry::{SessionFailure, SessionStatus};
pub(crate) use self::{
    alarms::Alarms,
    registry::{Registration, Registry},
};
use self::{
    handover::Refused,
    registry::TurnEnd,
    translate::{Occasion, Outcome},
};
use crate::{
    Error, Result,
    bindings::{exports::waxwing::session::handoff::Snapshot, waxwing::session::types as wit},
    host_side::{HostSide, Identity},
    instance::{Failed, FailureKind, Instance},
    limits::reached,
    plugins::{Counters, Plugin, Version},
    protocol::{Action, CloseReason, Context, Event, Turn},
    runtime::Shared,
};

/// Why a waiting session wants attention.
#[derive(Debug)]
pub enum Wake {
    /// Call `turn_for` with it: a timer ran out or a watched folder changed.
    Turn(PendingEvent),
    /// Another version is active: call `upgrade` (only with an empty output queue).
    Upgrade,
    /// End it: `handle(Event::Closing(reason))`.
    Close(CloseReason),
}

/// An event that the session found itself.
#[derive(Debug, Clone)]
pub enum PendingEvent {
    /// A timer ran out.
    Timer(u32),
    /// Watched folders changed, by mailbox number.
    Changed(Vec<(u32, FolderId)>),
}

/// See the module comment.
pub struct Session {
    shared: Arc<Shared>,
    plugin: Arc<Plugin>,
    standing: Standing,
    context: Arc<Context>,
    host: Arc<HostSide>,
    live: Option<Box<Instance>>,
    /// The state after the last completed turn.
    frozen: Option<Snapshot>,
    /// Who wrote it; not the version the session stands on when it was handed over asleep.
    writer: Arc<Version>,
    /// Why there is none.
    unfrozen: String,
    alarms: Alarms,
    swaps: watch::Receiver<u64>,
    registration: Registration,
    close_told: bool,
    refused: Option<Refused>,
    turns: u64,
    /// When the last one ended.
    settled: Instant,
    /// Failed turns since the last that completed.
    failures: u32,
}

/// A session's or request's place in the counts of its version.
pub(crate) struct Standing {
    pub(crate) version: Arc<Version>,
    frozen: bool,
    lingering: bool,
}

impl Standing {
    pub(crate) fn on(version: Arc<Version>) -> Standing {
        Counters::add(&version.facts.counters.sessions);
        Standing {
            version,
            frozen: false,
            lingering: false,
        }
    }

    pub(crate) fn set_frozen(&mut self, frozen: bool) {
        let counter = &self.version.facts.counters.frozen;
        match (self.frozen, frozen) {
            (false, true) => Counters::add(counter),
            (true, false) => Counters::subtract(counter),
            _ => {}
        }
        self.frozen = frozen;
    }

    /// Another version is meant for the session, and it stays.
    fn linger(&mut self, reason: &str) {
        let counters = &self.version.facts.counters;
        if !self.lingering {
            Counters::add(&counters.lingering);
        }
        counters.set_last_refusal(reason);
        self.lingering = true;
    }

    /// The session is where it should be.
    fn belong(&mut self) {
        if std::mem::take(&mut self.lingering) {
            Counters::subtract(&self.version.facts.counters.lingering);
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.set_frozen(false);
        self.belong();
        Counters::subtract(&self.version.facts.counters.sessions);
    }
}

impl Session {
    /// Opens a session with the active version of the plugin that serves the protocol.
    pub(crate) async fn open(shared: Arc<Shared>, context: Context) -> Result<(Session, Turn)> {
        let (plugin, version) = shared.plugins.serving(&context.protocol)?;
        let swaps = plugin.watch();
        let (context, bell) = (Arc::new(context), Arc::default());
        let registration = shared
            .registry
            .enter(&context, &version, &bell)
            .ok_or_else(|| Error::Other("the server is stopping".into()))?;
        let identity = Identity::new(
            context.session.clone(),
            plugin.name.clone(),
            context.peer,
            |session| tracing::info_span!(parent: None, "session", session = %session.id, protocol = session.protocol.as_deref(), plugin = %session.plugin, peer = %session.peer, principal = tracing::field::Empty),
            &version.facts.limits,
        )
        .speaking(context.protocol.clone())
        .with_plaintext_login(context.plaintext_login);
        let host = Arc::new(HostSide::new(
            identity,
            shared.locks.clone(),
            context.tls.clone(),
            None,
        ));
        let mut session = Session {
            shared,
            plugin,
            standing: Standing::on(version.clone()),
            context,
            host,
            live: None,
            frozen: None,
            writer: version,
            unfrozen: "no turn has completed yet".into(),
            alarms: Alarms::new(bell),
            swaps,
            registration,
            close_told: false,
            refused: None,
            turns: 0,
            settled: Instant::now(),
            failures: 0,
        };
        let span = session.host.span();
        let turn = session.start().instrument(span).await?;
        Ok((session, turn))
    }

    async fn start(&mut self) -> Result<Turn> {
        match self.try_start().await {
            Ok(outcome) => Ok(self.settle(outcome)),
            Err(failed) if failed.kind == FailureKind::NoPlace => Err(Error::Limit(failed.reason)),
            Err(failed) => {
                self.count_failure(&failed);
                Err(self.lost(&failed.reason))
            }
        }
    }

    async fn try_start(&mut self) -> std::result::Result<Outcome, Failed> {
        let version = self.standing.version.clone();
        self.host.begin_turn();
        let mut instance = Instance::new(
            &self.shared.engine,
            &version,
            &self.shared.services,
            &self.host,
        )
        .await?;
        let turn = instance.start(&self.told(&version)).await?;
        let outcome = translate::outcome(turn, 0, instance.state())?;
        let frozen = instance.freeze().await?;
        self.complete(frozen);
        self.live = Some(Box::new(instance));
        Ok(outcome)
    }

    /// What a version is told of the connection.
    fn told(&self, version: &Version) -> wit::Context {
        let tls = self.host.tls();
        translate::context(&self.context, tls.as_deref(), version.facts.identity())
    }

    /// Runs one turn. Should the future be dropped before its end, the event may have had effects or none, and the
    /// session goes on from its last frozen state with the next one.
    ///
    /// # Errors
    /// `SessionLost` when the turn failed and there is no frozen state to go on from: the connection must end.
    pub async fn handle(&mut self, event: Event) -> Result<Turn> {
        let span = self.host.span();
        self.turn(Occasion::Net(event)).instrument(span).await
    }

    /// Runs the turn of an event that `wake` returned.
    ///
    /// # Errors
    /// As `handle`.
    pub async fn turn_for(&mut self, pending: PendingEvent) -> Result<Turn> {
        let span = self.host.span();
        self.turn(Occasion::Own(pending)).instrument(span).await
    }

    /// Waits until the session wants attention. Cancel-safe; select it beside the socket. While it waits it gives its instance
    /// up: to whoever has to wait for one, and after `freeze_after` anyhow. One that another version can take over asleep is
    /// handed over here.
    pub async fn wake(&mut self) -> Wake {
        loop {
            if let Some(reason) = self.registration.asked().filter(|_| !self.close_told) {
                self.close_told = true;
                return Wake::Close(reason);
            }
            self.swaps.mark_unchanged();
            if let Some(target) = self.upgrade_target() {
                let accepted = self
                    .frozen
                    .as_ref()
                    .is_some_and(|snapshot| target.accepts(snapshot.format));
                if !accepted || target.is_to_be_tried() {
                    return Wake::Upgrade;
                }
                self.hand_over_asleep(target);
            }
            if let Some(pending) = self.alarms.due(&self.host) {
                return Wake::Turn(pending);
            }
            let shared = self.shared.clone();
            let is_time = |at: Instant| at <= Instant::now();
            if shared.engine.is_wanted() || self.rests_at().is_some_and(is_time) {
                self.rest();
            }
            let rest_at = self.rests_at();
            tokio::select! {
                () = shared.engine.wanted(), if rest_at.is_some() => self.rest(),
                swapped = self.swaps.changed() => if swapped.is_err() { std::future::pending::<()>().await },
                () = self.alarms.wait(rest_at) => {}
            }
        }
    }

    /// Hands over to the newest version; whatever happens, the session goes on. A turn may come of it. A parked session is
    /// handed over too, so that a version that refuses is found out at once and not when the client wakes; it is parked again.
    ///
    /// # Errors
    /// None today; the session goes on with its old version when the new one refuses.
    pub async fn upgrade(&mut self) -> Result<Turn> {
        let span = self.host.span();
        let parked = self.is_parked();
        let turn = self.hand_over().instrument(span).await;
        if parked && turn.actions.is_empty() {
            self.park().await;
        }
        Ok(turn)
    }

    /// Nothing to do for a while: drops the instance, if its state is frozen. The next event thaws it.
    pub async fn park(&mut self) {
        self.rest();
    }

    /// When a session that waits gives up its instance, if it has one and can be frozen.
    fn rests_at(&self) -> Option<Instant> {
        (self.live.is_some() && self.frozen.is_some())
            .then(|| self.settled + self.shared.config.freeze_after)
    }

    fn rest(&mut self) {
        if self.frozen.is_some() && self.live.take().is_some() {
            self.standing.set_frozen(true);
            self.registration.stands_on(&self.standing.version, true);
            self.host.rest();
        }
    }

    /// Tells how many octets of the protocol have come and gone so far, for those who look at sessions.
    pub fn has_moved(&self, bytes_in: u64, bytes_out: u64) {
        self.registration.has_moved(bytes_in, bytes_out);
    }

    /// The span of what is logged about it, here and by who serves the connection. Made anew after each rest: one that is kept for
    /// every idle session is memory, and one that is made for every command was a hundredth of a SELECT.
    #[must_use]
    pub fn span(&self) -> tracing::Span {
        self.host.span()
    }

    /// The address of the authenticated principal.
    #[must_use]
    pub fn principal(&self) -> Option<String> {
        self.host.principal().map(|user| user.address.clone())
    }

    /// Whether the instance is dropped.
    #[must_use]
    pub fn is_parked(&self) -> bool {
        self.live.is_none()
    }

    /// The plugin and version the session stands on, `imap 0.1.0`.
    #[must_use]
    pub fn version(&self) -> String {
        self.standing.version.facts.identity()
    }

    async fn turn(&mut self, occasion: Occasion) -> Result<Turn> {
        self.pace().await;
        if let Occasion::Net(Event::TlsEstablished(tls)) = &occasion {
            self.host.set_tls(tls.clone());
        }
        let mut before = self.hand_over().await;
        if self.live.is_none() {
            before = self.revive().await?;
        }
        if before
            .actions
            .iter()
            .any(|action| matches!(action, Action::Close))
        {
            return Ok(before);
        }
        let ended = matches!(occasion, Occasion::Net(Event::Closed));
        let input = occasion.input();
        let mut turn = match self.try_turn(occasion).await {
            Ok(_) if ended => Turn::default(),
            Ok(outcome) => {
                self.failures = 0;
                self.settle(outcome)
            }
            Err(failed) if ended => {
                self.count_failure(&failed);
                Turn::default()
            }
            Err(failed) => self.recover(failed, input).await?,
        };
        before.actions.append(&mut turn.actions);
        turn.actions = before.actions;
        Ok(turn)
    }

    /// Delays a session that has too many turns in a second.
    async fn pace(&mut self) {
        let mut told = false;
        while let Err(wait) = self.host.identity.take_turn() {
            if !told {
                let limit = reached(
                    "turns_per_second",
                    self.standing.version.facts.limits.turns_per_second,
                );
                tracing::warn!("the session is slowed down: {limit}");
                told = true;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// The instance is the session's again only when the turn is done: a turn that fails or is given up half-way takes
    /// it along, and the session stands on its frozen state.
    async fn try_turn(&mut self, occasion: Occasion) -> std::result::Result<Outcome, Failed> {
        let mut instance = self
            .live
            .take()
            .ok_or_else(|| Failed::answer("there is no instance"))?;
        let offered = occasion.input().len();
        let ended = matches!(occasion, Occasion::Net(Event::Closed));
        self.host.begin_turn();
        let event = translate::event(occasion, instance.state())?;
        let (turn, frozen) = instance.handle(&event, ended).await?;
        let outcome = translate::outcome(turn, offered, instance.state())?;
        if !ended {
            self.complete(frozen);
        }
        self.live = Some(instance);
        Ok(outcome)
    }

    /// Carries out what the session keeps of a completed turn to itself.
    fn settle(&mut self, outcome: Outcome) -> Turn {
        let limits = &self.standing.version.facts.limits;
        if let Err(failed) = self.alarms.set_timers(outcome.timers, limits.timers) {
            tracing::warn!(reason = failed.reason, "a timer is not set");
        }
        if let Some(folders) = outcome.watch {
            self.alarms
                .watch(folders, &self.host, &self.shared.services.store);
        }
        self.turns += 1;
        Counters::add(&self.standing.version.facts.counters.turns);
        self.registration
            .settled(self.host.principal(), self.turn_end());
        self.settled = Instant::now();
        outcome.turn
    }

    /// What an administrator sees of it until the next turn ends.
    fn turn_end(&self) -> TurnEnd {
        let (timers, watches) = self.alarms.counts();
        let memory = self.live.as_ref().map_or(0, |instance| instance.memory());
        TurnEnd {
            turns: self.turns,
            frozen_octets: self
                .frozen
                .as_ref()
                .map(|snapshot| u32::try_from(snapshot.bytes.len()).unwrap_or(u32::MAX)),
            memory: u32::try_from(memory >> 10).unwrap_or(u32::MAX),
            timers: u16::try_from(timers).unwrap_or(u16::MAX),
            watches: u16::try_from(watches).unwrap_or(u16::MAX),
            tls: self.host.tls(),
            ..TurnEnd::default()
        }
    }

    fn count_failure(&self, failed: &Failed) {
        let version = self.standing.version.facts.identity();
        self.registration.failed(version, failed.reason.clone());
        self.standing.version.failed(failed);
        tracing::error!(version = %self.standing.version.facts.version, kind = ?failed.kind, reason = %failed.reason, "a turn failed");
    }

    fn lost(&mut self, reason: &str) -> Error {
        self.live = None;
        self.frozen = None;
        Counters::add(&self.standing.version.facts.counters.lost);
        Error::SessionLost(reason.to_owned())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.host.close();
    }
}
