//! Letting a message go on that was in quarantine: behind the stage that stopped it, and no hook is asked again.

use waxwing_exmdb::{Body, MailboxGuid};

use super::{Held, QuarantineId, Quarantined};
use crate::{
    Delivery, Deposit, Envelope, Error, Outcome, Recipient, Result, Stage, arrive::Incoming,
    destination::Relaying, header::Header, passed::Passed, submission::authors,
};

/// What became of a message that was let go.
#[derive(Debug, Clone)]
pub struct Released {
    /// Which.
    pub id: QuarantineId,
    /// Of each recipient.
    pub outcomes: Vec<(String, Outcome)>,
}

impl Released {
    /// Whether everybody has it, so that it is no longer in quarantine.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.outcomes
            .iter()
            .all(|(_, outcome)| outcome.is_success())
    }
}

impl Delivery {
    /// Brings a message from the quarantine to its recipients. It stays there for those who do not get it.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub async fn release(&self, id: QuarantineId) -> Result<Released> {
        let quarantine = self.quarantine().ok_or(Error::NotQuarantined(id))?;
        let claim = quarantine.claim(id)?;
        let known = &claim.known;
        let message = quarantine.body(id, self.spool()).await?;
        let outcomes = match known.held.mailbox {
            Some(mailbox) => vec![self.to_mailbox(known, mailbox, &message).await?],
            None => self.to_all(known, &message).await?,
        };
        let outcomes: Vec<(String, Outcome)> = known
            .held
            .recipients()
            .map(str::to_owned)
            .zip(outcomes)
            .collect();
        let released = Released { id, outcomes };
        tracing::info!(%id, whole = released.is_whole(), "released from quarantine");
        match released.is_whole() {
            true => quarantine.take_out(known).await?,
            false => {
                let rest = without(known.clone(), &released);
                quarantine.keep_for(rest).await?;
            }
        }
        Ok(released)
    }

    async fn to_mailbox(
        &self,
        known: &Quarantined,
        mailbox: MailboxGuid,
        message: &Body,
    ) -> Result<Outcome> {
        let envelope = let_go(&known.held.envelope);
        let first = envelope.recipients.first();
        let header = Header::read(message).await?;
        let incoming = Incoming {
            envelope: &envelope,
            recipient: first.map_or("", |recipient| recipient.address.as_str()),
            message,
            header: &header,
            filing: &Deposit::default(),
        };
        Ok(self.arrive(mailbox, &incoming).await)
    }

    async fn to_all(&self, known: &Quarantined, message: &Body) -> Result<Vec<Outcome>> {
        let held = &known.held;
        let mut envelope = let_go(&held.envelope);
        let stopped_early = [Stage::Connect, Stage::Envelope]
            .iter()
            .any(|stage| stage.name() == held.stage);
        if stopped_early {
            return Ok(self.through_checks(held, envelope, message).await);
        }
        let relaying = match held.principal {
            Some(_) => Relaying::Allowed,
            None => Relaying::AllowedAfter(envelope.recipients.len()),
        };
        envelope.recipients.extend(held.added.iter().cloned());
        let signed = async {
            if held.principal.is_none() {
                return Ok(message.clone());
            }
            self.signed_by_author(message).await
        };
        Ok(match signed.await {
            Ok(message) => self.carry(&envelope, &message, relaying, None).await,
            Err(outcome) => vec![outcome; envelope.recipients.len()],
        })
    }
}

impl Delivery {
    /// A message that was stopped before anybody had looked into it: what comes behind that is done now, but for hooks.
    async fn through_checks(
        &self,
        held: &Held,
        envelope: Envelope,
        message: &Body,
    ) -> Vec<Outcome> {
        let (principal, sender) = (held.principal.as_deref(), envelope.clone());
        let to_all = |refusal| vec![refusal; sender.recipients.len()];
        let checked = match principal {
            None => self.authenticated(&envelope, message).await,
            Some(_) => Ok(None),
        };
        let (envelope, message) = match checked {
            Ok(Some(checked)) => checked,
            Ok(None) => (envelope, message.clone()),
            Err(refusal) => return to_all(refusal),
        };
        let mut passed = Passed::new(envelope, message);
        if let Err(refusal) = self.through_milters(&mut passed, principal).await {
            return passed.stopped(&refusal);
        }
        let relaying = match principal {
            None => Relaying::Refused,
            Some(_) => match self.signed_by_author(&passed.message).await {
                Ok(message) => {
                    passed.message = message;
                    Relaying::Allowed
                }
                Err(refusal) => return to_all(refusal),
            },
        };
        self.carry_on(passed, relaying, None).await
    }

    async fn signed_by_author(&self, message: &Body) -> std::result::Result<Body, Outcome> {
        let header = Header::read(message).await;
        let header = header.map_err(|error| Outcome::store(&error))?;
        self.signed(authors(header.octets()).first(), message).await
    }
}

fn let_go(envelope: &Envelope) -> Envelope {
    Envelope {
        released: true,
        ..envelope.clone()
    }
}

/// For those who do not have it yet.
fn without(mut known: Quarantined, released: &Released) -> Quarantined {
    let has_it = |recipient: &Recipient| {
        released
            .outcomes
            .iter()
            .any(|(address, outcome)| *address == recipient.address && outcome.is_success())
    };
    known.held.envelope.recipients.retain(|to| !has_it(to));
    known.held.added.retain(|to| !has_it(to));
    known
}
