//! `cargo xtask up`: from a clone to a running server with two users, in one command.
//!
//! It checks the tools, builds host and plugins, makes a data directory at the first run, and becomes the server: Ctrl-C
//! reaches it directly, and its exit status is ours. A second run finds the data and changes nothing of it, except that
//! plugins which were built anew are loaded and made active.

mod data;
mod listeners;
mod table;

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    metadata::Metadata,
    package,
    run::{cargo, output, run, workspace},
    tools,
};

/// Build host and plugins and start a server with two users on loopback ports, in the foreground.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask up\n  cargo xtask up --port-base 2000 --data /tmp/waxwing"
)]
pub(crate) struct Up {
    /// IMAP listens on this + 143, SMTP on this + 25, and so on; kept for the next run. First run: 1000.
    #[arg(long, value_name = "NUMBER")]
    port_base: Option<u16>,
    /// Where configuration, users and mail are kept.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Start what was built before.
    #[arg(long)]
    no_build: bool,
}

impl Up {
    pub(crate) fn run(self) -> Result<()> {
        let data = std::path::absolute(if self.data == Path::new("data") {
            workspace().join("data")
        } else {
            self.data
        })?;
        if !self.no_build {
            tools::check()?;
            println!("building the host");
            run(&mut cargo(&["build", "--release", "-p", "waxwing"]))?;
            println!("building the plugins");
            package::build_all()?;
        }
        let metadata = Metadata::read()?;
        let server = Server {
            binary: metadata.target_directory.join("release/waxwing"),
            config: data.join("waxwing.toml"),
        };
        data::prepare(&data, self.port_base)?;
        let listening = listeners::read(&server.config)?;
        listeners::check_free(&listening, &server.config)?;
        let users = data::users(&data, &server)?;
        load_plugins(&metadata, &server)?;
        let announcement = data.join("announcement.txt");
        std::fs::write(&announcement, table::render(&listening, &users, &data))
            .with_context(|| announcement.display().to_string())?;
        // Returns only when the server cannot be started.
        Err(server
            .command(&["serve", "--announce"])
            .arg(&announcement)
            .exec())
        .with_context(|| format!("cannot start {}", server.binary.display()))
    }
}

/// The binary and the configuration it is started with.
struct Server {
    binary: PathBuf,
    config: PathBuf,
}

impl Server {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(&self.config).args(arguments);
        command
    }
}

/// Loads and activates every package that is not active yet; examples are packages too, but no part of the server.
fn load_plugins(metadata: &Metadata, server: &Server) -> Result<()> {
    let mut folders = Vec::new();
    for plugin in metadata.plugins() {
        if plugin.folder.starts_with(workspace().join("plugins")) {
            folders.push(package::of(metadata, &plugin)?);
        }
    }
    for folder in folders {
        let text = output(server.command(&["plugin", "load", "--json"]).arg(&folder))
            .with_context(|| format!("{}: build first, without --no-build", folder.display()))?;
        let loaded: Loaded =
            serde_json::from_str(&text).context("the answer of `waxwing plugin load`")?;
        if loaded.state != "active" {
            run(&mut server.command(&["plugin", "activate", &loaded.plugin, &loaded.version]))?;
        }
    }
    Ok(())
}

#[derive(serde::Deserialize)]
struct Loaded {
    plugin: String,
    version: String,
    state: String,
}
