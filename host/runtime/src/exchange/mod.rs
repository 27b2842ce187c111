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
    plugins::{Counters, Version},
    protocol::TlsInfo,
    runtime::Shared,
    session::{Alarms, PendingEvent},
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
    version: Arc<Version>,
    host: Arc<HostSide>,
    alarms: Alarms,
    stopping: tokio::sync::watch::Receiver<bool>,
    step: Step,
}

impl Exchange {
    pub(crate) fn new(shared: Arc<Shared>, plugin: &str, request: HttpRequest) -> Result<Exchange> {
        let version = shared
            .plugins
            .get(plugin)?
            .active()
            .ok_or_else(|| Error::NoPlugin(plugin.to_owned()))?;
        let span = tracing::info_span!("request", session = %request.id, plugin, peer = %request.peer, principal = tracing::field::Empty);
        if let Some(user) = &request.principal {
            span.record("principal", user.address.as_str());
        }
        let identity = Identity::new(
            request.id.clone(),
            request.peer,
            false,
            span,
            &version.facts.limits,
        );
        let host = Arc::new(HostSide::new(
            identity,
            request.tls.clone(),
            request.principal.clone(),
        ));
        let stopping = shared.stopping.subscribe();
        Counters::add(&version.facts.counters.sessions);
        Ok(Exchange {
            shared,
            version,
            host,
            alarms: Alarms::default(),
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
        let span = self.host.identity.span.clone();
        self.advance().instrument(span).await
    }

    async fn advance(&mut self) -> Result<Option<Vec<HttpAction>>> {
        loop {
            self.unpark().await;
            let step = std::mem::replace(&mut self.step, Step::Done);
            if matches!(step, Step::Done) {
                return Ok(None);
            }
            let actions = match self.turn(step).await {
                Ok(actions) => actions,
                Err(failed) if failed.kind == FailureKind::NoPlace => {
                    return Err(Error::Limit(failed.reason));
                }
                Err(failed) => {
                    self.version.facts.counters.failed(failed.kind);
                    tracing::error!(version = %self.version.facts.version, kind = ?failed.kind, reason = %failed.reason, "a request failed");
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
        let deadline = *deadline;
        self.version
            .facts
            .counters
            .frozen
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let frozen = Frozen(self.version.clone());
        let wake = tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => wit::Wake::Closing,
            pending = self.alarms.next(&self.host) => match pending {
                PendingEvent::Changed(folders) => wit::Wake::Changed(folders.into_iter().map(|(mailbox, folder)| translate::folder_ref(mailbox, folder)).collect()),
                PendingEvent::Timer(_) => wit::Wake::Timeout,
            },
            () = tokio::time::sleep_until(deadline) => wit::Wake::Timeout,
        };
        drop(frozen);
        self.step = Step::Resume(std::mem::take(ticket), wake);
    }

    async fn turn(&mut self, step: Step) -> std::result::Result<Vec<HttpAction>, Failed> {
        self.host.begin_thaw();
        let mut instance = Instance::new(
            &self.shared.engine,
            &self.version,
            &self.shared.services,
            &self.host,
        )
        .await?;
        let answered = match step {
            Step::First(request) => {
                let request =
                    translate::request(*request, self.version.facts.identity(), instance.state())?;
                instance.http_handle(&request).await?
            }
            Step::Resume(ticket, wake) => instance.http_resume(&ticket, &wake).await?,
            Step::Parked { .. } | Step::Done => return Err(Failed::answer("nothing to resume")),
        };
        Counters::add(&self.version.facts.counters.turns);
        self.settle(answered, &mut instance)
    }

    /// Turns the plugin's actions into net's, and sets the next step.
    fn settle(
        &mut self,
        answered: Vec<wit::Action>,
        instance: &mut Instance,
    ) -> std::result::Result<Vec<HttpAction>, Failed> {
        let limits = self.version.facts.limits.clone();
        if answered.len() as u64 > limits.actions_per_turn {
            return Err(Failed::answer(reached(
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
                        return Err(Failed::answer(reached(
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
            return Err(Failed::answer(reached("ticket_bytes", limits.ticket_bytes)));
        }
        self.host.commit_kept();
        Ok(actions)
    }
}

/// Counts a parked exchange for as long as it is.
struct Frozen(Arc<Version>);

impl Drop for Frozen {
    fn drop(&mut self) {
        self.0
            .facts
            .counters
            .frozen
            .fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.version
            .facts
            .counters
            .sessions
            .fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        self.host.close();
    }
}
