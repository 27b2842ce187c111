//! STLS (RFC 2595 section 4).

use waxwing_sdk::stream::Turn;

use crate::reply::{Answer, Refusal, ok};
use crate::session::Pop3;
use crate::state::Pending;

pub(super) fn run(session: &mut Pop3) -> Answer<Turn> {
    super::user(session)?;
    if session.context.tls.is_some() {
        return Err(Refusal::client("TLS is on"));
    }
    if !session.context.tls_available {
        return Err(Refusal::client("There is no TLS here"));
    }
    session.state.pending = Pending::StartTls;
    Ok(Turn::new().send(ok("Begin TLS")).start_tls())
}
