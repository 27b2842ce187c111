//! The runtime as the rest of the host sees it: load, activate, roll back; open sessions and exchanges.
//!
//! Loading a package is: read and verify, compile in a child, link against what is granted, and a self-test in a fresh
//! instance (`start` on a made-up connection, and a freeze and thaw where the component exports them). What fails
//! any of it never becomes a version. A loaded package is copied, so that a restart finds it again.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    CanaryStart, Error, Loaded, PluginStatus, Result, Services, Swap, Usage,
    bindings::exports::waxwing::session::handoff::Cause,
    compile::{Compilation, CompileLimits, Compiler},
    engine::{Engine, EngineConfig},
    exchange::{Exchange, HttpRequest, Route},
    filter::Filters,
    hooks::{HookKeys, MailFlowHooks},
    host_side::{HostSide, Identity},
    instance::{Exports, Failed, Instance},
    limits::{Limits, LimitsRequest},
    linker,
    locks::Locks,
    long_turns::Pace,
    package::{
        Package,
        grants::Grants,
        manifest::{Manifest, World},
        signature::TrustedKey,
    },
    plugins::{
        Audience, Counters, Facts, Newcomers, Plugin, Plugins, Remembered, SloMonitor, Version,
        VersionState, guard,
    },
    protocol::{CloseReason, Context, Turn},
    session::{Registry, Session, SessionStatus, translate},
    slo::{Slo, SloRequest},
};

/// What the operator says about one plugin: `[plugin.NAME]`.
#[derive(Debug, Clone, Default)]
pub struct PluginConfig {
    /// Interfaces it may call: packages (`store`) or single interfaces (`store/views`).
    pub grants: Vec<String>,
    /// Changes of the limits' ceiling.
    pub limits: LimitsRequest,
    /// How much it may fail, where the manifest is not to decide.
    pub slo: SloRequest,
    /// When it is asked, and what its failure means, if it is a hook in the mail flow.
    pub hook: HookKeys,
    /// What `waxwing:config/settings` answers: dotted keys, JSON texts.
    pub settings: BTreeMap<String, String>,
}

/// How the runtime is set up.
#[derive(Debug, Clone)]
pub struct RuntimeConfig {
    /// Copies of loaded packages, and which versions are active.
    pub packages: PathBuf,
    /// Machine code; may be deleted at any time.
    pub cache: PathBuf,
    /// The name to greet with.
    pub host_name: String,
    /// Sizes of the engine.
    pub engine: EngineConfig,
    /// A session that waits for so long without a turn is parked, whether its plugin asked for it or not.
    pub freeze_after: Duration,
    /// The ceiling for all plugins.
    pub limits: Limits,
    /// Per plugin, by name.
    pub plugins: BTreeMap<String, PluginConfig>,
    /// Who compiles.
    pub compiler: Compiler,
    /// Bounds of a compilation.
    pub compile_limits: CompileLimits,
    /// Keys whose signatures count.
    pub trusted_keys: Vec<TrustedKey>,
    /// Whether an unsigned package is refused.
    pub require_signature: bool,
}

impl RuntimeConfig {
    /// Long enough that a client in the middle of its work keeps its instance, short enough that a burst of log-ins does not
    /// fill the engine.
    pub const FREEZE_AFTER: Duration = Duration::from_secs(2);

    /// Defaults for everything but the places. Compiles in this process; set `compiler` to a child for packages of others.
    #[must_use]
    pub fn new(packages: PathBuf, cache: PathBuf, host_name: String) -> RuntimeConfig {
        RuntimeConfig {
            packages,
            cache,
            host_name,
            engine: EngineConfig::default(),
            freeze_after: RuntimeConfig::FREEZE_AFTER,
            limits: Limits::default(),
            plugins: BTreeMap::new(),
            compiler: Compiler::InProcess,
            compile_limits: CompileLimits::default(),
            trusted_keys: Vec::new(),
            require_signature: false,
        }
    }
}

/// What sessions and exchanges share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) services: Services,
    pub(crate) plugins: Arc<Plugins>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) locks: Arc<Locks>,
    pub(crate) stopping: watch::Sender<bool>,
    compilation: Compilation,
    pub(crate) config: RuntimeConfig,
}

/// See the module comment. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Shared>);

impl Runtime {
    /// Starts the engine and brings back what was loaded and active when it stopped. A version that no longer
    /// loads is logged and left out; it does not keep the others from starting.
    ///
    /// # Errors
    /// When the engine or its directories fail.
    pub async fn new(config: RuntimeConfig, services: Services) -> Result<Runtime> {
        let (alarm, breaches) = tokio::sync::mpsc::unbounded_channel();
        let plugins = Arc::new(Plugins::new(config.packages.clone(), alarm)?);
        tokio::spawn(guard(Arc::downgrade(&plugins), breaches));
        let shared = Shared {
            engine: Engine::new(config.engine.clone())?,
            services,
            plugins,
            registry: Arc::default(),
            locks: Arc::default(),
            stopping: watch::channel(false).0,
            compilation: Compilation::new(
                config.cache.clone(),
                config.compiler.clone(),
                config.compile_limits.clone(),
            )?,
            config,
        };
        let runtime = Runtime(Arc::new(shared));
        let filters = Arc::new(Filters::of(&runtime.0));
        runtime.0.services.delivery.filter_with(filters);
        let hooks = Arc::new(MailFlowHooks::of(&runtime.0));
        runtime.0.services.delivery.ask_hooks(hooks);
        for (plugin, versions) in runtime.0.plugins.persisted().recall()? {
            for remembered in versions {
                if let Err(error) = runtime.recall(&plugin, &remembered).await {
                    tracing::error!(plugin, version = %remembered.directory, %error, "a version cannot be brought back");
                    if remembered.state().is_active() && !remembered.stages.is_empty() {
                        runtime.0.plugins.misses(&plugin, remembered.stages);
                    }
                }
            }
        }
        Ok(runtime)
    }

    async fn recall(&self, name: &str, remembered: &Remembered) -> Result<()> {
        let directory = self
            .0
            .plugins
            .persisted()
            .package(name, &remembered.directory);
        let package = self.read(directory).await?;
        let plugin = self.0.plugins.entry(name);
        let version = self.prepare(package, &plugin).await?;
        let (lacking, state) = (version.grants.ungranted(), remembered.state());
        if state.is_active() && !lacking.is_empty() {
            tracing::warn!(plugin = name, version = %version.facts.version, ?lacking, "the active version is no longer granted all it needs");
        }
        plugin.add(Arc::new(version), state);
        Ok(())
    }

    async fn read(&self, directory: PathBuf) -> Result<Package> {
        let (trusted, required) = (
            self.0.config.trusted_keys.clone(),
            self.0.config.require_signature,
        );
        tokio::task::spawn_blocking(move || Package::read(&directory, &trusted, required))
            .await
            .map_err(|error| Error::Other(error.to_string()))?
    }

    /// Verifies, compiles, links and tests a package; staged afterwards. Loading the same package again answers the
    /// version that is there. Another package may have the number of one that is there; the number then means the newer.
    ///
    /// # Errors
    /// What is wrong with the package, in words for its author or operator.
    pub async fn load(&self, package: &Path) -> Result<Loaded> {
        let package = self.read(package.to_owned()).await?;
        let _one_at_a_time = self.0.plugins.changing.lock().await;
        let plugin = self.0.plugins.entry(&package.manifest.name);
        let number = package.manifest.version.to_string();
        let version = match plugin.same(&number, &package.digest, &package.manifest_text) {
            Some(version) => {
                // It is meant to serve, whatever happened to it before.
                plugin.forgive(&version);
                self.0.plugins.remember(&plugin)?;
                version
            }
            None => {
                let version = Arc::new(self.prepare(package.clone(), &plugin).await?);
                self.self_test(&version).await.map_err(|failed| {
                    Error::Package(format!(
                        "{} {number} fails its self-test: {}",
                        plugin.name, failed.reason
                    ))
                })?;
                self.0.plugins.persisted().keep(&package)?;
                plugin.add(version.clone(), VersionState::Staged);
                self.0.plugins.remember(&plugin)?;
                version
            }
        };
        Ok(Loaded {
            plugin: plugin.name.to_string(),
            version: number,
            key: version.key.clone(),
            digest: version.digest.clone(),
            signed_by: version.signed_by.clone(),
            ungranted: version.grants.ungranted(),
        })
    }

    /// What a version's instances may use: as it asks, as far as the operator allows.
    fn limits(&self, manifest: &Manifest, operator: &PluginConfig) -> Limits {
        let ceiling = self.0.config.limits.with(&operator.limits);
        for (key, asked) in ceiling.exceeded_by(&manifest.limits) {
            tracing::warn!(plugin = %manifest.name, key, asked, "the manifest asks for more than the operator allows");
        }
        let mut limits = ceiling.grant(&manifest.limits);
        let largest = self.0.engine.config.largest_memory;
        if limits.memory > largest {
            tracing::warn!(plugin = %manifest.name, memory = limits.memory, "no instance gets more than [runtime] largest_memory = {largest}");
            limits.memory = largest;
        }
        limits
    }

    /// Compiles and links.
    async fn prepare(&self, package: Package, plugin: &Plugin) -> Result<Version> {
        let (shared, key) = (&self.0, package.key());
        let manifest = package.manifest;
        let operator = shared
            .config
            .plugins
            .get(&manifest.name)
            .cloned()
            .unwrap_or_default();
        let limits = self.limits(&manifest, &operator);
        let grants = Grants::new(&manifest.name, &manifest.needs, &operator.grants);
        let whose = |what: &dyn std::fmt::Display| {
            Error::Package(format!("{} {}: {what}", manifest.name, manifest.version))
        };
        let component = shared
            .compilation
            .component(&shared.engine.wasm, &package.component, &package.digest)
            .await
            .map_err(|error| match error {
                Error::Package(what) => whose(&what),
                other => other,
            })?;
        let pre = linker::link(&shared.engine.wasm, &component, &grants)
            .map_err(|error| whose(&error))?;
        let exports = Exports::of(&pre).within(manifest.world);
        fits(manifest.world, &exports).map_err(|what| whose(&what))?;
        let slo = Slo::default().with(&manifest.slo).with(&operator.slo);
        let facts = Facts {
            plugin: manifest.name.clone(),
            version: manifest.version.to_string(),
            limits,
            settings: operator.settings,
            memory: plugin.memory.clone(),
            version_memory: Arc::default(),
            counters: Counters::default(),
            pace: Pace::default(),
        };
        Ok(Version {
            facts: Arc::new(facts),
            manifest,
            manifest_text: package.manifest_text,
            key,
            digest: package.digest,
            signed_by: package.signed_by,
            grants,
            pre,
            exports,
            monitor: SloMonitor::new(slo),
            guard: shared.plugins.guard.clone(),
            newcomers: Newcomers::default(),
        })
    }

    /// Runs a version once on a connection that does not exist.
    async fn self_test(&self, version: &Version) -> std::result::Result<(), Failed> {
        let context = self.test_context(version);
        let identity = Identity::new(
            context.session.clone(),
            version.facts.plugin.as_str().into(),
            context.peer,
            |_| tracing::info_span!("self-test"),
            &version.facts.limits,
        );
        let shared = &self.0;
        let host = Arc::new(HostSide::new(identity, shared.locks.clone(), None, None));
        let mut instance = Instance::new(&shared.engine, version, &shared.services, &host).await?;
        if version.exports.stream.is_none() {
            return Ok(());
        }
        let told = translate::context(&context, None, version.facts.identity());
        host.begin_turn();
        instance.start(&told).await?;
        // A session may refuse to freeze now and then; what it freezes to must thaw.
        let Some(Ok(snapshot)) = instance.freeze().await? else {
            return Ok(());
        };
        if !version.writes(snapshot.format) {
            return Err(Failed::answer(format!(
                "it froze to format {}, which is not what its manifest says it writes",
                snapshot.format
            )));
        }
        host.commit();
        host.begin_thaw();
        let mut other = Instance::new(&shared.engine, version, &shared.services, &host).await?;
        let thawed = other.thaw(&snapshot, &told, &Cause::Wake).await?;
        thawed
            .map(drop)
            .map_err(|refusal| Failed::answer(format!("it does not thaw what it froze: {refusal}")))
    }

    fn test_context(&self, version: &Version) -> Context {
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Context {
            session: "self-test".into(),
            listener: "self-test".into(),
            protocol: version
                .manifest
                .protocols
                .first()
                .map_or("", String::as_str)
                .into(),
            local: nowhere,
            peer: nowhere,
            tls: None,
            tls_available: true,
            plaintext_login: false,
            host_name: self.0.config.host_name.as_str().into(),
        }
    }

    /// Makes a loaded version the active one; without a number or key the canary, else the newest that is staged. Sessions
    /// hand over at their next turn boundary.
    ///
    /// # Errors
    /// When there is no such version, it needs what is not granted, or it was taken back by itself.
    pub async fn activate(&self, plugin: &str, version: Option<&str>) -> Result<Swap> {
        let _one_at_a_time = self.0.plugins.changing.lock().await;
        self.0.plugins.activate(plugin, version)
    }

    /// Stops the canary; without one, makes the version that was active before active again. The one rolled back is staged.
    ///
    /// # Errors
    /// When there is none.
    pub async fn rollback(&self, plugin: &str) -> Result<Swap> {
        let _one_at_a_time = self.0.plugins.changing.lock().await;
        self.0.plugins.rollback(plugin)
    }

    /// Has a loaded version serve some users; without a number or key the present canary, else the newest that is staged.
    /// Their sessions hand over when they are known to be theirs.
    ///
    /// # Errors
    /// When there is no such version or nobody to serve, it needs what is not granted, or it was taken back by itself.
    pub async fn start_canary(
        &self,
        plugin: &str,
        version: Option<&str>,
        audience: Audience,
    ) -> Result<CanaryStart> {
        let _one_at_a_time = self.0.plugins.changing.lock().await;
        self.0.plugins.start_canary(plugin, version, audience)
    }

    /// The canary is staged again, and its sessions go back to the active version.
    ///
    /// # Errors
    /// When there is none.
    pub async fn stop_canary(&self, plugin: &str) -> Result<Swap> {
        let _one_at_a_time = self.0.plugins.changing.lock().await;
        self.0.plugins.stop_canary(plugin)
    }

    /// Lets a version that was taken back by itself serve again; for any other it does nothing.
    ///
    /// # Errors
    /// When there is no such version.
    pub async fn forgive(&self, plugin: &str, version: &str) -> Result<()> {
        let _one_at_a_time = self.0.plugins.changing.lock().await;
        self.0.plugins.forgive(plugin, version)
    }

    /// Every version of every plugin.
    #[must_use]
    pub fn status(&self) -> Vec<PluginStatus> {
        self.0.plugins.status()
    }

    /// What all plugins together use now.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.engine.usage()
    }

    /// At most so many of the open sessions of stream protocols, oldest first, of those that were opened after the one where
    /// the page before ended (0 at first); and where this page ends, if there may be more.
    #[must_use]
    pub fn sessions_after(
        &self,
        after: u64,
        most: usize,
        which: impl Fn(&SessionStatus) -> bool,
    ) -> (Vec<SessionStatus>, Option<u64>) {
        self.0.registry.list_after(after, most, which)
    }

    /// Asks sessions to end and waits until they have, or time is up; how many there were, and how many are left.
    pub async fn end_sessions(
        &self,
        which: impl Fn(&SessionStatus) -> bool,
        reason: CloseReason,
        wait: Duration,
    ) -> (usize, usize) {
        self.0.registry.end(which, reason, wait).await
    }

    /// Opens a session with the active version of the plugin that serves `context.protocol`. The turn is its greeting.
    ///
    /// # Errors
    /// `NoPlugin` when nobody serves it, `SessionLost` when its first turn fails, `Limit` when there is no place.
    pub async fn open(&self, context: Context) -> Result<(Session, Turn)> {
        Session::open(self.0.clone(), context).await
    }

    /// The routes of all active versions, longest prefix first.
    #[must_use]
    pub fn routes(&self) -> Arc<Vec<Route>> {
        let mut routes: Vec<Route> = Vec::new();
        for version in self
            .0
            .plugins
            .all()
            .iter()
            .filter_map(|plugin| plugin.active())
        {
            routes.extend(version.manifest.routes.iter().map(|route| Route {
                plugin: version.facts.plugin.clone(),
                prefix: route.prefix.clone(),
                auth: route.auth,
                max_body: route.max_body,
            }));
        }
        routes.sort_by(|one, other| {
            other
                .prefix
                .len()
                .cmp(&one.prefix.len())
                .then_with(|| one.prefix.cmp(&other.prefix))
        });
        Arc::new(routes)
    }

    /// Begins a request with the active version of a plugin.
    ///
    /// # Errors
    /// `NoPlugin` when it has none.
    pub fn exchange(&self, plugin: &str, request: HttpRequest) -> Result<Exchange> {
        Exchange::new(self.0.clone(), plugin, request)
    }

    /// Sessions end with `Closing(Shutdown)`, parked requests are woken; returns when the sessions are gone or time is up.
    pub async fn shutdown(&self, grace: Duration) {
        self.0.stopping.send_replace(true);
        let left = self.0.registry.drain(grace).await;
        if left > 0 {
            tracing::warn!(left, "sessions did not end in time");
        }
    }
}

/// Whether a component exports what its manifest says it is.
fn fits(world: World, exports: &Exports) -> std::result::Result<(), String> {
    let lacks = |interface: &str| {
        Err(format!(
            "its world wants `{interface}`, which the component does not export"
        ))
    };
    match world {
        World::StreamPlugin | World::PlainStreamPlugin if exports.stream.is_none() => {
            lacks("waxwing:session/stream")
        }
        World::StreamPlugin if exports.handoff.is_none() => lacks("waxwing:session/handoff"),
        World::HttpPlugin if exports.http.is_none() => lacks("waxwing:http/handler"),
        World::MailFlowHook if exports.mail_flow.is_none() => lacks("waxwing:hook/mail-flow"),
        World::StoreEventHook if !exports.store_events => lacks("waxwing:hook/store-events"),
        World::DeliveryFilterHook if exports.filter.is_none() => {
            lacks("waxwing:hook/delivery-filter")
        }
        _ => Ok(()),
    }
}
