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
        /// Number or key; none: the canary, else the newest that is staged.
        version: Option<String>,
        /// Although it was taken back by itself.
        force: bool,
    },
    /// Has a version serve some users.
    Canary {
        /// Its name.
        plugin: String,
        /// Number or key; none: the canary there is, else the newest that is staged.
        version: Option<String>,
        /// Addresses of users.
        users: Vec<String>,
        /// A share of all mailboxes.
        percent: u8,
    },
    /// The canary's users go back to the active version.
    StopCanary {
        /// Its name.
        plugin: String,
    },
    /// Stops the canary; without one, goes back to the version that was active before.
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
    /// Names the package, where several have the same number.
    pub key: String,
    /// `staged`, `canary`, `active`, `retired`, `failed`.
    pub state: String,
    /// Whom a canary serves.
    pub canary: Option<CanaryAudience>,
    /// Why a failed version was taken back.
    pub reason: Option<String>,
    /// BLAKE3 of the component, hex.
    pub digest: String,
    /// Live sessions and those frozen.
    pub sessions: u64,
    /// Sessions kept as bytes.
    pub frozen: u64,
    /// Sessions that stay although another version is meant for them.
    pub lingering: u64,
    /// Why the last of them stayed.
    pub last_refusal: Option<String>,
    /// Turns handled.
    pub turns: u64,
    /// Turns that trapped or answered nonsense.
    pub traps: u64,
    /// Turns that used up their time.
    pub timeouts: u64,
    /// Turns that passed another limit.
    pub limits: u64,
    /// Sessions that went on after such a turn.
    pub recoveries: u64,
    /// Sessions that ended with one.
    pub lost: u64,
    /// Sessions taken over from another version.
    pub handovers: u64,
    /// Sessions that it refused to take over, or could not freeze.
    pub refusals: u64,
}

/// `plugin load` succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLoaded {
    /// Its name.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// Names the package, where several have the same number.
    pub key: String,
    /// `staged`, or what it was already when the same package had been loaded before.
    pub state: String,
    /// BLAKE3 of the component, hex.
    pub digest: String,
    /// Needs that the operator has not granted; while there are any it cannot be activated.
    pub ungranted: Vec<String>,
}

/// Whom a canary serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryAudience {
    /// Their addresses.
    pub users: Vec<String>,
    /// Of all mailboxes, these among them.
    pub percent: u8,
}

/// `plugin canary` succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginCanary {
    /// Its name.
    pub plugin: String,
    /// The version that serves some.
    pub version: String,
    /// Its key.
    pub key: String,
    /// The version that serves all others.
    pub active: String,
    /// Whom it serves.
    pub canary: CanaryAudience,
    /// Why its sessions could not be given back, if that is so.
    pub no_way_back: Option<String>,
}

/// A swap that happened, or a canary that was stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginSwap {
    /// Its name.
    pub plugin: String,
    /// The version that was active, or the canary.
    pub from: Option<String>,
    /// The version that is active.
    pub to: String,
    /// The key of the version that was active.
    pub from_key: Option<String>,
    /// The key of the version that is active.
    pub to_key: String,
}
