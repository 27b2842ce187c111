//! What cargo knows about the workspace: where it builds, and which crates are plugins.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::run::{cargo, output};

/// The part of `cargo metadata` that is of use here.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) target_directory: PathBuf,
    packages: Vec<Crate>,
}

#[derive(Debug, Deserialize)]
struct Crate {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
    features: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// A crate that is a plugin: it has a plugin.toml beside its Cargo.toml.
#[derive(Debug, Clone)]
pub(crate) struct PluginCrate {
    /// The crate's name.
    pub(crate) package: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// The component's file name, as cargo builds it.
    pub(crate) component: String,
    /// Names of its features.
    pub(crate) features: Vec<String>,
}

impl Metadata {
    pub(crate) fn read() -> Result<Metadata> {
        let text = output(&mut cargo(&[
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
        ]))?;
        serde_json::from_str(&text).context("cargo metadata is not what it was")
    }

    /// Every plugin of the workspace.
    pub(crate) fn plugins(&self) -> Vec<PluginCrate> {
        let plugins = self.packages.iter().filter_map(|package| {
            let folder = package.manifest_path.parent()?.to_owned();
            let library = package
                .targets
                .iter()
                .find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))?;
            folder.join("plugin.toml").exists().then(|| PluginCrate {
                package: package.name.clone(),
                folder,
                component: format!("{}.wasm", library.name.replace('-', "_")),
                features: package.features.keys().cloned().collect(),
            })
        });
        plugins.collect()
    }

    /// Crates whose code runs in the sandbox: plugins, what they import, and the pure formats.
    pub(crate) fn sandboxed(&self) -> Vec<String> {
        let inside = self.packages.iter().filter(|package| {
            let folder = package
                .manifest_path
                .parent()
                .unwrap_or(&package.manifest_path);
            let folder = folder
                .strip_prefix(crate::run::workspace())
                .unwrap_or(folder);
            // What hosts components, to test them, is no component itself.
            let hosts = ["wasmtime", "waxwing-runtime"];
            let native = package
                .dependencies
                .iter()
                .any(|dependency| hosts.contains(&dependency.name.as_str()));
            let proc_macro = package
                .targets
                .iter()
                .any(|target| target.crate_types.iter().any(|kind| kind == "proc-macro"));
            !proc_macro
                && !native
                && ["plugins", "sdk", "examples"]
                    .iter()
                    .any(|root| folder.starts_with(root))
        });
        inside.map(|package| package.name.clone()).collect()
    }
}
