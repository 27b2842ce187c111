//! One listening socket: accepting, turning away, and the way of a connection to its pump.
//!
//! What is done for a peer before it is known to be welcome is bounded: a PROXY header and a handshake have time
//! limits, and only a few refused peers at a time are given a handshake for the sake of a polite answer. Trouble
//! with accepting (no descriptors left) is waited out with growing pauses; it never spins and never ends the loop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use ipnet::IpNet;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;
use waxwing_directory::Directory;
use waxwing_exmdb::Store;
use waxwing_runtime::Context;

use crate::{
    admission::{Admission, Place},
    config::{ListenerConfig, TlsMode},
    error::{Error, Result},
    http,
    metrics::ListenerMetrics,
    plugin_side::Plugins,
    proxy_protocol::{self, Proxied},
    pump::{Ending, Pump, Terms},
    refusal::Refusal,
    tls::{self, Tls},
    transport::{Transport, Wire},
};

const BACKLOG: i32 = 1_024;
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Refused peers that are told so at the same time; the others are closed without a word.
const REFUSALS: usize = 32;
const REFUSAL_TIME: Duration = Duration::from_secs(5);

/// What all listeners of a server share.
pub(crate) struct Shared<P> {
    pub(crate) plugins: P,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) tls: Arc<Tls>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) host_name: ArcSwap<String>,
    /// The listeners that run, for `/metrics`, and who may read that.
    pub(crate) bound: ArcSwap<Vec<Bound>>,
    pub(crate) metrics_from: ArcSwap<Vec<IpNet>>,
    /// Finish what was begun, begin nothing.
    pub(crate) drain: CancellationToken,
    /// Stop now.
    pub(crate) kill: CancellationToken,
    pub(crate) connections: TaskTracker,
    refusals: Semaphore,
}

impl<P: Plugins> Shared<P> {
    pub(crate) fn new(
        plugins: P,
        (store, directory): (Store, Directory),
        tls: Arc<Tls>,
        host_name: String,
    ) -> Self {
        Shared {
            plugins,
            store,
            directory,
            tls,
            admission: Arc::default(),
            host_name: ArcSwap::from_pointee(host_name),
            bound: ArcSwap::default(),
            metrics_from: ArcSwap::default(),
            drain: CancellationToken::new(),
            kill: CancellationToken::new(),
            connections: TaskTracker::new(),
            refusals: Semaphore::new(REFUSALS),
        }
    }
}

pub(crate) struct Listener<P> {
    pub(crate) shared: Arc<Shared<P>>,
    /// A connection keeps the settings it began with.
    pub(crate) config: ArcSwap<ListenerConfig>,
    pub(crate) local: SocketAddr,
    pub(crate) metrics: Arc<ListenerMetrics>,
    /// Ends the accepting, not the connections.
    pub(crate) stop: CancellationToken,
}

/// A listener as it runs.
#[derive(Debug, Clone)]
pub struct Bound {
    /// As configured.
    pub name: String,
    /// As configured.
    pub protocol: String,
    /// With the real port, where port 0 was asked for.
    pub address: SocketAddr,
    /// As configured.
    pub tls: TlsMode,
    /// Its counters.
    pub metrics: Arc<ListenerMetrics>,
}

impl<P> Listener<P> {
    pub(crate) fn bound(&self) -> Bound {
        let config = self.config.load();
        Bound {
            name: config.name.clone(),
            protocol: config.protocol.clone(),
            address: self.local,
            tls: config.tls,
            metrics: Arc::clone(&self.metrics),
        }
    }
}

/// A connection that may speak.
pub(crate) struct Visitor {
    pub(crate) id: String,
    pub(crate) wire: Wire,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) config: Arc<ListenerConfig>,
    /// Whether it counts against no limit.
    pub(crate) unlimited: bool,
    /// Its place among those of its address.
    _place: Option<Place>,
}

/// Counts an open connection for as long as it lives.
struct Open(Arc<ListenerMetrics>);

impl Open {
    fn new(metrics: &Arc<ListenerMetrics>) -> Open {
        metrics.open.add(1);
        Open(Arc::clone(metrics))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.subtract(1);
    }
}

/// Takes the port.
///
/// # Errors
/// [`Error::Listen`], which says what to change.
pub(crate) fn bind(config: &ListenerConfig) -> Result<TcpListener> {
    open_socket(config.address).map_err(|source| Error::Listen {
        name: config.name.clone(),
        address: config.address,
        hint: match source.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there; stop it or choose another port"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege; choose a higher port"
            }
            io::ErrorKind::AddrNotAvailable => "the address is not one of this machine",
            _ => "the system refuses it",
        },
        source,
    })
}

fn open_socket(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // So that `0.0.0.0` and `[::]` can be configured side by side on every system.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Identifies a connection or request in every log line.
pub(crate) fn new_id() -> String {
    format!("{:016x}", rand::random::<u64>())
}

impl<P: Plugins> Listener<P> {
    /// Accepts until told to stop.
    pub(crate) async fn accept(self: Arc<Self>, socket: TcpListener) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    pause = SHORTEST_PAUSE;
                    self.metrics.accepted.add(1);
                    let open = Open::new(&self.metrics);
                    let listener = Arc::clone(&self);
                    self.shared.connections.spawn(async move {
                        let _open = open;
                        listener.welcome(stream, peer).await;
                    });
                }
                Err(error) if is_the_peers(&error) => {}
                Err(error) => {
                    let listener = &self.config.load().name;
                    tracing::warn!(listener, %error, ?pause, "cannot accept a connection");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn welcome(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let (config, id) = (self.config.load_full(), new_id());
        let kill = self.shared.kill.clone();
        let span = span(&id, &config);
        let admission = Box::pin(
            self.admit(stream, peer, (config, id))
                .instrument(span.clone()),
        );
        let admitted = tokio::select! {
            () = kill.cancelled() => return,
            admitted = admission => admitted,
        };
        let Some(visitor) = admitted else { return };
        span.in_scope(|| {
            tracing::debug!(listener = visitor.config.name, peer = %visitor.peer, "connection accepted");
        });
        if visitor.config.is_http() {
            Box::pin(http::serve(Arc::clone(&self), visitor))
                .instrument(span)
                .await;
        } else {
            self.converse(visitor).instrument(span).await;
        }
    }

    /// Who is it, is there room, and is the stream encrypted if it must be.
    async fn admit(
        &self,
        mut stream: TcpStream,
        peer: SocketAddr,
        (config, id): (Arc<ListenerConfig>, String),
    ) -> Option<Visitor> {
        let local = stream.local_addr().unwrap_or(self.local);
        let _ = stream.set_nodelay(true);
        let (peer, local) = self.identify(&mut stream, (peer, local), &config).await?;
        let unlimited = self.shared.admission.is_unlimited(peer.ip());
        if !unlimited && self.metrics.open.get() > u64::from(config.max_connections) {
            self.refuse(Wire::Plain(stream), peer, &config, Refusal::Listener)
                .await;
            return None;
        }
        let place = if unlimited {
            None
        } else {
            let protocol = Arc::from(config.protocol.as_str());
            let limit = config.address_limit(peer);
            let place = self
                .shared
                .admission
                .enter_address(&protocol, peer.ip(), limit);
            if place.is_none() {
                self.refuse(Wire::Plain(stream), peer, &config, Refusal::Address)
                    .await;
                return None;
            }
            place
        };
        let mut wire = Wire::Plain(stream);
        if config.tls == TlsMode::Implicit {
            let settings = if config.is_http() {
                &self.shared.tls.http
            } else {
                &self.shared.tls.stream
            };
            let outcome = wire.start_tls(Arc::clone(settings)).await;
            self.metrics.count_handshake(&outcome);
            if let Err(error) = outcome {
                tracing::info!(listener = config.name, %peer, %error, "TLS handshake failed");
                return None;
            }
        }
        Some(Visitor {
            id,
            wire,
            peer,
            local,
            config,
            unlimited,
            _place: place,
        })
    }

    /// The addresses of client and server, from the balancer where there is one.
    async fn identify(
        &self,
        stream: &mut TcpStream,
        (peer, local): (SocketAddr, SocketAddr),
        config: &ListenerConfig,
    ) -> Option<(SocketAddr, SocketAddr)> {
        if config.proxy_protocol_from.is_empty() {
            return Some((peer, local));
        }
        let address = peer.ip().to_canonical();
        if !config
            .proxy_protocol_from
            .iter()
            .any(|network| network.contains(&address))
        {
            self.metrics.refused.add(1);
            tracing::warn!(listener = config.name, %peer, "refused: not in proxy_protocol_from");
            return None;
        }
        match proxy_protocol::read(stream).await {
            Ok(Proxied::Local) => Some((peer, local)),
            Ok(Proxied::Client { peer, local }) => Some((peer, local)),
            Err(error) => {
                self.metrics.refused.add(1);
                tracing::warn!(listener = config.name, %peer, %error, "refused");
                None
            }
        }
    }

    async fn refuse(
        &self,
        mut wire: Wire,
        peer: SocketAddr,
        config: &ListenerConfig,
        refusal: Refusal,
    ) {
        self.metrics.refused.add(1);
        let limit = refusal.limit();
        tracing::warn!(listener = config.name, %peer, limit, "connection refused");
        let Ok(_permit) = self.shared.refusals.try_acquire() else {
            return;
        };
        let words = refusal.words(&config.protocol, &self.shared.host_name.load());
        let answer = async {
            if config.tls == TlsMode::Implicit && wire.tls().is_none() {
                // Without ALPN, since the words for http are those of version 1.
                wire.start_tls(Arc::clone(&self.shared.tls.stream)).await?;
            }
            wire.write_all(words.as_bytes()).await?;
            wire.flush().await
        };
        if let Ok(Ok(())) = timeout(REFUSAL_TIME, answer).await {
            Transport::new(wire, Arc::clone(&self.metrics), REFUSAL_TIME)
                .close()
                .await;
        }
    }

    async fn converse(&self, visitor: Visitor) {
        let context = self.context(&visitor);
        let Visitor {
            id,
            wire,
            peer,
            config,
            unlimited,
            _place,
            ..
        } = visitor;
        let (session, first) = match Box::pin(self.shared.plugins.open(context)).await {
            Ok(opened) => opened,
            Err(error) => {
                tracing::error!(listener = config.name, %peer, %error, "no session");
                Box::pin(self.refuse(wire, peer, &config, Refusal::Unavailable)).await;
                return;
            }
        };
        let started = Instant::now();
        let transport = Transport::new(wire, Arc::clone(&self.metrics), config.write_limit());
        let mut pump = Pump::new(session, transport, self.terms(&config, peer, unlimited));
        let ending = tokio::select! {
            () = self.shared.kill.cancelled() => Ending::Killed,
            ending = pump.run(first) => ending,
        };
        pump.log(&id, (&config.name, peer), started.elapsed(), &ending);
    }

    fn context(&self, visitor: &Visitor) -> Context {
        let Visitor {
            id,
            wire,
            peer,
            local,
            config,
            ..
        } = visitor;
        Context {
            session: id.clone(),
            listener: config.name.clone(),
            protocol: config.protocol.clone(),
            local: *local,
            peer: *peer,
            tls: wire.tls().map(tls::describe),
            tls_available: config.tls == TlsMode::Starttls,
            plaintext_login: config.allows_plaintext_login(*peer),
            host_name: self.shared.host_name.load().to_string(),
        }
    }

    fn terms(&self, config: &ListenerConfig, peer: SocketAddr, unlimited: bool) -> Terms {
        let user_limit = config.user_limit(peer).filter(|_| !unlimited);
        Terms {
            store: self.shared.store.clone(),
            starttls: (config.tls == TlsMode::Starttls)
                .then(|| Arc::clone(&self.shared.tls.stream)),
            idle_limit: config.idle_limit(),
            login_limit: config.login_limit(),
            users: Arc::clone(&self.shared.admission),
            protocol: Arc::from(config.protocol.as_str()),
            user_limit,
            farewell: Refusal::Unavailable.words(&config.protocol, &self.shared.host_name.load()),
            drain: self.shared.drain.clone(),
        }
    }
}

/// What all lines of a connection have in common. Over HTTP each request is a session of its own, on a connection.
fn span(id: &str, config: &ListenerConfig) -> tracing::Span {
    let protocol = config.protocol.as_str();
    if config.is_http() {
        tracing::info_span!("connection", connection = %id, protocol)
    } else {
        tracing::info_span!("connection", session = %id, protocol)
    }
}

/// Whether accepting failed for the peer's sake, so that the next try may do.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
