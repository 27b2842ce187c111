//! Where a recipient's message goes next.
//!
//! [`Hop`] is decided from address and configuration alone, so that whatever is queued can be sorted without asking anybody;
//! [`dns`] turns a domain into hosts, and hosts into addresses, when a connection is needed. A domain of ours is a hop too: a
//! report to one of our users waits in the same queue as everybody's mail.

pub(crate) mod dns;

use std::{collections::HashMap, fmt};

use waxwing_directory::DomainName;

use crate::{HostPort, TransportConfig};

/// A next hop.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Hop {
    /// A mailbox of this server.
    Here,
    /// The hosts that DNS names for a domain.
    Domain(String),
    /// A host that the operator names.
    Host(HostPort),
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hop::Here => f.write_str("local"),
            Hop::Domain(domain) => f.write_str(domain),
            Hop::Host(host) => host.fmt(f),
        }
    }
}

/// The routes of a configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Routes {
    by_domain: HashMap<String, HostPort>,
    relay: Option<HostPort>,
}

impl Routes {
    pub(crate) fn new(config: &TransportConfig) -> Routes {
        let routes = config.routes.iter();
        Routes {
            by_domain: routes
                .map(|route| (canonical(&route.domain), route.next_hop.clone()))
                .collect(),
            relay: config.relay_host.clone(),
        }
    }

    /// Where mail for a domain of somebody else goes.
    pub(crate) fn hop(&self, address: &str) -> Hop {
        let domain = domain(address);
        let host = self.by_domain.get(&domain).or(self.relay.as_ref());
        host.map_or(Hop::Domain(domain), |host| Hop::Host(host.clone()))
    }
}

/// The domain of an address as DNS wants it: in A-labels and small letters; an address literal as it is.
pub(crate) fn domain(address: &str) -> String {
    canonical(
        address
            .rsplit_once('@')
            .map_or(address, |(_, domain)| domain),
    )
}

fn canonical(domain: &str) -> String {
    DomainName::parse(domain).map_or_else(
        |_| domain.to_ascii_lowercase(),
        |name| name.as_str().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Route;

    #[test]
    fn a_route_comes_before_the_relay_and_the_relay_before_dns() {
        let hop = |text: &str| HostPort::try_from(text.to_owned()).unwrap();
        let mut config = TransportConfig {
            routes: vec![Route {
                domain: "Bücher.example".into(),
                next_hop: hop("127.0.0.1:2525"),
            }],
            ..TransportConfig::default()
        };
        let routes = Routes::new(&config);
        for address in ["a@bücher.example", "a@XN--bcher-kva.example"] {
            assert_eq!(routes.hop(address).to_string(), "127.0.0.1:2525");
        }
        assert_eq!(routes.hop("a@Example.net").to_string(), "example.net");
        config.relay_host = Some(hop("relay.example"));
        let routes = Routes::new(&config);
        assert_eq!(routes.hop("a@example.net").to_string(), "relay.example:25");
        assert_eq!(routes.hop("a@bücher.example").to_string(), "127.0.0.1:2525");
    }
}
