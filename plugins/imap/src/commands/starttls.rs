//! STARTTLS (RFC 9051 section 6.2.1). The host drops what came in plaintext behind the command.

use waxwing_sdk::stream::Action;

use crate::session::{Answer, Completion, Imap, Output, Pending, Refusal};

pub(super) fn run(session: &mut Imap, tag: &str, out: &mut Output) -> Answer {
    if session.context.tls.is_some() {
        return Err(Refusal::Bad("TLS is active already".to_owned()));
    }
    if !session.context.tls_available {
        return Err(Refusal::no("[CANNOT] TLS is not available here"));
    }
    out.line(&format!("{tag} OK Begin TLS negotiation now"));
    out.then(Action::StartTls);
    session.state.pending = Pending::StartTls;
    Ok(Completion::Later)
}
