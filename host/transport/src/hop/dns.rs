//! From a domain to the addresses of its mail hosts: RFC 5321 section 5.1, RFC 7505.
//!
//! MX records in the order of their preference, those of the same preference in any order; the domain itself where there is none
//! (implicit MX); a refusal for a null MX and for a domain that does not exist. A host that is this server ends the list: it and
//! all that come after it would send the message round in circles.
//!
//! Asked is [`Resolver`]. Bounds: [`MAX_HOSTS`], [`MAX_ADDRESSES`].

use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use rand::seq::SliceRandom as _;

use super::Hop;
use crate::{
    HostPort, Outcome,
    resolver::{Answer, RecordKind, Resolver},
};

const SMTP: u16 = 25;
/// Mail hosts of one domain that are tried.
const MAX_HOSTS: usize = 10;
/// Addresses that are tried in one attempt.
const MAX_ADDRESSES: usize = 12;

/// One place to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// What its certificate must be for.
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    /// Whether the domain asks for a certificate that proves it, whatever the operator says ([`crate::sts`]).
    pub(crate) verified: bool,
}

/// Who answers questions.
#[async_trait]
pub(crate) trait Dns: Send + Sync {
    /// Preference and host.
    async fn mail_hosts(&self, domain: &str) -> Answer<(u16, String)>;
    async fn addresses(&self, host: &str) -> Answer<IpAddr>;
    /// The texts that stand at a name.
    async fn texts(&self, name: &str) -> Answer<String>;
}

#[async_trait]
impl Dns for Resolver {
    async fn mail_hosts(&self, domain: &str) -> Answer<(u16, String)> {
        Resolver::mail_hosts(self, domain).await
    }

    async fn addresses(&self, host: &str) -> Answer<IpAddr> {
        Resolver::addresses(self, host).await
    }

    async fn texts(&self, name: &str) -> Answer<String> {
        self.records(name, RecordKind::Txt).await
    }
}

/// The places to try for a hop, best first.
pub(crate) async fn targets(
    dns: &dyn Dns,
    hop: &Hop,
    own_name: &str,
) -> Result<Vec<Target>, Outcome> {
    match hop {
        Hop::Here => Err(Outcome::routing("5.4.6", "The message would go in circles")),
        Hop::Host(HostPort { host, port }) => {
            addresses(dns, std::slice::from_ref(host), *port).await
        }
        Hop::Domain(domain) => match literal(domain) {
            Some(address) => Ok(vec![Target {
                name: address.to_string(),
                address: SocketAddr::new(address, SMTP),
                verified: false,
            }]),
            None => {
                let hosts = mail_hosts(dns, domain, own_name).await?;
                addresses(dns, &hosts, SMTP).await
            }
        },
    }
}

/// RFC 5321 section 4.1.3.
fn literal(domain: &str) -> Option<IpAddr> {
    let inside = domain.strip_prefix('[')?.strip_suffix(']')?;
    let inside = inside.strip_prefix("ipv6:").unwrap_or(inside);
    inside.parse().ok()
}

async fn mail_hosts(dns: &dyn Dns, domain: &str, own_name: &str) -> Result<Vec<String>, Outcome> {
    let mut records = match dns.mail_hosts(domain).await {
        Answer::Found(records) => records,
        // RFC 5321 section 5.1: the implicit MX.
        Answer::NoRecords => vec![(0, domain.to_owned())],
        Answer::NoDomain => {
            let text = format!("The domain {domain} does not exist");
            return Err(Outcome::routing("5.1.2", &text));
        }
        Answer::Failed(why) => {
            let text = format!("The mail hosts of {domain} could not be looked up: {why}");
            return Err(Outcome::unreachable("4.4.3", &text));
        }
    };
    // RFC 7505.
    if records
        .iter()
        .all(|(_, host)| host.trim_end_matches('.').is_empty())
    {
        let text = format!("The domain {domain} takes no mail (null MX)");
        return Err(Outcome::routing("5.1.10", &text));
    }
    records.shuffle(&mut rand::rng());
    records.sort_by_key(|(preference, _)| *preference);
    let is_ours = |host: &str| host.trim_end_matches('.').eq_ignore_ascii_case(own_name);
    let ours = records
        .iter()
        .find(|(_, host)| is_ours(host))
        .map(|(preference, _)| *preference);
    records.retain(|(preference, _)| ours.is_none_or(|ours| *preference < ours));
    if records.is_empty() {
        let text = format!("The mail of {domain} would come back to this server");
        return Err(Outcome::routing("5.4.6", &text));
    }
    let hosts = records.into_iter().take(MAX_HOSTS);
    Ok(hosts
        .map(|(_, host)| host.trim_end_matches('.').to_owned())
        .collect())
}

async fn addresses(dns: &dyn Dns, hosts: &[String], port: u16) -> Result<Vec<Target>, Outcome> {
    let mut targets = Vec::new();
    let (mut failed, mut missing) = (None, None);
    for host in hosts {
        let found = match host.parse::<IpAddr>() {
            Ok(address) => Answer::Found(vec![address]),
            Err(_) => dns.addresses(host).await,
        };
        match found {
            Answer::Found(found) => targets.extend(found.into_iter().map(|address| Target {
                name: host.clone(),
                address: SocketAddr::new(address, port),
                verified: false,
            })),
            Answer::NoRecords | Answer::NoDomain => {
                missing = Some(format!("The mail host {host} has no address"));
            }
            Answer::Failed(why) => {
                failed = Some(format!(
                    "The mail host {host} could not be looked up: {why}"
                ));
            }
        }
    }
    targets.truncate(MAX_ADDRESSES);
    match (targets.is_empty(), failed, missing) {
        (false, ..) => Ok(targets),
        (true, Some(text), _) => Err(Outcome::unreachable("4.4.3", &text)),
        (true, None, Some(text)) => Err(Outcome::routing("5.4.4", &text)),
        (true, None, None) => Err(Outcome::routing("5.4.4", "There is no mail host")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[derive(Default)]
    struct Zone {
        mx: HashMap<&'static str, Answer<(u16, String)>>,
        hosts: HashMap<&'static str, Answer<IpAddr>>,
    }

    #[async_trait]
    impl Dns for Zone {
        async fn mail_hosts(&self, domain: &str) -> Answer<(u16, String)> {
            self.mx.get(domain).cloned().unwrap_or(Answer::NoDomain)
        }

        async fn addresses(&self, host: &str) -> Answer<IpAddr> {
            self.hosts.get(host).cloned().unwrap_or(Answer::NoDomain)
        }

        async fn texts(&self, _: &str) -> Answer<String> {
            Answer::NoDomain
        }
    }

    fn zone(records: &[(u16, &str)]) -> Zone {
        let records = records
            .iter()
            .map(|(preference, host)| (*preference, (*host).to_owned()));
        let address = |last: u8| Answer::Found(vec![IpAddr::from([192, 0, 2, last])]);
        Zone {
            mx: HashMap::from([("example.net", Answer::Found(records.collect()))]),
            hosts: HashMap::from([
                ("a.example", address(1)),
                ("b.example", address(2)),
                ("example.net", address(9)),
            ]),
        }
    }

    async fn names(zone: &Zone) -> Result<Vec<String>, String> {
        let found = targets(zone, &Hop::Domain("example.net".into()), "mx.example.org").await;
        found
            .map(|targets| targets.into_iter().map(|target| target.name).collect())
            .map_err(|outcome| outcome.enhanced)
    }

    #[tokio::test]
    async fn hosts_come_in_the_order_of_their_preference() {
        let zone = zone(&[(20, "b.example."), (10, "a.example.")]);
        assert_eq!(names(&zone).await.unwrap(), ["a.example", "b.example"]);
    }

    #[tokio::test]
    async fn a_domain_without_mail_hosts_is_its_own() {
        let mut zone = zone(&[]);
        zone.mx.insert("example.net", Answer::NoRecords);
        assert_eq!(names(&zone).await.unwrap(), ["example.net"]);
    }

    #[tokio::test]
    async fn a_null_mx_and_a_domain_that_is_not_there_are_refusals() {
        assert_eq!(names(&zone(&[(0, ".")])).await.unwrap_err(), "5.1.10");
        assert_eq!(names(&Zone::default()).await.unwrap_err(), "5.1.2");
    }

    #[tokio::test]
    async fn a_silent_server_is_asked_again_later() {
        let mut silent = zone(&[(10, "a.example.")]);
        silent
            .hosts
            .insert("a.example", Answer::Failed("time-out".into()));
        assert_eq!(names(&silent).await.unwrap_err(), "4.4.3");
        silent
            .mx
            .insert("example.net", Answer::Failed("time-out".into()));
        assert_eq!(names(&silent).await.unwrap_err(), "4.4.3");
    }

    #[tokio::test]
    async fn nothing_is_sent_to_ourselves_nor_to_those_behind_us() {
        let behind = zone(&[
            (10, "a.example."),
            (20, "MX.example.org."),
            (20, "b.example."),
        ]);
        assert_eq!(names(&behind).await.unwrap(), ["a.example"]);
        let first = zone(&[(10, "mx.example.org."), (20, "a.example.")]);
        assert_eq!(names(&first).await.unwrap_err(), "5.4.6");
    }

    #[tokio::test]
    async fn one_host_without_an_address_does_not_stop_the_others() {
        let zone = zone(&[(10, "gone.example."), (20, "b.example.")]);
        assert_eq!(names(&zone).await.unwrap(), ["b.example"]);
    }

    #[test]
    fn an_address_literal_is_an_address() {
        assert_eq!(literal("[192.0.2.1]"), Some(IpAddr::from([192, 0, 2, 1])));
        assert_eq!(literal("[ipv6:2001:db8::1]"), "2001:db8::1".parse().ok());
        assert_eq!(literal("example.net"), None);
    }
}
