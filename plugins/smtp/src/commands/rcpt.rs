//! RCPT (RFC 5321 4.1.1.3): the place where relaying is refused. Only what the directory calls local is accepted, and in submission,
//! where MAIL has asked for a log-in, what it calls foreign. A mailbox that is full is refused here too, where the size is known: after the
//! message SMTP has one answer for all.
//!
//! A refused recipient is an answer, not an error of the client: a list's mail may name fifty people who have left, or more than
//! one transaction takes (RFC 5321 4.5.3.1.10), and must still reach the others.

use waxwing_sdk::delivery::{self, AddressClass};
use waxwing_sdk::info;

use crate::parse::RcptTo;
use crate::reply;
use crate::session::Smtp;
use crate::state::Dialect;

pub(super) fn run(session: &mut Smtp, rcpt: RcptTo) -> Result<String, String> {
    let submits = matches!(session.state.dialect, Dialect::Submission(_));
    let Some(transaction) = session.state.transaction.as_mut() else {
        return Err(reply::out_of_order("MAIL"));
    };
    if transaction.in_chunks {
        return Err(reply::line(503, "5.5.1", "The message has begun"));
    }
    if rcpt.utf8 && !transaction.mail.smtp_utf8 {
        return Err(reply::line(553, "5.6.7", "The address needs SMTPUTF8"));
    }
    if transaction.recipients.len() >= session.max_recipients {
        return Ok(reply::line(
            452,
            "4.5.3",
            &format!(
                "Too many recipients, the limit is {}",
                session.max_recipients
            ),
        ));
    }
    let resolution = delivery::resolve(std::slice::from_ref(&rcpt.recipient))
        .into_iter()
        .next();
    let (class, detail) = resolution.map_or((AddressClass::Unavailable, String::new()), |found| {
        (found.class, found.detail)
    });
    let refusal = match class {
        AddressClass::Foreign if submits => {
            transaction.recipients.push(rcpt);
            return Ok(reply::line(250, "2.1.5", "Recipient ok"));
        }
        AddressClass::Local => {
            let size = transaction.mail.size;
            match delivery::receives(&rcpt.recipient, size) {
                Some(outcome) => reply::line(outcome.code, &outcome.enhanced, &outcome.text),
                None => {
                    transaction.recipients.push(rcpt);
                    return Ok(reply::line(250, "2.1.5", "Recipient ok"));
                }
            }
        }
        AddressClass::Unknown => reply::line(550, "5.1.1", "No such user here"),
        AddressClass::Foreign => reply::line(550, "5.7.1", "Relaying denied"),
        AddressClass::Unavailable => reply::line(
            451,
            "4.3.0",
            "The directory cannot be asked now, try again later",
        ),
        AddressClass::Malformed => reply::line(553, "5.1.3", "Bad recipient address"),
    };
    info!(
        "recipient refused",
        recipient = rcpt.recipient,
        reply = refusal.trim_end(),
        detail = detail
    );
    Ok(refusal)
}
