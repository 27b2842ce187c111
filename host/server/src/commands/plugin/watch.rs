//! `waxwing plugin watch`: deploys by file. What changes in a folder is loaded and put in place, errors are told, and it goes
//! on.
//!
//! What is there when it begins is put in place only if the server has never seen it: whoever rolled a version back, and a
//! version that was taken back by itself, must not be overruled by a restart of the watch.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use waxwing_admin::protocol::{PluginCommand, PluginRow, Request, Response};
use waxwing_runtime::package::Package;

use super::{
    WAIT, carry_out,
    settled::{Folder, Settled},
};
use crate::{console::Console, output};

/// Between two looks at the folder.
const LOOK: Duration = Duration::from_millis(250);
/// Looks until the server is asked what became of the versions.
const LOOKS_A_QUESTION: u32 = 8;

/// What became of a package.
#[derive(Debug, Serialize)]
struct Told {
    package: PathBuf,
    /// `active`, `canary`, `left`, `failed`.
    result: &'static str,
    plugin: Option<String>,
    version: Option<String>,
    key: Option<String>,
    detail: String,
}

/// What is put in place and not known to have failed, by key.
type Deployed = BTreeMap<String, PathBuf>;

pub(super) async fn watch(
    console: &mut Console,
    folder: &Path,
    canary_percent: Option<u8>,
) -> Result<ExitCode> {
    if !console.connection().is_online() {
        bail!(
            "a running server is needed, and none answers in this data directory; start it with `waxwing serve`"
        );
    }
    let shown = || folder.display().to_string();
    let root = folder.canonicalize().with_context(shown)?;
    let mut folder = Folder::new(root);
    folder.settled(Instant::now()).with_context(shown)?;
    if !console.json() {
        output::out(&format!("watching {}; Ctrl-C ends\n", shown()));
    }
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    tokio::select! {
        ended = go_on(console, &mut folder, canary_percent) => ended,
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
    }
}

async fn go_on(
    console: &mut Console,
    folder: &mut Folder,
    canary_percent: Option<u8>,
) -> Result<ExitCode> {
    let mut deployed = Deployed::new();
    let mut complaint = None;
    for look in 0_u32.. {
        tokio::time::sleep(LOOK).await;
        let settled = match folder.settled(Instant::now()) {
            Ok(settled) => settled,
            Err(error) => {
                complain(&mut complaint, &format!("cannot read the folder: {error}"));
                continue;
            }
        };
        for Settled { package, as_found } in settled {
            let told = deploy(console, &package, as_found, canary_percent).await;
            match told {
                Ok(told) => {
                    complaint = None;
                    if let Some(key) = told.key.as_ref().filter(|_| told.result != "left") {
                        deployed.insert(key.clone(), package);
                    }
                    tell(console, &told)?;
                }
                Err(error) if is_gone(&error) => {
                    folder.again(&package, Instant::now());
                    complain(
                        &mut complaint,
                        &format!("the server does not answer, trying again: {error:#}"),
                    );
                }
                Err(error) => tell(console, &Told::failed(package, format!("{error:#}")))?,
            }
        }
        if look % LOOKS_A_QUESTION == 0 && !deployed.is_empty() {
            tell_of_failures(console, &mut deployed).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Told {
    fn failed(package: PathBuf, detail: String) -> Told {
        Told {
            package,
            result: "failed",
            plugin: None,
            version: None,
            key: None,
            detail,
        }
    }

    fn of(package: &Path, read: &Package, result: &'static str, detail: String) -> Told {
        Told {
            package: package.to_owned(),
            result,
            plugin: Some(read.manifest.name.clone()),
            version: Some(read.manifest.version.to_string()),
            key: Some(read.key()),
            detail,
        }
    }
}

/// Loads a package and puts it in place.
async fn deploy(
    console: &mut Console,
    package: &Path,
    as_found: bool,
    canary_percent: Option<u8>,
) -> Result<Told> {
    // Read here first: its errors name the file, and its key tells whether the server knows it.
    let read = Package::read(package, &[], false)?;
    let (plugin, key) = (read.manifest.name.clone(), read.key());
    let rows = list(console).await?;
    let known = rows
        .iter()
        .find(|row| row.plugin == plugin && row.key == key);
    if let Some(row) = known
        && (row.state == "active" || as_found)
    {
        return Ok(Told::of(package, &read, "left", left(row)));
    }
    let load = PluginCommand::Load {
        package: package.to_owned(),
    };
    match console.ask(Request::Plugin(load)).await? {
        Response::PluginLoaded(loaded) if !loaded.ungranted.is_empty() => {
            return Ok(Told::of(
                package,
                &read,
                "left",
                output::text(&Response::PluginLoaded(loaded)),
            ));
        }
        Response::PluginLoaded(_) => {}
        other => bail!("unexpected answer: {}", output::text(&other).trim()),
    }
    let has_active = rows
        .iter()
        .any(|row| row.plugin == plugin && row.state == "active");
    if let Some(percent) = canary_percent.filter(|_| has_active) {
        let canary = PluginCommand::Canary {
            plugin,
            version: Some(key),
            users: Vec::new(),
            percent,
        };
        let response = console.ask(Request::Plugin(canary)).await?;
        return Ok(Told::of(package, &read, "canary", output::text(&response)));
    }
    let activate = PluginCommand::Activate {
        plugin: plugin.clone(),
        version: Some(key),
        force: false,
    };
    let outcome = carry_out(console, &plugin, WAIT, activate).await?;
    let result = if outcome.taken_back.is_some() {
        "failed"
    } else {
        "active"
    };
    Ok(Told::of(package, &read, result, outcome.text()))
}

fn left(row: &PluginRow) -> String {
    let identity = format!("{} {}", row.plugin, row.version);
    match (row.state.as_str(), &row.reason) {
        ("active", _) => format!("{identity} is active already"),
        (_, Some(why)) => {
            format!("{identity} was taken back by itself and is left so until it changes: {why}")
        }
        (state, None) => format!("{identity} is known and {state}; it is left so until it changes"),
    }
}

async fn list(console: &mut Console) -> Result<Vec<PluginRow>> {
    match console.ask(Request::Plugin(PluginCommand::List)).await? {
        Response::Plugins(rows) => Ok(rows),
        other => bail!("unexpected answer: {}", output::text(&other).trim()),
    }
}

/// A version that was put in place may be taken back later.
async fn tell_of_failures(console: &mut Console, deployed: &mut Deployed) -> Result<()> {
    // A server that is away is told of when something is to be deployed.
    let Ok(rows) = list(console).await else {
        return Ok(());
    };
    for row in rows {
        if let Some(why) = &row.reason
            && let Some(package) = deployed.remove(&row.key)
        {
            tell(
                console,
                &Told {
                    package,
                    result: "failed",
                    detail: format!(
                        "{} {} was taken back by itself: {why}",
                        row.plugin, row.version
                    ),
                    plugin: Some(row.plugin),
                    version: Some(row.version),
                    key: Some(row.key),
                },
            )?;
        }
    }
    Ok(())
}

fn tell(console: &Console, told: &Told) -> Result<()> {
    if console.json() {
        output::out(&format!("{}\n", serde_json::to_string(told)?));
        return Ok(());
    }
    let name = told.package.file_name().unwrap_or(told.package.as_os_str());
    for line in told.detail.trim_end().lines() {
        output::out(&format!("{}: {line}\n", name.to_string_lossy()));
    }
    Ok(())
}

/// Says the same only once in a row.
fn complain(before: &mut Option<String>, what: &str) {
    if before.as_deref() != Some(what) {
        eprintln!("waxwing: {what}");
        *before = Some(what.to_owned());
    }
}

/// Whether the server went away, and not: refused.
fn is_gone(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<waxwing_admin::Error>(),
        Some(waxwing_admin::Error::Io(_) | waxwing_admin::Error::Channel(_))
    )
}
