//! Questions to DNS: who is asked, for how long, and what an answer looks like to the rest of this room.
//!
//! `hickory-resolver` asks the servers that the operator names, or those of `/etc/resolv.conf`; it keeps answers for as long as they say and
//! needs no thread. One resolver serves everything here: mail hosts, the checks of what comes in, and the check of what is published.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::{RData, Record, RecordType},
};

/// How DNS is asked.
#[derive(Debug, Clone)]
pub struct DnsConfig {
    /// Who is asked. None: those of `/etc/resolv.conf`.
    pub servers: Vec<SocketAddr>,
    /// For one try of one question.
    pub timeout: Duration,
    /// Tries after the first.
    pub attempts: usize,
}

impl Default for DnsConfig {
    fn default() -> DnsConfig {
        DnsConfig {
            servers: Vec::new(),
            timeout: Duration::from_secs(5),
            attempts: 2,
        }
    }
}

/// What DNS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// Records of the type.
    Found(Vec<T>),
    /// The name exists, without records of this type.
    NoRecords,
    /// There is no such name.
    NoDomain,
    /// Nobody answered; why.
    Failed(String),
}

/// A type of record that a domain publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// `10 mx.example.org`
    Mx,
    /// Its strings, put together.
    Txt,
    /// `0 1 993 mx.example.org`
    Srv,
    /// Another name.
    Cname,
}

impl RecordKind {
    fn record_type(self) -> RecordType {
        match self {
            RecordKind::Mx => RecordType::MX,
            RecordKind::Txt => RecordType::TXT,
            RecordKind::Srv => RecordType::SRV,
            RecordKind::Cname => RecordType::CNAME,
        }
    }

    /// None for what is of another type.
    fn text(self, data: &RData) -> Option<String> {
        let plain = |name: String| name.trim_end_matches('.').to_ascii_lowercase();
        match (self, data) {
            (RecordKind::Mx, RData::MX(mx)) => Some(format!(
                "{} {}",
                mx.preference,
                plain(mx.exchange.to_ascii())
            )),
            (RecordKind::Txt, RData::TXT(txt)) => {
                let strings = txt.txt_data.concat();
                Some(String::from_utf8_lossy(&strings).into_owned())
            }
            (RecordKind::Srv, RData::SRV(srv)) => Some(format!(
                "{} {} {} {}",
                srv.priority,
                srv.weight,
                srv.port,
                plain(srv.target.to_ascii())
            )),
            (RecordKind::Cname, RData::CNAME(name)) => Some(plain(name.to_ascii())),
            _ => None,
        }
    }
}

/// Asks. Cheap to clone.
#[derive(Clone)]
pub struct Resolver(Option<TokioResolver>);

impl Resolver {
    /// Never fails: without a way to ask, every answer says so.
    pub fn new(config: &DnsConfig) -> Resolver {
        let built = match config.servers.is_empty() {
            true => TokioResolver::builder_tokio(),
            false => {
                let servers = config.servers.iter().map(name_server).collect();
                let servers = ResolverConfig::from_name_servers(servers);
                let provider = TokioRuntimeProvider::default();
                Ok(TokioResolver::builder_with_config(servers, provider))
            }
        };
        let built = built.and_then(|mut builder| {
            let options = builder.options_mut();
            options.timeout = config.timeout;
            options.attempts = config.attempts;
            builder.build()
        });
        if let Err(error) = &built {
            tracing::warn!(%error, "DNS cannot be asked, mail goes only where [transport] names a host by its address");
        }
        Resolver(built.ok())
    }

    /// None: it cannot be asked.
    pub(crate) fn inner(&self) -> Option<&TokioResolver> {
        self.0.as_ref()
    }

    /// Preference and host.
    pub(crate) async fn mail_hosts(&self, domain: &str) -> Answer<(u16, String)> {
        let read = |record: &Record| match &record.data {
            RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
            _ => None,
        };
        self.lookup(domain, RecordType::MX, read).await
    }

    pub(crate) async fn addresses(&self, host: &str) -> Answer<IpAddr> {
        let Some(resolver) = &self.0 else {
            return no_resolver();
        };
        let found = resolver.lookup_ip(absolute(host)).await;
        answered(found.map(|lookup| lookup.iter().collect()))
    }

    /// Records as text, names without their final dot.
    pub async fn records(&self, name: &str, kind: RecordKind) -> Answer<String> {
        self.lookup(name, kind.record_type(), |record| kind.text(&record.data))
            .await
    }

    async fn lookup<T>(
        &self,
        name: &str,
        wanted: RecordType,
        read: impl Fn(&Record) -> Option<T>,
    ) -> Answer<T> {
        let Some(resolver) = &self.0 else {
            return no_resolver();
        };
        let found = resolver.lookup(absolute(name), wanted).await;
        answered(found.map(|lookup| lookup.answers().iter().filter_map(read).collect()))
    }
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let at = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(at);
    NameServerConfig::new(address.ip(), true, connections.into())
}

/// With its final dot, so that no search domain is tried.
fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn no_resolver<T>() -> Answer<T> {
    Answer::Failed("DNS is not set up on this machine".into())
}

fn answered<T>(found: Result<Vec<T>, NetError>) -> Answer<T> {
    match found {
        Ok(found) if found.is_empty() => Answer::NoRecords,
        Ok(found) => Answer::Found(found),
        Err(error) if error.is_nx_domain() => Answer::NoDomain,
        Err(error) if error.is_no_records_found() => Answer::NoRecords,
        Err(error) => Answer::Failed(error.to_string()),
    }
}
