//! What the runtime tells whoever administers it: answers to load, activate and canary, and the rows of `plugin status`.
//! Plain data, so that the command line and metrics need nothing of the runtime's own types.

use std::time::Duration;

use crate::plugins::Audience;

/// What is loaded now.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Loaded {
    /// The plugin's name.
    pub plugin: String,
    /// Its version's number.
    pub version: String,
    /// Names the package among all that were ever loaded: the number may be the same.
    pub key: String,
    /// BLAKE3 of the component.
    pub digest: String,
    /// The trusted key that signed it.
    pub signed_by: Option<String>,
    /// Needs that keep it from being activated.
    pub ungranted: Vec<String>,
}

/// A change of the active version, or the end of a canary.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Swap {
    /// The plugin's name.
    pub plugin: String,
    /// The version before.
    pub from: Option<String>,
    /// The version now.
    pub to: String,
    /// The key of the version before.
    pub from_key: Option<String>,
    /// The key of the version now.
    pub to_key: String,
}

/// A version that serves some.
#[derive(Debug, Clone, serde::Serialize)]
pub struct CanaryStart {
    /// The plugin's name.
    pub plugin: String,
    /// The canary.
    pub version: String,
    /// Its key.
    pub key: String,
    /// What serves all others.
    pub active: String,
    /// Whom it serves.
    pub audience: Audience,
    /// Why its sessions could not be given back to the active version, if that is so.
    pub no_way_back: Option<String>,
}

/// One version in `plugin status`. Sums are since it was loaded.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct PluginStatus {
    /// The plugin's name.
    pub plugin: String,
    /// The version's number.
    pub version: String,
    /// Names the package among all that were ever loaded: the number may be the same.
    pub key: String,
    /// `staged`, `canary`, `active`, `retired` or `failed`.
    pub state: String,
    /// Whom a canary serves.
    pub audience: Option<Audience>,
    /// Why a failed version was taken back.
    pub reason: Option<String>,
    /// BLAKE3 of the component.
    pub digest: String,
    /// The trusted key that signed it.
    pub signed_by: Option<String>,
    /// Needs that are not granted.
    pub ungranted: Vec<String>,
    /// Sessions and requests on it now, frozen ones included.
    pub sessions: u64,
    /// Those without an instance.
    pub frozen: u64,
    /// Those that stay although another version is meant for them; it goes when the last of them ends.
    pub lingering: u64,
    /// Why the last session that was to leave has stayed.
    pub last_refusal: Option<String>,
    /// Completed turns.
    pub turns: u64,
    /// Host calls.
    pub host_calls: u64,
    /// CPU time.
    pub cpu: Duration,
    /// Linear memory of all live instances of this version, in octets.
    pub memory: u64,
    /// Turns that trapped or answered nonsense.
    pub traps: u64,
    /// Turns that used up their time.
    pub timeouts: u64,
    /// Turns that passed another limit.
    pub limits: u64,
    /// Sessions that came from another version.
    pub handovers: u64,
    /// Sessions that could not be handed over.
    pub refusals: u64,
    /// Sessions that went on after a failed turn.
    pub recoveries: u64,
    /// Sessions that ended with a failed turn.
    pub lost: u64,
}

/// What all plugins together use now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Instances that are alive.
    pub live_instances: u64,
    /// How many may be.
    pub live_instances_limit: u64,
    /// Their linear memory, in octets.
    pub memory: u64,
    /// How much it may be.
    pub memory_limit: u64,
}
