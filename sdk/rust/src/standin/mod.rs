//! Answers the imports where no host is: in tests.
//!
//! Log lines are kept and can be asked for, settings come from a table, bodies live in memory. Mail can be taken in: a test
//! names addresses and gets what was delivered. What needs a mailbox answers `unsupported`, unless somebody puts one behind it
//! ([`store`]). Everything belongs to the thread,
//! so tests do not see each other.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::delivery::{AddressClass, Envelope, Outcome, Resolution};
use crate::fault::Fault;
use crate::log::Level;
use crate::site::Service;

pub mod bodies;
pub mod store;

/// A message that `deliver` took.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// As the plugin gave it.
    pub envelope: Envelope,
    /// All octets of the message.
    pub message: Vec<u8>,
    /// Of a submission.
    pub parameters: Vec<(String, String)>,
}

#[derive(Default)]
struct World {
    settings: BTreeMap<String, String>,
    lines: Vec<String>,
    addresses: BTreeMap<String, AddressClass>,
    outcomes: BTreeMap<String, Outcome>,
    not_own: Vec<String>,
    delivered: Vec<Delivered>,
    host_name: String,
    services: Vec<Service>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::default());
}

/// Forgets everything. For tests in wasm, which share one thread; natively each has its own.
pub fn reset() {
    WORLD.set(World::default());
}

/// Sets a setting to a JSON text.
pub fn set(key: &str, json: &str) {
    WORLD.with_borrow_mut(|world| world.settings.insert(key.to_owned(), json.to_owned()));
}

/// Says what an address is; others are unknown in the domains that were named, else foreign.
pub fn add_address(address: &str, class: AddressClass) {
    WORLD.with_borrow_mut(|world| world.addresses.insert(address.to_lowercase(), class));
}

/// Says what `deliver` answers for a recipient; without it, 250.
pub fn set_outcome(address: &str, code: u16, enhanced: &str, text: &str) {
    let outcome = Outcome {
        code,
        enhanced: enhanced.to_owned(),
        text: text.to_owned(),
    };
    WORLD.with_borrow_mut(|world| world.outcomes.insert(address.to_owned(), outcome));
}

/// Says that nobody may write as an address.
pub fn set_not_own(address: &str) {
    WORLD.with_borrow_mut(|world| world.not_own.push(address.to_owned()));
}

/// Says what this server is called and which services it has.
pub fn set_site(host_name: &str, services: &[(&str, u16)]) {
    WORLD.with_borrow_mut(|world| {
        host_name.clone_into(&mut world.host_name);
        world.services = services
            .iter()
            .map(|(name, port)| Service {
                name: (*name).to_owned(),
                port: *port,
            })
            .collect();
    });
}

/// What was delivered since the last call.
#[must_use]
pub fn take_delivered() -> Vec<Delivered> {
    WORLD.with_borrow_mut(|world| std::mem::take(&mut world.delivered))
}

/// The log lines since the last call, `LEVEL message key=value`.
#[must_use]
pub fn take_log() -> Vec<String> {
    WORLD.with_borrow_mut(|world| std::mem::take(&mut world.lines))
}

pub(crate) fn log(level: Level, message: &str, fields: &[(String, String)]) {
    let mut line = format!(
        "{} {message}",
        format!("{level:?}")
            .rsplit("::")
            .next()
            .unwrap_or_default()
            .to_uppercase()
    );
    for (key, value) in fields {
        line.push_str(&format!(" {key}={value}"));
    }
    WORLD.with_borrow_mut(|world| world.lines.push(line));
}

pub(crate) fn setting(key: &str) -> Option<String> {
    WORLD.with_borrow(|world| world.settings.get(key).cloned())
}

pub(crate) fn settings() -> Vec<(String, String)> {
    WORLD.with_borrow(|world| world.settings.clone().into_iter().collect())
}

pub(crate) fn host_name() -> String {
    WORLD.with_borrow(|world| world.host_name.clone())
}

pub(crate) fn services() -> Vec<Service> {
    WORLD.with_borrow(|world| world.services.clone())
}

pub(crate) fn resolve(addresses: &[String]) -> Vec<Resolution> {
    WORLD.with_borrow(|world| {
        addresses
            .iter()
            .map(|address| world.resolution(address))
            .collect()
    })
}

/// # Errors
/// `unsupported` while no address was added: nobody could ask for the message.
pub(crate) fn deliver(envelope: &Envelope, message: &bodies::Body) -> Result<Vec<Outcome>, Fault> {
    submit(envelope, &[], message)
}

/// What `deliver` was told to answer, where that is about the mailbox.
pub(crate) fn receives(address: &str, _size: u64) -> Option<Outcome> {
    let outcome = WORLD.with_borrow(|world| world.outcomes.get(address).cloned());
    outcome.filter(|outcome| outcome.enhanced == "5.2.2")
}

pub(crate) fn may_send_as(address: &str) -> Option<Outcome> {
    let is_refused = WORLD.with_borrow(|world| world.not_own.iter().any(|other| other == address));
    is_refused.then(|| Outcome {
        code: 550,
        enhanced: "5.7.1".into(),
        text: "not yours".into(),
    })
}

/// # Errors
/// As [`deliver`].
pub(crate) fn submit(
    envelope: &Envelope,
    parameters: &[(String, String)],
    message: &bodies::Body,
) -> Result<Vec<Outcome>, Fault> {
    WORLD.with_borrow_mut(|world| {
        if world.addresses.is_empty() {
            return Err(Fault::unsupported("delivery.deliver"));
        }
        world.delivered.push(Delivered {
            envelope: envelope.clone(),
            message: message.bytes().to_vec(),
            parameters: parameters.to_vec(),
        });
        Ok(envelope
            .recipients
            .iter()
            .map(|recipient| world.outcome(&recipient.address))
            .collect())
    })
}

impl World {
    fn resolution(&self, address: &str) -> Resolution {
        let address = address.to_lowercase();
        let same_domain = |known: &String| domain(known) == domain(&address);
        let class = match self.addresses.get(&address) {
            Some(class) => *class,
            None if self.addresses.is_empty() => AddressClass::Unavailable,
            None if self.addresses.keys().any(same_domain) => AddressClass::Unknown,
            None => AddressClass::Foreign,
        };
        Resolution {
            class,
            canonical: address,
            detail: String::new(),
        }
    }

    fn outcome(&self, address: &str) -> Outcome {
        let stored = || Outcome {
            code: 250,
            enhanced: "2.1.5".into(),
            text: "delivered".into(),
        };
        self.outcomes.get(address).cloned().unwrap_or_else(stored)
    }
}

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}
