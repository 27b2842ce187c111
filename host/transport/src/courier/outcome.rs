//! What an attempt means: who leaves the queue, who waits, and who is told.
//!
//! RFC 3461 decides about reports: of a failure unless NOTIFY says otherwise; of a delay where NOTIFY says so, or says nothing; of a success
//! only where NOTIFY says so and the next host makes no such reports itself. Of a message with the null reverse-path never: it is
//! a report itself, and one about it would be about nothing.

use std::sync::Arc;

use jiff::Timestamp;
use waxwing_exmdb::Body;

use super::{
    Courier, Job,
    attempt::Attempted,
    schedule::{Next, TROUBLE},
};
use crate::{
    Outcome, QueuedMessage, QueuedRecipient, TlsDemand,
    client::Verdict,
    header::Header,
    hop::Hop,
    metrics,
    queue::{LastAttempt, NewReport, Settled, Settlement, now},
    report::{Action, MAX_WHOLE, Report, Reported},
};

/// One recipient's end of the attempt.
struct Decided {
    recipient: QueuedRecipient,
    outcome: Outcome,
    settled: Settled,
    /// What its sender is told.
    tell: Option<Action>,
}

/// Notes the outcome; returns when it is on disk, however long the disk refuses. Whether anybody is to be tried again.
pub(super) async fn settle(
    courier: &Courier,
    hop: &Hop,
    job: &Job,
    attempted: Option<Attempted>,
) -> bool {
    let Some(attempted) = attempted else {
        return false;
    };
    let now = now();
    // One for all: those who wait together are tried together, in one transaction.
    let moment = (now, rand::random());
    let Attempted {
        message,
        recipients,
        host,
    } = attempted;
    let decided: Vec<Decided> = recipients
        .into_iter()
        .map(|(recipient, verdict)| decide(courier, &message, recipient, verdict, moment))
        .collect();
    for one in &decided {
        log(&message, hop, &host, one);
    }
    count(courier, &decided);
    let reports: Arc<[NewReport]> = reports(courier, &message, &decided, &host).await.into();
    metrics::add(&courier.0.counters.reports, reports.len());
    let settlements: Arc<[Settlement]> = decided
        .into_iter()
        .map(|one| Settlement {
            recipient: one.recipient.id,
            settled: one.settled,
            last: LastAttempt {
                tried: now,
                host: host.clone(),
                outcome: one.outcome,
            },
        })
        .collect();
    // Until it is noted, the recipients stay among those being tried: nobody sends them the message again.
    while let Err(error) = courier
        .0
        .queue
        .settle(job.message, settlements.clone(), reports.clone())
        .await
    {
        tracing::error!(queue_id = %job.message, %error, "what became of a message cannot be noted, trying again");
        tokio::time::sleep(TROUBLE).await;
    }
    settlements
        .iter()
        .any(|one| matches!(one.settled, Settled::Later { .. }))
}

fn decide(
    courier: &Courier,
    message: &QueuedMessage,
    recipient: QueuedRecipient,
    verdict: Verdict,
    (now, jitter): (i64, f64),
) -> Decided {
    let notify = recipient.notify;
    let told = |wanted: bool, action| {
        (wanted && !notify.never && !message.sender.is_empty()).then_some(action)
    };
    let silent = !notify.success && !notify.failure && !notify.delay;
    let give_up = |outcome, recipient| Decided {
        recipient,
        outcome,
        settled: Settled::Done,
        tell: told(notify.wants_failure(), Action::Failed),
    };
    if verdict.outcome.is_success() {
        let tell = told(notify.success && !verdict.reports, Action::Relayed);
        return Decided {
            recipient,
            outcome: verdict.outcome,
            settled: Settled::Done,
            tell,
        };
    }
    if !verdict.outcome.is_temporary() {
        return give_up(verdict.outcome, recipient);
    }
    let (attempts, schedule) = (recipient.attempts.saturating_add(1), &courier.0.schedule);
    match schedule.next(message.since, attempts, now, jitter) {
        Next::GiveUp => {
            let outcome = verdict.outcome.expired();
            give_up(outcome, recipient)
        }
        Next::Retry { due, tell } => {
            let first = tell && !recipient.delay_told;
            let tell = told(first && (silent || notify.delay), Action::Delayed);
            Decided {
                settled: Settled::Later {
                    due,
                    delay_told: recipient.delay_told || tell.is_some(),
                },
                recipient,
                outcome: verdict.outcome,
                tell,
            }
        }
    }
}

fn log(message: &QueuedMessage, hop: &Hop, host: &str, one: &Decided) {
    let (queue_id, session) = (message.id, message.session.as_str());
    let (from, to, outcome) = (&message.sender, &one.recipient.address, &one.outcome);
    let attempt = one.recipient.attempts.saturating_add(1);
    match &one.settled {
        Settled::Done if outcome.is_success() => {
            tracing::info!(%queue_id, session, ?from, ?to, %hop, host, attempt, %outcome, "relayed");
        }
        Settled::Done if message.sender.is_empty() => {
            tracing::warn!(%queue_id, session, ?to, %hop, host, attempt, %outcome, "a report could not be delivered, it is dropped");
        }
        Settled::Done => {
            tracing::warn!(%queue_id, session, ?from, ?to, %hop, host, attempt, %outcome, "given up");
        }
        Settled::Later { due, .. } => {
            let next = Timestamp::from_millisecond(*due).unwrap_or_default();
            tracing::info!(%queue_id, session, ?from, ?to, %hop, host, attempt, %outcome, %next, "deferred");
        }
    }
}

fn count(courier: &Courier, decided: &[Decided]) {
    let counters = &courier.0.counters;
    let number = |is: &dyn Fn(&Decided) -> bool| decided.iter().filter(|one| is(one)).count();
    let is_done = |one: &Decided| matches!(one.settled, Settled::Done);
    metrics::add(&counters.deferred, number(&|one| !is_done(one)));
    metrics::add(
        &counters.delivered,
        number(&|one| is_done(one) && one.outcome.is_success()),
    );
    metrics::add(
        &counters.failed,
        number(&|one| is_done(one) && !one.outcome.is_success()),
    );
}

/// One report for all to whom the same happened.
async fn reports(
    courier: &Courier,
    message: &QueuedMessage,
    decided: &[Decided],
    host: &str,
) -> Vec<NewReport> {
    let mut reports = Vec::new();
    for action in [Action::Relayed, Action::Delayed, Action::Failed] {
        let recipients: Vec<Reported<'_>> = decided
            .iter()
            .filter(|one| one.tell == Some(action))
            .map(|one| Reported {
                address: &one.recipient.address,
                original: one.recipient.original.as_deref(),
                action,
                outcome: &one.outcome,
                host,
            })
            .collect();
        if recipients.is_empty() {
            continue;
        }
        let (header, whole) = returned(courier, message, action).await;
        let time = |at| Timestamp::from_millisecond(at).unwrap_or_default();
        let report = Report {
            sender: &message.sender,
            envelope_id: message.envelope_id.as_deref(),
            recipients: &recipients,
            header: &header,
            whole,
            host_name: courier.0.delivery.host_name(),
            now: Timestamp::now(),
            arrived: time(message.arrived),
            retried_until: Some(time(courier.0.schedule.until(message.since))),
        };
        let report = report.queued(&message.session);
        reports.push(courier.0.delivery.signed_report(report).await);
    }
    reports
}

/// Of the message, what the report returns. A report without it is better than none.
async fn returned(
    courier: &Courier,
    message: &QueuedMessage,
    action: Action,
) -> (Header, Option<bytes::Bytes>) {
    let queue = &courier.0.queue;
    let body = queue.body(message.id, courier.0.delivery.spool()).await;
    let body = body.unwrap_or_else(|error| {
        tracing::error!(queue_id = %message.id, %error, "a report returns nothing of its message");
        Body::from_bytes(bytes::Bytes::new())
    });
    let header = Header::read(&body).await.unwrap_or_default();
    // RFC 8689 section 5: a report may take a way that the message may not.
    let headers_only = message.headers_only || message.tls_demand == TlsDemand::Required;
    let is_wanted = action == Action::Failed && !headers_only && body.size() <= MAX_WHOLE;
    let whole = match is_wanted {
        true => body
            .read(0, usize::try_from(MAX_WHOLE).unwrap_or_default())
            .await
            .ok(),
        false => None,
    };
    (header, whole)
}
