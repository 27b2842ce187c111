//! UNAUTHENTICATE (RFC 8437): back to before the log-in, for a proxy that keeps its connections. TLS and compression stay.

use waxwing_sdk::accounts;

use crate::session::{Answer, Completion, Imap};

pub(super) fn run(session: &mut Imap) -> Answer {
    session.deselect();
    accounts::forget();
    session.forget_account();
    Ok(Completion::text("UNAUTHENTICATE completed"))
}
