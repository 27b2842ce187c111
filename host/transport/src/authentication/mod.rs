//! What mail from other servers is found to be: SPF (RFC 7208), DKIM (RFC 6376), ARC (RFC 8617), DMARC (RFC 9989) and the name of the sender's
//! address, checked with `mail-auth` and written into one Authentication-Results field (RFC 8601) before the message.
//!
//! Only what came over SMTP from somebody who is not logged in is looked at: LMTP is another server's last step, and who is logged in
//! is known. A field of ours that is in the message already is forged, and goes ([`forged`]). What a DMARC policy asks for is
//! done where the operator says so: `reject` is a 550 5.7.26, `quarantine` is Junk.
//!
//! **Promises**: nothing that a message or DNS says can lose it; a check that gets no answer is `temperror`, one that breaks is told in the
//! log, and both let the message pass. **Bounds**: [`AuthenticationConfig::timeout`] for all questions about one message, `max_signatures` of
//! it, ten look-ups for SPF (by mail-auth), and [`MEMORY`] for the messages that are checked at the same time, since a signature
//! covers the whole of one.
//!
//! A message that came from outside and is sent on gets a seal ([`seal`]), so that whoever gets it can know what was found here.

mod examine;
mod forged;
mod seal;

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use hickory_resolver::TokioResolver;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use waxwing_exmdb::Body;
use waxwing_formats_mime::header as mime;

use self::examine::{Examination, Policy};
pub(crate) use self::seal::Sealer;
use crate::{Delivery, Envelope, Outcome, Resolver, header::Header};

/// Octets of messages in memory.
const MEMORY: usize = 256 << 20;
/// Of one permit.
const PIECE: usize = 64 << 10;
/// What says why a message is in Junk.
const REASON: &str = "X-Quarantine-Reason";

/// What is done with mail from other servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthenticationMode {
    /// Nothing is checked.
    Off,
    /// Results are written into the message, and nothing follows from them.
    Check,
    /// What a DMARC policy asks for is done.
    Enforce,
}

/// How mail from other servers is checked.
#[derive(Debug, Clone)]
pub struct AuthenticationConfig {
    /// What is done.
    pub mode: AuthenticationMode,
    /// The authserv-id of our results.
    pub name: String,
    /// For all questions about one message.
    pub timeout: Duration,
    /// Signatures of one message that are verified.
    pub max_signatures: usize,
    /// Networks whose mail is taken as it comes.
    pub unchecked_from: Vec<IpNet>,
    /// Domains whose seal is believed when DMARC fails.
    pub trusted_sealers: Vec<String>,
}

/// Checks, with the resolver of this server.
pub(crate) struct Authentication {
    config: Arc<AuthenticationConfig>,
    resolver: Option<TokioResolver>,
    memory: Semaphore,
}

impl Authentication {
    /// What is known of a message from elsewhere: the message with our results, and where it belongs.
    async fn check(
        &self,
        envelope: &Envelope,
        peer: IpAddr,
        message: &Body,
    ) -> Result<(Envelope, Body), Outcome> {
        let store = |error| Outcome::store(&error);
        let header = Header::read(message).await.map_err(store)?;
        let message = forged::removed(&self.config.name, &header, message);
        if self.config.mode == AuthenticationMode::Off {
            return Ok((envelope.clone(), message));
        }
        let authors = mime::fields(header.octets()).filter(|field| field.is("From"));
        if self.config.mode == AuthenticationMode::Enforce && authors.count() > 1 {
            return Err(Outcome::several_authors());
        }
        let examined = self.examine(envelope, peer, &message).await?;
        let mut envelope = envelope.clone();
        let mut fields = examined.field;
        envelope.unproven = !matches!(examined.policy, Policy::Nothing);
        if self.config.mode == AuthenticationMode::Enforce {
            match examined.policy {
                Policy::Nothing => {}
                Policy::Reject(domain) => return Err(Outcome::not_authentic(&domain)),
                Policy::Quarantine(domain) => {
                    fields.push_str(&format!("{REASON}: the DMARC policy of {domain}\r\n"));
                    envelope.junk = true;
                }
            }
        }
        let message = Body::concat(vec![Body::from_bytes(fields.into()), message]);
        Ok((envelope, message))
    }

    /// In a task of its own: whatever breaks in there, breaks nothing else.
    async fn examine(
        &self,
        envelope: &Envelope,
        peer: IpAddr,
        message: &Body,
    ) -> Result<examine::Examined, Outcome> {
        let examination = self.examination(envelope, peer)?;
        let (_permit, octets) = self.whole(message).await?;
        let task = tokio::spawn(async move { examination.examine(&octets).await });
        Ok(task.await.unwrap_or_else(|error| {
            tracing::error!(session = envelope.session, %error, "the authentication of a message broke, it passes");
            examine::Examined::nothing(&self.config.name)
        }))
    }

    fn examination(&self, envelope: &Envelope, peer: IpAddr) -> Result<Examination, Outcome> {
        Ok(Examination {
            resolver: self.resolver.clone().ok_or_else(Outcome::no_resolver)?,
            config: self.config.clone(),
            peer,
            helo: envelope.helo.clone(),
            sender: envelope.sender.clone(),
        })
    }

    /// All octets, once there is room for them.
    async fn whole(
        &self,
        message: &Body,
    ) -> Result<(Option<tokio::sync::SemaphorePermit<'_>>, Bytes), Outcome> {
        let size = usize::try_from(message.size()).unwrap_or(usize::MAX);
        let pieces = (size.min(MEMORY) / PIECE).max(1);
        let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let permit = self.memory.acquire_many(pieces).await.ok();
        let octets = message.read(0, size).await;
        Ok((permit, octets.map_err(|error| Outcome::store(&error))?))
    }
}

impl Delivery {
    /// From now on mail from other servers is checked.
    pub fn authenticate_with(&self, config: AuthenticationConfig, resolver: &Resolver) {
        let authentication = Authentication {
            config: Arc::new(config),
            resolver: resolver.inner().cloned(),
            memory: Semaphore::new(MEMORY / PIECE),
        };
        // The first one stays: there is one configuration.
        let _ = self.authentication_slot().set(authentication);
    }

    /// None: it is not from another server, or is not looked at.
    pub(crate) async fn authenticated(
        &self,
        envelope: &Envelope,
        message: &Body,
    ) -> Result<Option<(Envelope, Body)>, Outcome> {
        match self.checked_peer(envelope) {
            Some((authentication, peer)) => {
                let checked = authentication.check(envelope, peer, message).await;
                checked.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Whether mail of this connection is checked.
    pub(crate) fn is_authenticated(&self, envelope: &Envelope) -> bool {
        self.checked_peer(envelope).is_some()
    }

    fn checked_peer(&self, envelope: &Envelope) -> Option<(&Authentication, IpAddr)> {
        let authentication = self.authentication_slot().get()?;
        let peer = envelope.peer?.to_canonical();
        let config = &authentication.config;
        let unchecked = config.unchecked_from.iter().any(|net| net.contains(&peer));
        (envelope.source == "smtp" && !unchecked).then_some((authentication, peer))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::{
        DnsConfig,
        testing::{Fixture, envelope},
    };

    /// Nobody answers there.
    async fn checking(mode: AuthenticationMode) -> Fixture {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        let resolver = Resolver::new(&DnsConfig {
            servers: vec![(Ipv4Addr::LOCALHOST, 1).into()],
            timeout: Duration::from_millis(100),
            attempts: 0,
        });
        let config = AuthenticationConfig {
            mode,
            name: "mx.example.org".into(),
            timeout: Duration::from_secs(1),
            max_signatures: 10,
            unchecked_from: vec!["10.0.0.0/8".parse().unwrap()],
            trusted_sealers: Vec::new(),
        };
        fixture.delivery.authenticate_with(config, &resolver);
        fixture
    }

    fn from_outside(peer: [u8; 4]) -> Envelope {
        Envelope {
            peer: Some(peer.into()),
            helo: "mail.example.net".into(),
            ..envelope("bob@example.net", &["anna@example.org"])
        }
    }

    const FORGED: &str = "Received: by us\r\nAuthentication-Results: MX.example.org; dkim=pass\r\nFrom: bob@example.net\r\n\r\nhello\r\n";

    #[tokio::test]
    async fn without_an_answer_from_dns_mail_passes_with_temporary_errors() {
        let fixture = checking(AuthenticationMode::Enforce).await;
        let outcomes = fixture.deliver(&from_outside([192, 0, 2, 1]), FORGED).await;
        assert_eq!(outcomes[0].code, 250, "{}", outcomes[0]);
        let inbox = fixture.inbox("anna@example.org").await;
        let stored = String::from_utf8_lossy(&inbox[0]);
        assert!(
            stored.contains("Authentication-Results: mx.example.org"),
            "{stored}"
        );
        assert!(stored.contains("spf=temperror"), "{stored}");
        assert!(!stored.contains("dkim=pass"), "{stored}");
    }

    #[tokio::test]
    async fn whoever_is_not_checked_is_taken_as_he_is() {
        let fixture = checking(AuthenticationMode::Enforce).await;
        fixture.deliver(&from_outside([10, 0, 0, 1]), FORGED).await;
        let lmtp = Envelope {
            source: "lmtp".into(),
            ..from_outside([192, 0, 2, 1])
        };
        fixture.deliver(&lmtp, FORGED).await;
        for stored in fixture.inbox("anna@example.org").await {
            assert!(stored.ends_with(FORGED.as_bytes()));
        }
    }

    #[tokio::test]
    async fn a_second_author_is_refused_where_policies_are_enforced() {
        let two = "From: a@example.net\r\nFrom: b@example.net\r\n\r\n";
        for (mode, code) in [
            (AuthenticationMode::Enforce, 550),
            (AuthenticationMode::Check, 250),
            (AuthenticationMode::Off, 250),
        ] {
            let fixture = checking(mode).await;
            let outcomes = fixture.deliver(&from_outside([192, 0, 2, 1]), two).await;
            assert_eq!(outcomes[0].code, code, "{mode:?}");
        }
    }

    #[tokio::test]
    async fn a_retry_is_known_though_results_stand_before_it() {
        let fixture = checking(AuthenticationMode::Check).await;
        let envelope = Envelope {
            recipients: envelope("", &["anna@example.org", "bob@example.org"]).recipients,
            ..from_outside([192, 0, 2, 1])
        };
        let directory = &fixture.directory;
        directory
            .add_user("bob@example.org", "", "secret".into(), &"1".repeat(32))
            .await
            .unwrap();
        for number in 0..2 {
            let message = format!("Received: attempt {number}\r\nFrom: bob@example.net\r\n\r\n");
            let outcomes = fixture.deliver(&envelope, &message).await;
            assert_eq!((outcomes[0].code, outcomes[1].code), (250, 451));
        }
        assert_eq!(fixture.inbox("anna@example.org").await.len(), 1);
    }
}
