//! What there is to connect to, in the order in which a program should try: TLS from the first octet before STARTTLS (RFC 8314).

use waxwing_sdk::site;

/// How TLS is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    Implicit,
    Starttls,
}

/// A port and how to speak there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) security: Security,
}

/// The services of this host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Services {
    pub(crate) host: String,
    pub(crate) imap: Vec<Server>,
    pub(crate) pop3: Vec<Server>,
    pub(crate) submission: Vec<Server>,
    pub(crate) sieve: Option<Server>,
    /// HTTPS ports.
    pub(crate) calendars: Option<u16>,
    pub(crate) contacts: Option<u16>,
}

impl Services {
    /// As the host has them now.
    pub(crate) fn current() -> Services {
        let known = site::services();
        let port = |name: &str| {
            let service = known.iter().find(|service| service.name == name);
            service.map(|service| service.port)
        };
        let both = |implicit: &str, starttls: &str| {
            let server = |port: Option<u16>, security| port.map(|port| Server { port, security });
            [
                server(port(implicit), Security::Implicit),
                server(port(starttls), Security::Starttls),
            ]
            .into_iter()
            .flatten()
            .collect()
        };
        Services {
            host: site::host_name(),
            imap: both("imaps", "imap"),
            pop3: both("pop3s", "pop3"),
            submission: both("submissions", "submission"),
            sieve: port("sieve").map(|port| Server {
                port,
                security: Security::Starttls,
            }),
            calendars: port("caldavs"),
            contacts: port("carddavs"),
        }
    }

    /// Where calendars and contacts are found by programs that look no further.
    pub(crate) fn dav_url(&self, port: u16) -> String {
        match port {
            443 => format!("https://{}/dav/", self.host),
            port => format!("https://{}:{port}/dav/", self.host),
        }
    }
}
