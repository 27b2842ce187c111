//! Opens the rooms that hold data, in the order in which they stand on each other: store, directory, mail flow, runtime.
//!
//! The server opens all of them; a command without a server opens what it needs. The store comes first, since its lock is what
//! keeps a second process from the same data.

use std::{collections::BTreeMap, fs, os::unix::fs::DirBuilderExt, path::Path, time::Duration};

use anyhow::{Context, Result};
use waxwing_admin::Admin;
use waxwing_directory::{Directory, DirectoryConfig, HashCost};
use waxwing_exmdb::{Store, StoreConfig};
use waxwing_net::TlsMode;
use waxwing_runtime::{
    CompileLimits, Compiler, CurrentSite, EngineConfig, Limits, PluginConfig, Runtime,
    RuntimeConfig, Services, Site, package::signature::TrustedKey,
};
use waxwing_transport::{Delivery, Outbound, Quarantine, Queue, Resolver};

use crate::config::{Config, default_grants};

/// The hidden word of the command line that makes this binary the compiling child.
pub(crate) const COMPILE: &str = "__compile";

/// Mailboxes, people, and what is on its way to others.
#[derive(Clone)]
pub(crate) struct Rooms {
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) queue: Queue,
    pub(crate) delivery: Delivery,
    pub(crate) site: CurrentSite,
}

impl Rooms {
    /// Opens them; the data directory is made when it is not there.
    pub(crate) async fn open(config: &Config) -> Result<Rooms> {
        let data = config.data();
        let folder = || format!("data directory {}", data.root().display());
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data.root())
            .with_context(folder)?;
        let store = Store::open(StoreConfig {
            root: data.mailboxes(),
            max_open: config.store.max_open,
            index_cache: config.store.index_cache,
        });
        let store = store.await.with_context(folder)?;
        let directory = Directory::open(DirectoryConfig {
            default_domain: config.default_domain.clone(),
            no_penalty_from: config
                .directory
                .no_penalty_from
                .iter()
                .map(|network| network.0.to_string())
                .collect(),
            recipient_delimiter: config.directory.recipient_delimiter.chars().next(),
            postmaster: config.directory.postmaster.clone().map(|address| address.0),
            scram_iterations: config.directory.scram_iterations,
            hash_cost: HashCost {
                memory: config.directory.password_memory,
                passes: config.directory.password_passes,
                ..HashCost::default()
            },
            ..DirectoryConfig::new(data.directory())
        });
        let directory = directory.await.context("the directory of users")?;
        let queue = Queue::open(&data.queue()).await.context("the queue")?;
        let delivery = Delivery::new(
            store.clone(),
            directory.clone(),
            queue.clone(),
            config.host_name.clone(),
        );
        delivery.configure(config.transport.delivery());
        delivery.authenticate_with(
            config.authentication.authentication(&config.host_name),
            &Resolver::new(&config.dns.dns()),
        );
        let (folder, limits) = (data.quarantine(), config.transport.quarantine());
        let quarantine = Quarantine::open(&folder, limits).await;
        delivery.quarantine_in(quarantine.context("the quarantine")?);
        Ok(Rooms {
            store,
            directory,
            queue,
            delivery,
            site: CurrentSite::new(site(config)),
        })
    }

    /// Starts the engine and brings back the plugins that were loaded.
    pub(crate) async fn runtime(&self, config: &Config) -> Result<Runtime> {
        let services = Services {
            store: self.store.clone(),
            directory: self.directory.clone(),
            delivery: self.delivery.clone(),
            site: self.site.clone(),
        };
        Runtime::new(runtime_config(config)?, services)
            .await
            .context("the plugins")
    }

    /// Who executes an administrator's commands.
    pub(crate) async fn admin(&self, config: &Config, runtime: Option<Runtime>) -> Result<Admin> {
        let outbound = Outbound::new(self.queue.clone(), &config.transport()?);
        let (store, directory) = (self.store.clone(), self.directory.clone());
        let admin = Admin::new(store, directory, outbound, runtime)
            .at(self.site.clone())
            .delivering_with(self.delivery.clone());
        admin.tell_quotas().await.context("the quotas")?;
        Ok(admin)
    }

    /// Flushes and closes.
    pub(crate) async fn close(self) {
        self.queue.close().await;
        self.store.shutdown().await;
        self.directory.close().await;
    }
}

/// What others may know of this server: its name, and the services that its listeners are for.
pub(crate) fn site(config: &Config) -> Site {
    let mut services: Vec<(&'static str, u16)> = Vec::new();
    for listener in &config.listeners {
        let names: &[&'static str] = match (&*listener.protocol, listener.tls) {
            ("imap", TlsMode::Implicit) => &["imaps"],
            ("imap", TlsMode::Starttls) => &["imap"],
            ("pop3", TlsMode::Implicit) => &["pop3s"],
            ("pop3", TlsMode::Starttls) => &["pop3"],
            ("submission", TlsMode::Implicit) => &["submissions"],
            ("submission", TlsMode::Starttls) => &["submission"],
            ("managesieve", TlsMode::Starttls) => &["sieve"],
            ("http", TlsMode::Implicit) => &["caldavs", "carddavs"],
            _ => &[],
        };
        let port = listener.address.port();
        services.extend(names.iter().map(|name| (*name, port)));
    }
    services.sort_unstable();
    services.dedup_by_key(|(name, _)| *name);
    Site {
        host_name: config.host_name.clone(),
        services,
    }
}

fn runtime_config(config: &Config) -> Result<RuntimeConfig> {
    let (data, keys) = (config.data(), &config.runtime);
    let trusted_keys = keys
        .trusted_keys
        .iter()
        .map(|(name, hex)| TrustedKey::from_hex(name, hex));
    let program = std::env::current_exe().context("where this program is")?;
    Ok(RuntimeConfig {
        engine: EngineConfig {
            live_instances: keys.live_instances,
            largest_memory: keys.largest_memory,
            process_memory: keys.process_memory,
        },
        freeze_after: Duration::from_millis(keys.freeze_after_ms),
        limits: Limits::default().with(&config.limits),
        plugins: plugins(config),
        compiler: Compiler::Child {
            program: undeleted(&program),
            arguments: vec![COMPILE.to_owned()],
        },
        compile_limits: CompileLimits {
            memory: keys.compile_memory,
            cpu_seconds: keys.compile_cpu_seconds,
            ..CompileLimits::default()
        },
        trusted_keys: trusted_keys
            .collect::<Result<_, _>>()
            .context("[runtime] trusted_keys")?,
        require_signature: keys.require_signature,
        ..RuntimeConfig::new(
            data.plugins(),
            data.plugin_cache(),
            config.host_name.clone(),
        )
    })
}

/// Linux says so when the binary was replaced while it runs; the new one stands at the same place.
fn undeleted(program: &Path) -> std::path::PathBuf {
    let name = program.to_string_lossy();
    name.strip_suffix(" (deleted)")
        .map_or_else(|| program.to_owned(), Into::into)
}

fn plugins(config: &Config) -> BTreeMap<String, PluginConfig> {
    let names = crate::config::shipped()
        .map(str::to_owned)
        .chain(config.plugins.keys().cloned());
    let said = |name: &str| config.plugins.get(name).cloned().unwrap_or_default();
    names
        .map(|name| {
            let keys = said(&name);
            let grants = keys.grants.unwrap_or_else(|| default_grants(&name));
            (
                name,
                PluginConfig {
                    grants,
                    limits: keys.limits,
                    slo: keys.slo,
                    hook: keys.hook,
                    settings: keys.config,
                },
            )
        })
        .collect()
}
