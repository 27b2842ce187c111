//! Every session that is open, for those who want to see, end or count them. Dropping a session takes it off the
//! list.
//!
//! An idle session costs what it is listed with, so a place holds numbers and no text of its own: it shares the session's
//! context, and a [`SessionStatus`] is made when somebody asks. Keys grow with time, so a long list can be had page by page
//! while sessions come and go.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::{sync::Notify, time::Instant};
use waxwing_directory::User;

use crate::{
    plugins::Version,
    protocol::{CloseReason, Context, TlsInfo},
};

/// Between two looks whether sessions have ended.
const LOOK: Duration = Duration::from_millis(20);

/// One open session.
#[derive(Debug, Clone)]
pub struct SessionStatus {
    /// Its id in every log line.
    pub session: String,
    /// The listener's name.
    pub listener: String,
    /// What it speaks.
    pub protocol: String,
    /// Where the client connected to.
    pub local: SocketAddr,
    /// The client.
    pub peer: SocketAddr,
    /// Present when the stream is encrypted.
    pub tls: Option<Arc<TlsInfo>>,
    /// The plugin that serves it.
    pub plugin: String,
    /// The version it stands on.
    pub version: String,
    /// Who is logged in.
    pub principal: Option<String>,
    /// Whether its instance is dropped.
    pub frozen: bool,
    /// When it was opened.
    pub since: SystemTime,
    /// When its last turn ended.
    pub last_turn: SystemTime,
    /// Completed turns.
    pub turns: u64,
    /// Octets of the protocol from the client.
    pub bytes_in: u64,
    /// Octets of the protocol to the client.
    pub bytes_out: u64,
    /// Its frozen state, in octets; none when its last turn left none.
    pub frozen_octets: Option<u64>,
    /// Linear memory of its instance, in octets.
    pub memory: u64,
    /// Timers that run.
    pub timers: u64,
    /// Folders that it watches.
    pub watches: u64,
    /// The last of its turns that failed.
    pub last_failure: Option<SessionFailure>,
}

/// A failed turn.
#[derive(Debug, Clone)]
pub struct SessionFailure {
    /// When.
    pub at: SystemTime,
    /// The version that failed.
    pub version: String,
    /// In one line.
    pub reason: String,
}

/// What is said of a session: by itself what changes, by its context the rest.
struct Listed {
    context: Arc<Context>,
    now: Mutex<Now>,
    /// The session's, rung when `asked` is set.
    bell: Arc<Notify>,
    since: SystemTime,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

struct Now {
    version: Arc<Version>,
    principal: Option<Arc<User>>,
    frozen: bool,
    turn: TurnEnd,
    last_failure: Option<Box<SessionFailure>>,
    /// Somebody wants it to end.
    asked: Option<CloseReason>,
}

/// What is to be seen of a session when a turn has ended.
#[derive(Default)]
pub(crate) struct TurnEnd {
    pub(crate) turns: u64,
    /// Milliseconds since the session was opened; set when it is told.
    pub(crate) at: u64,
    pub(crate) frozen_octets: Option<u32>,
    /// Of the instance, in KiB.
    pub(crate) memory: u32,
    pub(crate) timers: u16,
    pub(crate) watches: u16,
    pub(crate) tls: Option<Arc<TlsInfo>>,
}

/// The list.
#[derive(Default)]
pub(crate) struct Registry {
    sessions: Mutex<BTreeMap<u64, Arc<Listed>>>,
    next: AtomicU64,
    ended: Notify,
    closing: Mutex<bool>,
}

/// A session's place on the list.
pub(crate) struct Registration {
    registry: Arc<Registry>,
    key: u64,
    listed: Arc<Listed>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Listed {
    fn status(&self) -> SessionStatus {
        let (now, context) = (lock(&self.now), &self.context);
        let turn = &now.turn;
        SessionStatus {
            session: context.session.to_string(),
            listener: context.listener.to_string(),
            protocol: context.protocol.to_string(),
            local: context.local,
            peer: context.peer,
            tls: turn.tls.clone(),
            plugin: now.version.facts.plugin.clone(),
            version: now.version.facts.version.clone(),
            principal: now.principal.as_ref().map(|user| user.address.clone()),
            frozen: now.frozen,
            since: self.since,
            last_turn: self.since + Duration::from_millis(turn.at),
            turns: turn.turns,
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            frozen_octets: turn.frozen_octets.map(u64::from),
            memory: if now.frozen {
                0
            } else {
                u64::from(turn.memory) << 10
            },
            timers: u64::from(turn.timers),
            watches: u64::from(turn.watches),
            last_failure: now.last_failure.as_deref().cloned(),
        }
    }

    fn ask(&self, reason: CloseReason) {
        lock(&self.now).asked = Some(reason);
        self.bell.notify_one();
    }
}

impl Registry {
    /// Lists a session; none is taken when the host stops.
    pub(crate) fn enter(
        self: &Arc<Self>,
        context: &Arc<Context>,
        version: &Arc<Version>,
        bell: &Arc<Notify>,
    ) -> Option<Registration> {
        let closing = lock(&self.closing);
        if *closing {
            return None;
        }
        let listed = Arc::new(Listed {
            context: context.clone(),
            now: Mutex::new(Now {
                version: version.clone(),
                principal: None,
                frozen: false,
                turn: TurnEnd::default(),
                last_failure: None,
                asked: None,
            }),
            bell: bell.clone(),
            since: SystemTime::now(),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
        });
        // From 1 on, so that 0 comes before all.
        let key = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        lock(&self.sessions).insert(key, listed.clone());
        Some(Registration {
            registry: self.clone(),
            key,
            listed,
        })
    }

    /// At most so many of the sessions that were opened after the one of this key, oldest first; and the key to go on
    /// after, if there may be more.
    pub(crate) fn list_after(
        &self,
        after: u64,
        most: usize,
        which: impl Fn(&SessionStatus) -> bool,
    ) -> (Vec<SessionStatus>, Option<u64>) {
        let later = (Bound::Excluded(after), Bound::Unbounded);
        let listed: Vec<_> = lock(&self.sessions)
            .range(later)
            .map(|(key, listed)| (*key, listed.clone()))
            .collect();
        let mut page = Vec::new();
        for (key, listed) in listed {
            let status = listed.status();
            if which(&status) {
                page.push(status);
                if page.len() == most {
                    return (page, Some(key));
                }
            }
        }
        (page, None)
    }

    /// Asks sessions to end and waits until they have, or time is up; how many there were, and how many are left.
    pub(crate) async fn end(
        &self,
        which: impl Fn(&SessionStatus) -> bool,
        reason: CloseReason,
        wait: Duration,
    ) -> (usize, usize) {
        let mut left: Vec<u64> = {
            let sessions: Vec<_> = lock(&self.sessions)
                .iter()
                .map(|(key, listed)| (*key, listed.clone()))
                .collect();
            let meant = sessions
                .into_iter()
                .filter(|(_, listed)| which(&listed.status()));
            meant
                .map(|(key, listed)| {
                    listed.ask(reason);
                    key
                })
                .collect()
        };
        let (asked, until) = (left.len(), Instant::now() + wait);
        loop {
            {
                let sessions = lock(&self.sessions);
                left.retain(|key| sessions.contains_key(key));
            }
            if left.is_empty() || Instant::now() >= until {
                return (asked, left.len());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends all; waits until they are gone or time is up.
    pub(crate) async fn drain(&self, grace: Duration) -> usize {
        *lock(&self.closing) = true;
        for listed in lock(&self.sessions).values() {
            listed.ask(CloseReason::Shutdown);
        }
        let gone = async {
            loop {
                let ended = self.ended.notified();
                if lock(&self.sessions).is_empty() {
                    return;
                }
                ended.await;
            }
        };
        // Time being up is an answer too: what is left is counted.
        let _ = tokio::time::timeout(grace, gone).await;
        lock(&self.sessions).len()
    }
}

impl Registration {
    /// Who asked last that the session ends.
    pub(crate) fn asked(&self) -> Option<CloseReason> {
        lock(&self.listed.now).asked
    }

    pub(crate) fn stands_on(&self, version: &Arc<Version>, frozen: bool) {
        let mut now = lock(&self.listed.now);
        now.version = version.clone();
        now.frozen = frozen;
    }

    /// A turn has ended.
    pub(crate) fn settled(&self, principal: Option<Arc<User>>, turn: TurnEnd) {
        let passed = self.listed.since.elapsed().unwrap_or_default();
        let at = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        let mut now = lock(&self.listed.now);
        now.principal = principal;
        now.turn = TurnEnd { at, ..turn };
    }

    /// A turn has failed.
    pub(crate) fn failed(&self, version: String, reason: String) {
        lock(&self.listed.now).last_failure = Some(Box::new(SessionFailure {
            at: SystemTime::now(),
            version,
            reason,
        }));
    }

    /// Octets so far.
    pub(crate) fn has_moved(&self, bytes_in: u64, bytes_out: u64) {
        self.listed.bytes_in.store(bytes_in, Ordering::Relaxed);
        self.listed.bytes_out.store(bytes_out, Ordering::Relaxed);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.registry.sessions).remove(&self.key);
        self.registry.ended.notify_waiters();
    }
}
