//! Every session that is open, for those who want to see, end or count them. Dropping a session takes it off the
//! list.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, watch};

use crate::protocol::{CloseReason, Context};

/// One open session.
#[derive(Debug, Clone, serde::Serialize)]
pub struct SessionStatus {
    /// Its id in every log line.
    pub session: String,
    /// The listener's name.
    pub listener: String,
    /// What it speaks.
    pub protocol: String,
    /// The client's address.
    pub peer: String,
    /// The plugin that serves it.
    pub plugin: String,
    /// The version it stands on.
    pub version: String,
    /// Who is logged in.
    pub principal: Option<String>,
    /// Whether its instance is dropped.
    pub frozen: bool,
}

struct Listed {
    status: SessionStatus,
    close: watch::Sender<Option<CloseReason>>,
}

/// The list.
#[derive(Default)]
pub(crate) struct Registry {
    sessions: Mutex<HashMap<u64, Listed>>,
    next: AtomicU64,
    ended: Notify,
    closing: Mutex<bool>,
}

/// A session's place on the list.
pub(crate) struct Registration {
    registry: Arc<Registry>,
    key: u64,
    pub(crate) close: watch::Receiver<Option<CloseReason>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    /// Lists a session; none is taken when the host stops.
    pub(crate) fn enter(
        self: &Arc<Self>,
        context: &Context,
        plugin: &str,
        version: &str,
    ) -> Option<Registration> {
        let closing = lock(&self.closing);
        if *closing {
            return None;
        }
        let status = SessionStatus {
            session: context.session.clone(),
            listener: context.listener.clone(),
            protocol: context.protocol.clone(),
            peer: context.peer.to_string(),
            plugin: plugin.to_owned(),
            version: version.to_owned(),
            principal: None,
            frozen: false,
        };
        let (close, closed) = watch::channel(None);
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.sessions).insert(key, Listed { status, close });
        Some(Registration {
            registry: self.clone(),
            key,
            close: closed,
        })
    }

    pub(crate) fn list(&self) -> Vec<SessionStatus> {
        let mut list: Vec<_> = lock(&self.sessions)
            .values()
            .map(|listed| listed.status.clone())
            .collect();
        list.sort_by(|one, other| one.session.cmp(&other.session));
        list
    }

    /// Asks sessions to end; how many there were.
    pub(crate) fn close(
        &self,
        which: impl Fn(&SessionStatus) -> bool,
        reason: CloseReason,
    ) -> usize {
        let sessions = lock(&self.sessions);
        let mut asked = 0;
        for listed in sessions.values().filter(|listed| which(&listed.status)) {
            listed.close.send_replace(Some(reason));
            asked += 1;
        }
        asked
    }

    /// Ends all; waits until they are gone or time is up.
    pub(crate) async fn drain(&self, grace: Duration) -> usize {
        *lock(&self.closing) = true;
        self.close(|_| true, CloseReason::Shutdown);
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
    pub(crate) fn update(&self, change: impl FnOnce(&mut SessionStatus)) {
        if let Some(listed) = lock(&self.registry.sessions).get_mut(&self.key) {
            change(&mut listed.status);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.registry.sessions).remove(&self.key);
        self.registry.ended.notify_waiters();
    }
}
