//! The HTTP front: hyper speaks HTTP/1.1 and 2, plugins see requests.
//!
//! `/metrics` is answered by the host itself ([`metrics`]); the way of any other request: `routes` finds the plugin, `authentication` the principal, `request_body` receives and
//! decodes the body into the store's spool, then the plugin's exchange is run by `response`, which pulls: the
//! plugin is asked for more only when hyper has room for it, so a slow client holds one chunk. A client that leaves
//! drops the response body, and with it the exchange, parked or not.
//!
//! All limits of this front stand in [`limits`].

mod activity;
mod authentication;
mod limits;
mod metered;
pub(crate) mod metrics;
mod refusal;
mod request;
mod request_body;
mod response;
mod routes;

use std::{convert::Infallible, pin::pin, sync::Arc};

use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use metered::Metered;
use tokio::time::Instant;

use crate::{
    listener::{Listener, Visitor},
    plugin_side::Plugins,
    tls,
    transport::Wire,
};

/// One connection, until either end is done with it.
pub(crate) async fn serve<P: Plugins>(listener: Arc<Listener<P>>, mut visitor: Visitor) {
    let started = Instant::now();
    let wire = std::mem::replace(&mut visitor.wire, Wire::Detached);
    let tls = wire.tls().map(tls::describe);
    let io = Metered::new(
        wire,
        Arc::clone(&listener.metrics),
        visitor.config.write_limit(),
    );
    let octets = io.octets();
    let drain = listener.shared.drain.clone();
    let builder = builder(&visitor);
    let front = Arc::new(request::Front {
        listener,
        visitor,
        tls,
        activity: Arc::default(),
    });
    let service = {
        let front = Arc::clone(&front);
        service_fn(move |request: Request<Incoming>| {
            let front = Arc::clone(&front);
            async move { Ok::<_, Infallible>(front.respond(request).await) }
        })
    };
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let kill = front.listener.shared.kill.clone();
    let whole = async {
        tokio::select! {
            outcome = connection.as_mut() => return outcome,
            () = drain.cancelled() => {}
            () = quiet(&front) => {}
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            outcome = connection => outcome,
            () = front.activity.quiet_for(limits::FAREWELL) => Ok(()),
        }
    };
    let ending = tokio::select! {
        outcome = whole => outcome.err().map_or_else(|| "closed".to_owned(), |error| error.to_string()),
        () = kill.cancelled() => "server stopped".to_owned(),
    };
    let Visitor {
        id, peer, config, ..
    } = &front.visitor;
    let (bytes_in, bytes_out) = (octets.incoming.get(), octets.outgoing.get());
    let lasted = started.elapsed();
    tracing::info!(connection = %id, listener = %config.name, %peer, bytes_in, bytes_out, ?lasted, ending, "connection ended");
}

/// For ever, when the operator sets no limit.
async fn quiet<P>(front: &request::Front<P>) {
    match front.visitor.config.idle_limit() {
        Some(limit) => front.activity.quiet_for(limit).await,
        None => std::future::pending().await,
    }
}

fn builder(visitor: &Visitor) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(visitor.config.idle_limit())
        .max_buf_size(limits::HEADERS)
        .max_headers(limits::HEADER_FIELDS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::STREAMS)
        .max_pending_accept_reset_streams(limits::RESET_STREAMS)
        .max_local_error_reset_streams(limits::RESET_STREAMS)
        .max_header_list_size(limits::HEADER_LIST)
        .initial_stream_window_size(limits::STREAM_WINDOW)
        .initial_connection_window_size(limits::CONNECTION_WINDOW)
        .max_send_buf_size(limits::SEND_BUFFER)
        .keep_alive_interval(limits::PING_EVERY)
        .keep_alive_timeout(limits::PING_PATIENCE);
    builder
}
