//! CLOSE and UNSELECT (RFC 9051 sections 6.4.1 and 6.4.2).

use waxwing_sdk::fault::FaultClass;

use crate::session::{Answer, Completion, Imap, Refusal};

pub(super) fn run(session: &mut Imap, expunge: bool) -> Answer {
    if !expunge {
        session.deselect();
        return Ok(Completion::text("UNSELECT completed"));
    }
    let code = match expunge_marked(session)? {
        // RFC 7162 section 3.2.8: the expunges themselves are not told.
        Some(modseq) if session.state.enabled.quick_resync => format!("[HIGHESTMODSEQ {modseq}] "),
        _ => String::new(),
    };
    session.deselect();
    Ok(Completion::Done(format!("{code}CLOSE completed")))
}

/// Removes what is marked `\Deleted`; the modseq of the mailbox then.
fn expunge_marked(session: &mut Imap) -> Result<Option<u64>, Refusal> {
    let selected = session.state.selected.as_ref();
    if selected.is_none_or(|selected| selected.read_only) {
        return Ok(None);
    }
    let view = session.view()?;
    let done = view.expunge(None).and_then(|_| view.sync(true));
    match done {
        Ok(changes) => Ok(Some(changes.highest_modseq)),
        // A mailbox that is gone has nothing left to expunge, and who may not expunge leaves it as it is (RFC 4314 section 4).
        Err(fault) if matches!(fault.class, FaultClass::NotFound | FaultClass::Denied) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}
