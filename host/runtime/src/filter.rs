//! Filters at delivery: the plugin of the world `delivery-filter-hook` runs a person's script over a message that arrives for her.
//!
//! Each call has a fresh instance that sees one message and one script, and can ask about one mailbox, without a handle on it: a
//! filter that is broken into learns what the mail it filters says, and nothing else. Trap, time and limits are counted against its
//! version as those of a session are; the message is then kept, which is the mail flow's business (`waxwing_transport`).
//!
//! The mail flow stands below this room, so it is given a [`Filter`] and knows nothing of plugins. That one holds the runtime
//! weakly: the runtime holds the mail flow.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use tracing::Instrument as _;
use wasmtime::component::Resource;
use waxwing_exmdb::Body;
use waxwing_transport::{Arrival, Deposit, Filter, Post, Step};

use crate::{
    bindings::exports::waxwing::hook::delivery_filter as wit,
    host_side::{HostSide, Identity},
    instance::{Failed, Instance},
    limits::reached,
    plugins::{Counters, Version},
    runtime::Shared,
    session::Standing,
    state::State,
};

/// A sender waits meanwhile. A filter may wait for the store; its time on the CPU has a limit of its own.
const TIME: Duration = Duration::from_secs(30);
/// Steps of one answer.
const STEPS: usize = 200;

/// What the mail flow calls.
pub(crate) struct Filters(Weak<Shared>);

impl Filters {
    pub(crate) fn of(shared: &Arc<Shared>) -> Filters {
        Filters(Arc::downgrade(shared))
    }
}

#[async_trait]
impl Filter for Filters {
    async fn filter(&self, arrival: Arrival) -> Result<Vec<Step>, String> {
        let shared = self.0.upgrade().ok_or("the server is stopping")?;
        let (plugin, active) = shared
            .plugins
            .filtering()
            .ok_or("no plugin that filters is active")?;
        let owner = shared.services.directory.user(&arrival.owner).await.ok();
        let version = plugin.version_for(|| owner).unwrap_or(active);
        let identity = Identity::new(
            arrival.envelope.session.as_str().into(),
            plugin.name.clone(),
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            |filter| tracing::info_span!("filter", session = %filter.id, plugin = %filter.plugin, principal = tracing::field::Empty),
            &version.facts.limits,
        );
        let host = HostSide::new(identity, shared.locks.clone(), None, None);
        let host = Arc::new(host.filtering(arrival.mailbox.clone()));
        let span = host.span();
        let run = run(&shared, &version, &host, arrival).instrument(span);
        let done = tokio::time::timeout(TIME, run).await;
        host.close();
        match done {
            Ok(Ok(steps)) => Ok(steps),
            Ok(Err(Ended::Refused(reason))) => Err(reason),
            Ok(Err(Ended::Failed(failed))) => {
                version.failed(&failed);
                tracing::error!(version = %version.facts.version, kind = ?failed.kind, reason = %failed.reason, "a filter failed");
                Err(failed.reason)
            }
            Err(_) => Err(format!("it took more than {} s", TIME.as_secs())),
        }
    }
}

/// How a call ends without steps.
enum Ended {
    /// In the filter's own words.
    Refused(String),
    Failed(Failed),
}

impl From<Failed> for Ended {
    fn from(failed: Failed) -> Ended {
        Ended::Failed(failed)
    }
}

async fn run(
    shared: &Shared,
    version: &Arc<Version>,
    host: &Arc<HostSide>,
    arrival: Arrival,
) -> Result<Vec<Step>, Ended> {
    let _standing = Standing::on(version.clone());
    host.begin_turn();
    let mut instance = Instance::new(&shared.engine, version, &shared.services, host).await?;
    let told = told(arrival, instance.state())?;
    let answered = instance.filter(&told).await?;
    Counters::add(&version.facts.counters.turns);
    let steps = answered.map_err(Ended::Refused)?;
    if steps.len() > STEPS {
        return Err(Failed::limit(reached("steps of a filter", STEPS as u64)).into());
    }
    let mut wanted = Vec::with_capacity(steps.len());
    for step in steps {
        wanted.extend(translated(step, instance.state())?);
    }
    host.commit();
    Ok(wanted)
}

/// An arrival for an instance; its message gets a handle there.
fn told(arrival: Arrival, state: &mut State) -> Result<wit::Arrival, Failed> {
    let message = state.push(arrival.message);
    let envelope = arrival.envelope;
    let environment = [
        (
            "domain",
            arrival
                .host_name
                .split_once('.')
                .map_or("", |(_, domain)| domain),
        ),
        ("host", arrival.host_name.as_str()),
        ("location", "MDA"),
        ("name", "Waxwing"),
        ("phase", "during"),
        ("remote-host", envelope.helo.as_str()),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(wit::Arrival {
        message: message
            .map_err(|_| Failed::limit(reached("handles", state.facts.limits.handles)))?,
        sender: envelope.sender,
        recipient: arrival.recipient,
        owner: arrival.owner,
        script_name: arrival.script_name,
        script: arrival.script,
        environment: environment.to_vec(),
    })
}

/// What the mail flow is to do, if it is anything.
fn translated(step: wit::Step, state: &mut State) -> Result<Option<Step>, Failed> {
    Ok(Some(match step {
        wit::Step::Store(deposit) => Step::Store(Deposit {
            folder: deposit.folder,
            special_use: deposit.special_use,
            create: deposit.create,
            flags: deposit.flags,
            message: body(deposit.message, state)?,
        }),
        wit::Step::Redirect(given) => Step::Redirect(post(given, state)?),
        wit::Step::Reply(given) => Step::Reply(post(given, state)?),
        wit::Step::Refuse(refusal) => Step::Refuse {
            text: refusal.text,
            notice: refusal.notice.map(|given| post(given, state)).transpose()?,
        },
        wit::Step::Remember(memory) => Step::Remember {
            key: memory.key,
            seconds: memory.seconds,
        },
        // An open door: what this host does not know is no step.
        wit::Step::Extension(_) => return Ok(None),
    }))
}

fn post(given: wit::Post, state: &mut State) -> Result<Post, Failed> {
    Ok(Post {
        sender: given.sender,
        recipient: given.recipient,
        message: body(given.message, state)?,
    })
}

fn body(handle: Option<Resource<Body>>, state: &mut State) -> Result<Option<Body>, Failed> {
    let Some(handle) = handle else {
        return Ok(None);
    };
    let body = state.table.delete(handle);
    body.map(Some)
        .map_err(|error| Failed::answer(format!("a body that is none: {error}")))
}
