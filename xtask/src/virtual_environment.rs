//! Python programs from PyPI, in a virtual environment outside of the clone: made once, and anew when the list of what is in it changes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::run::{run, workspace};

/// What the environment was made for.
const MARK: &str = "installed-for";

/// The folder that outlives a clone.
pub(crate) fn cache() -> Result<PathBuf> {
    let cache = match (std::env::var_os("WAXWING_CACHE"), std::env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => PathBuf::from(home).join(".cache/waxwing"),
        (None, None) => bail!("neither WAXWING_CACHE nor HOME is set"),
    };
    fs::create_dir_all(&cache).with_context(|| cache.display().to_string())?;
    Ok(cache)
}

/// The folder of programs of the environment `name`, with what a file of the workspace requires.
pub(crate) fn programs(name: &str, requirements: &str) -> Result<PathBuf> {
    let (folder, wanted) = (cache()?.join(name), workspace().join(requirements));
    let programs = folder.join("bin");
    if !is_installed(&folder, &wanted)? {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder))
        .context("apt-get install python3-venv brings what is missing")?;
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ];
        run(Command::new(programs.join("python"))
            .args(install)
            .arg(&wanted))?;
        mark_installed(&folder, &wanted)?;
    }
    Ok(programs)
}

/// Whether a folder was made for this list.
pub(crate) fn is_installed(folder: &Path, wanted: &Path) -> Result<bool> {
    let wanted = fs::read(wanted).with_context(|| wanted.display().to_string())?;
    Ok(fs::read(folder.join(MARK)).is_ok_and(|installed| installed == wanted))
}

/// Notes that it is, now that it is whole.
pub(crate) fn mark_installed(folder: &Path, wanted: &Path) -> Result<()> {
    fs::copy(wanted, folder.join(MARK)).with_context(|| folder.display().to_string())?;
    Ok(())
}
