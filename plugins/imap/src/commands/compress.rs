//! COMPRESS (RFC 4978). The host compresses; the command only asks it to.

use waxwing_sdk::stream::Action;

use crate::session::{Answer, Completion, Imap, Output, Refusal};

pub(super) fn run(session: &mut Imap, tag: &str, out: &mut Output) -> Answer {
    if session.state.compressed {
        return Err(Refusal::no("[COMPRESSIONACTIVE] DEFLATE is active already"));
    }
    session.state.compressed = true;
    // Said before anything is compressed.
    out.line(&format!("{tag} OK DEFLATE active"));
    out.then(Action::StartCompression);
    Ok(Completion::Later)
}
