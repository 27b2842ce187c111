//! The trace header that a receiver puts before a message (RFC 5321 4.4; protocol names RFC 3848 and RFC 6531).

use waxwing_sdk::stream::Context;

use crate::date;
use crate::state::{Dialect, State, Transaction};

/// `Received:` with its CRLF, folded.
pub(crate) fn header(
    context: &Context,
    state: &State,
    transaction: &Transaction,
    now: u64,
) -> String {
    let (client, extended) = state
        .client
        .clone()
        .unwrap_or_else(|| ("unknown".into(), false));
    let tls = state
        .tls
        .as_ref()
        .map(|(protocol, cipher)| format!("\r\n\t({} {})", plain(protocol), plain(cipher)))
        .unwrap_or_default();
    // RFC 5321 7.2: with more than one recipient none may be shown to the others.
    let recipient = match transaction.recipients.as_slice() {
        [only] => format!("\r\n\tfor <{}>", only.recipient),
        _ => String::new(),
    };
    format!(
        "Received: from {} ({})\r\n\tby {} with {} id {}{tls}{recipient};\r\n\t{}\r\n",
        plain(&client),
        peer(&context.peer_address),
        plain(&context.host_name),
        protocol(state, transaction, extended),
        plain(&context.session),
        date::rfc5322(now),
    )
}

fn protocol(state: &State, transaction: &Transaction, extended: bool) -> String {
    let is_lmtp = state.dialect == Dialect::Lmtp;
    let base = match (is_lmtp, transaction.mail.smtp_utf8, extended) {
        (true, true, _) => "UTF8LMTP",
        (true, false, _) => "LMTP",
        (false, true, _) => "UTF8SMTP",
        (false, false, true) => "ESMTP",
        (false, false, false) => "SMTP",
    };
    let secured = if state.tls.is_some() && (extended || state.dialect == Dialect::Lmtp) {
        "S"
    } else {
        ""
    };
    let proved = match &state.dialect {
        Dialect::Submission(submission) if submission.principal.is_some() => "A",
        _ => "",
    };
    format!("{base}{secured}{proved}")
}

/// RFC 5321 4.1.3 address literal.
fn peer(address: &str) -> String {
    if address.contains(':') {
        format!("[IPv6:{address}]")
    } else {
        format!("[{address}]")
    }
}

/// What a client chose must not be able to end a comment, a token or the line.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || c.is_whitespace() || "()<>\\\",;".contains(c) {
                '?'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_write_its_own_trace() {
        assert_eq!(plain("evil;(x)\r\nX:"), "evil??x???X:");
        assert_eq!(peer("::1"), "[IPv6:::1]");
    }
}
