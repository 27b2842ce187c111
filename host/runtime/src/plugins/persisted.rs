//! What survives a restart: a copy of every loaded package, and which version is active. One folder per plugin:
//!
//! ```text
//! packages/imap/versions.json            what is staged, active, retired, in order
//! packages/imap/1.2.0-3fa9…-77c0…/       the package as it was loaded
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::VersionState;
use crate::{Error, Result, package::Package};

/// One version of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// `Version::key`.
    pub(crate) directory: String,
    pub(crate) state: VersionState,
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
        std::fs::create_dir_all(&directory).map_err(failed(&directory))?;
        Ok(Persisted { directory })
    }

    /// Where a version's package lies.
    pub(crate) fn package(&self, plugin: &str, key: &str) -> PathBuf {
        self.directory.join(plugin).join(key)
    }

    /// Keeps a copy of a package.
    pub(crate) fn keep(&self, package: &Package, key: &str) -> Result<()> {
        let place = self.package(&package.manifest.name, key);
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
        std::fs::rename(&part, &list).map_err(failed(&list))?;
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
