//! MTA-STS (RFC 8461): a domain says over HTTPS which mail hosts it has and that they prove who they are, so that whoever can forge DNS or strip
//! STARTTLS gets no mail.
//!
//! **Promises** that mail of a domain whose policy is `enforce` goes only to hosts of the policy and over TLS whose certificate is good for the
//! host's name; otherwise it waits, and the queue says why. A domain that announces nothing is treated as before, so is one whose policy was never
//! had: the protocol trusts the first use. A policy that was had counts until it is too old, whatever DNS says meanwhile.
//!
//! Kept in memory: [`MOST`] policies; after a restart the next delivery to a domain gets its policy again. A failed fetch is not repeated for
//! [`PAUSE`]. Hosts that the operator names (`relay_host`, routes) have no policy: the operator is the authority there.

mod fetch;
mod policy;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

pub(crate) use self::policy::{Mode, Policy};
use crate::{
    Outcome,
    client::tls::TlsClient,
    hop::dns::{Dns, Target},
    resolver::Answer,
};

const HTTPS: u16 = 443;
/// Policies in memory; what is beyond is fetched again when it is needed.
const MOST: usize = 10_000;
const PAUSE: Duration = Duration::from_secs(300);

/// The policies that are known.
pub(crate) struct Sts {
    tls: TlsClient,
    known: Mutex<HashMap<String, Known>>,
}

struct Known {
    /// None: it could not be had.
    policy: Option<Policy>,
    id: String,
    until: Instant,
    /// The next fetch, after one that failed.
    not_before: Instant,
}

impl Sts {
    pub(crate) fn new(tls: TlsClient) -> Sts {
        Sts {
            tls,
            known: Mutex::default(),
        }
    }

    /// Leaves the hosts that the domain's policy allows, and asks for their certificates.
    ///
    /// # Errors
    /// When it allows none of them; for now, since policy and DNS may be in the middle of a change.
    pub(crate) async fn apply(
        &self,
        dns: &dyn Dns,
        domain: &str,
        targets: Vec<Target>,
    ) -> Result<Vec<Target>, Outcome> {
        let Some(policy) = self.policy(dns, domain).await else {
            return Ok(targets);
        };
        let (mut allowed, others): (Vec<_>, Vec<_>) = targets
            .into_iter()
            .partition(|target| policy.names(&target.name));
        match policy.mode {
            Mode::Enforce => {}
            Mode::Testing => {
                for other in &others {
                    tracing::info!(
                        domain,
                        host = other.name,
                        "not a host of the MTA-STS policy, which is being tested"
                    );
                }
                allowed.extend(others);
                return Ok(allowed);
            }
            Mode::None => {
                allowed.extend(others);
                return Ok(allowed);
            }
        }
        if allowed.is_empty() {
            let text = format!("No mail host of {domain} is one of its MTA-STS policy");
            return Err(Outcome::unreachable("4.7.5", &text));
        }
        for target in &mut allowed {
            target.verified = true;
        }
        Ok(allowed)
    }

    async fn policy(&self, dns: &dyn Dns, domain: &str) -> Option<Policy> {
        let now = Instant::now();
        let announced = match dns.texts(&format!("_mta-sts.{domain}")).await {
            Answer::Found(records) => policy::announced(&records),
            Answer::NoRecords | Answer::NoDomain | Answer::Failed(_) => None,
        };
        let Some(id) = announced else {
            return self.kept(domain, now);
        };
        if let Some(known) = self.known().get(domain) {
            let is_current = known.id == id && known.until > now && known.policy.is_some();
            if is_current || known.not_before > now {
                return known.policy.clone().filter(|_| known.until > now);
            }
        }
        let fetched = fetch::policy(dns, &self.tls, HTTPS, domain).await;
        match fetched.and_then(|text| Policy::parse(&text)) {
            Ok(policy) => {
                tracing::debug!(domain, id, mode = ?policy.mode, "the MTA-STS policy");
                let until = now + policy.max_age;
                self.keep(
                    domain,
                    Known {
                        policy: Some(policy.clone()),
                        id,
                        until,
                        not_before: now,
                    },
                );
                Some(policy)
            }
            Err(why) => {
                tracing::info!(
                    domain,
                    why,
                    "the MTA-STS policy that is announced cannot be had"
                );
                let kept = self.kept(domain, now);
                let mut known = self.known();
                match known.get_mut(domain) {
                    Some(known) => known.not_before = now + PAUSE,
                    None => {
                        drop(known);
                        self.keep(
                            domain,
                            Known {
                                policy: None,
                                id,
                                until: now + PAUSE,
                                not_before: now + PAUSE,
                            },
                        );
                    }
                }
                kept
            }
        }
    }

    fn kept(&self, domain: &str, now: Instant) -> Option<Policy> {
        let known = self.known();
        let known = known.get(domain).filter(|known| known.until > now)?;
        known.policy.clone()
    }

    fn keep(&self, domain: &str, fresh: Known) {
        let mut known = self.known();
        if known.len() >= MOST {
            let now = Instant::now();
            known.retain(|_, known| known.until > now);
        }
        if known.len() >= MOST {
            let oldest = known.iter().min_by_key(|(_, known)| known.until);
            if let Some(oldest) = oldest.map(|(domain, _)| domain.clone()) {
                known.remove(&oldest);
            }
        }
        known.insert(domain.to_owned(), fresh);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
