//! UTF8 (RFC 6856 section 2). Names, passwords and answers are UTF-8 on every session, and messages are sent as they were
//! received: a client that cannot read a header in UTF-8 gets more from its octets than from a refusal. What the command
//! changes is what the client has said of itself.

use waxwing_sdk::stream::Turn;

use crate::reply::{Answer, ok};
use crate::session::Pop3;

pub(super) fn run(session: &mut Pop3) -> Answer<Turn> {
    super::user(session)?;
    session.state.utf8 = true;
    Ok(Turn::new().send(ok("UTF-8 it is")))
}
