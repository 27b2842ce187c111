//! What became of a version: staged → canary → active → retired, and failed for one that was taken back by itself.

use std::time::{Duration, SystemTime};

use super::Audience;

/// See the module comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VersionState {
    /// Loaded, serves nobody.
    Staged,
    /// Serves some.
    Canary(Audience),
    /// Serves all others; since when, if it is new here and not one that was gone back to.
    Active(Option<SystemTime>),
    /// Was active.
    Retired,
    /// Was taken back by itself; why.
    Failed(String),
}

impl VersionState {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            VersionState::Staged => "staged",
            VersionState::Canary(_) => "canary",
            VersionState::Active(_) => "active",
            VersionState::Retired => "retired",
            VersionState::Failed(_) => "failed",
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        matches!(self, VersionState::Active(_))
    }

    /// Active since so short a time that it is still watched.
    pub(super) fn is_on_trial(&self, now: SystemTime, trial: Duration) -> bool {
        // A clock that was set back makes the trial longer, not shorter.
        matches!(self, VersionState::Active(Some(since)) if now.duration_since(*since).unwrap_or_default() < trial)
    }
}
