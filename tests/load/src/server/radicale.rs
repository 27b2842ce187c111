//! Radicale from PyPI: CalDAV in Python, one file for each object. It syncs what it has written before it answers, as we do.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use super::{PASSWORD, Process, free_ports, temporary};

/// A server that runs.
pub(crate) struct Radicale {
    #[allow(
        dead_code,
        reason = "held until the benchmark ends, and first, so that it ends before its folder goes"
    )]
    process: Process,
    /// Who it is, with the version.
    pub(crate) name: String,
    pub(crate) http: SocketAddr,
    #[allow(dead_code, reason = "held until the server has ended")]
    folder: tempfile::TempDir,
}

impl Radicale {
    /// Starts one with one user.
    pub(crate) fn start(program: &Path, user: &str) -> Result<Radicale> {
        let folder = temporary()?;
        let root = folder.path();
        let [http] = free_ports()?;
        fs::write(root.join("users"), format!("{user}:{PASSWORD}\n"))?;
        let configuration = format!(
            "[server]\nhosts = {http}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {0}/users\nhtpasswd_encryption = plain\ndelay = 0\n\
             [storage]\nfilesystem_folder = {0}/collections\n[logging]\nlevel = error\n",
            root.display()
        );
        fs::write(root.join("config"), configuration)?;
        let version = Command::new(program).arg("--version").output();
        let version = version
            .with_context(|| format!("{}: `pip install radicale` brings it", program.display()))?;
        let log = root.join("log");
        let child = Command::new(program)
            .arg("--config")
            .arg(root.join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        let mut process = Process(child);
        process.wait_for(&[http], &log)?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        Ok(Radicale {
            process,
            name: format!("radicale {version}"),
            http,
            folder,
        })
    }
}
