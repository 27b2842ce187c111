//! All listeners of a server: start, reload, stop.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{net::TcpListener, sync::Mutex, time::timeout};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use waxwing_directory::Directory;
use waxwing_exmdb::Store;
use waxwing_runtime::Runtime;
use waxwing_transport::Courier;

use crate::{
    config::{ListenerConfig, NetConfig, TlsMode},
    descriptors,
    error::{Error, Result},
    http,
    listener::{Bound, Listener, Shared, bind},
    plugin_side::Plugins,
    tls::{self, Tls},
};

/// Connections that are dropped at the end of the grace have so long to notice.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// The running network room.
pub struct Server<P: Plugins = Runtime> {
    shared: Arc<Shared<P>>,
    listeners: Mutex<Vec<Arc<Listener<P>>>>,
    _tending: AbortOnDropHandle<()>,
}

impl<P: Plugins> Server<P> {
    /// Takes every port, then begins to accept.
    ///
    /// # Errors
    /// When a port cannot be taken or a certificate cannot be used; nothing runs then.
    pub async fn start(
        config: NetConfig,
        plugins: P,
        store: Store,
        directory: Directory,
    ) -> Result<Server<P>> {
        http::metrics::process::started();
        descriptors::raise_limit();
        check(&config.listeners)?;
        let names = tls::names(&config.host_name, &config.domains);
        let tls = Arc::new(Tls::new(&config.tls, &config.data_dir, names)?);
        // After the certificates: who finds a port open may read the authority's file and connect.
        let sockets = config
            .listeners
            .iter()
            .map(bind)
            .collect::<Result<Vec<_>>>()?;
        let shared = Arc::new(Shared::new(
            plugins,
            (store, directory),
            Arc::clone(&tls),
            config.host_name.into(),
        ));
        shared.admission.set_unlimited(config.unlimited_from);
        shared.metrics_from.store(Arc::new(config.metrics_from));
        let listeners: Vec<_> = sockets
            .into_iter()
            .zip(config.listeners)
            .map(|(socket, config)| run(&shared, socket, config))
            .collect();
        publish(&shared, &listeners);
        let tending = AbortOnDropHandle::new(tokio::spawn(tls.tend()));
        Ok(Server {
            shared,
            listeners: Mutex::new(listeners),
            _tending: tending,
        })
    }

    /// From now on `/metrics` tells of this courier's queue.
    pub fn show_queue(&self, courier: Courier) {
        // A server has one queue; who comes second changes nothing.
        let _ = self.shared.courier.set(courier);
    }

    /// The listeners as they run.
    #[must_use]
    pub fn listeners(&self) -> Vec<Bound> {
        self.shared.bound.load().to_vec()
    }

    /// The certificate that clients must trust when the operator has configured none of his own.
    pub fn authority(&self) -> PathBuf {
        self.shared.tls.authority().certificate()
    }

    /// Takes over a changed configuration (`SIGHUP`): certificates, names, limits, listeners. Connections stay; new
    /// ones meet the new settings.
    ///
    /// # Errors
    /// As [`Server::start`]; everything goes on as before then.
    pub async fn reload(&self, config: NetConfig) -> Result<()> {
        check(&config.listeners)?;
        let mut listeners = self.listeners.lock().await;
        let mut fresh = Vec::new();
        for wanted in &config.listeners {
            if !listeners.iter().any(|listener| serves(listener, wanted)) {
                fresh.push((bind(wanted)?, wanted.clone()));
            }
        }
        self.shared
            .tls
            .reload(&config.tls, tls::names(&config.host_name, &config.domains))?;
        self.shared.admission.set_unlimited(config.unlimited_from);
        self.shared
            .metrics_from
            .store(Arc::new(config.metrics_from));
        self.shared
            .host_name
            .store(Arc::new(config.host_name.into()));
        listeners.retain(|listener| {
            let wanted = config
                .listeners
                .iter()
                .find(|wanted| serves(listener, wanted));
            match wanted {
                Some(wanted) => listener.config.store(Arc::new(wanted.clone())),
                None => listener.stop.cancel(),
            }
            wanted.is_some()
        });
        listeners.extend(
            fresh
                .into_iter()
                .map(|(socket, config)| run(&self.shared, socket, config)),
        );
        publish(&self.shared, &listeners);
        Ok(())
    }

    /// Accepts no more, lets every session say goodbye, and drops what is left after `grace`.
    pub async fn shutdown(&self, grace: Duration) {
        for listener in self.listeners.lock().await.drain(..) {
            listener.stop.cancel();
        }
        self.shared.drain.cancel();
        self.shared.connections.close();
        if timeout(grace, self.shared.connections.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                left = self.shared.connections.len(),
                "connections are dropped at the end of the grace"
            );
            self.shared.kill.cancel();
            let _ = timeout(LAST_MOMENT, self.shared.connections.wait()).await;
        }
    }
}

/// Tells who wants to know which listeners run.
fn publish<P>(shared: &Shared<P>, listeners: &[Arc<Listener<P>>]) {
    let bound = listeners.iter().map(|listener| listener.bound()).collect();
    shared.bound.store(Arc::new(bound));
}

fn check(listeners: &[ListenerConfig]) -> Result<()> {
    for (at, listener) in listeners.iter().enumerate() {
        let wrong = |reason: &str| {
            Err(Error::Listener {
                name: listener.name.to_string(),
                reason: reason.to_owned(),
            })
        };
        if listeners
            .iter()
            .take(at)
            .any(|other| other.name == listener.name)
        {
            return wrong("another listener has the same name");
        }
        if listener.is_http() && listener.tls == TlsMode::Starttls {
            return wrong(
                "tls = \"starttls\" does not exist for http; use \"none\" or \"implicit\"",
            );
        }
    }
    Ok(())
}

/// Whether a running listener can go on as the wanted one.
fn serves<P>(listener: &Listener<P>, wanted: &ListenerConfig) -> bool {
    let config = listener.config.load();
    config.name == wanted.name && config.address == wanted.address
}

fn run<P: Plugins>(
    shared: &Arc<Shared<P>>,
    socket: TcpListener,
    config: ListenerConfig,
) -> Arc<Listener<P>> {
    let local = socket.local_addr().unwrap_or(config.address);
    tracing::info!(listener = %config.name, protocol = %config.protocol, %local, tls = config.tls.as_str(), "listening");
    let listener = Arc::new(Listener {
        shared: Arc::clone(shared),
        config: ArcSwap::from_pointee(config),
        local,
        metrics: Arc::default(),
        stop: CancellationToken::new(),
    });
    tokio::spawn(Arc::clone(&listener).accept(socket));
    listener
}
