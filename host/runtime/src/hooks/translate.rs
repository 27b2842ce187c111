//! A question for an instance, and its verdict for the mail flow.

use waxwing_transport::{Edit, Envelope, Question, Refusal, Verdict};

use crate::{
    bindings::waxwing::{
        hook::types as wit,
        transport::delivery::{self, Notify},
    },
    instance::Failed,
    limits::reached,
    state::State,
};

/// The message gets a handle in the instance.
pub(super) fn message(question: &Question, state: &mut State) -> Result<wit::Message, Failed> {
    let body = state.push(question.message.clone());
    let handles = state.facts.limits.handles;
    Ok(wit::Message {
        connection: connection(question),
        envelope: envelope(&question.envelope),
        body: body.map_err(|_| Failed::limit(reached("handles", handles)))?,
    })
}

fn connection(question: &Question) -> wit::Connection {
    let envelope = &question.envelope;
    wit::Connection {
        session: envelope.session.clone(),
        protocol: envelope.source.clone(),
        // What comes from within has none.
        peer_address: envelope
            .peer
            .map(|peer| peer.to_canonical().to_string())
            .unwrap_or_default(),
        peer_name: None,
        helo: Some(envelope.helo.clone()).filter(|helo| !helo.is_empty()),
        encrypted: envelope.encrypted,
        principal: question.principal.clone(),
    }
}

fn envelope(envelope: &Envelope) -> delivery::Envelope {
    let recipients = envelope.recipients.iter();
    delivery::Envelope {
        sender: envelope.sender.clone(),
        recipients: recipients
            .map(|recipient| delivery::Recipient {
                address: recipient.address.clone(),
                notify: notify(recipient.notify),
                original: recipient.original.clone(),
            })
            .collect(),
        envelope_id: envelope.envelope_id.clone(),
        return_headers_only: envelope.return_headers_only,
        smtp_utf8: envelope.smtp_utf8,
        body_type: envelope.body_type.clone(),
        helo: envelope.helo.clone(),
        source: envelope.source.clone(),
    }
}

fn notify(notify: waxwing_transport::Notify) -> Notify {
    let flags = [
        (notify.never, Notify::NEVER),
        (notify.success, Notify::SUCCESS),
        (notify.failure, Notify::FAILURE),
        (notify.delay, Notify::DELAY),
    ];
    let set = flags.into_iter().filter(|(is_set, _)| *is_set);
    set.fold(Notify::default(), |all, (_, flag)| all | flag)
}

/// What the mail flow is to do. An open door: what this host does not know changes nothing.
pub(super) fn verdict(given: wit::Verdict, state: &mut State) -> Result<Verdict, Failed> {
    Ok(match given {
        wit::Verdict::Accept | wit::Verdict::Extension(_) => Verdict::Accept,
        wit::Verdict::Modify(edits) => {
            let mut wanted = Vec::with_capacity(edits.len());
            for given in edits {
                wanted.extend(edit(given, state)?);
            }
            Verdict::Modify(wanted)
        }
        wit::Verdict::Quarantine(reason) => Verdict::Quarantine(reason),
        wit::Verdict::Reject(given) => Verdict::Reject(refusal(given)),
        wit::Verdict::Defer(given) => Verdict::Defer(refusal(given)),
        wit::Verdict::Discard => Verdict::Discard,
    })
}

fn refusal(given: wit::Rejection) -> Refusal {
    Refusal {
        code: given.code,
        enhanced: given.enhanced,
        text: given.text,
    }
}

fn edit(given: wit::Edit, state: &mut State) -> Result<Option<Edit>, Failed> {
    Ok(Some(match given {
        wit::Edit::AddHeader(wit::HeaderField { name, value }) => Edit::AddHeader { name, value },
        wit::Edit::InsertHeader(wit::HeaderField { name, value }) => {
            Edit::InsertHeader { name, value }
        }
        wit::Edit::RemoveHeader(wit::HeaderPlace { name, occurrence }) => {
            Edit::RemoveHeader { name, occurrence }
        }
        wit::Edit::ReplaceBody(handle) => {
            let body = state.table.delete(handle);
            let none = |error| Failed::answer(format!("a body that is none: {error}"));
            Edit::ReplaceBody(body.map_err(none)?)
        }
        wit::Edit::SetSender(address) => Edit::SetSender(address),
        wit::Edit::AddRecipient(address) => Edit::AddRecipient(address),
        wit::Edit::RemoveRecipient(address) => Edit::RemoveRecipient(address),
        wit::Edit::FileInto(folder) => Edit::FileInto(folder),
        wit::Edit::AddFlag(flag) => Edit::AddFlag(flag),
        wit::Edit::Extension(_) => return Ok(None),
    }))
}
