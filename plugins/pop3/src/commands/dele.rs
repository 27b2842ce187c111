//! DELE: marks; QUIT removes.

use waxwing_sdk::stream::Turn;

use crate::reply::{Answer, ok};
use crate::session::Pop3;

pub(super) fn run(session: &mut Pop3, number: u32) -> Answer<Turn> {
    super::maildrop(session)?.demand(number)?;
    let row = session.live.row(number)?;
    super::maildrop(session)?.mark(number, row)?;
    Ok(Turn::new().send(ok(&format!("Message {number} is deleted at QUIT"))))
}
