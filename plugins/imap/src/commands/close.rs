//! CLOSE and UNSELECT (RFC 9051 sections 6.4.1 and 6.4.2).

use crate::session::{Answer, Completion, Imap, Output};

pub(super) fn run(session: &mut Imap, expunge: bool, _out: &mut Output) -> Answer {
    let read_only = session
        .state
        .selected
        .as_ref()
        .is_none_or(|selected| selected.read_only);
    if expunge && !read_only {
        session.view()?.expunge(None)?;
    }
    session.deselect();
    Ok(Completion::text(if expunge {
        "CLOSE completed"
    } else {
        "UNSELECT completed"
    }))
}
