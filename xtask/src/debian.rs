//! Other people's programs, from Debian: installed when we may, named when we may not.

use std::{path::Path, process::Command};

use anyhow::{Result, bail};

use crate::run::{is_there, run};

/// The packages that bring what is not here; each program is a name in the path or an absolute file.
pub(crate) fn absent(programs: &[(&str, &'static str)]) -> Vec<&'static str> {
    let here = |name: &str| {
        if name.starts_with('/') {
            Path::new(name).exists()
        } else {
            is_there(name)
        }
    };
    programs
        .iter()
        .filter(|(program, _)| !here(program))
        .map(|(_, package)| *package)
        .collect()
}

/// Installs these packages; `why` introduces their names when we may not.
pub(crate) fn install(packages: &[&str], why: &str) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let may_install = is_there("apt-get")
        && Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|id| id.stdout == b"0\n");
    if !may_install {
        bail!(
            "{why}: apt-get install --no-install-recommends {}",
            packages.join(" ")
        );
    }
    eprintln!("installing {}", packages.join(" "));
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Standard output is the benchmark's.
        .stdout(std::process::Stdio::null());
    run(&mut install)
}
