//! What an operator says about the network: listeners, certificates, limits.
//!
//! The configuration file is read elsewhere; these are the tables it holds. Every key has a default except
//! a listener's name, protocol and address, and an unknown key is an error.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error as _};

/// Everything the network room needs to know.
#[derive(Debug, Clone)]
pub struct NetConfig {
    /// The name to greet with; also a name in the certificate that is made at first start.
    pub host_name: String,
    /// The `tls` folder with the local authority and its leaf lies in here.
    pub data_dir: PathBuf,
    /// The mail domains, which the certificate that is made at first start names.
    pub domains: Vec<String>,
    /// Certificates of the operator's own.
    pub tls: TlsConfig,
    /// Peers in these networks are never counted against a limit on connections.
    pub unlimited_from: Vec<IpNet>,
    /// Who may read `/metrics`.
    pub metrics_from: Vec<IpNet>,
    /// At least one is of use.
    pub listeners: Vec<ListenerConfig>,
}

/// The `[tls]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// Certificates to serve, chosen by the name a client asks for (SNI); the first is served to a client
    /// that names none. Empty: a local authority and a leaf are made at first start.
    pub certificates: Vec<CertificateFiles>,
}

/// One certificate chain and its key, both PEM. Changed files are picked up within seconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    /// The leaf first, then its intermediates.
    pub certificate: PathBuf,
    /// PKCS #8, SEC 1 or PKCS #1.
    pub key: PathBuf,
}

/// How a listener encrypts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Never.
    #[default]
    None,
    /// Plaintext until the client asks (`STARTTLS`, `STLS`).
    Starttls,
    /// From the first byte.
    Implicit,
}

impl TlsMode {
    /// As it stands in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            TlsMode::None => "none",
            TlsMode::Starttls => "starttls",
            TlsMode::Implicit => "implicit",
        }
    }
}

/// Whether a password may cross a connection that is not encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlaintextLogin {
    /// Not even on this machine.
    Never,
    /// From a loopback address.
    #[default]
    Loopback,
    /// From everywhere.
    Always,
}

/// Networks such as `10.0.0.0/8`, and single addresses.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: String| {
        text.parse()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| {
                D::Error::custom(format!(
                    "\"{text}\" is not a network such as 192.0.2.0/24 or 2001:db8::/32"
                ))
            })
    };
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.into_iter().map(network).collect()
}

/// One `[[listener]]` table. Times are whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerConfig {
    /// Unique; stands in every log line and error of this listener.
    pub name: Arc<str>,
    /// `http`, or the protocol of a plugin: `imap`, `pop3`, `smtp`, `lmtp`, …
    pub protocol: Arc<str>,
    /// Address and port, such as `127.0.0.1:143` or `[::1]:143`. Port 0 takes a free one.
    pub address: SocketAddr,
    /// `none` (the default), `starttls` or `implicit`.
    #[serde(default)]
    pub tls: TlsMode,
    /// Load balancers that prepend a PROXY protocol header, version 1 or 2. When given, connections from
    /// any other address are refused.
    #[serde(default, deserialize_with = "networks")]
    pub proxy_protocol_from: Vec<IpNet>,
    /// Until a log-in, counted from the start of the connection; 0 for no limit. Default: 180 for protocols
    /// that begin with a log-in (imap, pop3, managesieve), none for the others.
    #[serde(default)]
    pub login_timeout: Option<u64>,
    /// Of silence; 0 for no limit. Default: 300 for smtp and lmtp (RFC 5321 section 4.5.3.2.7), 120 for
    /// http between two requests, 1860 for the others (RFC 9051 section 5.4 asks for 30 minutes).
    #[serde(default)]
    pub idle_timeout: Option<u64>,
    /// A peer that takes nothing of what is sent to it for so long is cut off. Default: 120.
    #[serde(default = "default_write_timeout")]
    pub write_timeout: u64,
    /// At the same time on this listener. Default: 18000.
    #[serde(default = "default_max_connections")]
    pub max_connections: u32,
    /// At the same time from one IPv4 address or IPv6 /64, over all listeners of this protocol. Default: 256,
    /// and no limit for loopback addresses.
    #[serde(default)]
    pub max_connections_per_address: Option<u32>,
    /// Sessions (for http: requests) of one user at the same time, over all listeners of this protocol.
    /// Default: 256, and no limit for loopback addresses.
    #[serde(default)]
    pub max_connections_per_user: Option<u32>,
    /// `never`, `loopback` (the default) or `always`.
    #[serde(default)]
    pub plaintext_login: PlaintextLogin,
}

const fn default_write_timeout() -> u64 {
    120
}

const fn default_max_connections() -> u32 {
    18_000
}

const DEFAULT_CONNECTIONS_PER_PARTY: u32 = 256;

impl ListenerConfig {
    /// With defaults for all that has one.
    pub fn new(name: &str, protocol: &str, address: SocketAddr) -> ListenerConfig {
        ListenerConfig {
            name: name.into(),
            protocol: protocol.into(),
            address,
            tls: TlsMode::None,
            proxy_protocol_from: Vec::new(),
            login_timeout: None,
            idle_timeout: None,
            write_timeout: default_write_timeout(),
            max_connections: default_max_connections(),
            max_connections_per_address: None,
            max_connections_per_user: None,
            plaintext_login: PlaintextLogin::default(),
        }
    }

    pub(crate) fn is_http(&self) -> bool {
        &*self.protocol == "http"
    }

    pub(crate) fn login_limit(&self) -> Option<Duration> {
        seconds(self.login_timeout.unwrap_or(match &*self.protocol {
            "imap" | "pop3" | "managesieve" | "submission" => 180,
            _ => 0,
        }))
    }

    pub(crate) fn idle_limit(&self) -> Option<Duration> {
        seconds(self.idle_timeout.unwrap_or(match &*self.protocol {
            "smtp" | "lmtp" | "submission" => 300,
            "http" => 120,
            _ => 1860,
        }))
    }

    pub(crate) fn write_limit(&self) -> Duration {
        Duration::from_secs(self.write_timeout.max(1))
    }

    pub(crate) fn address_limit(&self, peer: SocketAddr) -> Option<u32> {
        party_limit(self.max_connections_per_address, peer)
    }

    pub(crate) fn user_limit(&self, peer: SocketAddr) -> Option<u32> {
        party_limit(self.max_connections_per_user, peer)
    }

    pub(crate) fn allows_plaintext_login(&self, peer: SocketAddr) -> bool {
        match self.plaintext_login {
            PlaintextLogin::Never => false,
            PlaintextLogin::Loopback => peer.ip().to_canonical().is_loopback(),
            PlaintextLogin::Always => true,
        }
    }
}

fn seconds(count: u64) -> Option<Duration> {
    (count > 0).then(|| Duration::from_secs(count))
}

fn party_limit(configured: Option<u32>, peer: SocketAddr) -> Option<u32> {
    match configured {
        Some(limit) => Some(limit),
        None if peer.ip().to_canonical().is_loopback() => None,
        None => Some(DEFAULT_CONNECTIONS_PER_PARTY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ListenerConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn three_keys_make_a_listener() {
        let parsed = parse("name = 'imap'\nprotocol = 'imap'\naddress = '127.0.0.9:143'").unwrap();
        let address = "127.0.0.9:143".parse().unwrap();
        assert_eq!(parsed, ListenerConfig::new("imap", "imap", address));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = parse("name = 'a'\nprotocol = 'imap'\naddress = '[::1]:0'\nidle_time = 3")
            .unwrap_err()
            .to_string();
        assert!(error.contains("idle_time"), "{error}");
    }

    #[test]
    fn loopback_is_limited_only_when_the_operator_says_so() {
        let mut listener = ListenerConfig::new("imap", "imap", "127.0.0.1:0".parse().unwrap());
        let here = "127.0.0.1:1".parse().unwrap();
        let there = "192.0.2.1:1".parse().unwrap();
        assert_eq!(listener.address_limit(here), None);
        assert_eq!(listener.address_limit(there), Some(256));
        listener.max_connections_per_address = Some(3);
        assert_eq!(listener.address_limit(here), Some(3));
    }

    #[test]
    fn passwords_cross_plaintext_only_where_the_policy_says() {
        let mut listener = ListenerConfig::new("imap", "imap", "127.0.0.1:0".parse().unwrap());
        let here = "[::ffff:127.0.0.1]:1".parse().unwrap();
        let there = "192.0.2.1:1".parse().unwrap();
        assert!(listener.allows_plaintext_login(here));
        assert!(!listener.allows_plaintext_login(there));
        listener.plaintext_login = PlaintextLogin::Never;
        assert!(!listener.allows_plaintext_login(here));
        listener.plaintext_login = PlaintextLogin::Always;
        assert!(listener.allows_plaintext_login(there));
    }
}
