//! Plugins and their versions. A plugin is a name with one active version; sessions and requests take that version
//! from an `ArcSwap`, so that a swap is one pointer and never waits. A version lives as long as a session
//! stands on it, whatever became of it meanwhile.
//!
//! staged → active → retired; `rollback` makes the version that was active before active again.

mod persisted;
mod version;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

pub(crate) use self::{
    persisted::{Persisted, Remembered},
    version::{Counters, Facts, Version},
};
use crate::{Error, PluginStatus, Result, Swap, memory::Total};

/// Retired versions that are kept for `rollback` and for looking back.
const RETIRED: usize = 5;

/// What became of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum VersionState {
    /// Loaded, never active yet.
    Staged,
    /// What new sessions get.
    Active,
    /// Was active.
    Retired,
}

impl VersionState {
    fn name(self) -> &'static str {
        match self {
            VersionState::Staged => "staged",
            VersionState::Active => "active",
            VersionState::Retired => "retired",
        }
    }
}

struct Entry {
    version: Arc<Version>,
    state: VersionState,
}

/// One plugin.
pub(crate) struct Plugin {
    pub(crate) name: String,
    pub(crate) memory: Arc<Total>,
    active: ArcSwapOption<Version>,
    changed: watch::Sender<u64>,
    /// In the order of loading; retired ones in the order of their retirement at the front.
    entries: Mutex<Vec<Entry>>,
}

impl Plugin {
    fn new(name: &str) -> Plugin {
        Plugin {
            name: name.to_owned(),
            memory: Arc::default(),
            active: ArcSwapOption::empty(),
            changed: watch::channel(0).0,
            entries: Mutex::default(),
        }
    }

    pub(crate) fn active(&self) -> Option<Arc<Version>> {
        self.active.load_full()
    }

    /// Changes with every swap.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version that has this component and manifest already.
    pub(crate) fn same(&self, version: &str, digest: &str, manifest: &str) -> Option<Arc<Version>> {
        let found = |entry: &&Entry| {
            let held = &entry.version;
            held.facts.version == version && held.digest == digest && held.manifest_text == manifest
        };
        self.entries()
            .iter()
            .find(found)
            .map(|entry| entry.version.clone())
    }

    fn stage(&self, version: Arc<Version>, state: VersionState) {
        self.entries().push(Entry { version, state });
    }

    /// The version that is meant: by number the one loaded last, without a number the newest that is staged.
    fn choose(&self, wanted: Option<&str>) -> Result<Arc<Version>> {
        let entries = self.entries();
        let found = match wanted {
            Some(number) => entries.iter().rev().find(|entry| {
                entry.version.facts.version == number || entry.version.key() == number
            }),
            None => entries
                .iter()
                .rev()
                .find(|entry| entry.state == VersionState::Staged),
        };
        found
            .map(|entry| entry.version.clone())
            .ok_or_else(|| match wanted {
                Some(number) => Error::Package(format!("{} {number} is not loaded", self.name)),
                None => Error::Package(format!("{} has no staged version", self.name)),
            })
    }

    /// The version that was active before.
    fn previous(&self) -> Result<Arc<Version>> {
        let entries = self.entries();
        let found = entries
            .iter()
            .rfind(|entry| entry.state == VersionState::Retired);
        found.map(|entry| entry.version.clone()).ok_or_else(|| {
            Error::Package(format!(
                "{} has no earlier version to go back to",
                self.name
            ))
        })
    }

    /// Publishes a version.
    fn activate(&self, version: &Arc<Version>, gone: VersionState) -> Swap {
        let mut entries = self.entries();
        let before = self.active.swap(Some(version.clone()));
        for entry in entries.iter_mut() {
            if Arc::ptr_eq(&entry.version, version) {
                entry.state = VersionState::Active;
            } else if entry.state == VersionState::Active {
                entry.state = gone;
            }
        }
        // The version retired last stands last, so that a second rollback goes further back.
        entries.sort_by_key(|entry| match (&before, entry.state) {
            (Some(before), VersionState::Retired) if Arc::ptr_eq(&entry.version, before) => 1,
            (_, VersionState::Retired) => 0,
            _ => 2,
        });
        let retired = entries
            .iter()
            .filter(|entry| entry.state == VersionState::Retired)
            .count();
        entries.drain(..retired.saturating_sub(RETIRED));
        drop(entries);
        self.changed.send_modify(|count| *count += 1);
        Swap {
            plugin: self.name.clone(),
            from: before.map(|before| before.facts.version.clone()),
            to: version.facts.version.clone(),
        }
    }

    fn status(&self) -> Vec<PluginStatus> {
        self.entries()
            .iter()
            .map(|entry| {
                entry
                    .version
                    .status(entry.state.name(), self.memory.octets())
            })
            .collect()
    }

    fn remembered(&self) -> Vec<Remembered> {
        self.entries()
            .iter()
            .map(|entry| Remembered {
                directory: entry.version.key(),
                state: entry.state,
            })
            .collect()
    }
}

/// All plugins of this host.
pub(crate) struct Plugins {
    plugins: Mutex<BTreeMap<String, Arc<Plugin>>>,
    persisted: Persisted,
    /// One load, activation or rollback at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

impl Plugins {
    pub(crate) fn new(directory: PathBuf) -> Result<Plugins> {
        Ok(Plugins {
            plugins: Mutex::default(),
            persisted: Persisted::new(directory)?,
            changing: tokio::sync::Mutex::default(),
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

    pub(crate) fn stage(&self, plugin: &Plugin, version: Arc<Version>, state: VersionState) {
        plugin.stage(version.clone(), state);
        if state == VersionState::Active {
            plugin.activate(&version, VersionState::Retired);
        }
    }

    /// Makes a loaded version the active one.
    pub(crate) fn activate(&self, name: &str, wanted: Option<&str>) -> Result<Swap> {
        let plugin = self.get(name)?;
        let version = plugin.choose(wanted)?;
        self.swap(&plugin, &version, VersionState::Retired)
    }

    /// Makes the version before the active one.
    pub(crate) fn rollback(&self, name: &str) -> Result<Swap> {
        let plugin = self.get(name)?;
        let version = plugin.previous()?;
        // What was rolled back is staged again: going forward once more is an `activate`.
        self.swap(&plugin, &version, VersionState::Staged)
    }

    fn swap(&self, plugin: &Plugin, version: &Arc<Version>, gone: VersionState) -> Result<Swap> {
        let lacking = version.grants.ungranted();
        if !lacking.is_empty() {
            let lacking = lacking
                .iter()
                .map(|need| format!("`{need}`"))
                .collect::<Vec<_>>()
                .join(", ");
            return Err(Error::Package(format!(
                "{} {} needs {lacking}, which is not granted: add it to `grants` under [plugin.{}]",
                plugin.name, version.facts.version, plugin.name
            )));
        }
        let swap = plugin.activate(version, gone);
        self.remember(plugin)?;
        tracing::info!(plugin = %swap.plugin, from = ?swap.from, to = %swap.to, "another version is active");
        Ok(swap)
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
