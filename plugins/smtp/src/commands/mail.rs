//! MAIL begins a transaction (RFC 5321 4.1.1.2). In submission it needs a log-in and an address of who is logged in, and may ask that the
//! message does not leave before a time (RFC 4865), and not without TLS (RFC 8689).

use std::time::{SystemTime, UNIX_EPOCH};

use waxwing_sdk::delivery;

use crate::date;
use crate::parse::{Extras, Hold, MailFrom};
use crate::reply;
use crate::session::Smtp;
use crate::state::{Dialect, Transaction};

/// The longest that a message is held: 30 days.
const MAX_HOLD: u64 = 30 * 24 * 3600;

/// RFC 4865 section 4: what EHLO offers.
pub(super) fn future_release() -> String {
    format!(
        "FUTURERELEASE {MAX_HOLD} {}",
        date::rfc3339(now() + MAX_HOLD)
    )
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

pub(super) fn run(session: &mut Smtp, mail: MailFrom, extras: &Extras) -> Result<String, String> {
    if session.state.client.is_none() {
        return Err(reply::out_of_order(
            if session.state.dialect == Dialect::Lmtp {
                "LHLO"
            } else {
                "EHLO"
            },
        ));
    }
    if session.state.transaction.is_some() {
        return Err(reply::line(
            503,
            "5.5.1",
            "A transaction is under way, end it with RSET",
        ));
    }
    if mail.size > session.max_message_size {
        return Err(reply::line(
            552,
            "5.3.4",
            &format!(
                "Message too big, the limit is {} octets",
                session.max_message_size
            ),
        ));
    }
    submission(session, &mail, extras)?;
    session.state.transaction = Some(Transaction {
        mail,
        recipients: Vec::new(),
        chunked: 0,
        in_chunks: false,
    });
    Ok(reply::line(250, "2.1.0", "Sender ok"))
}

/// What else holds in submission, and what does not exist elsewhere.
fn submission(session: &mut Smtp, mail: &MailFrom, extras: &Extras) -> Result<(), String> {
    let is_encrypted = session.state.tls.is_some();
    let Some(submission) = session.state.submission() else {
        return match &extras.first {
            Some(key) => Err(reply::syntax(&crate::parse::Error::Parameter(key.clone()))),
            None => Ok(()),
        };
    };
    if submission.principal.is_none() {
        return Err(reply::line(530, "5.7.0", "Log in first (AUTH)"));
    }
    // RFC 8689 section 3: where it is not offered it is not known.
    if extras.require_tls && !is_encrypted {
        let key = "REQUIRETLS".to_owned();
        return Err(reply::syntax(&crate::parse::Error::Parameter(key)));
    }
    submission.require_tls = extras.require_tls;
    let now = now();
    submission.hold_until = match extras.hold {
        None => None,
        Some(Hold::For(seconds)) => Some(now.saturating_add(seconds)),
        Some(Hold::Until(time)) => Some(time),
    };
    if submission
        .hold_until
        .is_some_and(|time| time > now + MAX_HOLD)
    {
        submission.hold_until = None;
        let text = format!("A message is held for at most {MAX_HOLD} seconds");
        return Err(reply::line(501, "5.5.4", &text));
    }
    match delivery::may_send_as(&mail.sender) {
        Ok(None) => Ok(()),
        Ok(Some(refusal)) => Err(reply::line(refusal.code, &refusal.enhanced, &refusal.text)),
        Err(fault) => {
            waxwing_sdk::warning!("the sender cannot be checked: {fault}");
            Err(reply::line(
                451,
                "4.3.0",
                "The sender cannot be checked now, try again later",
            ))
        }
    }
}
