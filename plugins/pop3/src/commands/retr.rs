//! RETR. The message goes from the store to the client; nothing of it enters this component.

use waxwing_sdk::stream::Turn;

use crate::reply::{Answer, ok};
use crate::session::Pop3;
use crate::state::Stage;

pub(super) fn run(session: &mut Pop3, number: u32) -> Answer<Turn> {
    let body = open(session, number)?;
    let size = body.size();
    Ok(Turn::new()
        .send(ok(&format!("{size} octets")))
        .send_stuffed(body, 0, size)
        .send(".\r\n"))
}

/// The message of a number.
pub(super) fn open(session: &mut Pop3, number: u32) -> Answer<waxwing_sdk::bodies::Body> {
    super::maildrop(session)?.demand(number)?;
    let row = session.live.row(number)?;
    match &session.state.stage {
        Stage::Transaction(maildrop) => session.live.message(maildrop, row),
        Stage::Authorization { .. } => Err(crate::reply::Refusal::client("Log in first")),
    }
}
