//! What an operator says about sending mail on.

use std::{fmt, path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::DnsConfig;

/// How the way to the next hop is to be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutboundTls {
    /// STARTTLS where it is offered, whatever the certificate; plaintext where it is not, or where it fails.
    Opportunistic,
    /// STARTTLS with any certificate, or no delivery.
    Required,
    /// STARTTLS with a certificate of the host's name that a known authority has signed, or no delivery.
    Verified,
    /// TLS from the first byte, verified: for a `relay_host` on port 465.
    Implicit,
    /// Never.
    None,
}

/// A host and a port: `mx.example.net:25`, `[2001:db8::1]:2525`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPort {
    /// A name or an address, without brackets.
    pub host: String,
    /// 25 when it is not said.
    pub port: u16,
}

impl TryFrom<String> for HostPort {
    type Error = String;

    fn try_from(text: String) -> Result<HostPort, String> {
        let wrong = || format!("\"{text}\" is not a host and port such as mx.example.net:25");
        let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, ""))) => (host, "25"),
            Some(Some((host, port))) => (host, port.strip_prefix(':').ok_or_else(wrong)?),
            Some(None) => return Err(wrong()),
            None => text.rsplit_once(':').unwrap_or((&text, "25")),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || ".:-_".contains(c);
        if host.is_empty() || !host.chars().all(is_name) {
            return Err(wrong());
        }
        Ok(HostPort {
            host: host.to_owned(),
            port: port.parse().map_err(|_| wrong())?,
        })
    }
}

impl From<HostPort> for String {
    fn from(hop: HostPort) -> String {
        hop.to_string()
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Where the mail of one domain goes, instead of where DNS says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Exactly this domain.
    pub domain: String,
    /// Its next hop.
    pub next_hop: HostPort,
}

/// All of `[transport]`. [`TransportConfig::default`] has the defaults.
#[derive(Debug, Clone)]
pub struct TransportConfig {
    /// Where everything goes that has no route of its own. None: where DNS says.
    pub relay_host: Option<HostPort>,
    /// The name to log in at `relay_host` with.
    pub relay_user: Option<String>,
    /// Its password.
    pub relay_password: Option<SecretString>,
    /// Routes by domain.
    pub routes: Vec<Route>,
    /// Encryption.
    pub tls: OutboundTls,
    /// Whether the policies of domains are asked for and obeyed (RFC 8461).
    pub mta_sts: bool,
    /// PEM file of the authorities that certificates are verified with. None: those of the system.
    pub ca_file: Option<PathBuf>,
    /// Waits before the second attempt, the third, and so on; the last one is repeated.
    pub retry: Vec<Duration>,
    /// After so long a message that is still queued is given up.
    pub expire: Duration,
    /// After so long its sender is told that it takes long.
    pub delay_notice: Duration,
    /// Connections to one destination at the same time.
    pub per_destination: usize,
    /// Connections of the queue at the same time.
    pub connections: usize,
    /// Who is asked where mail goes, and what domains publish.
    pub dns: DnsConfig,
}

impl Default for TransportConfig {
    fn default() -> TransportConfig {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        TransportConfig {
            relay_host: None,
            relay_user: None,
            relay_password: None,
            routes: Vec::new(),
            tls: OutboundTls::Opportunistic,
            mta_sts: true,
            ca_file: None,
            retry: [5, 10, 20, 40, 80, 160, 240].map(minutes).to_vec(),
            expire: Duration::from_secs(5 * 24 * 3600),
            delay_notice: Duration::from_secs(4 * 3600),
            per_destination: 5,
            connections: 100,
            dns: DnsConfig::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_hop_is_a_host_and_perhaps_a_port() {
        for (text, host, port) in [
            ("mx.example.net", "mx.example.net", 25),
            ("127.0.0.1:2525", "127.0.0.1", 2525),
            ("[2001:db8::1]:26", "2001:db8::1", 26),
            ("[::1]", "::1", 25),
        ] {
            let hop = HostPort::try_from(text.to_owned()).unwrap();
            assert_eq!((hop.host.as_str(), hop.port), (host, port));
            assert_eq!(HostPort::try_from(hop.to_string()).unwrap(), hop);
        }
        for text in ["", ":25", "a b:25", "mx:smtp", "[::1", "mx:99999"] {
            assert!(HostPort::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
