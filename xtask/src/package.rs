//! Builds the plugins for the sandbox and puts each into a package: a folder with `plugin.toml` and `plugin.wasm`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    metadata::{Metadata, PluginCrate},
    run::{cargo, run},
};

/// Where the packages are put, below the target folder.
pub(crate) fn folder(metadata: &Metadata) -> PathBuf {
    metadata.target_directory.join("packages")
}

/// Where a plugin's package is put.
pub(crate) fn of(metadata: &Metadata, plugin: &PluginCrate) -> Result<PathBuf> {
    Ok(folder(metadata).join(name(&plugin.folder.join("plugin.toml"))?))
}

/// Builds every plugin in release; answers with the packages' folders.
pub(crate) fn build_all() -> Result<Vec<PathBuf>> {
    let metadata = Metadata::read()?;
    let plugins = metadata.plugins();
    let mut build = cargo(&["build", "--release", "--target", "wasm32-wasip2"]);
    for plugin in &plugins {
        build.args(["-p", &plugin.package]);
    }
    run(&mut build)?;
    let built = metadata.target_directory.join("wasm32-wasip2/release");
    plugins
        .iter()
        .map(|plugin| {
            let manifest = plugin.folder.join("plugin.toml");
            let package = of(&metadata, plugin)?;
            fs::create_dir_all(&package).with_context(|| package.display().to_string())?;
            copy(&manifest, &package.join("plugin.toml"))?;
            copy(&built.join(&plugin.component), &package.join("plugin.wasm"))?;
            Ok(package)
        })
        .collect()
}

/// The plugin's name, from its manifest.
fn name(manifest: &Path) -> Result<String> {
    let text = fs::read_to_string(manifest).with_context(|| manifest.display().to_string())?;
    let table: toml::Table = text
        .parse()
        .with_context(|| manifest.display().to_string())?;
    match table.get("name").and_then(toml::Value::as_str) {
        Some(name) => Ok(name.to_owned()),
        None => bail!("{}: no name", manifest.display()),
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("{} → {}", from.display(), to.display()))?;
    Ok(())
}
