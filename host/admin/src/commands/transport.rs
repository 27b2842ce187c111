//! `waxwing transport …`

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use waxwing_exmdb::Body;
use waxwing_transport::{
    Envelope, Explain, Quarantine, QuarantineId, Quarantined, Recipient, Released,
};

use crate::{
    Admin, Error, Result,
    protocol::{
        ExplainStart, ExplainedRow, QuarantineCommand, QuarantinePage, QuarantineRow,
        QuarantinedMessage, ReleasedRow, ReleasedTo, Response, TransportCommand,
    },
};

/// Messages of a page.
const PAGE: usize = 500;
/// Octets of a message that are shown.
const BEGINNING: u64 = 64 * 1024;

pub(crate) async fn execute(admin: &Admin, command: TransportCommand) -> Result<Response> {
    match command {
        TransportCommand::Quarantine(command) => quarantine(admin, command).await,
        TransportCommand::Explain(start) => explain(admin, *start).await,
    }
}

async fn explain(admin: &Admin, start: ExplainStart) -> Result<Response> {
    let octets = BASE64.decode(&start.message);
    let octets = octets.map_err(|error| Error::Failed(format!("the message: {error}")))?;
    let principal = match &start.principal {
        Some(login) => Some(admin.directory.user(login).await?),
        None => None,
    };
    let recipients = start.to.into_iter().map(|address| Recipient {
        address,
        ..Recipient::default()
    });
    let asked = Explain {
        envelope: Envelope {
            sender: start.from,
            recipients: recipients.collect(),
            body_type: "8BITMIME".to_owned(),
            helo: start.helo,
            source: match principal {
                Some(_) => "submission".to_owned(),
                None => start.source,
            },
            session: "explain".to_owned(),
            peer: start.peer,
            ..Envelope::default()
        },
        message: Body::from_bytes(octets.into()),
        principal,
        offline: start.offline,
    };
    let steps = admin.delivery.explain(&asked).await.into_iter();
    let rows = steps.map(|step| ExplainedRow {
        step: step.step,
        who: step.who,
        answer: step.answer,
        decides: step.decides,
    });
    Ok(Response::Explained(rows.collect()))
}

async fn quarantine(admin: &Admin, command: QuarantineCommand) -> Result<Response> {
    let quarantine = admin.delivery.quarantine();
    let quarantine = quarantine.ok_or_else(|| Error::Failed("there is no quarantine".into()))?;
    match command {
        QuarantineCommand::List { after } => Ok(Response::Quarantine(page(quarantine, after))),
        QuarantineCommand::Show { id } => {
            let known = quarantine.get(QuarantineId(id))?;
            let octets = quarantine.read(known.id, BEGINNING).await?;
            Ok(Response::Quarantined(Box::new(QuarantinedMessage {
                beginning: String::from_utf8_lossy(&octets).into_owned(),
                is_cut: known.size > octets.len() as u64,
                row: row(known),
            })))
        }
        QuarantineCommand::Release { ids } => {
            all_are_there(quarantine, &ids)?;
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let released = admin.delivery.release(QuarantineId(id)).await?;
                rows.push(released_row(released));
            }
            Ok(Response::Released(rows))
        }
        QuarantineCommand::Delete { ids } => {
            all_are_there(quarantine, &ids)?;
            for id in &ids {
                quarantine.delete(QuarantineId(*id)).await?;
                tracing::info!(id, "deleted from quarantine");
            }
            let plural = if ids.len() == 1 { "" } else { "s" };
            let count = ids.len();
            Ok(Response::Done(format!("deleted {count} message{plural}")))
        }
    }
}

/// A number that is wrong is not passed over.
fn all_are_there(quarantine: &Quarantine, ids: &[u64]) -> Result<()> {
    for id in ids {
        quarantine.get(QuarantineId(*id))?;
    }
    Ok(())
}

fn page(quarantine: &Quarantine, after: u64) -> QuarantinePage {
    let found = quarantine.list(QuarantineId(after), PAGE);
    let is_full = found.len() == PAGE;
    QuarantinePage {
        next: found.last().map(|last| last.id.0).filter(|_| is_full),
        messages: found.into_iter().map(row).collect(),
    }
}

fn row(known: Quarantined) -> QuarantineRow {
    let held = known.held;
    QuarantineRow {
        id: known.id.0,
        arrived: known.arrived,
        size: known.size,
        recipients: held.recipients().map(str::to_owned).collect(),
        sender: held.envelope.sender,
        hook: held.hook,
        stage: held.stage,
        reason: held.reason,
        source: held.envelope.source,
        session: held.session,
        peer: held.envelope.peer.map(|peer| peer.to_string()),
        principal: held.principal,
    }
}

fn released_row(released: Released) -> ReleasedRow {
    let is_left = !released.is_whole();
    let outcomes = released.outcomes.into_iter();
    ReleasedRow {
        id: released.id.0,
        recipients: outcomes
            .map(|(address, outcome)| ReleasedTo {
                address,
                answer: outcome.to_string(),
            })
            .collect(),
        is_left,
    }
}
