//! DATA (RFC 5321 4.1.1.4): the host receives the message up to its dot.

use super::Next;
use crate::reply;
use crate::session::Smtp;
use crate::state::Receiving;

pub(super) fn run(session: &mut Smtp) -> Result<(String, Next), String> {
    let Some(transaction) = &session.state.transaction else {
        return Err(reply::out_of_order("MAIL"));
    };
    if transaction.in_chunks {
        return Err(reply::line(
            503,
            "5.5.1",
            "A message in chunks is ended with BDAT",
        ));
    }
    if transaction.recipients.is_empty() {
        // RFC 2033 4.2 wants 503, RFC 5321 3.3 allows it beside 554.
        return Err(reply::line(503, "5.5.1", "No valid recipients"));
    }
    session.state.receiving = Some(Receiving::Data);
    Ok((
        "354 Go ahead, end with <CRLF>.<CRLF>\r\n".to_owned(),
        Next::Data,
    ))
}
