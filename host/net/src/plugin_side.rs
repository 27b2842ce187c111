//! What the pumps need of the plugins' side of a connection.
//!
//! The one implementation in production is `waxwing_runtime`; the traits exist so that the pumps can be
//! tested with a scripted peer on the plugin side, since a runtime needs compiled components.

use std::{future::Future, sync::Arc};

use waxwing_runtime::{
    CloseReason, Context, Event, Exchange, HttpAction, HttpRequest, PendingEvent, PluginStatus,
    Result, Route, Runtime, Session, Turn, Usage, Wake,
};

/// Opens sessions and exchanges.
pub trait Plugins: Clone + Send + Sync + 'static {
    /// One connection's state machine.
    type Session: StreamSession;
    /// One request's state machine.
    type Exchange: HttpExchange;

    /// As [`Runtime::open`].
    fn open(&self, context: Context) -> impl Future<Output = Result<(Self::Session, Turn)>> + Send;
    /// As [`Runtime::routes`].
    fn routes(&self) -> Arc<Vec<Route>>;
    /// As [`Runtime::exchange`].
    ///
    /// # Errors
    /// When the plugin is not loaded, or no instance may be made.
    fn exchange(&self, plugin: &str, request: HttpRequest) -> Result<Self::Exchange>;
    /// As [`Runtime::status`].
    fn status(&self) -> Vec<PluginStatus>;
    /// As [`Runtime::usage`].
    fn usage(&self) -> Usage;
}

/// Why a waiting session wants attention; [`Wake`] with an open type of pending event.
#[derive(Debug)]
pub enum Attention<P> {
    /// Call `turn_for` with it.
    Turn(P),
    /// Another version is active.
    Upgrade,
    /// Say goodbye.
    Close(CloseReason),
}

/// As [`Session`].
pub trait StreamSession: Send + 'static {
    /// A timer or a change that a turn must be made for.
    type Pending: Send;

    /// As [`Session::handle`].
    fn handle(&mut self, event: Event) -> impl Future<Output = Result<Turn>> + Send;
    /// As [`Session::wake`]; cancel-safe.
    fn wake(&mut self) -> impl Future<Output = Attention<Self::Pending>> + Send;
    /// As [`Session::turn_for`].
    fn turn_for(&mut self, pending: Self::Pending) -> impl Future<Output = Result<Turn>> + Send;
    /// As [`Session::upgrade`].
    fn upgrade(&mut self) -> impl Future<Output = Result<Turn>> + Send;
    /// As [`Session::park`].
    fn park(&mut self) -> impl Future<Output = ()> + Send;
    /// As [`Session::principal`].
    fn principal(&self) -> Option<String>;
    /// As [`Session::has_moved`].
    fn has_moved(&self, bytes_in: u64, bytes_out: u64);
    /// As [`Session::span`].
    fn span(&self) -> tracing::Span;
}

/// As [`Exchange`].
pub trait HttpExchange: Send + 'static {
    /// As [`Exchange::next`].
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<HttpAction>>>> + Send;
}

impl Plugins for Runtime {
    type Session = Session;
    type Exchange = Exchange;

    async fn open(&self, context: Context) -> Result<(Session, Turn)> {
        Runtime::open(self, context).await
    }

    fn routes(&self) -> Arc<Vec<Route>> {
        Runtime::routes(self)
    }

    fn exchange(&self, plugin: &str, request: HttpRequest) -> Result<Exchange> {
        Runtime::exchange(self, plugin, request)
    }

    fn status(&self) -> Vec<PluginStatus> {
        Runtime::status(self)
    }

    fn usage(&self) -> Usage {
        Runtime::usage(self)
    }
}

impl StreamSession for Session {
    type Pending = PendingEvent;

    async fn handle(&mut self, event: Event) -> Result<Turn> {
        Session::handle(self, event).await
    }

    async fn wake(&mut self) -> Attention<PendingEvent> {
        match Session::wake(self).await {
            Wake::Turn(pending) => Attention::Turn(pending),
            Wake::Upgrade => Attention::Upgrade,
            Wake::Close(reason) => Attention::Close(reason),
        }
    }

    async fn turn_for(&mut self, pending: PendingEvent) -> Result<Turn> {
        Session::turn_for(self, pending).await
    }

    async fn upgrade(&mut self) -> Result<Turn> {
        Session::upgrade(self).await
    }

    async fn park(&mut self) {
        Session::park(self).await;
    }

    fn principal(&self) -> Option<String> {
        Session::principal(self)
    }

    fn has_moved(&self, bytes_in: u64, bytes_out: u64) {
        Session::has_moved(self, bytes_in, bytes_out);
    }

    fn span(&self) -> tracing::Span {
        Session::span(self)
    }
}

impl HttpExchange for Exchange {
    async fn next(&mut self) -> Result<Option<Vec<HttpAction>>> {
        Exchange::next(self).await
    }
}
