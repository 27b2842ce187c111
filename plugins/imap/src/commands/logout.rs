//! LOGOUT (RFC 9051 section 6.1.3).

use waxwing_sdk::stream::Action;

use crate::session::{Answer, Completion, Imap, Output, Stage};

pub(super) fn run(session: &mut Imap, tag: &str, out: &mut Output) -> Answer {
    session.deselect();
    session.state.stage = Stage::Logout;
    out.line("* BYE Logging out");
    out.line(&format!("{tag} OK LOGOUT completed"));
    out.then(Action::Close);
    Ok(Completion::Later)
}
