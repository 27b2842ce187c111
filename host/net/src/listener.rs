//! One listening socket: accepting, turning away, and the way of a connection to its pump.
//!
//! What is done for a peer before it is known to be welcome is bounded: a PROXY header and a handshake have time
//! limits, and only a few refused peers at a time are given a handshake for the sake of a polite answer. Trouble
//! with accepting (the system is out of something) is waited out with growing pauses; it never spins and never ends the loop.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use ipnet::IpNet;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;
use waxwing_directory::Directory;
use waxwing_exmdb::Store;
use waxwing_runtime::Context;
use waxwing_transport::Courier;

use crate::{
    admission::{Admission, Place},
    config::{ListenerConfig, TlsMode},
    descriptors,
    error::{Error, Result},
    http,
    metrics::ListenerMetrics,
    plugin_side::{Plugins, StreamSession},
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
    /// For `/metrics`.
    pub(crate) courier: OnceLock<Courier>,
    pub(crate) tls: Arc<Tls>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) host_name: ArcSwap<Arc<str>>,
    /// The listeners that run, for `/metrics`, and who may read that.
    pub(crate) bound: ArcSwap<Vec<Bound>>,
    pub(crate) metrics_from: ArcSwap<Vec<IpNet>>,
    /// Finish what was begun, begin nothing.
    pub(crate) drain: CancellationToken,
    /// Stop now.
    pub(crate) kill: CancellationToken,
    pub(crate) connections: TaskTracker,
    /// Connections that the system has descriptors for.
    room: usize,
    refusals: Semaphore,
}

impl<P: Plugins> Shared<P> {
    pub(crate) fn new(
        plugins: P,
        (store, directory): (Store, Directory),
        tls: Arc<Tls>,
        host_name: Arc<str>,
    ) -> Self {
        Shared {
            plugins,
            store,
            directory,
            courier: OnceLock::new(),
            tls,
            admission: Arc::default(),
            host_name: ArcSwap::from_pointee(host_name),
            bound: ArcSwap::default(),
            metrics_from: ArcSwap::default(),
            drain: CancellationToken::new(),
            kill: CancellationToken::new(),
            connections: TaskTracker::new(),
            room: descriptors::room(),
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
            name: config.name.to_string(),
            protocol: config.protocol.to_string(),
            address: self.local,
            tls: config.tls,
            metrics: Arc::clone(&self.metrics),
        }
    }
}

/// A connection that may speak.
pub(crate) struct Visitor {
    pub(crate) id: Arc<str>,
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
        name: config.name.to_string(),
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
                    let open_files = descriptors::limit();
                    tracing::warn!(%listener, %error, open_files, ?pause, "cannot accept a connection");
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn welcome(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let (config, id): (_, Arc<str>) = (self.config.load_full(), new_id().into());
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
            tracing::debug!(listener = %visitor.config.name, peer = %visitor.peer, "connection accepted");
        });
        if visitor.config.is_http() {
            Box::pin(http::serve(self, *visitor)).instrument(span).await;
            return;
        }
        let opened = Box::pin(self.open(visitor).instrument(span)).await;
        drop(self);
        if let Some(mut conversation) = opened {
            conversation.run(&kill).await;
        }
    }

    /// Who is it, is there room, and is the stream encrypted if it must be.
    async fn admit(
        &self,
        mut stream: TcpStream,
        peer: SocketAddr,
        (config, id): (Arc<ListenerConfig>, Arc<str>),
    ) -> Option<Box<Visitor>> {
        let local = stream.local_addr().unwrap_or(self.local);
        let _ = stream.set_nodelay(true);
        let (peer, local) = self.identify(&mut stream, (peer, local), &config).await?;
        let unlimited = self.shared.admission.is_unlimited(peer.ip());
        if !unlimited && self.metrics.open.get() > u64::from(config.max_connections) {
            self.refuse(Wire::Plain(stream), peer, &config, Refusal::Listener)
                .await;
            return None;
        }
        if self.shared.connections.len() > self.shared.room {
            self.refuse(Wire::Plain(stream), peer, &config, Refusal::Descriptors)
                .await;
            return None;
        }
        let place = if unlimited {
            None
        } else {
            let limit = config.address_limit(peer);
            let place = self
                .shared
                .admission
                .enter_address(&config.protocol, peer.ip(), limit);
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
                tracing::info!(listener = %config.name, %peer, %error, "TLS handshake failed");
                return None;
            }
        }
        Some(Box::new(Visitor {
            id,
            wire,
            peer,
            local,
            config,
            unlimited,
            _place: place,
        }))
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
            tracing::warn!(listener = %config.name, %peer, "refused: not in proxy_protocol_from");
            return None;
        }
        match proxy_protocol::read(stream).await {
            Ok(Proxied::Local) => Some((peer, local)),
            Ok(Proxied::Client { peer, local }) => Some((peer, local)),
            Err(error) => {
                self.metrics.refused.add(1);
                tracing::warn!(listener = %config.name, %peer, %error, "refused");
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
        tracing::warn!(listener = %config.name, %peer, limit, "connection refused");
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

    /// Opens the session and says the plugin's greeting.
    async fn open(&self, visitor: Box<Visitor>) -> Option<Box<Conversation<P::Session>>> {
        let context = self.context(&visitor);
        let Visitor {
            id,
            wire,
            peer,
            config,
            unlimited,
            _place,
            ..
        } = *visitor;
        let (session, first) = match self.shared.plugins.open(context).await {
            Ok(opened) => opened,
            Err(error) => {
                tracing::error!(session = %id, listener = %config.name, %peer, %error, "no session");
                self.refuse(wire, peer, &config, Refusal::Unavailable).await;
                return None;
            }
        };
        let transport = Transport::new(wire, Arc::clone(&self.metrics), config.write_limit());
        let terms = self.terms(&id, config, (peer, unlimited));
        Some(Box::new(Conversation {
            pump: Pump::new(session, transport, terms, first),
            _place,
        }))
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
            tls: wire.tls().map(tls::describe).map(Arc::new),
            tls_available: config.tls == TlsMode::Starttls,
            plaintext_login: config.allows_plaintext_login(*peer),
            host_name: Arc::clone(&self.shared.host_name.load()),
        }
    }

    fn terms(
        &self,
        session: &Arc<str>,
        config: Arc<ListenerConfig>,
        (peer, unlimited): (SocketAddr, bool),
    ) -> Terms {
        Terms {
            session: Arc::clone(session),
            peer,
            store: self.shared.store.clone(),
            starttls: (config.tls == TlsMode::Starttls)
                .then(|| Arc::clone(&self.shared.tls.stream)),
            users: Arc::clone(&self.shared.admission),
            user_limit: config.user_limit(peer).filter(|_| !unlimited),
            host_name: Arc::clone(&self.shared.host_name.load()),
            drain: self.shared.drain.clone(),
            config,
        }
    }
}

/// What all lines of a connection have in common until it has a session, which has a span of its own. Over HTTP each request is a
/// session of its own, on a connection.
fn span(id: &str, config: &ListenerConfig) -> tracing::Span {
    let protocol = &*config.protocol;
    if config.is_http() {
        tracing::info_span!("connection", connection = %id, protocol)
    } else {
        tracing::info_span!("connection", session = id, protocol)
    }
}

/// A connection with its session, as it rests: in one piece outside of its task, so that the task is no larger than its
/// longest wait.
struct Conversation<S: StreamSession> {
    pump: Pump<S>,
    /// Its place among those of its address.
    _place: Option<Place>,
}

impl<S: StreamSession> Conversation<S> {
    async fn run(&mut self, kill: &CancellationToken) {
        let ending = tokio::select! {
            () = kill.cancelled() => Ending::Killed,
            ending = self.pump.run() => ending,
        };
        self.pump.log(&ending);
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
