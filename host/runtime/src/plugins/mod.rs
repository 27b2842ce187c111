//! Plugins and their versions. A plugin is a name with one active version and perhaps a canary, which serves some users
//! before all; sessions and requests take their version from one pointer, so that a swap never waits. A version lives as
//! long as a session stands on it, whatever became of it meanwhile.
//!
//! staged → canary → active → retired; `rollback` makes the version that was active before active again. A canary or a
//! freshly activated version that fails more than its `[slo]` allows is taken back by itself (`guard`) and then stands as
//! failed until it is loaded anew or forgiven.

mod audience;
mod guard;
mod monitor;
mod persisted;
mod plugin;
mod state;
mod version;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime},
};

use tokio::sync::mpsc::UnboundedSender;
use waxwing_transport::Stage;

pub use self::audience::Audience;
use self::monitor::Monitor;
pub(crate) use self::{
    guard::{Breach, guard},
    monitor::Monitor as SloMonitor,
    persisted::{Persisted, Remembered},
    plugin::Plugin,
    state::VersionState,
    version::{Counters, Facts, Newcomers, Version},
};
use crate::{CanaryStart, Error, PluginStatus, Result, Swap, package::manifest::World};

/// All plugins of this host.
pub(crate) struct Plugins {
    plugins: Mutex<BTreeMap<String, Arc<Plugin>>>,
    persisted: Persisted,
    /// Told of versions that fail too much.
    pub(crate) guard: UnboundedSender<Breach>,
    /// One load, activation or rollback at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// Hooks whose active version could not be brought back at the start, with their stages: the operator believes that they are asked.
    missing: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Plugins {
    pub(crate) fn new(directory: PathBuf, guard: UnboundedSender<Breach>) -> Result<Plugins> {
        Ok(Plugins {
            plugins: Mutex::default(),
            persisted: Persisted::new(directory)?,
            guard,
            changing: tokio::sync::Mutex::default(),
            missing: Mutex::default(),
        })
    }

    fn map(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Plugin>>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn persisted(&self) -> &Persisted {
        &self.persisted
    }

    pub(crate) fn all(&self) -> Vec<Arc<Plugin>> {
        self.map().values().cloned().collect()
    }

    pub(crate) fn get(&self, name: &str) -> Result<Arc<Plugin>> {
        self.map()
            .get(name)
            .cloned()
            .ok_or_else(|| Error::NoPlugin(name.to_owned()))
    }

    /// The plugin of this name, made if it is new; it counts once a version is staged.
    pub(crate) fn entry(&self, name: &str) -> Arc<Plugin> {
        self.map()
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(Plugin::new(name)))
            .clone()
    }

    /// The plugin whose active version serves a protocol.
    pub(crate) fn serving(&self, protocol: &str) -> Result<(Arc<Plugin>, Arc<Version>)> {
        let plugins = self.all();
        let found = plugins.into_iter().find_map(|plugin| {
            let active = plugin.active()?;
            active
                .manifest
                .protocols
                .iter()
                .any(|served| served == protocol)
                .then_some((plugin, active))
        });
        found.ok_or_else(|| Error::NoPlugin(format!("for protocol {protocol}")))
    }

    /// The plugin that runs people's own filters.
    pub(crate) fn filtering(&self) -> Option<(Arc<Plugin>, Arc<Version>)> {
        self.all().into_iter().find_map(|plugin| {
            let active = plugin.active()?;
            (active.manifest.world == World::DeliveryFilterHook).then_some((plugin, active))
        })
    }

    fn missing(&self) -> MutexGuard<'_, BTreeMap<String, Vec<String>>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An active hook is not there.
    pub(crate) fn misses(&self, name: &str, stages: Vec<String>) {
        self.missing().insert(name.to_owned(), stages);
    }

    /// Until another version of it is active.
    pub(crate) fn is_missing(&self, name: &str) -> bool {
        let is_active = || self.get(name).is_ok_and(|plugin| plugin.active().is_some());
        self.missing().contains_key(name) && !is_active()
    }

    /// The plugins of which some version that serves wants a stage of the mail flow, and those that are missing.
    pub(crate) fn hooks_at(&self, stage: Stage) -> Vec<Arc<str>> {
        let missing: Vec<String> = {
            let missing = self.missing();
            let wanting = missing
                .iter()
                .filter(|(_, stages)| stages.iter().any(|name| name == stage.name()));
            wanting.map(|(name, _)| name.clone()).collect()
        };
        let missing = missing.into_iter().filter(|name| self.is_missing(name));
        let missing = missing.map(|name| Arc::from(name.as_str()));
        let plugins = self.all().into_iter();
        let wanting = plugins.filter(|plugin| {
            let mut serving = plugin.active().into_iter().chain(plugin.canary());
            serving.any(|version| version.wants(stage))
        });
        let wanting = wanting.map(|plugin| plugin.name.clone());
        wanting.chain(missing).collect()
    }

    /// Makes a loaded version the active one.
    pub(crate) fn activate(&self, name: &str, wanted: Option<&str>) -> Result<Swap> {
        let plugin = self.get(name)?;
        let version = plugin.choose(wanted)?;
        may_serve(&plugin, &version)?;
        self.swap(
            &plugin,
            &version,
            Some(SystemTime::now()),
            &VersionState::Retired,
        )
    }

    /// Makes the version before the active one; where there is a canary, its users go back to the active one instead.
    pub(crate) fn rollback(&self, name: &str) -> Result<Swap> {
        let plugin = self.get(name)?;
        if plugin.canary().is_some() {
            return self.stop_canary(name);
        }
        let version = plugin.previous()?;
        granted(&plugin, &version)?;
        // What was rolled back is staged again: going forward once more is an `activate`.
        self.swap(&plugin, &version, None, &VersionState::Staged)
    }

    fn swap(
        &self,
        plugin: &Plugin,
        version: &Arc<Version>,
        since: Option<SystemTime>,
        gone: &VersionState,
    ) -> Result<Swap> {
        version.begin_trial();
        let swap = plugin.activate(version, since, gone);
        self.remember(plugin)?;
        tracing::info!(plugin = %swap.plugin, from = ?swap.from, to = %swap.to, "another version is active");
        Ok(swap)
    }

    /// Gives some users a version of their own.
    pub(crate) fn start_canary(
        &self,
        name: &str,
        wanted: Option<&str>,
        audience: Audience,
    ) -> Result<CanaryStart> {
        let plugin = self.get(name)?;
        let version = plugin.choose(wanted)?;
        let number = &version.facts.version;
        let refuse = |why: &str| Err(Error::Package(format!("{name} {number} {why}")));
        let Some(active) = plugin.active() else {
            return refuse(
                "cannot be a canary: no version is active that could serve all others; `waxwing plugin activate` it",
            );
        };
        if Arc::ptr_eq(&active, &version) {
            return refuse("is the active version already and serves everybody");
        }
        if audience.is_nobody() {
            return refuse("cannot be a canary for nobody: name users or a percentage");
        }
        may_serve(&plugin, &version)?;
        if !version.can_be_reached() {
            return refuse(
                "cannot be a canary: a user is known only after log-in, and its world can take over no session then",
            );
        }
        if !plugin
            .canary()
            .is_some_and(|canary| Arc::ptr_eq(&canary, &version))
        {
            version.begin_trial();
        }
        plugin.start_canary(&version, &audience);
        self.remember(&plugin)?;
        tracing::info!(plugin = name, canary = %number, active = %active.facts.version, %audience, "a version serves some");
        Ok(CanaryStart {
            plugin: name.to_owned(),
            version: number.clone(),
            key: version.key.clone(),
            active: active.facts.version.clone(),
            audience,
            no_way_back: no_way_back(&version, &active),
        })
    }

    /// The canary's users go back to the active version.
    pub(crate) fn stop_canary(&self, name: &str) -> Result<Swap> {
        let plugin = self.get(name)?;
        let swap = plugin.stop_canary(&VersionState::Staged)?;
        self.remember(&plugin)?;
        tracing::info!(plugin = name, canary = ?swap.from, active = %swap.to, "the canary is stopped");
        Ok(swap)
    }

    /// A version that was taken back by itself may serve again.
    pub(crate) fn forgive(&self, name: &str, wanted: &str) -> Result<()> {
        let plugin = self.get(name)?;
        plugin.forgive(&plugin.choose(Some(wanted))?);
        self.remember(&plugin)
    }

    /// Takes back what fails too much, if there is a version to go back to.
    fn take_back(&self, breach: &Breach) -> Result<()> {
        let Breach {
            plugin: name,
            version,
            why,
        } = breach;
        let plugin = self.get(name)?;
        match plugin.take_back(version, why, SystemTime::now()) {
            Some(swap) => {
                tracing::error!(plugin = %name, from = ?swap.from, to = %swap.to, why, "a version is taken back, it fails too much");
                self.remember(&plugin)
            }
            None => {
                tracing::error!(plugin = %name, version, why, "a version fails too much, and is not on trial or has none before it to go back to");
                Ok(())
            }
        }
    }

    fn sample(&self, now: Instant) {
        for plugin in self.all() {
            plugin.sample(now);
        }
    }

    pub(crate) fn remember(&self, plugin: &Plugin) -> Result<()> {
        self.persisted.remember(&plugin.name, &plugin.remembered())
    }

    pub(crate) fn status(&self) -> Vec<PluginStatus> {
        self.all()
            .iter()
            .flat_map(|plugin| plugin.status())
            .collect()
    }
}

fn may_serve(plugin: &Plugin, version: &Arc<Version>) -> Result<()> {
    if let Some(why) = plugin.failure(version) {
        let (name, number) = (&plugin.name, &version.facts.version);
        return Err(Error::Package(format!(
            "{name} {number} was taken back by itself: {why}. Load it anew, or say --force, to have it serve again"
        )));
    }
    granted(plugin, version)
}

fn granted(plugin: &Plugin, version: &Version) -> Result<()> {
    let lacking = version.grants.ungranted();
    if lacking.is_empty() {
        return Ok(());
    }
    let lacking: Vec<_> = lacking.iter().map(|need| format!("`{need}`")).collect();
    Err(Error::Package(format!(
        "{} {} needs {}, which is not granted: add it to `grants` under [plugin.{}]",
        plugin.name,
        version.facts.version,
        lacking.join(", "),
        plugin.name
    )))
}

/// Why sessions could not be given back from one version to another, if that is so.
fn no_way_back(from: &Version, to: &Version) -> Option<String> {
    let writes = from.manifest.handoff.as_ref()?.writes;
    (!to.accepts(writes)).then(|| {
        format!(
            "{} does not accept format {writes}, which {} writes: should it be taken back, its sessions stay on it until they end",
            to.facts.version, from.facts.version
        )
    })
}
