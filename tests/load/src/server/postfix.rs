//! Debian's Postfix as a submission server, configured to be as fast as it can be while promising what we promise.
//!
//! Equal: a message is on disk before its 250 (Postfix syncs its queue file), the next hop and its wire, no TLS. To its advantage:
//! processes that are there before they are needed, no brake on input while much is queued (`in_flow_delay`), no look-ups in DNS, no content
//! filter. Passwords are checked by the Dovecot that runs beside it, once for each connection and outside of what is measured.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::{Outgoing, Process, Sink, free_ports, temporary};

const MAIN: &str = include_str!("postfix.cf");
const MASTER: &str = include_str!("postfix-master.cf");

/// A server that runs.
pub(crate) struct Postfix {
    #[allow(
        dead_code,
        reason = "held until the benchmark ends, and first, so that it ends before its folder goes"
    )]
    process: Process,
    pub(crate) outgoing: Outgoing,
    #[allow(dead_code, reason = "held until the server has ended")]
    folder: tempfile::TempDir,
}

impl Postfix {
    /// Starts one that asks `auth` (Dovecot's protocol) for passwords.
    pub(crate) async fn start(auth: SocketAddr) -> Result<Postfix> {
        ensure!(
            rustix::process::getuid().is_root(),
            "Postfix is started by root alone; --no-peer or --only measures without it"
        );
        let sink = Sink::start().await?;
        let folder = temporary()?;
        let root = folder.path();
        fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
        for part in ["conf", "spool", "data"] {
            fs::create_dir(root.join(part))?;
            fs::set_permissions(root.join(part), fs::Permissions::from_mode(0o755))?;
        }
        let (owner, _) = super::dovecot::account("postfix")?;
        std::os::unix::fs::chown(root.join("data"), Some(owner), None)?;
        let [submission] = free_ports()?;
        let filled = |text: &str| {
            text.replace("@root@", &root.display().to_string())
                .replace("@sink@", &sink.address.port().to_string())
                .replace("@auth@", &auth.port().to_string())
                .replace("@submission@", &submission.port().to_string())
        };
        fs::write(root.join("conf/main.cf"), filled(MAIN))?;
        fs::write(root.join("conf/master.cf"), filled(MASTER))?;
        let version = Command::new("postconf")
            .args(["-d", "-h", "mail_version"])
            .output()
            .context("postconf: apt-get install postfix")?;
        let child = Command::new("postfix")
            .arg("-c")
            .arg(root.join("conf"))
            .arg("start-fg")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(root.join("start.log"))?)
            .spawn()?;
        let mut process = Process(child);
        process.wait_for(&[submission], &root.join("postfix.log"))?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        Ok(Postfix {
            process,
            outgoing: Outgoing {
                name: format!("postfix {version}"),
                submission,
                sink,
            },
            folder,
        })
    }
}
