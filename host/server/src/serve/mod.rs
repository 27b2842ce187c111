//! The server: rooms are opened from the bottom up and closed from the top down.
//!
//! Ports are taken last, when everything behind them answers; the administrator's socket is there before, and is the first to
//! go. What cannot start says which key or command changes that, and leaves nothing half open: the process ends.

mod logging;
mod pruning;
mod signals;

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::{Context, Result, anyhow};
use ipnet::IpNet;
use tokio::task::JoinHandle;
use waxwing_directory::Directory;
use waxwing_net::{NetConfig, Server, TlsConfig};
use waxwing_runtime::Runtime;
use waxwing_transport::Courier;

use self::{logging::Logging, signals::Signals};
use crate::{
    config::{Config, Network},
    output,
    rooms::{self, Rooms},
};

/// Runs until told to stop. `reread` reads the configuration again, for SIGHUP; `announcement` is printed when all listeners
/// are open.
pub(crate) async fn run(
    config: Config,
    reread: impl Fn() -> Result<Config>,
    announcement: Option<&Path>,
) -> Result<ExitCode> {
    let logging = Logging::start(&config.log)?;
    let mut signals = Signals::listen()?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        data = %config.data_dir.display(),
        configuration = config.file.as_ref().map(|file| file.display().to_string()),
        "starting"
    );
    let rooms = Rooms::open(&config).await?;
    let runtime = rooms.runtime(&config).await?;
    warn_of_unserved(&config, &runtime);
    let courier = start_courier(&config, &rooms)?;
    let administration = administer(&config, &rooms, &runtime).await?;
    let pruning = tokio::spawn(pruning::run(rooms.clone(), config.store.clone()));
    let net = Server::start(
        net_config(&config, &rooms.directory).await?,
        runtime.clone(),
        rooms.store.clone(),
        rooms.directory.clone(),
    )
    .await?;
    net.show_queue(courier.clone());
    announce(announcement)?;
    let mut grace = Duration::from_secs(config.network.shutdown_grace);
    while signals.reload_or_stop().await == signals::Told::Reload {
        match reload(&reread, &logging, &net, &rooms).await {
            Ok(config) => {
                grace = Duration::from_secs(config.network.shutdown_grace);
                tracing::info!("configuration reloaded");
            }
            Err(error) => {
                tracing::error!("configuration not reloaded, all goes on as before: {error:#}")
            }
        }
    }
    tracing::info!(
        grace = grace.as_secs(),
        "stopping; a second signal ends at once"
    );
    let stopping = async {
        administration.abort();
        pruning.abort();
        tokio::join!(net.shutdown(grace), courier.stop(grace));
        runtime.shutdown(Duration::from_secs(1)).await;
        rooms.close().await;
    };
    tokio::select! {
        () = stopping => {
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
        () = signals.again() => {
            tracing::warn!("stopped at once");
            Ok(ExitCode::from(130))
        }
    }
}

fn start_courier(config: &Config, rooms: &Rooms) -> Result<Courier> {
    let transport = config.transport()?;
    Courier::start(rooms.queue.clone(), rooms.delivery.clone(), &transport)
        .map_err(|error| anyhow!("[transport] ca_file: {error}"))
}

/// Answers the command line.
async fn administer(
    config: &Config,
    rooms: &Rooms,
    runtime: &Runtime,
) -> Result<JoinHandle<waxwing_admin::Result<()>>> {
    let admin = rooms.admin(config, Some(runtime.clone())).await?;
    let socket = config.data().admin_socket();
    Ok(tokio::spawn(async move {
        waxwing_admin::serve(&socket, admin).await
    }))
}

/// A listener whose protocol no plugin serves would only greet with an error.
fn warn_of_unserved(config: &Config, runtime: &Runtime) {
    let active: Vec<String> = runtime
        .status()
        .into_iter()
        .filter(|status| status.state == "active")
        .map(|status| status.plugin)
        .collect();
    if active.is_empty() && !config.listeners.is_empty() {
        tracing::warn!(
            "no plugin is active: `waxwing plugin load DIR` and `waxwing plugin activate NAME` bring protocols"
        );
    }
}

async fn net_config(config: &Config, directory: &Directory) -> Result<NetConfig> {
    let domains = directory.domains().await.context("the list of domains")?;
    Ok(NetConfig {
        host_name: config.host_name.clone(),
        data_dir: config.data_dir.clone(),
        domains: domains
            .into_iter()
            .map(|domain| domain.name.to_string())
            .collect(),
        tls: TlsConfig {
            certificates: config.certificates.clone(),
        },
        unlimited_from: networks(&config.network.unlimited_from),
        metrics_from: networks(&config.metrics.allow_from),
        listeners: config.listeners.clone(),
    })
}

fn networks(networks: &[Network]) -> Vec<IpNet> {
    networks.iter().map(|Network(network)| *network).collect()
}

/// Certificates, names, listeners with their limits, log level. What belongs to opened rooms stays until a restart.
async fn reload(
    reread: &impl Fn() -> Result<Config>,
    logging: &Logging,
    net: &Server,
    rooms: &Rooms,
) -> Result<Config> {
    let config = reread()?;
    net.reload(net_config(&config, &rooms.directory).await?)
        .await?;
    rooms.site.change(rooms::site(&config));
    logging.set_level(&config.log)?;
    Ok(config)
}

fn announce(announcement: Option<&Path>) -> Result<()> {
    let text = match announcement {
        Some(file) => std::fs::read_to_string(file).with_context(|| file.display().to_string())?,
        None => "ready\n".to_owned(),
    };
    output::out(&text);
    Ok(())
}
