//! One live instance of a version: a wasmtime store and its exports. A call is a turn: measured on the CPU clock,
//! bounded by the clock on the wall, and after any failure the instance is dead and must be dropped, because
//! nothing is known of its memory any more.

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use wasmtime::{Store, UpdateDeadline, component::InstancePre, component::ResourceTable};

use crate::{
    bindings::exports::waxwing::{hook, http, session},
    bindings::waxwing::{
        hook::types as hook_types, http::types as http_types, session::types as session_types,
        transport::delivery::Envelope,
    },
    engine::{Engine, PLACE_WAIT, Place, TICK},
    host_side::HostSide,
    imports::LimitReached,
    limits::reached,
    memory::MemoryAccount,
    meter::TurnClock,
    package::manifest::World,
    plugins::{Facts, Version},
    state::State,
    wasi,
};

/// How a turn failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The guest trapped, or answered what makes no sense.
    Trap,
    /// It used up its time.
    Timeout,
    /// It passed another limit.
    Limit,
    /// It declined a state in its own words or by its manifest, which it may.
    Refusal,
    /// The host had no place or no memory for an instance, because others have it: nobody's fault.
    NoPlace,
}

/// A failed turn; `reason` is one line.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) kind: FailureKind,
    pub(crate) reason: String,
}

impl Failed {
    pub(crate) fn refusal(reason: impl Into<String>) -> Failed {
        Failed {
            kind: FailureKind::Refusal,
            reason: reason.into(),
        }
    }

    /// An answer that passes a limit.
    pub(crate) fn limit(reason: String) -> Failed {
        Failed {
            kind: FailureKind::Limit,
            reason,
        }
    }

    /// It did not come to an end.
    pub(crate) fn timeout(reason: String) -> Failed {
        Failed {
            kind: FailureKind::Timeout,
            reason,
        }
    }

    pub(crate) fn answer(reason: impl Into<String>) -> Failed {
        Failed {
            kind: FailureKind::Trap,
            reason: reason.into(),
        }
    }
}

/// Which interfaces a component exports.
#[derive(Clone)]
pub(crate) struct Exports {
    pub(crate) stream: Option<session::stream::GuestIndices>,
    pub(crate) handoff: Option<session::handoff::GuestIndices>,
    pub(crate) http: Option<http::handler::GuestIndices>,
    pub(crate) mail_flow: Option<hook::mail_flow::GuestIndices>,
    pub(crate) store_events: bool,
    pub(crate) filter: Option<hook::delivery_filter::GuestIndices>,
}

impl Exports {
    /// Without what the manifest does not claim: a world is a promise in both directions.
    pub(crate) fn within(mut self, world: World) -> Exports {
        self.stream = self.stream.filter(|_| world.is_stream());
        self.handoff = self.handoff.filter(|_| world == World::StreamPlugin);
        self.http = self.http.filter(|_| world == World::HttpPlugin);
        self.mail_flow = self.mail_flow.filter(|_| world == World::MailFlowHook);
        self.filter = self.filter.filter(|_| world == World::DeliveryFilterHook);
        self
    }

    pub(crate) fn of(pre: &InstancePre<State>) -> Exports {
        Exports {
            stream: session::stream::GuestIndices::new(pre).ok(),
            handoff: session::handoff::GuestIndices::new(pre).ok(),
            http: http::handler::GuestIndices::new(pre).ok(),
            mail_flow: hook::mail_flow::GuestIndices::new(pre).ok(),
            store_events: hook::store_events::GuestIndices::new(pre).is_ok(),
            filter: hook::delivery_filter::GuestIndices::new(pre).ok(),
        }
    }
}

/// What of an instance can be called.
struct Guests {
    stream: Option<session::stream::Guest>,
    handoff: Option<session::handoff::Guest>,
    http: Option<http::handler::Guest>,
    mail_flow: Option<hook::mail_flow::Guest>,
    filter: Option<hook::delivery_filter::Guest>,
}

impl Guests {
    /// Instantiates.
    async fn of(version: &Version, store: &mut Store<State>) -> wasmtime::Result<Guests> {
        let instance = version.pre.instantiate_async(&mut *store).await?;
        let exports = &version.exports;
        macro_rules! load {
            ($export:ident) => {
                match &exports.$export {
                    Some(indices) => Some(indices.load(&mut *store, &instance)?),
                    None => None,
                }
            };
        }
        Ok(Guests {
            stream: load!(stream),
            handoff: load!(handoff),
            http: load!(http),
            mail_flow: load!(mail_flow),
            filter: load!(filter),
        })
    }
}

pub(crate) struct Instance {
    store: Store<State>,
    guests: Guests,
    clock: Arc<TurnClock>,
    facts: Arc<Facts>,
    _place: Place,
}

impl Instance {
    /// Instantiates a version for a session or request. When instances of sessions that do nothing hold the memory, they give it up.
    pub(crate) async fn new(
        engine: &Engine,
        version: &Version,
        services: &crate::Services,
        host: &Arc<HostSide>,
    ) -> Result<Instance, Failed> {
        let began = Instant::now();
        loop {
            let made = Instance::try_new(engine, version, services, host).await;
            match made {
                Err(failed)
                    if failed.kind == FailureKind::NoPlace && began.elapsed() < PLACE_WAIT =>
                {
                    engine.call_for_memory().await;
                }
                made => return made,
            }
        }
    }

    async fn try_new(
        engine: &Engine,
        version: &Version,
        services: &crate::Services,
        host: &Arc<HostSide>,
    ) -> Result<Instance, Failed> {
        let place = engine.place().await.map_err(|error| Failed {
            kind: FailureKind::NoPlace,
            reason: error.to_string(),
        })?;
        let facts = version.facts.clone();
        let clock = Arc::new(TurnClock::new(&engine.long_turns, &facts.pace));
        let mut store = Store::new(&engine.wasm, state(engine, &facts, &clock, services, host));
        bound(&mut store, &facts, &clock);
        let guests = turn(&clock, &facts, Guests::of(version, &mut store)).await;
        let guests = match guests {
            Ok(guests) => guests,
            Err(failed) => {
                let mut failed = explain(failed, &store);
                if store.data().memory.waits_for_others() {
                    failed.kind = FailureKind::NoPlace;
                }
                return Err(failed);
            }
        };
        Ok(Instance {
            store,
            guests,
            clock,
            facts,
            _place: place,
        })
    }

    /// Its linear memory, in octets.
    pub(crate) fn memory(&self) -> u64 {
        self.store.data().memory.octets()
    }

    pub(crate) fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    pub(crate) async fn start(
        &mut self,
        context: &session_types::Context,
    ) -> Result<session_types::Turn, Failed> {
        let guest = self
            .guests
            .stream
            .as_ref()
            .ok_or_else(|| Failed::answer("it speaks no stream protocol"))?;
        self.store.set_epoch_deadline(1);
        let called = turn(
            &self.clock,
            &self.facts,
            guest.call_start(&mut self.store, context),
        )
        .await;
        called.map_err(|failed| explain(failed, &self.store))
    }

    /// An event, and unless it is the last, what the instance freezes to after it: one turn on one clock, as it is to everybody
    /// else; each turn more reads the CPU's clock twice.
    pub(crate) async fn handle(
        &mut self,
        event: &session_types::Event,
        is_last: bool,
    ) -> Result<(session_types::Turn, Option<Frozen>), Failed> {
        let guest = self
            .guests
            .stream
            .as_ref()
            .ok_or_else(|| Failed::answer("it speaks no stream protocol"))?;
        let handoff = self.guests.handoff.as_ref().filter(|_| !is_last);
        let store = &mut self.store;
        let calls = async {
            store.set_epoch_deadline(1);
            let turn = guest.call_handle(&mut *store, event).await?;
            let Some(handoff) = handoff else {
                return Ok((turn, None));
            };
            store.set_epoch_deadline(1);
            Ok((turn, Some(handoff.call_freeze(store).await?)))
        };
        let called = turn(&self.clock, &self.facts, calls).await;
        called.map_err(|failed| explain(failed, &self.store))
    }

    /// None where the version has no hand-over.
    pub(crate) async fn freeze(&mut self) -> Result<Option<Frozen>, Failed> {
        let Some(guest) = self.guests.handoff.as_ref() else {
            return Ok(None);
        };
        self.store.set_epoch_deadline(1);
        let called = turn(&self.clock, &self.facts, guest.call_freeze(&mut self.store)).await;
        called
            .map(Some)
            .map_err(|failed| explain(failed, &self.store))
    }

    pub(crate) async fn thaw(
        &mut self,
        snapshot: &session::handoff::Snapshot,
        context: &session_types::Context,
        cause: &session::handoff::Cause,
    ) -> Result<Result<session_types::Turn, String>, Failed> {
        let guest = self
            .guests
            .handoff
            .as_ref()
            .ok_or_else(|| Failed::answer("it exports no handoff"))?;
        self.store.set_epoch_deadline(1);
        let called = turn(
            &self.clock,
            &self.facts,
            guest.call_thaw(&mut self.store, snapshot, context, cause),
        )
        .await;
        called.map_err(|failed| explain(failed, &self.store))
    }

    pub(crate) async fn http_handle(
        &mut self,
        request: &http_types::Request,
    ) -> Result<Vec<http_types::Action>, Failed> {
        let guest = self
            .guests
            .http
            .as_ref()
            .ok_or_else(|| Failed::answer("it answers no requests"))?;
        self.store.set_epoch_deadline(1);
        let called = turn(
            &self.clock,
            &self.facts,
            guest.call_handle(&mut self.store, request),
        )
        .await;
        called.map_err(|failed| explain(failed, &self.store))
    }

    pub(crate) async fn http_resume(
        &mut self,
        ticket: &[u8],
        wake: &http_types::Wake,
    ) -> Result<Vec<http_types::Action>, Failed> {
        let guest = self
            .guests
            .http
            .as_ref()
            .ok_or_else(|| Failed::answer("it answers no requests"))?;
        self.store.set_epoch_deadline(1);
        let called = turn(
            &self.clock,
            &self.facts,
            guest.call_resume(&mut self.store, ticket, wake),
        )
        .await;
        called.map_err(|failed| explain(failed, &self.store))
    }
}

impl Instance {
    /// What becomes of a message, or why nothing can be said.
    pub(crate) async fn filter(
        &mut self,
        arrival: &hook::delivery_filter::Arrival,
    ) -> Result<Result<Vec<hook::delivery_filter::Step>, String>, Failed> {
        let guest = self
            .guests
            .filter
            .as_ref()
            .ok_or_else(|| Failed::answer("it filters nothing"))?;
        self.store.set_epoch_deadline(1);
        let called = turn(
            &self.clock,
            &self.facts,
            guest.call_filter(&mut self.store, arrival),
        )
        .await;
        called.map_err(|failed| explain(failed, &self.store))
    }
}

/// What an instance freezes to, or why it cannot now.
pub(crate) type Frozen = Result<session::handoff::Snapshot, String>;

/// One stage of the mail flow.
macro_rules! stage {
    ($name:ident, $call:ident, $($argument:ident: $kind:ty),+) => {
        pub(crate) async fn $name(
            &mut self,
            $($argument: $kind),+
        ) -> Result<hook_types::Verdict, Failed> {
            let guest = self.guests.mail_flow.as_ref();
            let guest = guest.ok_or_else(|| Failed::answer("it is no hook of the mail flow"))?;
            self.store.set_epoch_deadline(1);
            let call = guest.$call(&mut self.store, $($argument),+);
            let called = turn(&self.clock, &self.facts, call).await;
            called.map_err(|failed| explain(failed, &self.store))
        }
    };
}

impl Instance {
    stage!(on_connect, call_on_connect, connection: &hook_types::Connection);
    stage!(on_envelope, call_on_envelope, connection: &hook_types::Connection, envelope: &Envelope);
    stage!(on_message_in, call_on_message_in, message: &hook_types::Message);
    stage!(on_message_out, call_on_message_out, message: &hook_types::Message);
    stage!(on_deliver, call_on_deliver, message: &hook_types::Message, recipient: &str);
}

/// What the host keeps of an instance.
fn state(
    engine: &Engine,
    facts: &Arc<Facts>,
    clock: &Arc<TurnClock>,
    services: &crate::Services,
    host: &Arc<HostSide>,
) -> State {
    let mut table = ResourceTable::new();
    table.set_max_capacity(usize::try_from(facts.limits.handles).unwrap_or(usize::MAX));
    State {
        table,
        wasi: wasi::context(host, facts),
        memory: MemoryAccount::new(
            (facts.memory.clone(), facts.version_memory.clone()),
            engine.process.clone(),
            &facts.limits,
        ),
        host: host.clone(),
        facts: facts.clone(),
        services: services.clone(),
        clock: clock.clone(),
    }
}

/// Puts every bound on a store.
fn bound(store: &mut Store<State>, facts: &Facts, clock: &Arc<TurnClock>) {
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(usize::try_from(facts.limits.call_bytes).unwrap_or(usize::MAX));
    store.set_max_component_handles(usize::try_from(facts.limits.handles).unwrap_or(usize::MAX));
    let clock = clock.clone();
    let budget = facts.limits.cpu_per_turn_ms;
    store.epoch_deadline_callback(move |_| {
        let used = clock.used_now();
        if used < TICK {
            // Time passed in which others ran, or the host worked for it.
            return Ok(UpdateDeadline::Continue(1));
        }
        if used > Duration::from_millis(budget) {
            return Err(wasmtime::Error::new(OutOfTime(reached(
                "cpu_per_turn_ms",
                budget,
            ))));
        }
        let next_tick = Box::pin(clock.clone().next_tick());
        Ok(UpdateDeadline::YieldCustom(1, next_tick))
    });
    store.set_epoch_deadline(1);
}

/// The turn's time, of CPU or by the clock, is used up.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct OutOfTime(String);

/// Runs a call into the guest on its clocks.
async fn turn<T>(
    clock: &Arc<TurnClock>,
    facts: &Facts,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, wasmtime::Error> {
    clock.restart();
    let bound = facts.limits.turn_ms;
    let ended = tokio::time::timeout(Duration::from_millis(bound), clock.measure(call)).await;
    let used = clock.restart();
    clock.pace.learn(used);
    facts.pace.average(used);
    facts.counters.cpu_micros.fetch_add(
        u64::try_from(used.as_micros()).unwrap_or(u64::MAX),
        Ordering::Relaxed,
    );
    ended.unwrap_or_else(|_| Err(wasmtime::Error::new(OutOfTime(reached("turn_ms", bound)))))
}

/// What an error means, in one line; the whole of it goes to the log.
fn explain(error: wasmtime::Error, store: &Store<State>) -> Failed {
    tracing::debug!(error = ?error, "a turn failed");
    let (kind, reason) = if let Some(out) = error.downcast_ref::<OutOfTime>() {
        (FailureKind::Timeout, out.to_string())
    } else if let Some(limit) = error.downcast_ref::<LimitReached>() {
        (FailureKind::Limit, limit.to_string())
    } else if let Some(refusal) = store.data().memory.refusal() {
        (
            FailureKind::Limit,
            format!("{refusal}: {}", error.root_cause()),
        )
    } else {
        let (cause, limits) = (error.root_cause().to_string(), &store.data().facts.limits);
        // Two limits that wasmtime keeps for us; its errors for them have no public type.
        if cause.contains("fuel allocated for hostcalls") {
            (FailureKind::Limit, reached("call_bytes", limits.call_bytes))
        } else if cause.contains("store handle limit") {
            (FailureKind::Limit, reached("handles", limits.handles))
        } else {
            (FailureKind::Trap, cause)
        }
    };
    Failed { kind, reason }
}
