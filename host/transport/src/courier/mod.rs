//! The courier carries what is queued to its next hop.
//!
//! **Owns** the connections to other servers and the decision what an answer means for a recipient. **Promises** that a recipient is tried by
//! one connection at a time; that what a host has acknowledged is settled before anything else happens to it, and is never sent
//! again by this process even while the disk refuses to note it; that a recipient leaves the queue only delivered, reported, or
//! thrown away by an administrator. A crash between a host's answer and the commit that notes it is the one gap, and SMTP has no
//! way to close it: the message then arrives twice.
//!
//! One task looks for what is due ([`Courier::dispatch`]) and sorts it by next hop; each hop has its own line and up to
//! `per_destination` workers ([`worker`]), which keep a connection for as long as something waits for it. Bounds: [`ACTIVE`]
//! recipients in memory, `connections` workers. A hop that does not answer costs one attempt for everything in its line.

mod attempt;
mod outcome;
mod schedule;
mod worker;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use waxwing_directory::Resolution;

use self::schedule::Schedule;
use crate::{
    Delivery, OutboundTls, Queue, QueueId, QueueMetrics, TransportConfig,
    client::{Client, Login, SharedClient, tls::TlsClient},
    hop::{Hop, Routes, dns::Dns},
    metrics::{self, Counters},
    queue::{Due, now},
    resolver::Resolver,
    sts::Sts,
};

/// Recipients that are in a line or being tried.
const ACTIVE: usize = 10_000;
/// Recipients that are read at a time.
const PAGE: u32 = 1_000;
/// RFC 5321 section 4.5.3.1.8: what every host takes in one transaction.
const RECIPIENTS: usize = 100;
/// The queue is looked at so often even when nobody rings.
const LOOK: Duration = Duration::from_secs(60);

/// Carries messages away until it is told to stop. Cheap to clone.
#[derive(Clone)]
pub struct Courier(Arc<Inner>);

struct Inner {
    queue: Queue,
    delivery: Delivery,
    routes: Routes,
    schedule: Schedule,
    per_destination: usize,
    connections: usize,
    dns: Box<dyn Dns>,
    client: SharedClient,
    relay: Option<(crate::HostPort, SharedClient)>,
    /// None: policies are not asked for.
    sts: Option<Sts>,
    lines: Mutex<Lines>,
    /// A worker has finished something.
    freed: Notify,
    stopping: watch::Sender<bool>,
    dispatcher: Mutex<Option<JoinHandle<()>>>,
    counters: Counters,
}

/// Recipients of one message for one hop.
#[derive(Debug, Clone)]
struct Job {
    message: QueueId,
    recipients: Vec<i64>,
}

#[derive(Default)]
struct Lines {
    /// Recipients in a line or being tried.
    active: HashSet<i64>,
    by_hop: HashMap<Hop, Line>,
    workers: usize,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Job>,
    workers: usize,
    bell: Arc<Notify>,
}

impl Courier {
    /// Starts to carry.
    ///
    /// # Errors
    /// What is wrong with the file of authorities, in words for the operator.
    pub fn start(
        queue: Queue,
        delivery: Delivery,
        config: &TransportConfig,
    ) -> Result<Courier, String> {
        let tls = TlsClient::new(config.ca_file.as_deref())?;
        let client = |login| {
            Arc::new(Client {
                own_name: delivery.host_name().to_owned(),
                tls: tls.clone(),
                mode: config.tls,
                login,
            })
        };
        let asks_for_policies = config.mta_sts
            && matches!(
                config.tls,
                OutboundTls::Opportunistic | OutboundTls::Required | OutboundTls::Verified
            );
        let login = config.relay_user.clone().zip(config.relay_password.clone());
        let login = login.map(|(user, password)| Login { user, password });
        let relay = config.relay_host.clone();
        let (plain, relay) = (client(None), relay.map(|relay| (relay, client(login))));
        let courier = Courier(Arc::new(Inner {
            queue,
            routes: Routes::new(config),
            schedule: Schedule::new(config),
            per_destination: config.per_destination.max(1),
            connections: config.connections.max(1),
            dns: Box::new(Resolver::new(&config.dns)),
            client: plain,
            sts: asks_for_policies.then(|| Sts::new(tls.clone())),
            relay,
            delivery,
            lines: Mutex::default(),
            freed: Notify::new(),
            stopping: watch::channel(false).0,
            dispatcher: Mutex::default(),
            counters: Counters::default(),
        }));
        let dispatcher = tokio::spawn(courier.clone().run());
        *courier
            .0
            .dispatcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(dispatcher);
        Ok(courier)
    }

    /// Begins nothing new, and waits until what is being handed over has its answer, or for as long as `grace`. What is broken off then
    /// stays queued.
    pub async fn stop(&self, grace: Duration) {
        self.0.stopping.send_replace(true);
        let all_gone = async {
            loop {
                let freed = self.0.freed.notified();
                tokio::pin!(freed);
                // Before the look, so that no news between the two is missed.
                freed.as_mut().enable();
                if self.lines().workers == 0 {
                    break;
                }
                freed.await;
            }
        };
        if tokio::time::timeout(grace, all_gone).await.is_err() {
            tracing::warn!("deliveries are broken off, they are tried again after the next start");
        }
        let dispatcher = self
            .0
            .dispatcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(dispatcher) = dispatcher {
            dispatcher.abort();
        }
    }

    /// In numbers.
    pub async fn metrics(&self) -> QueueMetrics {
        let (messages, recipients) = self.0.queue.length().await.unwrap_or_default();
        let counters = &self.0.counters;
        QueueMetrics {
            messages,
            recipients,
            active: self.lines().active.len() as u64,
            delivered: metrics::get(&counters.delivered),
            deferred: metrics::get(&counters.deferred),
            failed: metrics::get(&counters.failed),
            reports: metrics::get(&counters.reports),
            connections: metrics::get(&counters.connections),
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    async fn run(self) {
        while !self.is_stopping() {
            let wait = match self.dispatch().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "the queue cannot be read");
                    schedule::TROUBLE
                }
            };
            let full = self.lines().active.len() >= ACTIVE;
            tokio::select! {
                () = self.0.queue.changed() => {}
                () = self.0.freed.notified(), if full => {}
                () = tokio::time::sleep(wait.min(LOOK)) => {}
            }
        }
    }

    /// Puts everything that is due in its line. Answers when something will be due that is not yet.
    async fn dispatch(&self) -> crate::Result<Duration> {
        let now = now();
        let mut after = (i64::MIN, 0);
        while self.lines().active.len() < ACTIVE {
            let page = self.0.queue.due(now, after, PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = (last.due, last.recipient);
            self.sort(page).await;
        }
        let next = self.0.queue.next_due(now).await?;
        let wait = next.map_or(LOOK.as_millis(), |due| {
            u128::try_from(due.saturating_sub(crate::queue::now())).unwrap_or_default()
        });
        Ok(
            Duration::from_millis(u64::try_from(wait).unwrap_or(u64::MAX))
                .max(Duration::from_millis(1)),
        )
    }

    async fn sort(&self, page: Vec<Due>) {
        let mut jobs: Vec<(Hop, Job)> = Vec::new();
        for due in page {
            if self.lines().active.contains(&due.recipient) {
                continue;
            }
            let Some(hop) = self.hop(&due.address).await else {
                continue;
            };
            let same = jobs.iter_mut().rev().find(|(other, job)| {
                *other == hop && job.message == due.message && job.recipients.len() < RECIPIENTS
            });
            match same {
                Some((_, job)) => job.recipients.push(due.recipient),
                None => jobs.push((
                    hop,
                    Job {
                        message: due.message,
                        recipients: vec![due.recipient],
                    },
                )),
            }
        }
        let mut lines = self.lines();
        for (hop, job) in jobs {
            lines.active.extend(&job.recipients);
            let line = lines.by_hop.entry(hop).or_default();
            line.waiting.push_back(job);
            line.bell.notify_one();
        }
        self.employ(&mut lines);
    }

    /// None: it cannot be told now.
    async fn hop(&self, address: &str) -> Option<Hop> {
        match self.0.delivery.directory().resolve(address).await {
            Ok(Resolution::Foreign) => Some(self.0.routes.hop(address)),
            Ok(_) => Some(Hop::Here),
            Err(error) => {
                tracing::error!(%error, "directory unavailable for the queue");
                None
            }
        }
    }

    /// Starts workers for lines that need one.
    fn employ(&self, lines: &mut Lines) {
        if self.is_stopping() {
            return;
        }
        let Lines {
            by_hop, workers, ..
        } = lines;
        for (hop, line) in by_hop {
            let wanted = line.waiting.len().min(self.0.per_destination);
            while line.workers < wanted && *workers < self.0.connections {
                line.workers += 1;
                *workers += 1;
                tokio::spawn(worker::run(self.clone(), hop.clone()));
            }
        }
    }

    fn client(&self, hop: &Hop) -> &SharedClient {
        match (&self.0.relay, hop) {
            (Some((relay, client)), Hop::Host(host)) if host == relay => client,
            _ => &self.0.client,
        }
    }
}

#[cfg(test)]
mod tests;
