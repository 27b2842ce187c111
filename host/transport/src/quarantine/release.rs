//! Letting a message go on that was in quarantine: behind the stage that stopped it, and no hook is asked again.

use waxwing_exmdb::{Body, MailboxGuid};

use super::{QuarantineId, Quarantined};
use crate::{
    Delivery, Deposit, Envelope, Error, Outcome, Recipient, Result, arrive::Incoming,
    destination::Relaying, header::Header, submission::authors,
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
        let known = quarantine.get(id)?;
        let message = quarantine.body(id, self.spool()).await?;
        let outcomes = match known.held.mailbox {
            Some(mailbox) => vec![self.to_mailbox(&known, mailbox, &message).await?],
            None => self.to_all(&known, &message).await?,
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
            true => quarantine.delete(id).await?,
            false => quarantine.keep_for(without(known, &released)).await?,
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
        let relaying = match held.principal {
            Some(_) => Relaying::Allowed,
            None => Relaying::AllowedAfter(envelope.recipients.len()),
        };
        envelope.recipients.extend(held.added.iter().cloned());
        let signed = async {
            if held.principal.is_none() {
                return Ok(message.clone());
            }
            let header = Header::read(message).await;
            let header = header.map_err(|error| Outcome::store(&error))?;
            self.signed(authors(header.octets()).first(), message).await
        };
        Ok(match signed.await {
            Ok(message) => self.carry(&envelope, &message, relaying, None).await,
            Err(outcome) => vec![outcome; envelope.recipients.len()],
        })
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
