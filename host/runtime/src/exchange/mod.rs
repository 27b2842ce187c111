//! One HTTP request and its response, in turns. Every turn has a fresh instance: between two turns nothing is left of the
//! plugin but the ticket it wrote itself. A parked exchange is that ticket, the watch and a deadline.

mod translate;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;
use tracing::Instrument as _;
use waxwing_exmdb::{Body, FolderId};

use crate::{
    Error, Result,
    bindings::waxwing::http::types as wit,
    host_side::{HostSide, Identity},
    instance::{Failed, FailureKind, Instance},
    limits::reached,
    package::manifest::RouteAuth,
    plugins::{Counters, Plugin, Version},
    protocol::TlsInfo,
    runtime::Shared,
    session::{Alarms, PendingEvent, Standing},
};

/// A path that a plugin serves.
#[derive(Debug, Clone)]
pub struct Route {
    /// The plugin's name.
    pub plugin: String,
    /// Paths that begin with it, case ignored.
    pub prefix: String,
    /// Who may ask.
    pub auth: RouteAuth,
    /// Octets of a request's body.
    pub max_body: u64,
}

/// A request, parsed, limited and authenticated.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// One id in every log line.
    pub id: String,
    /// `GET`, …
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Host and port.
    pub authority: String,
    /// As it was sent.
    pub path: String,
    /// Behind the question mark.
    pub query: Option<String>,
    /// The prefix of the route that matched.
    pub route: String,
    /// Lower-case names, without credentials.
    pub headers: Vec<(String, Bytes)>,
    /// The client.
    pub peer: SocketAddr,
    /// Present when the connection is encrypted.
    pub tls: Option<TlsInfo>,
    /// Content encoding undone.
    pub body: Option<Body>,
    /// Whom the host authenticated.
    pub principal: Option<waxwing_directory::User>,
}

/// What net must do, in order.
#[derive(Debug, Clone)]
pub enum HttpAction {
    /// Begin the response.
    Head {
        /// 100 to 999.
        status: u16,
        /// Names and values as the plugin gave them; net checks them.
        headers: Vec<(String, Bytes)>,
        /// Of what follows, when it is known.
        content_length: Option<u64>,
    },
    /// Send these octets.
    Send(Bytes),
    /// Send a range of a body, which lies within it.
    SendBody {
        /// The body.
        body: Body,
        /// First octet.
        offset: u64,
        /// Octets.
        length: u64,
    },
    /// The response is complete.
    Finish,
    /// Break the response off.
    Abort,
}

/// What the next turn is.
enum Step {
    First(Box<HttpRequest>),
    Resume(Vec<u8>, wit::Wake),
    Parked { ticket: Vec<u8>, deadline: Instant },
    Done,
}

/// One request; parking and resuming happen inside `next`.
pub struct Exchange {
    shared: Arc<Shared>,
    plugin: Arc<Plugin>,
    standing: Standing,
    host: Arc<HostSide>,
    alarms: Alarms,
    stopping: tokio::sync::watch::Receiver<bool>,
    step: Step,
}

impl Exchange {
    pub(crate) fn new(shared: Arc<Shared>, plugin: &str, request: HttpRequest) -> Result<Exchange> {
        let plugin = shared.plugins.get(plugin)?;
        let version = plugin
            .version_for(|| request.principal.clone())
            .ok_or_else(|| Error::NoPlugin(plugin.name.to_string()))?;
        let identity = Identity::new(
            request.id.as_str().into(),
            plugin.name.clone(),
            request.peer,
            |request| tracing::info_span!("request", session = %request.id, plugin = %request.plugin, peer = %request.peer, principal = tracing::field::Empty),
            &version.facts.limits,
        );
        let host = Arc::new(HostSide::new(
            identity,
            shared.locks.clone(),
            request.tls.clone().map(Arc::new),
            request.principal.clone(),
        ));
        let stopping = shared.stopping.subscribe();
        Ok(Exchange {
            shared,
            plugin,
            standing: Standing::on(version),
            host,
            alarms: Alarms::new(Arc::default()),
            stopping,
            step: Step::First(Box::new(request)),
        })
    }

    /// The next actions; `None` after the end. Call again when the output has left. Cancel-safe while parked; dropping
    /// the exchange frees everything.
    ///
    /// # Errors
    /// When the plugin failed: the response is to be broken off, or a 500 if it has not begun. `Limit` when the host
    /// has no place for an instance just now (503).
    pub async fn next(&mut self) -> Result<Option<Vec<HttpAction>>> {
        let span = self.host.span();
        self.advance().instrument(span).await
    }

    async fn advance(&mut self) -> Result<Option<Vec<HttpAction>>> {
        loop {
            self.unpark().await;
            let answered = match std::mem::replace(&mut self.step, Step::Done) {
                Step::First(request) => self.first(*request).await,
                Step::Resume(ticket, wake) => self.resume(&ticket, &wake).await,
                Step::Parked { .. } | Step::Done => return Ok(None),
            };
            let actions = match answered {
                Ok(actions) => actions,
                Err(failed) if failed.kind == FailureKind::NoPlace => {
                    return Err(Error::Limit(failed.reason));
                }
                Err(failed) => {
                    self.count_failure(&self.standing.version, &failed);
                    return Err(Error::SessionLost(failed.reason));
                }
            };
            // A turn that only parks has nothing to say yet.
            if !actions.is_empty() || !matches!(self.step, Step::Parked { .. }) {
                return Ok(Some(actions));
            }
        }
    }

    /// Waits for what a parked exchange waits for. Nothing is taken before the wait is over.
    async fn unpark(&mut self) {
        let Step::Parked { ticket, deadline } = &mut self.step else {
            return;
        };
        self.standing.set_frozen(true);
        self.host.rest();
        let wake = loop {
            if *self.stopping.borrow() {
                break wit::Wake::Closing;
            }
            if let Some(PendingEvent::Changed(folders)) = self.alarms.due(&self.host) {
                break wit::Wake::Changed(translate::folder_refs(folders));
            }
            if *deadline <= Instant::now() {
                break wit::Wake::Timeout;
            }
            tokio::select! {
                stopping = self.stopping.changed() => if stopping.is_err() { break wit::Wake::Closing },
                () = self.alarms.wait(Some(*deadline)) => {}
            }
        };
        self.standing.set_frozen(false);
        self.step = Step::Resume(std::mem::take(ticket), wake);
    }

    async fn first(
        &mut self,
        request: HttpRequest,
    ) -> std::result::Result<Vec<HttpAction>, Failed> {
        let version = self.standing.version.clone();
        let mut instance = self.instance(&version).await?;
        let request = translate::request(request, version.facts.identity(), instance.state())?;
        let answered = instance.http_handle(&request).await?;
        self.settle(answered, &mut instance)
    }

    /// Resumes with the version that serves this principal now; if that one fails, with the version that wrote the ticket.
    async fn resume(
        &mut self,
        ticket: &[u8],
        wake: &wit::Wake,
    ) -> std::result::Result<Vec<HttpAction>, Failed> {
        let ours = self.standing.version.clone();
        let newer = self
            .plugin
            .version_for(|| self.host.principal())
            .filter(|meant| !Arc::ptr_eq(meant, &ours));
        if let Some(newer) = newer {
            let before = self.host.clone();
            self.host = Arc::new(before.trial());
            match self.resume_on(&newer, ticket, wake).await {
                Ok(actions) => {
                    Counters::add(&newer.facts.counters.handovers);
                    self.standing = Standing::on(newer);
                    return Ok(actions);
                }
                Err(failed) => {
                    Counters::add(&newer.facts.counters.refusals);
                    self.count_failure(&newer, &failed);
                    self.host.roll_back();
                    self.host = before;
                }
            }
        }
        self.resume_on(&ours, ticket, wake).await
    }

    async fn resume_on(
        &mut self,
        version: &Arc<Version>,
        ticket: &[u8],
        wake: &wit::Wake,
    ) -> std::result::Result<Vec<HttpAction>, Failed> {
        let mut instance = self.instance(version).await?;
        let answered = instance.http_resume(ticket, wake).await?;
        self.settle(answered, &mut instance)
    }

    async fn instance(&mut self, version: &Version) -> std::result::Result<Instance, Failed> {
        self.host.begin_thaw();
        Instance::new(
            &self.shared.engine,
            version,
            &self.shared.services,
            &self.host,
        )
        .await
    }

    fn count_failure(&self, version: &Version, failed: &Failed) {
        version.failed(failed);
        tracing::error!(version = %version.facts.version, kind = ?failed.kind, reason = %failed.reason, "a request failed");
    }

    /// Turns the plugin's actions into net's, and sets the next step.
    fn settle(
        &mut self,
        answered: Vec<wit::Action>,
        instance: &mut Instance,
    ) -> std::result::Result<Vec<HttpAction>, Failed> {
        let facts = instance.state().facts.clone();
        let limits = &facts.limits;
        Counters::add(&facts.counters.turns);
        if answered.len() as u64 > limits.actions_per_turn {
            return Err(Failed::limit(reached(
                "actions_per_turn",
                limits.actions_per_turn,
            )));
        }
        let mut actions = Vec::with_capacity(answered.len());
        let mut next = None;
        for action in answered {
            if next.is_some() {
                return Err(Failed::answer("an action follows the end of the turn"));
            }
            match action {
                wit::Action::More(ticket) => next = Some(Step::Resume(ticket, wit::Wake::Drained)),
                wit::Action::Park(park) => {
                    let folders: Vec<_> = park
                        .watch
                        .iter()
                        .map(|folder| (folder.mailbox, FolderId(folder.folder)))
                        .collect();
                    if folders.len() as u64 > limits.watched_folders {
                        return Err(Failed::limit(reached(
                            "watched_folders",
                            limits.watched_folders,
                        )));
                    }
                    self.alarms
                        .watch(folders, &self.host, &self.shared.services.store);
                    // Further away than a day is a day: a client that waits longer asks again.
                    let timeout = Duration::from_millis(park.timeout_ms.min(86_400_000));
                    next = Some(Step::Parked {
                        ticket: park.ticket,
                        deadline: Instant::now() + timeout,
                    });
                }
                wit::Action::Finish => {
                    actions.push(HttpAction::Finish);
                    next = Some(Step::Done);
                }
                wit::Action::Abort => {
                    actions.push(HttpAction::Abort);
                    next = Some(Step::Done);
                }
                other => actions.extend(translate::action(other, instance.state())?),
            }
        }
        self.step = next.ok_or_else(|| {
            Failed::answer("the turn ends with neither more, park, finish nor abort")
        })?;
        if let Step::Resume(ticket, _) | Step::Parked { ticket, .. } = &self.step
            && ticket.len() as u64 > limits.ticket_bytes
        {
            return Err(Failed::limit(reached("ticket_bytes", limits.ticket_bytes)));
        }
        self.host.commit();
        Ok(actions)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.host.close();
    }
}
