//! What survives a restart and a power cut: a copy of every loaded package, and which version is active. Files are synced before
//! they are named, and their folders before a command is answered. One folder per plugin:
//!
//! ```text
//! packages/imap/versions.json            what became of each version, in order
//! packages/imap/1.2.0-3fa9…-77c0…/       the package as it was loaded
//! ```

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use waxwing_transport::Stage;

use super::{Audience, VersionState};
use crate::{
    Error, Result,
    package::{Package, sync_folder},
};

/// One version of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// `Package::key`.
    pub(crate) directory: String,
    state: Word,
    /// Of an active one: seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active_since: Option<u64>,
    /// Of a canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audience: Option<Audience>,
    /// Of a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Of a hook in the mail flow, by the names of manifests: what is known of it when its package cannot be read any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) stages: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Staged,
    Canary,
    Active,
    Retired,
    Failed,
}

impl Remembered {
    pub(super) fn new(directory: String, state: &VersionState) -> Remembered {
        let mut remembered = Remembered {
            directory,
            state: Word::Staged,
            active_since: None,
            audience: None,
            reason: None,
            stages: Vec::new(),
        };
        remembered.state = match state {
            VersionState::Staged => Word::Staged,
            VersionState::Canary(audience) => {
                remembered.audience = Some(audience.clone());
                Word::Canary
            }
            VersionState::Active(since) => {
                let since =
                    since.and_then(|since| since.duration_since(SystemTime::UNIX_EPOCH).ok());
                remembered.active_since = since.map(|since| since.as_secs());
                Word::Active
            }
            VersionState::Retired => Word::Retired,
            VersionState::Failed(reason) => {
                remembered.reason = Some(reason.clone());
                Word::Failed
            }
        };
        remembered
    }

    /// The stages of the mail flow that it wants.
    pub(super) fn wanting(self, stages: &[Stage]) -> Remembered {
        Remembered {
            stages: stages.iter().map(|stage| stage.name().to_owned()).collect(),
            ..self
        }
    }

    pub(crate) fn state(&self) -> VersionState {
        match self.state {
            Word::Staged => VersionState::Staged,
            Word::Canary => VersionState::Canary(self.audience.clone().unwrap_or_default()),
            Word::Active => {
                let since = self.active_since.map(Duration::from_secs);
                VersionState::Active(
                    since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)),
                )
            }
            Word::Retired => VersionState::Retired,
            Word::Failed => VersionState::Failed(self.reason.clone().unwrap_or_default()),
        }
    }
}

pub(crate) struct Persisted {
    directory: PathBuf,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_owned();
    move |error| Error::Other(format!("{}: {error}", path.display()))
}

impl Persisted {
    pub(super) fn new(directory: PathBuf) -> Result<Persisted> {
        std::fs::create_dir_all(&directory)
            .and_then(|()| directory.parent().map_or(Ok(()), sync_folder))
            .map_err(failed(&directory))?;
        Ok(Persisted { directory })
    }

    /// Where a version's package lies.
    pub(crate) fn package(&self, plugin: &str, key: &str) -> PathBuf {
        self.directory.join(plugin).join(key)
    }

    /// Keeps a copy of a package.
    pub(crate) fn keep(&self, package: &Package) -> Result<()> {
        let place = self.package(&package.manifest.name, &package.key());
        package.write(&place).map_err(failed(&place))
    }

    /// Plugins with their versions, as they were when the host stopped.
    pub(crate) fn recall(&self) -> Result<Vec<(String, Vec<Remembered>)>> {
        let mut plugins = Vec::new();
        for entry in std::fs::read_dir(&self.directory).map_err(failed(&self.directory))? {
            let entry = entry.map_err(failed(&self.directory))?;
            let list = entry.path().join("versions.json");
            let Ok(text) = std::fs::read(&list) else {
                continue;
            };
            let versions = serde_json::from_slice(&text)
                .map_err(|error| Error::Other(format!("{}: {error}", list.display())))?;
            plugins.push((entry.file_name().to_string_lossy().into_owned(), versions));
        }
        plugins.sort_by(|one: &(String, _), other| one.0.cmp(&other.0));
        Ok(plugins)
    }

    /// Writes the list, whole or not at all, and removes packages that are no longer on it.
    pub(super) fn remember(&self, plugin: &str, versions: &[Remembered]) -> Result<()> {
        let folder = self.directory.join(plugin);
        let (list, part) = (
            folder.join("versions.json"),
            folder.join("versions.json.part"),
        );
        std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
        let text =
            serde_json::to_vec_pretty(versions).map_err(|error| Error::Other(error.to_string()))?;
        std::fs::write(&part, text).map_err(failed(&part))?;
        std::fs::File::open(&part)
            .and_then(|file| file.sync_all())
            .map_err(failed(&part))?;
        std::fs::rename(&part, &list)
            .and_then(|()| sync_folder(&folder))
            .and_then(|()| sync_folder(&self.directory))
            .map_err(failed(&list))?;
        for entry in std::fs::read_dir(&folder)
            .map_err(failed(&folder))?
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() && !versions.iter().any(|version| version.directory == name) {
                std::fs::remove_dir_all(entry.path()).map_err(failed(&entry.path()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_remembered() {
        let audience = Audience {
            users: vec!["anna@example.org".into()],
            percent: 5,
        };
        let since = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for state in [
            VersionState::Staged,
            VersionState::Canary(audience),
            VersionState::Active(Some(since)),
            VersionState::Active(None),
            VersionState::Retired,
            VersionState::Failed("6 of 7 turns failed".into()),
        ] {
            let text = serde_json::to_string(&Remembered::new("1.0.0".into(), &state)).unwrap();
            let remembered: Remembered = serde_json::from_str(&text).unwrap();
            assert_eq!(remembered.state(), state);
        }
    }

    #[test]
    fn what_an_earlier_release_wrote_is_read() {
        let text = r#"{"directory": "1.0.0-aa-bb", "state": "active"}"#;
        let remembered: Remembered = serde_json::from_str(text).unwrap();
        assert_eq!(remembered.state(), VersionState::Active(None));
    }
}
