//! Signals: SIGTERM and SIGINT stop, a second one stops at once; SIGHUP reads the configuration again.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Stop,
    Reload,
}

/// Listens from its creation on; a signal that comes before anybody asks is kept.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Signals> {
        let on = |kind| signal(kind).context("cannot listen for signals");
        Ok(Signals {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hangup: on(SignalKind::hangup())?,
        })
    }

    /// The next thing to do.
    pub(super) async fn reload_or_stop(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Reload,
        }
    }

    /// Somebody is impatient.
    pub(super) async fn again(&mut self) {
        while self.reload_or_stop().await == Told::Reload {}
    }
}
