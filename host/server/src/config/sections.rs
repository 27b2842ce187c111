//! The sections that the server itself defines. Keys of `[[listener]]`, `[limits]` and `[plugin.NAME]` belong to other
//! rooms; their tables are in [`super::listener`] and [`super::plugin`].

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context as _;
use ipnet::{IpNet, Ipv4Net};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use waxwing_directory::{Address, DEFAULT_SCRAM_ITERATIONS, HashCost};
use waxwing_runtime::{CompileLimits, EngineConfig};
use waxwing_transport::{
    AuthenticationConfig, AuthenticationMode, DeliveryOptions, DnsConfig, HostPort, Milter,
    OutboundTls, QuarantineLimits, Route, TransportConfig,
};

use super::section::section;

/// `192.0.2.0/24`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Network(pub(crate) IpNet);

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Network, String> {
        text.parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map(Network)
            .map_err(|_| {
                format!("\"{text}\" is not a network such as 192.0.2.0/24 or 2001:db8::/32")
            })
    }
}

/// `local@domain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct MailAddress(pub(crate) String);

impl TryFrom<String> for MailAddress {
    type Error = String;

    fn try_from(text: String) -> Result<MailAddress, String> {
        match Address::parse(&text) {
            Ok(_) => Ok(MailAddress(text)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

section! {
    /// Keys before the first table.
    Top {
        /// Where everything is kept: directory, mailboxes, plugins, certificates. Relative to this file.
        data_dir: PathBuf = PathBuf::from("data"), example "\"/var/lib/waxwing\"";
        /// The name the server greets with and signs Received lines with; also a name in the certificate made at first start.
        host_name: String = String::from("localhost"), example "\"mx.example.org\"";
        /// The domain of users who log in without one.
        default_domain: Option<String> = None, example "\"example.org\"";
    }
}

section! {
    /// Log lines go to standard error.
    Log {
        /// `text` for people, `json` for machines.
        format: LogFormat = LogFormat::Text, example "\"json\"";
        /// `error`, `warn`, `info`, `debug` or `trace`; or per part, as in `info,waxwing_net=debug`.
        level: String = String::from("info"), example "\"debug\"";
    }
}

section! {
    /// Log-ins.
    DirectoryKeys {
        /// Networks whose failed log-ins are neither delayed nor counted: for load and conformance tools.
        no_penalty_from: Vec<Network> = Vec::new(), example "[\"127.0.0.0/8\"]";
        /// What separates user and detail in `user+detail@example.org`; an empty text switches it off.
        recipient_delimiter: String = String::from("+"), example "\"-\"";
        /// Who gets mail to a `postmaster` that is neither user, alias nor group; by default the user of the domain who was added
        /// first.
        postmaster: Option<MailAddress> = None, example "\"admin@example.org\"";
        /// KiB of memory that checking one password takes (argon2id).
        password_memory: u32 = HashCost::default().memory, example "19456";
        /// Passes over that memory.
        password_passes: u32 = HashCost::default().passes, example "2";
        /// Iterations of PBKDF2 that a client of SCRAM makes to log in without sending its password, and whoever guesses passwords
        /// from a stolen directory: at least 4096. 0 switches SCRAM off, and no such key is kept.
        scram_iterations: u32 = DEFAULT_SCRAM_ITERATIONS, example "60000";
    }
}

section! {
    /// Mailboxes.
    StoreKeys {
        /// Mailbox files that are open at the same time; others are closed when idle and opened again at need.
        max_open: usize = 256, example "256";
        /// Octets of memory for the indexes of open folders.
        index_cache: usize = 256 << 20, example "268435456";
        /// Days for which a mailbox remembers what is gone from it. A client that was away for longer reads the folder anew
        /// instead of only what changed. 0: for ever.
        keep_tombstones_days: u32 = 90, example "90";
        /// Days for which deleted items can be recovered (those of clients that can). 0: for ever.
        keep_deleted_days: u32 = 14, example "14";
    }
}

section! {
    /// The network as a whole.
    NetworkKeys {
        /// Networks that are never counted against a limit on connections.
        unlimited_from: Vec<Network> = Vec::new(), example "[\"192.0.2.0/24\"]";
        /// Seconds that connections have to end by themselves when the server is told to stop.
        shutdown_grace: u64 = 10, example "10";
    }
}

section! {
    /// The numbers of the running server for Prometheus, at `/metrics` of every listener whose protocol is `http`.
    MetricsKeys {
        /// Networks whose clients may read them; all others are refused. An empty list switches the page off.
        allow_from: Vec<Network> = loopback(), example "[\"192.0.2.10\"]";
    }
}

/// Of this machine itself.
fn loopback() -> Vec<Network> {
    let four = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
    vec![
        Network(IpNet::V4(four)),
        Network(IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST))),
    ]
}

section! {
    /// How mail leaves for other servers.
    TransportKeys {
        /// Where everything goes that has no route of its own, as `host:port`. Without it mail goes where DNS says (MX).
        relay_host: Option<HostPort> = None, example "\"smtp.example.net:587\"";
        /// The name to log in at relay_host with.
        relay_user: Option<String> = None, example "\"waxwing@example.net\"";
        /// A file whose first line is the password for that; relative to this file, and to be read by the server's user alone.
        relay_password_file: Option<PathBuf> = None, example "\"/etc/waxwing/relay-password\"";
        /// Encryption towards the next hop: `opportunistic` (STARTTLS where it is offered, whatever the certificate), `required`,
        /// `verified` (with a certificate of the host's name), `implicit` (from the first byte and verified, for a relay_host on
        /// port 465) or `none`.
        tls: OutboundTls = OutboundTls::Opportunistic, example "\"verified\"";
        /// Whether a domain's MTA-STS policy is asked for and obeyed (RFC 8461): where it says so, mail goes only to hosts that prove
        /// their names.
        mta_sts: bool = true, example "false";
        /// PEM file of the authorities that certificates are verified with. Default: those of the system.
        ca_file: Option<PathBuf> = None, example "\"/etc/waxwing/relay-ca.pem\"";
        /// Domains whose mail goes to a host of its own; also written as [[transport.route]] with the keys domain and next_hop.
        route: Vec<Route> = Vec::new(), example "[{ domain = \"example.net\", next_hop = \"192.0.2.7:25\" }]";
        /// Seconds before the second attempt, before the third, and so on; the last one is repeated.
        retry_seconds: Vec<u64> = seconds(&TransportConfig::default().retry), example "[300, 600, 1200]";
        /// Seconds after which a message that is still queued is given up, and its sender told.
        expire_seconds: u64 = TransportConfig::default().expire.as_secs(), example "432000";
        /// Seconds after which the sender is told that a message takes long.
        delay_notice_seconds: u64 = TransportConfig::default().delay_notice.as_secs(), example "14400";
        /// Connections to one destination at the same time.
        per_destination: usize = TransportConfig::default().per_destination, example "5";
        /// Filters that speak the milter protocol, asked in this order about each message; also written as [[transport.milter]] with
        /// the keys address (inet:host:port or unix:/path), timeout_seconds (60, for each step), on_failure (tempfail, or accept) and
        /// for (["smtp", "submission"]; lmtp is the third).
        milter: Vec<Milter> = Vec::new(), example "[{ address = \"inet:127.0.0.1:11332\" }]";
        /// Days after which what a hook has put into quarantine goes. 0: never.
        quarantine_days: u64 = QuarantineLimits::default().keep.as_secs() / DAY, example "30";
        /// Messages in quarantine. When there are so many, what a hook wants there is put off, and its sender comes again.
        quarantine_messages: u64 = QuarantineLimits::default().messages, example "10000";
        /// Octets of all messages in quarantine; the same holds.
        quarantine_octets: u64 = QuarantineLimits::default().octets, example "1073741824";
        /// Seconds within which a message that comes a second time for the same mailbox, by its Message-ID, From, Date and text, is taken
        /// and not stored again. 0: it is.
        duplicate_window_seconds: u64 = 0, example "600";
        /// The same for messages that come over LMTP.
        duplicates_of_lmtp: bool = false, example "true";
        /// Whether a copy of what is submitted goes to the Sent folder of its sender, for clients that keep none themselves. For one
        /// user it is switched off with `waxwing user feature ADDRESS submission.save-sent off`.
        save_sent: bool = false, example "true";
        /// Connections to other servers at the same time.
        connections: usize = TransportConfig::default().connections, example "100";
    }
}

/// Seconds.
const DAY: u64 = 24 * 3600;

fn seconds(waits: &[Duration]) -> Vec<u64> {
    waits.iter().map(Duration::as_secs).collect()
}

impl TransportKeys {
    /// What no single key can say.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        match (
            self.relay_user.is_some(),
            self.relay_password_file.is_some(),
        ) {
            (false, false) => Ok(()),
            (true, true) if self.relay_host.is_some() => Ok(()),
            _ => Err("relay_user and relay_password_file belong together, with a relay_host"),
        }
    }

    /// For deliveries.
    pub(crate) fn delivery(&self) -> DeliveryOptions {
        DeliveryOptions {
            duplicate_window: Duration::from_secs(self.duplicate_window_seconds),
            duplicates_of_lmtp: self.duplicates_of_lmtp,
            save_sent: self.save_sent,
            milters: self.milter.clone(),
        }
    }

    /// For what hooks keep apart.
    pub(crate) fn quarantine(&self) -> QuarantineLimits {
        QuarantineLimits {
            keep: Duration::from_secs(self.quarantine_days.saturating_mul(DAY)),
            messages: self.quarantine_messages,
            octets: self.quarantine_octets,
        }
    }

    /// For the transport, with the password of the relay host and the way to ask DNS.
    pub(crate) fn transport(&self, dns: &DnsKeys) -> anyhow::Result<TransportConfig> {
        let password = match &self.relay_password_file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("[transport] {}", file.display()))?;
                Some(SecretString::from(
                    text.lines().next().unwrap_or_default().to_owned(),
                ))
            }
            None => None,
        };
        let wait = |wait: &u64| Duration::from_secs(*wait);
        Ok(TransportConfig {
            relay_host: self.relay_host.clone(),
            relay_user: self.relay_user.clone(),
            relay_password: password,
            routes: self.route.clone(),
            tls: self.tls,
            mta_sts: self.mta_sts,
            ca_file: self.ca_file.clone(),
            retry: self.retry_seconds.iter().map(wait).collect(),
            expire: wait(&self.expire_seconds),
            delay_notice: wait(&self.delay_notice_seconds),
            per_destination: self.per_destination,
            connections: self.connections,
            dns: dns.dns(),
        })
    }
}

section! {
    /// How DNS is asked: where mail goes, who may send it, and what domains of this server publish.
    DnsKeys {
        /// Who is asked, as `address` or `address:port`. Default: the servers of /etc/resolv.conf.
        servers: Vec<NameServer> = Vec::new(), example "[\"127.0.0.1\", \"192.0.2.53:5353\"]";
        /// Milliseconds for one try of one question.
        timeout_ms: u64 = 5_000, example "5000";
        /// Tries after the first.
        attempts: usize = DnsConfig::default().attempts, example "2";
    }
}

/// `127.0.0.1`, `[::1]:5353`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct NameServer(SocketAddr);

impl TryFrom<String> for NameServer {
    type Error = String;

    fn try_from(text: String) -> Result<NameServer, String> {
        const DOMAIN: u16 = 53;
        let whole = text.parse::<SocketAddr>();
        whole
            .or_else(|_| text.parse().map(|address: IpAddr| (address, DOMAIN).into()))
            .map(NameServer)
            .map_err(|_| {
                format!("\"{text}\" is not an address such as 192.0.2.53 or [2001:db8::53]:53")
            })
    }
}

impl From<NameServer> for String {
    fn from(server: NameServer) -> String {
        server.0.to_string()
    }
}

impl DnsKeys {
    /// For the transport.
    pub(crate) fn dns(&self) -> DnsConfig {
        DnsConfig {
            servers: self.servers.iter().map(|server| server.0).collect(),
            timeout: Duration::from_millis(self.timeout_ms),
            attempts: self.attempts,
        }
    }
}

section! {
    /// What is checked of mail from other servers on listeners whose protocol is `smtp`: SPF, DKIM, ARC, DMARC, and the name of
    /// the sender's address. Mail of whoever is logged in, and LMTP, are not looked at.
    AuthenticationKeys {
        /// `off`; `check`, and the results stand in Authentication-Results of each message; or `enforce`, which also does what
        /// a DMARC policy asks for: mail that fails is refused (550 5.7.26), or put into Junk.
        mode: AuthenticationMode = AuthenticationMode::Check, example "\"enforce\"";
        /// The name that results are written under, and that no message may bring along. Default: host_name.
        name: Option<String> = None, example "\"example.org\"";
        /// Seconds for all questions to DNS about one message; what has no answer then is a temporary error, and the message passes.
        timeout_seconds: u64 = 10, example "10";
        /// Signatures of one message that are verified.
        max_signatures: usize = 10, example "10";
        /// Networks whose mail is taken as it comes: relays of our own.
        unchecked_from: Vec<Network> = loopback(), example "[\"192.0.2.0/24\"]";
        /// Domains whose ARC seal is believed when DMARC fails: lists and forwarders that are known to look well.
        trusted_sealers: Vec<String> = Vec::new(), example "[\"lists.example.net\"]";
    }
}

impl AuthenticationKeys {
    /// For the transport.
    pub(crate) fn authentication(&self, host_name: &str) -> AuthenticationConfig {
        AuthenticationConfig {
            mode: self.mode,
            name: self.name.clone().unwrap_or_else(|| host_name.to_owned()),
            timeout: Duration::from_secs(self.timeout_seconds),
            max_signatures: self.max_signatures,
            unchecked_from: self.unchecked_from.iter().map(|net| net.0).collect(),
            trusted_sealers: self.trusted_sealers.clone(),
        }
    }
}

section! {
    /// What runs the plugins.
    RuntimeKeys {
        /// Plugin instances that are alive at the same time; idle sessions are frozen and do not count.
        live_instances: u32 = EngineConfig::default().live_instances, example "4096";
        /// A session that waits for so many milliseconds is frozen: its instance is dropped, and made again in less than a
        /// millisecond when something comes. Sessions in IDLE are frozen at once.
        freeze_after_ms: u64 = 2_000, example "2000";
        /// The most memory that any one instance may be given, in octets.
        largest_memory: u64 = EngineConfig::default().largest_memory, example "268435456";
        /// Memory of all instances of all plugins together, in octets.
        process_memory: u64 = EngineConfig::default().process_memory, example "8589934592";
        /// Address space of the process that compiles a plugin, in octets.
        compile_memory: u64 = CompileLimits::default().memory, example "4294967296";
        /// CPU time that compiling a plugin may take, in seconds.
        compile_cpu_seconds: u64 = CompileLimits::default().cpu_seconds, example "300";
        /// Refuse packages that are not signed by a trusted key.
        require_signature: bool = false, example "true";
        /// Ed25519 public keys whose signatures count, by name; 64 hexadecimal digits each.
        trusted_keys: BTreeMap<String, String> = BTreeMap::new(), example "{ vendor = \"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\" }";
    }
}
