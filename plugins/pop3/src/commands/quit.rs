//! QUIT: the UPDATE state (RFC 1939 section 6). Here, and nowhere else, what DELE has marked is removed; a connection that ends in
//! any other way leaves the maildrop as it was.

use waxwing_sdk::stream::Turn;

use crate::reply::{Answer, err, ok};
use crate::session::Pop3;
use crate::state::Stage;

pub(super) fn run(session: &mut Pop3) -> Answer<Turn> {
    let Stage::Transaction(maildrop) = &session.state.stage else {
        return Ok(Turn::new().send(ok("Bye")).close());
    };
    if maildrop.deleted.is_empty() {
        return Ok(Turn::new().send(ok("Bye")).close());
    }
    let removed = session.live.remove_marked(maildrop);
    Ok(match removed {
        Ok(()) => {
            waxwing_sdk::info!("messages deleted", count = maildrop.deleted_messages);
            Turn::new().send(ok("Bye, the deleted messages are removed"))
        }
        Err(refusal) => {
            waxwing_sdk::warning!("deleted messages are not removed", reason = refusal.text());
            Turn::new().send(err("[SYS/TEMP] Deleted messages are not removed"))
        }
    }
    .close())
}
