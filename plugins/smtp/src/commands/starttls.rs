//! STARTTLS (RFC 3207). The host drops what a client sent along in plaintext.

use super::Next;
use crate::reply;
use crate::session::Smtp;

pub(super) fn run(session: &mut Smtp) -> Result<(String, Next), String> {
    if session.state.tls.is_some() {
        return Err(reply::line(503, "5.5.1", "TLS is on already"));
    }
    if !session.context.tls_available {
        return Err(reply::line(502, "5.5.1", "TLS is not offered here"));
    }
    Ok((
        reply::line(220, "2.0.0", "Ready to start TLS"),
        Next::StartTls,
    ))
}
