//! MAIL begins a transaction (RFC 5321 4.1.1.2).

use crate::parse::MailFrom;
use crate::reply;
use crate::session::Smtp;
use crate::state::{Dialect, Transaction};

pub(super) fn run(session: &mut Smtp, mail: MailFrom) -> Result<String, String> {
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
    session.state.transaction = Some(Transaction {
        mail,
        recipients: Vec::new(),
        chunked: 0,
        in_chunks: false,
    });
    Ok(reply::line(250, "2.1.0", "Sender ok"))
}
