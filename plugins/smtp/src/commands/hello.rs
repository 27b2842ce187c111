//! HELO, EHLO (RFC 5321 4.1.1.1) and LHLO (RFC 2033 4.1): each ends a transaction.

use super::{auth, mail};
use crate::reply;
use crate::session::Smtp;
use crate::state::Dialect;

pub(super) fn helo(session: &mut Smtp, name: String) -> String {
    if session.state.dialect == Dialect::Lmtp {
        return reply::line(500, "5.5.1", "This is LMTP, greet with LHLO");
    }
    greeted(session, name, false);
    format!("250 {}\r\n", session.context.host_name)
}

pub(super) fn ehlo(session: &mut Smtp, name: String) -> Result<String, String> {
    match session.state.dialect {
        Dialect::Smtp | Dialect::Submission(_) => Ok(extensions(session, name)),
        Dialect::Lmtp => Err(reply::line(500, "5.5.1", "This is LMTP, greet with LHLO")),
    }
}

pub(super) fn lhlo(session: &mut Smtp, name: String) -> Result<String, String> {
    match session.state.dialect {
        Dialect::Lmtp => Ok(extensions(session, name)),
        Dialect::Smtp | Dialect::Submission(_) => {
            Err(reply::line(500, "5.5.1", "This is SMTP, greet with EHLO"))
        }
    }
}

fn greeted(session: &mut Smtp, name: String, extended: bool) {
    session.reset();
    session.state.client = Some((name, extended));
}

fn extensions(session: &mut Smtp, name: String) -> String {
    greeted(session, name, true);
    let size = format!("SIZE {}", session.max_message_size);
    let mut words = vec![
        session.context.host_name.as_str(),
        "PIPELINING",
        &size,
        "8BITMIME",
        "SMTPUTF8",
        "CHUNKING",
        "DSN",
    ];
    if session.context.tls_available && session.state.tls.is_none() {
        words.push("STARTTLS");
    }
    let login = auth::offer(session);
    // RFC 9422: more recipients belong in a second transaction.
    let limits = format!("LIMITS RCPTMAX={}", session.max_recipients);
    let future = mail::future_release();
    if let Dialect::Submission(submission) = &session.state.dialect {
        if submission.principal.is_none() && !login.is_empty() {
            words.push(&login);
        }
        words.extend([future.as_str(), limits.as_str()]);
        if session.state.tls.is_some() {
            words.push("REQUIRETLS");
        }
    }
    words.push("ENHANCEDSTATUSCODES");
    let last = words.len() - 1;
    words
        .iter()
        .enumerate()
        .map(|(at, word)| format!("250{}{word}\r\n", if at == last { ' ' } else { '-' }))
        .collect()
}
