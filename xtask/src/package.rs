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

/// Where the packages are put that fail on demand.
pub(crate) fn faulty_folder(metadata: &Metadata) -> PathBuf {
    metadata.target_directory.join("faulty-packages")
}

/// Builds every plugin as it is shipped; answers with the packages' folders.
pub(crate) fn build_all() -> Result<Vec<PathBuf>> {
    let metadata = Metadata::read()?;
    build(&metadata, &metadata.plugins(), &folder(&metadata), &[])
}

/// Builds the plugins that can fail on demand so that they do, apart from those that are shipped.
pub(crate) fn build_faulty() -> Result<Vec<PathBuf>> {
    let metadata = Metadata::read()?;
    let mut plugins = metadata.plugins();
    plugins.retain(|plugin| plugin.features.iter().any(|feature| feature == FAULTS));
    let place = faulty_folder(&metadata);
    build(&metadata, &plugins, &place, &["--features", FAULTS])
}

/// The feature with which a plugin fails on demand.
const FAULTS: &str = "fault-injection";

fn build(
    metadata: &Metadata,
    plugins: &[PluginCrate],
    place: &Path,
    options: &[&str],
) -> Result<Vec<PathBuf>> {
    let mut build = cargo(&["build", "--profile", "plugin", "--target", "wasm32-wasip2"]);
    for plugin in plugins {
        build.args(["-p", &plugin.package]);
    }
    run(build.args(options))?;
    let built = metadata.target_directory.join("wasm32-wasip2/plugin");
    plugins
        .iter()
        .map(|plugin| {
            let manifest = plugin.folder.join("plugin.toml");
            let package = place.join(name(&manifest)?);
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
