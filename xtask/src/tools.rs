//! What a build needs besides cargo. Everything that is missing is named at once, each with the command that gets it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::run::{is_there, output, run};

/// Names an archive of the wasm target's standard library (`rust-std-…-wasm32-wasip2.tar.xz`), for machines on which
/// `rustup` cannot download it.
const ARCHIVE: &str = "WAXWING_WASM_STD";
const TARGET: &str = "wasm32-wasip2";

/// Program and what brings it.
const PROGRAMS: &[(&str, &str)] = &[
    ("rustc", "https://rustup.rs"),
    ("cc", "apt-get install gcc libc6-dev    (the database is C)"),
    ("python3", "apt-get install python3"),
];

/// Checks the programs and adds the wasm target when it is not there.
pub(crate) fn check() -> Result<()> {
    missing(PROGRAMS)?;
    let sysroot = PathBuf::from(output(Command::new("rustc").args(["--print", "sysroot"]))?.trim());
    if sysroot
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib")
        .is_dir()
    {
        return Ok(());
    }
    println!("adding the target {TARGET}");
    let added = if is_there("rustup") {
        run(Command::new("rustup").args(["target", "add", TARGET]))
    } else {
        Err(anyhow::anyhow!("rustup is not installed"))
    };
    match (added, std::env::var_os(ARCHIVE)) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(archive)) => unpack(Path::new(&archive), &sysroot.join("lib/rustlib")),
        (Err(error), None) => Err(error.context(format!(
            "the target {TARGET} is missing; without a connection, name an archive of its standard library (rust-std) in {ARCHIVE}"
        ))),
    }
}

/// Fails with a list of those that are not there.
pub(crate) fn missing(programs: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<String> = programs
        .iter()
        .filter(|(program, _)| !is_there(program))
        .map(|(program, how)| format!("  {program:12} {how}"))
        .collect();
    if !missing.is_empty() {
        bail!("missing on this machine:\n{}", missing.join("\n"));
    }
    Ok(())
}

/// Unpacks the folder named like the target from an archive, however deep it lies in there.
fn unpack(archive: &Path, rustlib: &Path) -> Result<()> {
    println!("unpacking {}", archive.display());
    let listed = output(Command::new("tar").arg("-tf").arg(archive))?;
    let depth = listed
        .lines()
        .find_map(|line| line.split('/').position(|part| part == TARGET))
        .with_context(|| format!("{}: no folder {TARGET} in it", archive.display()))?;
    let mut tar = Command::new("tar");
    tar.arg("-xf")
        .arg(archive)
        .arg("-C")
        .arg(rustlib)
        .arg(format!("--strip-components={depth}"));
    run(&mut tar)
}
