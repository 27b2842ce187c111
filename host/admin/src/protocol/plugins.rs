//! Commands and rows about plugins.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `waxwing plugin …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginCommand {
    /// Every version that is loaded.
    List,
    /// Verifies and stages a package.
    Load {
        /// Absolute: the server does not share the caller's working directory.
        package: PathBuf,
    },
    /// Makes a staged version the active one; live sessions are handed over.
    Activate {
        /// Its name.
        plugin: String,
        /// None: the newest that is staged.
        version: Option<String>,
    },
    /// Goes back to the version that was active before.
    Rollback {
        /// Its name.
        plugin: String,
    },
    /// Versions with their counters, of one plugin or all.
    Status {
        /// None: all.
        plugin: Option<String>,
    },
}

/// A line of `plugin list` and `plugin status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRow {
    /// Its name.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// `staged`, `active`, `retired`.
    pub state: String,
    /// BLAKE3 of the component, hex.
    pub digest: String,
    /// Live sessions and those frozen.
    pub sessions: u64,
    /// Sessions kept as bytes.
    pub frozen: u64,
    /// Turns handled.
    pub turns: u64,
    /// Traps and time-outs.
    pub traps: u64,
    /// Sessions taken over from another version.
    pub handovers: u64,
    /// Sessions that it refused to take over.
    pub refusals: u64,
}

/// `plugin load` succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLoaded {
    /// Its name.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// `staged`, or what it was already when the same package had been loaded before.
    pub state: String,
    /// BLAKE3 of the component, hex.
    pub digest: String,
    /// Needs that the operator has not granted; while there are any it cannot be activated.
    pub ungranted: Vec<String>,
}

/// A swap that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginSwap {
    /// Its name.
    pub plugin: String,
    /// The version that was active.
    pub from: Option<String>,
    /// The version that is active.
    pub to: String,
}
