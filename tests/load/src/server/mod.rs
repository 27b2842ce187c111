//! Servers that a benchmark starts for itself: processes of this machine, on free loopback ports, with their data in a
//! temporary folder that goes when they do.

mod dovecot;
mod postfix;
mod radicale;
mod sink;
mod waxwing;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

pub(crate) use dovecot::{Dovecot, Format};
pub(crate) use postfix::Postfix;
pub(crate) use radicale::Radicale;
pub(crate) use sink::Sink;
pub(crate) use waxwing::{Settings, Waxwing};

/// The password of every user.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// What the names of users begin with whose password Dovecot keeps as it is. Dovecot's cache keeps what is stored and hashes
/// again at each log-in; Waxwing's remembers for some minutes what was verified. With these users the hash costs neither anything.
pub(crate) const UNHASHED: &str = "unhashed";
/// A domain that nobody has (RFC 2606).
pub(crate) const DOMAIN: &str = "example.test";
/// What checking a password costs, in KiB and passes: Waxwing's default, given to both sides.
const HASH_MEMORY: u32 = 19_456;
const HASH_PASSES: u32 = 2;
/// How long a server may take to listen, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was built to be measured.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) binary: PathBuf,
    pub(crate) packages: PathBuf,
}

/// A server that runs: what a client has to know of it.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// Who it is, with the version.
    pub(crate) name: String,
    /// IMAP in the clear.
    pub(crate) imap: SocketAddr,
    /// LMTP in the clear.
    pub(crate) lmtp: SocketAddr,
    /// POP3 in the clear.
    pub(crate) pop3: SocketAddr,
}

/// A server that takes mail for others: what a client has to know of it, and where that mail ends.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// Who it is, with the version.
    pub(crate) name: String,
    /// Submission in the clear.
    pub(crate) submission: SocketAddr,
    pub(crate) sink: Sink,
}

/// The address of user `name`.
pub(crate) fn address(name: &str) -> String {
    format!("{name}@{DOMAIN}")
}

/// Where temporary data goes: `WAXWING_BENCH_DIR`, else the system's folder. It should be a disk, not memory.
pub(crate) fn temporary() -> Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("waxwing-load-");
    Ok(match std::env::var_os("WAXWING_BENCH_DIR") {
        Some(folder) => builder.tempdir_in(folder)?,
        None => builder.tempdir()?,
    })
}

/// Memory of a process that is in RAM now, in octets.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: u64 = line
        .and_then(|line| line.split_whitespace().next())
        .context("no VmRSS")?
        .parse()?;
    Ok(kibibytes * 1024)
}

/// Ports nobody listens on now; all are held until all are known, so that none comes twice.
pub(crate) fn free_ports<const COUNT: usize>() -> Result<[SocketAddr; COUNT]> {
    let mut ports = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); COUNT];
    let mut held = Vec::with_capacity(COUNT);
    for port in &mut ports {
        let listener = TcpListener::bind(*port)?;
        *port = listener.local_addr()?;
        held.push(listener);
    }
    Ok(ports)
}

/// A child that is told to stop when it is dropped, and killed when it does not.
#[derive(Debug)]
struct Process(Child);

impl Process {
    /// Waits until it listens on all of these.
    fn wait_for(&mut self, ports: &[SocketAddr], log: &Path) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        for port in ports {
            while std::net::TcpStream::connect_timeout(port, Duration::from_secs(1)).is_err() {
                let text = || std::fs::read_to_string(log).unwrap_or_default();
                if let Some(status) = self.0.try_wait()? {
                    bail!("the server ended ({status}):\n{}", text());
                }
                if Instant::now() > deadline {
                    bail!(
                        "the server does not listen on {port} after a minute:\n{}",
                        text()
                    );
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        let pid = i32::try_from(self.0.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.context("no process id")?, signal)?;
        Ok(())
    }
}

impl Process {
    /// Tells it to stop, waits, and kills it when it does not.
    fn stop(&mut self) {
        let told = self.signal(rustix::process::Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while told.is_ok() && Instant::now() < deadline {
            if matches!(self.0.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}
