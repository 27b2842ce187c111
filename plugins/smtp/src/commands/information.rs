//! VRFY, EXPN and HELP (RFC 5321 3.5, 4.1.1.6 to 4.1.1.8): who has an account here is not told.

use crate::reply;
use crate::session::Smtp;

pub(super) fn vrfy() -> String {
    reply::line(252, "2.5.0", "Send mail and see")
}

pub(super) fn expn() -> String {
    reply::line(502, "5.5.1", "Lists are not expanded")
}

pub(super) fn help(session: &Smtp) -> String {
    reply::line(
        214,
        "2.0.0",
        &format!("Waxwing, {}", session.context.version),
    )
}
