//! A `waxwing serve` of our own, made and filled through the command line that an operator has.

use std::{
    fs::{self, File},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
};

use super::{
    Built, DOMAIN, HASH_MEMORY, HASH_PASSES, PASSWORD, Process, Site, address, free_ports,
    resident, temporary,
};

/// What is not the default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Added to the configuration, before the listeners.
    pub(crate) configuration: String,
}

/// A server that runs.
pub(crate) struct Waxwing {
    // First, so that it ends before its folder goes.
    process: Process,
    pub(crate) site: Site,
    /// IMAP with TLS from the first byte.
    pub(crate) imaps: SocketAddr,
    /// Submission in the clear.
    pub(crate) submission: SocketAddr,
    /// HTTP in the clear.
    pub(crate) http: SocketAddr,
    ports: [SocketAddr; 7],
    binary: PathBuf,
    folder: tempfile::TempDir,
}

impl Waxwing {
    /// Makes a data directory with the plugins and these users, and starts the server.
    pub(crate) fn start(built: &Built, settings: &Settings, users: &[String]) -> Result<Waxwing> {
        let folder = temporary()?;
        let [imap, imaps, smtp, lmtp, pop3, submission, http] = free_ports()?;
        let listener = |name: &str, protocol: &str, at: SocketAddr, tls: &str| {
            format!(
                "[[listener]]\nname = \"{name}\"\nprotocol = \"{protocol}\"\naddress = \"{at}\"\ntls = \"{tls}\"\n\n"
            )
        };
        let configuration = format!(
            "data_dir = \"{}\"\nhost_name = \"mx.{DOMAIN}\"\ndefault_domain = \"{DOMAIN}\"\n\n\
             [directory]\nno_penalty_from = [\"127.0.0.0/8\"]\npassword_memory = {HASH_MEMORY}\npassword_passes = {HASH_PASSES}\n\n\
             {}\n{}{}{}{}{}{}{}",
            folder.path().join("data").display(),
            settings.configuration,
            listener("imap", "imap", imap, "none"),
            listener("imaps", "imap", imaps, "implicit"),
            listener("smtp", "smtp", smtp, "none"),
            listener("lmtp", "lmtp", lmtp, "none"),
            listener("pop3", "pop3", pop3, "none"),
            listener("submission", "submission", submission, "none"),
            listener("http", "http", http, "none"),
        );
        fs::create_dir(folder.path().join("data"))?;
        fs::write(folder.path().join("waxwing.toml"), configuration)?;
        let version = output(Command::new(&built.binary).arg("--version"), None)?;
        let command = |arguments: &[&str]| administer(&built.binary, folder.path(), arguments);
        for package in plugins(&built.packages)? {
            let name = package
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            output(command(&["plugin", "load"]).arg(&package), None)?;
            output(&mut command(&["plugin", "activate", &name]), None)?;
        }
        output(&mut command(&["domain", "add", DOMAIN]), None)?;
        let ports = [imap, imaps, smtp, lmtp, pop3, submission, http];
        let process = serve(&built.binary, folder.path(), &ports)?;
        let waxwing = Waxwing {
            process,
            site: Site {
                name: version.trim().to_owned(),
                imap,
                lmtp,
                pop3,
            },
            imaps,
            submission,
            http,
            ports,
            binary: built.binary.clone(),
            folder,
        };
        for user in users {
            waxwing.add_user(user)?;
        }
        Ok(waxwing)
    }

    /// Stops the server and starts it again, with nothing in memory.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.process.stop();
        self.process = serve(&self.binary, self.folder.path(), &self.ports)?;
        Ok(())
    }

    /// Adds a user, through the running server.
    pub(crate) fn add_user(&self, name: &str) -> Result<()> {
        let mut add = self.command(&["user", "add", &address(name), "--password-stdin"]);
        output(&mut add, Some(PASSWORD)).map(drop)
    }

    /// A command of the command line, for this server.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        administer(&self.binary, self.folder.path(), arguments)
    }

    /// Runs a command to its end; answers with what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String> {
        output(&mut self.command(arguments), None)
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The authority that [`crate::client::Wire::connect_tls`] has to trust.
    pub(crate) fn authority(&self) -> PathBuf {
        self.data().join("tls/ca.pem")
    }

    /// The server's process, for `/proc`.
    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Memory of the process that is in RAM now, in octets.
    pub(crate) fn resident(&self) -> Result<u64> {
        resident(self.pid())
    }

    /// An administrator's command, on the server's own socket: its answer without the time that a program takes to start.
    pub(crate) async fn administer(
        &self,
        request: &serde_json::Value,
    ) -> Result<serde_json::Value> {
        let socket = UnixStream::connect(self.data().join("admin.sock")).await?;
        let (reading, mut writing) = socket.into_split();
        writing.write_all(format!("{request}\n").as_bytes()).await?;
        let mut lines = BufReader::new(reading).lines();
        while let Some(line) = lines.next_line().await? {
            let mut reply: serde_json::Value = serde_json::from_str(&line)?;
            if let Some(done) = reply.get_mut("done") {
                return Ok(done.take());
            }
            if let Some(failed) = reply.get("failed") {
                bail!("{request}: {failed}");
            }
        }
        bail!("{request}: no answer")
    }
}

fn serve(binary: &Path, folder: &Path, ports: &[SocketAddr]) -> Result<Process> {
    let log = folder.join("server.log");
    let to = File::create(&log)?;
    let child = administer(binary, folder, &["serve"])
        .stdin(Stdio::null())
        .stdout(to.try_clone()?)
        .stderr(to)
        .spawn()
        .with_context(|| binary.display().to_string())?;
    let mut process = Process(child);
    process.wait_for(ports, &log)?;
    Ok(process)
}

fn administer(binary: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command
        .arg("--config")
        .arg(folder.join("waxwing.toml"))
        .args(arguments);
    command
}

/// The packages of the server's own plugins; examples are built beside them.
fn plugins(packages: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(packages).with_context(|| packages.display().to_string())? {
        let package = entry?.path();
        let is_example = package
            .file_name()
            .is_some_and(|name| name == "hello" || name == "house-rules");
        if package.join("plugin.toml").exists() && !is_example {
            found.push(package);
        }
    }
    found.sort();
    Ok(found)
}

/// Runs a program, with a line on its standard input; answers with what it printed.
fn output(command: &mut Command, line: Option<&str>) -> Result<String> {
    let name = format!("{command:?}");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| name.clone())?;
    if let (Some(line), Some(mut input)) = (line, child.stdin.take()) {
        writeln!(input, "{line}")?;
    }
    let done = child.wait_with_output()?;
    if !done.status.success() {
        bail!(
            "{name}: {}\n{}",
            done.status,
            String::from_utf8_lossy(&done.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
