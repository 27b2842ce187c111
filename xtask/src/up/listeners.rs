//! The listeners of the server that `up` starts: written once, then read from the configuration like an operator's own.

use std::{fs, net::TcpListener, path::Path};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Name, protocol, TLS mode, port above the base.
pub(super) const LISTENERS: &[(&str, &str, &str, u16)] = &[
    ("imap", "imap", "starttls", 143),
    ("imaps", "imap", "implicit", 993),
    ("pop3", "pop3", "starttls", 110),
    ("pop3s", "pop3", "implicit", 995),
    ("smtp", "smtp", "starttls", 25),
    ("submission", "submission", "starttls", 587),
    ("submissions", "submission", "implicit", 465),
    ("lmtp", "lmtp", "starttls", 24),
    ("managesieve", "managesieve", "starttls", 4190),
    ("https", "http", "implicit", 443),
    ("http", "http", "none", 80),
];

/// A `[[listener]]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Listener {
    pub(super) name: String,
    pub(super) protocol: String,
    #[serde(default = "none")]
    pub(super) tls: String,
    pub(super) address: String,
}

fn none() -> String {
    "none".to_owned()
}

/// The tables for a new configuration.
pub(super) fn written(port_base: u16) -> String {
    let tables = LISTENERS.iter().map(|(name, protocol, tls, above)| {
        let port = port_base.saturating_add(*above);
        format!("\n[[listener]]\nname = \"{name}\"\nprotocol = \"{protocol}\"\naddress = \"127.0.0.1:{port}\"\ntls = \"{tls}\"\n")
    });
    tables.collect()
}

/// The configuration with the ports of our listeners above another base; everything else stays as it is.
pub(super) fn moved(text: &str, port_base: u16) -> Result<String> {
    let mut moved = text.to_owned();
    let mut renamed = Vec::new();
    for listener in parse(text)? {
        let Some((.., above)) = LISTENERS.iter().find(|(name, ..)| *name == listener.name) else {
            continue;
        };
        let placeholder = format!("address = \"\u{0}{}\"", listener.name);
        moved = moved.replace(&format!("address = \"{}\"", listener.address), &placeholder);
        renamed.push((
            placeholder,
            format!(
                "address = \"127.0.0.1:{}\"",
                port_base.saturating_add(*above)
            ),
        ));
    }
    // In two steps, since a new address may be the old one of another listener.
    for (placeholder, address) in renamed {
        moved = moved.replace(&placeholder, &address);
    }
    Ok(moved)
}

/// The listeners of a configuration file.
pub(super) fn read(config: &Path) -> Result<Vec<Listener>> {
    let text = fs::read_to_string(config).with_context(|| config.display().to_string())?;
    parse(&text).with_context(|| config.display().to_string())
}

fn parse(text: &str) -> Result<Vec<Listener>> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        listener: Vec<Listener>,
    }
    Ok(toml::from_str::<File>(text)?.listener)
}

/// Says which ports are taken, before anything is started.
pub(super) fn check_free(listeners: &[Listener], config: &Path) -> Result<()> {
    let busy: Vec<String> = listeners
        .iter()
        .filter_map(|listener| {
            let error = TcpListener::bind(&listener.address).err()?;
            Some(format!(
                "  {} on {}: {error}",
                listener.name, listener.address
            ))
        })
        .collect();
    if !busy.is_empty() {
        bail!(
            "these listeners cannot have their ports:\n{}\nChoose others with `cargo xtask up --port-base 2000`, or change `address` in {}",
            busy.join("\n"),
            config.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_the_ports_keeps_what_the_operator_wrote() {
        let text = format!(
            "# mine\n{}\n[[listener]]\nname = \"own\"\nprotocol = \"imap\"\naddress = \"127.0.0.1:5\"\n",
            written(1000)
        );
        let moved = moved(&text, 1068).unwrap();
        let listeners = parse(&moved).unwrap();
        assert_eq!(listeners[0].address, "127.0.0.1:1211");
        assert_eq!(listeners[4].address, "127.0.0.1:1093");
        assert_eq!(listeners[LISTENERS.len()].address, "127.0.0.1:5");
        assert!(moved.starts_with("# mine"));
    }

    #[test]
    fn a_busy_port_is_named_with_two_ways_out() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let listener = Listener {
            name: "imap".into(),
            protocol: "imap".into(),
            tls: "none".into(),
            address: held.local_addr().unwrap().to_string(),
        };
        let told = check_free(&[listener], Path::new("data/waxwing.toml"))
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("imap on 127.0.0.1:")
                && told.contains("--port-base")
                && told.contains("waxwing.toml"),
            "{told}"
        );
    }
}
