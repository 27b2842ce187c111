//! `waxwing:transport/delivery`: handing a message to the mail flow.

use wasmtime::component::Resource;
use waxwing_exmdb::Body;
use waxwing_transport as transport;

use super::{Failure, Result};
use crate::{bindings::waxwing::transport::delivery as wit, state::State};

/// One envelope names no more recipients (RFC 5321 4.5.3.1.8 asks for at least 100).
const RECIPIENTS: usize = 10_000;

impl State {
    /// What the envelope says, with the session that says it.
    pub(super) fn envelope(&self, given: wit::Envelope) -> Result<transport::Envelope> {
        if given.recipients.len() > RECIPIENTS {
            return Err(Failure::limit(format!(
                "at most {RECIPIENTS} recipients in one envelope"
            )));
        }
        let identity = &self.host.identity;
        Ok(transport::Envelope {
            sender: given.sender,
            recipients: given.recipients.into_iter().map(recipient).collect(),
            envelope_id: given.envelope_id,
            return_headers_only: given.return_headers_only,
            smtp_utf8: given.smtp_utf8,
            body_type: given.body_type,
            helo: given.helo,
            source: given.source,
            session: identity.id.to_string(),
            peer: Some(identity.peer.ip()),
            encrypted: self.host.tls().is_some(),
            ..transport::Envelope::default()
        })
    }
}

pub(super) fn outcome(outcome: transport::Outcome) -> wit::Outcome {
    wit::Outcome {
        code: outcome.code,
        enhanced: outcome.enhanced,
        text: outcome.text,
    }
}

fn recipient(given: wit::Recipient) -> transport::Recipient {
    let notify = given.notify;
    transport::Recipient {
        address: given.address,
        notify: transport::Notify {
            never: notify.contains(wit::Notify::NEVER),
            success: notify.contains(wit::Notify::SUCCESS),
            failure: notify.contains(wit::Notify::FAILURE),
            delay: notify.contains(wit::Notify::DELAY),
        },
        original: given.original,
    }
}

impl wit::Host for State {
    async fn receives(
        &mut self,
        addresses: Vec<String>,
        size: u64,
    ) -> wasmtime::Result<Vec<Option<wit::Outcome>>> {
        if addresses.len() > RECIPIENTS {
            return Err(
                Failure::limit(format!("at most {RECIPIENTS} addresses in one call")).into_trap(),
            );
        }
        let delivery = self.services.delivery.clone();
        let answers = self.call("delivery.receives", async move {
            let mut answers = Vec::with_capacity(addresses.len());
            for address in addresses {
                answers.push(delivery.receives(address, size).await.map(outcome));
            }
            Ok(answers)
        });
        answers.await.map_err(Failure::into_trap)
    }

    async fn deliver(
        &mut self,
        envelope: wit::Envelope,
        message: Resource<Body>,
    ) -> Result<Vec<wit::Outcome>> {
        let (delivery, message) = (self.services.delivery.clone(), self.get(&message)?);
        let envelope = self.envelope(envelope)?;
        self.call("delivery.deliver", async move {
            let outcomes = delivery.deliver(&envelope, &message).await;
            Ok(outcomes.into_iter().map(outcome).collect())
        })
        .await
    }
}
