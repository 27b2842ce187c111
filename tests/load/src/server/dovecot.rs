//! Debian's Dovecot, configured to be as fast as it can be while promising what we promise.
//!
//! Equal: `mail_fsync = always` (an OK is on disk after a power cut, as ours is), the same password hash of the same cost,
//! a cache of verified passwords on both sides, no TLS, the same file system. To its advantage: log-in processes that
//! serve many connections, IMAP processes that are there before they are needed and used again, no statistics, no limit on
//! memory. Its format is `sdbox` unless another is asked for: it was the fastest of the three at durable APPENDs one after another,
//! and elsewhere they differ by less than one run from the next; `docs/performance.md` has the figures.
//!
//! It runs as the accounts that Debian's package makes when we are root, and as ourselves when we are not.

use std::{
    fs::{self, File},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, SaltString},
};
use clap::ValueEnum;

use super::{
    HASH_MEMORY, HASH_PASSES, PASSWORD, Process, Site, UNHASHED, address, free_ports, temporary,
};

/// Its configuration; words between `@` are filled in.
const TEMPLATE: &str = include_str!("dovecot.conf");

/// How Dovecot keeps mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Maildir,
    Sdbox,
    Mdbox,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Maildir => "maildir",
            Format::Sdbox => "sdbox",
            Format::Mdbox => "mdbox",
        }
    }
}

/// A server that runs.
pub(crate) struct Dovecot {
    // First, so that it ends before its folder goes.
    process: Process,
    pub(crate) site: Site,
    /// Where other servers ask it for passwords.
    pub(crate) auth: SocketAddr,
    #[allow(dead_code, reason = "held until the server has ended")]
    folder: tempfile::TempDir,
}

impl Dovecot {
    /// Starts one with these users.
    pub(crate) fn start(format: Format, users: &[String]) -> Result<Dovecot> {
        Dovecot::start_with(format, users, "")
    }

    /// One that hands connections in IDLE to `imap-hibernate` after a moment, as those who have many configure it.
    pub(crate) fn start_hibernating(users: &[String]) -> Result<Dovecot> {
        let more = "imap_hibernate_timeout = 2s\n\
             service imap {\n  unix_listener imap-master {\n    mode = 0666\n  }\n}\n\
             service imap-hibernate {\n  unix_listener imap-hibernate {\n    mode = 0666\n  }\n}\n";
        Dovecot::start_with(Format::Sdbox, users, more)
    }

    fn start_with(format: Format, users: &[String], more: &str) -> Result<Dovecot> {
        let folder = temporary()?;
        let root = folder.path();
        fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
        for part in ["run", "state", "mail"] {
            fs::create_dir(root.join(part))?;
        }
        let accounts = Accounts::here()?;
        if rustix::process::getuid().is_root() {
            accounts.own(&root.join("mail"))?;
        }
        fs::write(root.join("users"), passwd_file(users)?)?;
        fs::set_permissions(root.join("users"), fs::Permissions::from_mode(0o644))?;
        let [imap, lmtp, pop3, auth] = free_ports()?;
        let configuration = root.join("dovecot.conf");
        let ports = [imap, lmtp, pop3, auth].map(|at| at.port());
        let text = accounts.configuration(root, format, ports) + more;
        fs::write(&configuration, text)?;
        let version = Command::new("dovecot")
            .arg("--version")
            .output()
            .context("dovecot: apt-get install dovecot-imapd dovecot-lmtpd dovecot-pop3d")?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let log = root.join("dovecot.log");
        let to = File::create(&log)?;
        let child = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(to.try_clone()?)
            .stderr(to)
            .spawn()?;
        let mut process = Process(child);
        process.wait_for(&[imap, lmtp, pop3, auth], &log)?;
        Ok(Dovecot {
            process,
            site: Site {
                name: format!(
                    "dovecot {} {}",
                    version.split_whitespace().next().unwrap_or_default(),
                    format.name()
                ),
                imap,
                lmtp,
                pop3,
            },
            auth,
            folder,
        })
    }
}

impl Dovecot {
    /// Memory of all its processes that is in RAM now, in octets; what several share is shared out among them.
    pub(crate) fn proportional(&self) -> Result<u64> {
        let master = self.process.0.id();
        let mut sum = 0;
        for entry in fs::read_dir("/proc")? {
            let folder = entry?.path();
            let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
            if parent.and_then(|parent| parent.trim().parse().ok()) != Some(master) {
                continue;
            }
            let rollup = fs::read_to_string(folder.join("smaps_rollup")).unwrap_or_default();
            let shared = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
            let kibibytes: u64 = shared
                .and_then(|shared| shared.split_whitespace().next())
                .map_or(Ok(0), str::parse)?;
            sum += kibibytes * 1024;
        }
        Ok(sum)
    }
}

/// All users, with the hash that Waxwing would store; some with none, see [`UNHASHED`].
fn passwd_file(users: &[String]) -> Result<String> {
    let broken = |error: &dyn std::fmt::Display| anyhow::anyhow!("password hash: {error}");
    let params = Params::new(HASH_MEMORY, HASH_PASSES, 1, None).map_err(|error| broken(&error))?;
    let salt = SaltString::encode_b64(b"sixteen octets..").map_err(|error| broken(&error))?;
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(PASSWORD.as_bytes(), &salt)
        .map_err(|error| broken(&error))?
        .to_string();
    let line = |user: &String| match user.starts_with(UNHASHED) {
        true => format!("{}:{{PLAIN}}{PASSWORD}\n", address(user)),
        false => format!("{}:{{ARGON2ID}}{hash}\n", address(user)),
    };
    Ok(users.iter().map(line).collect())
}

/// Whom its processes run as.
struct Accounts {
    internal: String,
    group: String,
    login: String,
    mail: (u32, u32),
}

impl Accounts {
    fn here() -> Result<Accounts> {
        if rustix::process::getuid().is_root() {
            return Ok(Accounts {
                internal: "dovecot".to_owned(),
                group: "dovecot".to_owned(),
                login: "dovenull".to_owned(),
                mail: account("dovecot")?,
            });
        }
        let mail = (
            rustix::process::getuid().as_raw(),
            rustix::process::getgid().as_raw(),
        );
        let name = |option| -> Result<String> {
            let name = Command::new("id").arg(option).output()?;
            Ok(String::from_utf8_lossy(&name.stdout).trim().to_owned())
        };
        Ok(Accounts {
            internal: name("-un")?,
            group: name("-gn")?,
            login: name("-un")?,
            mail,
        })
    }

    fn own(&self, folder: &Path) -> Result<()> {
        std::os::unix::fs::chown(folder, Some(self.mail.0), Some(self.mail.1))?;
        Ok(())
    }

    fn configuration(&self, root: &Path, format: Format, ports: [u16; 4]) -> String {
        let Accounts {
            internal,
            group,
            login,
            mail: (uid, gid),
        } = self;
        let chroot = if rustix::process::getuid().is_root() {
            ""
        } else {
            "chroot =\n  "
        };
        let [imap, lmtp, pop3, auth] = ports.map(|port| port.to_string());
        let (root, uid, gid) = (root.display().to_string(), uid.to_string(), gid.to_string());
        [
            ("@root@", root.as_str()),
            ("@internal@", internal.as_str()),
            ("@group@", group.as_str()),
            ("@login@", login.as_str()),
            ("@uid@", uid.as_str()),
            ("@gid@", gid.as_str()),
            ("@format@", format.name()),
            ("@chroot@", chroot),
            ("@imap@", imap.as_str()),
            ("@lmtp@", lmtp.as_str()),
            ("@pop3@", pop3.as_str()),
            ("@auth@", auth.as_str()),
        ]
        .iter()
        .fold(TEMPLATE.to_owned(), |text, (word, value)| {
            text.replace(word, value)
        })
    }
}

/// User and group of an account of this machine.
pub(super) fn account(name: &str) -> Result<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd")?;
    let fields = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))
        .with_context(|| format!("no account {name}"))?;
    let number = |at: usize| fields.get(at).copied().unwrap_or_default().parse::<u32>();
    Ok((number(2)?, number(3)?))
}
