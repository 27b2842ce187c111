//! One attempt to bring one message to one hop: a verdict for each of its recipients.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Courier, Job};
use crate::{
    Envelope, Outcome, Queue, QueueId, QueuedMessage, QueuedRecipient, Recipient, TlsDemand,
    client::{Connection, Errand, ErrandRecipient, Octets, Verdict},
    destination::Relaying,
    hop::{
        Hop,
        dns::{self, Target},
    },
    metrics,
};

/// What came of an attempt.
pub(super) struct Attempted {
    pub(super) message: QueuedMessage,
    /// Those of the job that are still queued, each with its verdict.
    pub(super) recipients: Vec<(QueuedRecipient, Verdict)>,
    /// Who said so; empty when nobody was reached.
    pub(super) host: String,
}

/// None: the message has left the queue meanwhile, is held, or cannot be read.
pub(super) async fn run(
    courier: &Courier,
    hop: &Hop,
    job: &Job,
    connection: &mut Option<Connection>,
) -> Option<Attempted> {
    let mut message = match courier.0.queue.message(job.message).await {
        Ok(message) if message.held => return None,
        Ok(message) => message,
        Err(crate::Error::NotFound(_)) => return None,
        Err(error) => {
            tracing::error!(queue_id = %job.message, %error, "a queued message cannot be read");
            return None;
        }
    };
    let mut recipients = std::mem::take(&mut message.recipients);
    recipients.retain(|recipient| job.recipients.contains(&recipient.id));
    if recipients.is_empty() {
        return None;
    }
    let (verdicts, host) = match hop {
        Hop::Here => (here(courier, &message, &recipients).await, String::new()),
        _ => away(courier, hop, (&message, &recipients), connection).await,
    };
    Some(Attempted {
        message,
        recipients: recipients.into_iter().zip(verdicts).collect(),
        host,
    })
}

/// Into mailboxes of this server; a success is reported there, if anybody asked.
async fn here(
    courier: &Courier,
    message: &QueuedMessage,
    recipients: &[QueuedRecipient],
) -> Vec<Verdict> {
    let body = match courier
        .0
        .queue
        .body(message.id, courier.0.delivery.spool())
        .await
    {
        Ok(body) => body,
        Err(error) => return vec![Verdict::of(Outcome::queue(&error)); recipients.len()],
    };
    let recipient = |queued: &QueuedRecipient| Recipient {
        address: queued.address.clone(),
        notify: queued.notify,
        original: queued.original.clone(),
    };
    let envelope = Envelope {
        sender: message.sender.clone(),
        recipients: recipients.iter().map(recipient).collect(),
        envelope_id: message.envelope_id.clone(),
        return_headers_only: message.headers_only,
        smtp_utf8: message.smtp_utf8,
        tls_demand: message.tls_demand,
        source: message.source.clone(),
        session: message.session.clone(),
        ..Envelope::default()
    };
    let delivery = &courier.0.delivery;
    let outcomes = delivery
        .carry(&envelope, &body, Relaying::Refused, None)
        .await;
    outcomes
        .into_iter()
        .map(|outcome| Verdict {
            outcome,
            reports: true,
        })
        .collect()
}

/// To another server. A connection that was kept may have been closed on the other side; then a new one is tried.
async fn away(
    courier: &Courier,
    hop: &Hop,
    (message, recipients): (&QueuedMessage, &[QueuedRecipient]),
    connection: &mut Option<Connection>,
) -> (Vec<Verdict>, String) {
    let errand = errand(message, recipients);
    let all = |outcome: Outcome| vec![Verdict::of(outcome); recipients.len()];
    loop {
        // What one sender says of TLS holds for his messages: others may not go where his may, nor his where others may.
        if let Some(other) = connection.take_if(|open| open.demand != errand.tls_demand) {
            other.quit().await;
        }
        let was_kept = connection.is_some();
        let mut open = match connection.take() {
            Some(open) => open,
            None => match connect(courier, hop, errand.tls_demand).await {
                Ok(open) => open,
                Err(outcome) => return (all(outcome), String::new()),
            },
        };
        let host = open.host.clone();
        let mut octets = QueueOctets {
            queue: courier.0.queue.clone(),
            message: message.id,
            number: 0,
        };
        match open.deliver(&errand, &mut octets).await {
            Ok(verdicts) => {
                // RFC 5321 section 4.2.3: 421 ends the connection.
                if verdicts.iter().all(|verdict| verdict.outcome.code != 421) {
                    *connection = Some(open);
                }
                return (verdicts, host);
            }
            Err(broken) if was_kept && octets.number == 0 => {
                tracing::debug!(host, reason = broken.0, "a kept connection was of no use");
            }
            Err(broken) => {
                let text = format!("The connection was lost: {}", broken.0);
                return (all(Outcome::unreachable("4.4.2", &text)), host);
            }
        }
    }
}

async fn connect(courier: &Courier, hop: &Hop, demand: TlsDemand) -> Result<Connection, Outcome> {
    let client = Arc::clone(courier.client(hop));
    let dns = courier.0.dns.as_ref();
    let mut targets = dns::targets(dns, hop, &client.own_name).await?;
    match (&courier.0.sts, hop) {
        (Some(sts), Hop::Domain(domain)) if demand != TlsDemand::Waived => {
            targets = sts.apply(dns, domain, targets).await?;
        }
        _ => {}
    }
    if demand == TlsDemand::Required {
        targets = proven(hop, targets)?;
    }
    metrics::add(&courier.0.counters.connections, 1);
    client.connect(&targets, demand).await
}

/// The places that REQUIRETLS allows (RFC 8689 section 4.2.1): hosts that the operator has named, or that the domain's policy names,
/// since an answer from the DNS alone may be anybody's.
fn proven(hop: &Hop, mut targets: Vec<Target>) -> Result<Vec<Target>, Outcome> {
    if let Hop::Domain(domain) = hop {
        targets.retain(|target| target.verified);
        if targets.is_empty() {
            let text = format!(
                "The message asks for REQUIRETLS, and no enforced MTA-STS policy names the mail hosts of {domain}"
            );
            return Err(Outcome::routing("5.7.30", &text));
        }
    }
    for target in &mut targets {
        target.verified = true;
    }
    Ok(targets)
}

fn errand(message: &QueuedMessage, recipients: &[QueuedRecipient]) -> Errand {
    let recipient = |queued: &QueuedRecipient| ErrandRecipient {
        address: queued.address.clone(),
        notify: queued.notify,
        original: queued.original.clone(),
    };
    Errand {
        sender: message.sender.clone(),
        envelope_id: message.envelope_id.clone(),
        headers_only: message.headers_only,
        smtp_utf8: message.smtp_utf8,
        eight_bit: message.eight_bit,
        utf8_header: message.utf8_header,
        tls_demand: message.tls_demand,
        size: message.size,
        recipients: recipients.iter().map(recipient).collect(),
    }
}

struct QueueOctets {
    queue: Queue,
    message: QueueId,
    number: i64,
}

#[async_trait]
impl Octets for QueueOctets {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let chunk = self.queue.chunk(self.message, self.number).await;
        self.number += 1;
        chunk.map_err(|error| error.to_string())
    }
}
