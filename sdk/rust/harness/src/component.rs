//! A plugin's package, built from the workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, Result};

/// A component and its manifest.
#[derive(Debug, Clone)]
pub struct Component {
    pub(crate) wasm: PathBuf,
    pub(crate) manifest: PathBuf,
}

impl Component {
    /// A package that was built before: the folder with `plugin.wasm` and `plugin.toml`.
    #[must_use]
    pub fn at(package: &Path) -> Component {
        Component {
            wasm: package.join("plugin.wasm"),
            manifest: package.join("plugin.toml"),
        }
    }

    /// Builds a crate of this workspace for wasm32-wasip2. `manifest` is its `plugin.toml`, from the workspace's root.
    ///
    /// # Errors
    /// [`Error::Build`].
    pub fn build(package: &str, manifest: &str) -> Result<Component> {
        let root = workspace()?;
        let target = target_directory()?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "--release",
                "--target",
                "wasm32-wasip2",
                "--package",
                package,
                "--target-dir",
            ])
            .arg(&target)
            .current_dir(&root)
            .status()
            .map_err(|error| Error::File("cargo".into(), error))?;
        if !built.success() {
            return Err(Error::Build(package.to_owned()));
        }
        let file = format!("{}.wasm", package.replace('-', "_"));
        Ok(Component {
            wasm: target.join("wasm32-wasip2/release").join(file),
            manifest: root.join(manifest),
        })
    }

    /// Copies the package to a directory, as the runtime reads it.
    pub(crate) fn package(&self, directory: &Path) -> Result<()> {
        for (from, name) in [(&self.wasm, "plugin.wasm"), (&self.manifest, "plugin.toml")] {
            std::fs::copy(from, directory.join(name))
                .map_err(|error| Error::File(from.clone(), error))?;
        }
        Ok(())
    }
}

/// The nearest directory above the tested crate that has a `Cargo.lock`.
fn workspace() -> Result<PathBuf> {
    // Cargo's word when it starts the test: at compile time it may have been another clone with the same target directory.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = here.ok_or_else(|| Error::Build("a test that cargo did not start".into()))?;
    let root = here
        .ancestors()
        .find(|directory| directory.join("Cargo.lock").exists());
    root.map(Path::to_owned)
        .ok_or_else(|| Error::Build(format!("no workspace above {}", here.display())))
}

/// Where this very test was built: `TARGET/debug/deps/test-…`.
fn target_directory() -> Result<PathBuf> {
    let test = std::env::current_exe().map_err(|error| Error::File("this test".into(), error))?;
    test.ancestors()
        .nth(3)
        .map(Path::to_owned)
        .ok_or_else(|| Error::Build("a test outside of a target directory".into()))
}

/// Machine code of components, kept between runs.
pub(crate) fn cache() -> Result<PathBuf> {
    Ok(target_directory()?.join("harness-machine-code"))
}
