//! The data directory of `up`: a configuration, a domain and two users, made once.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    process::Stdio,
};

use anyhow::{Context, Result, bail};

use super::{Server, listeners};
use crate::run::output;

/// A name that no real domain has (RFC 2606).
pub(super) const DOMAIN: &str = "example.test";
const NAMES: [&str; 2] = ["alice", "bob"];
const PORT_BASE: u16 = 1000;
/// The largest offset above the base is 993.
const LARGEST_BASE: u16 = u16::MAX - 993;

/// A user to try.
pub(super) struct User {
    pub(super) address: String,
    pub(super) password: String,
}

/// Makes folder and configuration, or moves the ports of the one that is there.
pub(super) fn prepare(data: &Path, port_base: Option<u16>) -> Result<()> {
    if port_base.is_some_and(|base| base > LARGEST_BASE) {
        bail!("--port-base may be at most {LARGEST_BASE}");
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| data.display().to_string())?;
    let config = data.join("waxwing.toml");
    let text = match (fs::read_to_string(&config), port_base) {
        (Ok(_), None) => return Ok(()),
        (Ok(text), Some(base)) => {
            listeners::moved(&text, base).with_context(|| config.display().to_string())?
        }
        (Err(_), base) => new_config(base.unwrap_or(PORT_BASE)),
    };
    fs::write(&config, text).with_context(|| config.display().to_string())
}

fn new_config(port_base: u16) -> String {
    format!(
        "# Written by `cargo xtask up`. `waxwing config show --defaults` explains every key.\n\
         data_dir = \".\"\nhost_name = \"localhost\"\ndefault_domain = \"{DOMAIN}\"\n{}",
        listeners::written(port_base)
    )
}

/// The two users; added with passwords of their own when they are not there yet.
pub(super) fn users(data: &Path, server: &Server) -> Result<Vec<User>> {
    let file = data.join("demo-passwords.toml");
    let mut passwords: toml::Table = match fs::read_to_string(&file) {
        Ok(text) => text.parse().with_context(|| file.display().to_string())?,
        Err(_) => toml::Table::new(),
    };
    let known = |list: &[&str]| -> Result<Vec<serde_json::Value>> {
        Ok(serde_json::from_str(&output(&mut server.command(list))?)?)
    };
    if !known(&["domain", "list", "--json"])?
        .iter()
        .any(|row| row["name"] == DOMAIN)
    {
        output(&mut server.command(&["domain", "add", DOMAIN]))?;
    }
    let present = known(&["user", "list", "--json"])?;
    for name in NAMES {
        let address = format!("{name}@{DOMAIN}");
        if !present.iter().any(|row| row["address"] == address.as_str()) {
            let password = password()?;
            add(server, &address, &password)?;
            passwords.insert(address, password.into());
            write_private(&file, &passwords.to_string())?;
        }
    }
    Ok(NAMES
        .iter()
        .map(|name| {
            let address = format!("{name}@{DOMAIN}");
            let password = passwords
                .get(&address)
                .and_then(toml::Value::as_str)
                .unwrap_or("(yours)")
                .to_owned();
            User { address, password }
        })
        .collect())
}

fn add(server: &Server, address: &str, password: &str) -> Result<()> {
    let mut command = server.command(&["user", "add", address, "--password-stdin"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start waxwing")?;
    if let Some(mut stdin) = child.stdin.take() {
        writeln!(stdin, "{password}")?;
    }
    if !child.wait()?.success() {
        bail!("`waxwing user add {address}` failed");
    }
    Ok(())
}

/// Twelve letters and digits: it guards nothing but a loopback port, and is to be typed.
fn password() -> Result<String> {
    let mut octets = [0u8; 12];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut octets))
        .context("/dev/urandom")?;
    let characters: Vec<char> = "abcdefghjkmnpqrstuvwxyz23456789".chars().collect();
    Ok(octets
        .iter()
        .filter_map(|octet| characters.get(usize::from(*octet) % characters.len()))
        .collect())
}

fn write_private(file: &Path, text: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| file.display().to_string())
}
