//! The end of a transaction: trace header, mail flow, replies.
//!
//! A submitted message is completed first ([`crate::fixups`]).
//!
//! LMTP answers for each recipient (RFC 2033 4.2). SMTP has one answer for all. Some refused for now: that temporary
//! answer; the mail flow remembers who has the message, so a retry does not double it. All refused for good: the first of
//! those. Some served and some refused for good: the mail flow says that all are served, and reports to the sender; where it could not,
//! a temporary answer.

use std::time::{SystemTime, UNIX_EPOCH};

use waxwing_sdk::bodies::{self, Body, Piece, PieceRange};
use waxwing_sdk::delivery::{self, Envelope, Notify, Outcome, Recipient};
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::stream::Context;
use waxwing_sdk::{Fault, info, warning};

use crate::date;
use crate::fixups;
use crate::parse::{BodyType, RcptTo};
use crate::received;
use crate::reply;
use crate::state::{Dialect, State, Transaction};

/// Delivers and returns the replies.
pub(crate) fn message(
    context: &Context,
    state: &State,
    transaction: &Transaction,
    parts: &[Body],
) -> String {
    let outcomes = attempt(context, state, transaction, parts).unwrap_or_else(|fault| {
        warning!(
            "message not delivered: {fault}",
            recipients = transaction.recipients.len()
        );
        let outcome = of_fault(&fault);
        transaction
            .recipients
            .iter()
            .map(|_| outcome.clone())
            .collect()
    });
    for (recipient, outcome) in transaction
        .recipients
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| outcome.code >= 400)
    {
        warning!(
            "recipient not served",
            recipient = recipient.recipient,
            code = outcome.code,
            reason = outcome.text
        );
    }
    match state.dialect {
        Dialect::Lmtp => outcomes
            .iter()
            .map(|outcome| reply::line(outcome.code, &outcome.enhanced, &outcome.text))
            .collect(),
        Dialect::Smtp | Dialect::Submission(_) => one_reply(context, &outcomes),
    }
}

/// The same answer for every recipient of LMTP, once for SMTP.
pub(crate) fn refusal(
    state: &State,
    transaction: Option<&Transaction>,
    code: u16,
    enhanced: &str,
    text: &str,
) -> String {
    let times = match (&state.dialect, transaction) {
        (Dialect::Lmtp, Some(transaction)) => transaction.recipients.len(),
        _ => 1,
    };
    reply::line(code, enhanced, text).repeat(times)
}

fn attempt(
    context: &Context,
    state: &State,
    transaction: &Transaction,
    parts: &[Body],
) -> Result<Vec<Outcome>, Fault> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = since.as_secs();
    let mut pieces = vec![Piece::Bytes(
        received::header(context, state, transaction, now).into_bytes(),
    )];
    let outcomes = match &state.dialect {
        Dialect::Submission(submission) => {
            let whole: Vec<_> = parts.iter().map(bodies::whole).collect();
            let given = bodies::compose(&whole)?;
            let Some(header) = read_header(&given)? else {
                return Ok(all(transaction, 552, "5.3.4", "The header is too big"));
            };
            // A session submits more than one message in a second.
            let (moment, session) = (since.as_nanos(), context.session.as_str());
            let id = format!("{moment:x}.{session}@{}", context.host_name);
            let fixups = fixups::plan(&header, &date::rfc5322(now), &id);
            pieces.push(Piece::Bytes(fixups.added.into_bytes()));
            pieces.extend(fixups.kept.into_iter().map(|kept| range(&given, &kept)));
            let message = bodies::compose(&pieces)?;
            let hold = submission.hold_until.map(|time| time.to_string());
            let hold = hold.map(|time| ("hold-until".to_owned(), time));
            let tls = submission.require_tls;
            let tls = tls.then(|| ("require-tls".to_owned(), String::new()));
            let parameters: Vec<_> = hold.into_iter().chain(tls).collect();
            delivery::submit(&envelope(state, transaction), &parameters, &message)?
        }
        Dialect::Smtp | Dialect::Lmtp => {
            pieces.extend(parts.iter().map(bodies::whole));
            let message = bodies::compose(&pieces)?;
            delivery::deliver(&envelope(state, transaction), &message)?
        }
    };
    info!(
        "message received",
        size = parts.iter().map(Body::size).sum::<u64>(),
        recipients = transaction.recipients.len()
    );
    Ok(outcomes)
}

fn all(transaction: &Transaction, code: u16, enhanced: &str, text: &str) -> Vec<Outcome> {
    let outcome = Outcome {
        code,
        enhanced: enhanced.to_owned(),
        text: text.to_owned(),
    };
    vec![outcome; transaction.recipients.len()]
}

/// Octets of a header that can be looked at.
const MAX_HEADER: usize = 1024 * 1024;
const STEP: u32 = 64 * 1024;

/// The header, or all of a message that is nothing else; none when it is too long.
fn read_header(message: &Body) -> Result<Option<Vec<u8>>, Fault> {
    let mut header = Vec::new();
    loop {
        let more = message.read(header.len() as u64, STEP)?;
        let ended = more.is_empty();
        header.extend(more);
        match fixups::end(&header) {
            Some(end) => {
                header.truncate(end);
                return Ok(Some(header));
            }
            None if ended => return Ok(Some(header)),
            None if header.len() >= MAX_HEADER => return Ok(None),
            None => {}
        }
    }
}

/// A range that may reach beyond the end.
fn range<'a>(body: &'a Body, kept: &std::ops::Range<u64>) -> Piece<'a> {
    let end = kept.end.min(body.size());
    Piece::Range(PieceRange {
        body,
        offset: kept.start.min(end),
        length: end.saturating_sub(kept.start),
    })
}

fn envelope(state: &State, transaction: &Transaction) -> Envelope {
    let mail = &transaction.mail;
    Envelope {
        sender: mail.sender.clone(),
        recipients: transaction.recipients.iter().map(recipient).collect(),
        envelope_id: mail.envelope_id.clone(),
        return_headers_only: mail.return_headers_only,
        smtp_utf8: mail.smtp_utf8,
        body_type: match mail.body_type {
            BodyType::SevenBit => "7BIT",
            BodyType::EightBitMime => "8BITMIME",
        }
        .to_owned(),
        helo: state
            .client
            .as_ref()
            .map(|(name, _)| name.clone())
            .unwrap_or_default(),
        source: match state.dialect {
            Dialect::Smtp => "smtp",
            Dialect::Lmtp => "lmtp",
            Dialect::Submission(_) => "submission",
        }
        .to_owned(),
    }
}

fn recipient(rcpt: &RcptTo) -> Recipient {
    let when = |set: bool, flag: Notify| if set { flag } else { Notify::empty() };
    let notify = when(rcpt.notify.never, Notify::NEVER)
        | when(rcpt.notify.success, Notify::SUCCESS)
        | when(rcpt.notify.failure, Notify::FAILURE)
        | when(rcpt.notify.delay, Notify::DELAY);
    Recipient {
        address: rcpt.recipient.clone(),
        notify,
        original: rcpt.original.clone(),
    }
}

fn one_reply(context: &Context, outcomes: &[Outcome]) -> String {
    let temporary = outcomes
        .iter()
        .find(|outcome| (400..500).contains(&outcome.code));
    let served = outcomes.iter().any(|outcome| outcome.code < 400);
    let refused = outcomes.iter().find(|outcome| outcome.code >= 500);
    match (temporary, refused) {
        (Some(outcome), _) => reply::line(outcome.code, &outcome.enhanced, &outcome.text),
        (None, Some(outcome)) if served => reply::line(
            451,
            "4.3.0",
            &format!("Not delivered to all recipients: {}", outcome.text),
        ),
        (None, Some(outcome)) => reply::line(outcome.code, &outcome.enhanced, &outcome.text),
        (None, None) => {
            let queued = outcomes
                .iter()
                .find(|outcome| outcome.text.starts_with("Queued"));
            let text = queued.map_or_else(
                || format!("Delivered as {}", context.session),
                |queued| queued.text.clone(),
            );
            reply::line(250, "2.0.0", &text)
        }
    }
}

/// [MS-OXCDATA] 2.4.
const NOT_ENOUGH_DISK: u32 = 0x8004_010D;

fn of_fault(fault: &Fault) -> Outcome {
    let (code, enhanced, text) = match fault.class {
        FaultClass::Limit => (452, "4.3.1", "A limit was reached, try again later"),
        FaultClass::Unavailable if fault.code == NOT_ENOUGH_DISK => {
            (452, "4.3.1", "No room left, try again later")
        }
        FaultClass::Denied => (550, "5.7.1", "Not permitted"),
        _ => (451, "4.3.0", "Temporary failure, try again later"),
    };
    Outcome {
        code,
        enhanced: enhanced.to_owned(),
        text: text.to_owned(),
    }
}
