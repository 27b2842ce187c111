//! How many connections an address and a user have, over all listeners of a protocol.
//!
//! A place is held by the connection and given back when it is dropped, whatever ended it. IPv6 peers are
//! counted by /64: a host owns all addresses of one.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use ipnet::IpNet;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Party {
    Address(IpAddr),
    User(String),
}

type Key = (Arc<str>, Party);
type Counts = Mutex<HashMap<Key, u32>>;

/// The books.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    counts: Arc<Counts>,
    unlimited: ArcSwap<Vec<IpNet>>,
}

/// One connection's entry in the books.
#[derive(Debug)]
pub(crate) struct Place {
    counts: Arc<Counts>,
    key: Key,
}

impl Admission {
    pub(crate) fn set_unlimited(&self, networks: Vec<IpNet>) {
        self.unlimited.store(Arc::new(networks));
    }

    pub(crate) fn is_unlimited(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.unlimited
            .load()
            .iter()
            .any(|network| network.contains(&address))
    }

    /// None when `limit` is reached.
    pub(crate) fn enter_address(
        &self,
        protocol: &Arc<str>,
        address: IpAddr,
        limit: Option<u32>,
    ) -> Option<Place> {
        self.enter(protocol, Party::Address(counted_as(address)), limit)
    }

    /// None when `limit` is reached.
    pub(crate) fn enter_user(
        &self,
        protocol: &Arc<str>,
        user: &str,
        limit: Option<u32>,
    ) -> Option<Place> {
        self.enter(protocol, Party::User(user.to_owned()), limit)
    }

    fn enter(&self, protocol: &Arc<str>, party: Party, limit: Option<u32>) -> Option<Place> {
        let key = (Arc::clone(protocol), party);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&key).copied().unwrap_or(0);
        if limit.is_some_and(|limit| count >= limit) {
            return None;
        }
        counts.insert(key.clone(), count + 1);
        Some(Place {
            counts: Arc::clone(&self.counts),
            key,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                counts.remove(&self.key);
            }
        }
    }
}

fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_connection_is_dropped() {
        let (admission, imap) = (Admission::default(), Arc::from("imap"));
        let address = "192.0.2.1".parse().unwrap();
        let first = admission.enter_address(&imap, address, Some(1));
        assert!(first.is_some());
        assert!(admission.enter_address(&imap, address, Some(1)).is_none());
        assert!(
            admission
                .enter_address(&Arc::from("smtp"), address, Some(1))
                .is_some()
        );
        drop(first);
        assert!(admission.enter_address(&imap, address, Some(1)).is_some());
        assert!(admission.counts.lock().unwrap().is_empty());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_as_one() {
        let (admission, imap) = (Admission::default(), Arc::from("imap"));
        let _first = admission.enter_address(&imap, "2001:db8::1".parse().unwrap(), Some(1));
        assert!(
            admission
                .enter_address(&imap, "2001:db8::2:3".parse().unwrap(), Some(1))
                .is_none()
        );
        assert!(
            admission
                .enter_address(&imap, "2001:db8:0:1::1".parse().unwrap(), Some(1))
                .is_some()
        );
    }

    #[test]
    fn an_unlimited_network_is_recognised_in_its_mapped_form_too() {
        let admission = Admission::default();
        admission.set_unlimited(vec!["192.0.2.0/24".parse().unwrap()]);
        assert!(admission.is_unlimited("::ffff:192.0.2.9".parse().unwrap()));
        assert!(!admission.is_unlimited("198.51.100.1".parse().unwrap()));
    }
}
