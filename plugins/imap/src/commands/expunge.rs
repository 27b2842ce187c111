//! EXPUNGE (RFC 9051 section 6.4.3) and UID EXPUNGE (section 6.4.9).

use crate::parse::SequenceSet;
use crate::session::{Answer, Completion, Imap, Output, Refusal, Updates};

pub(super) fn run(session: &mut Imap, set: Option<&SequenceSet>, out: &mut Output) -> Answer {
    if session
        .state
        .selected
        .as_ref()
        .is_some_and(|selected| selected.read_only)
    {
        return Err(Refusal::no("[CANNOT] The mailbox is selected read-only"));
    }
    let selection = set
        .map(|set| session.targets(set, true))
        .transpose()?
        .map(|targets| targets.selection());
    session.view()?.expunge(selection.as_ref())?;
    let modseq = session.tell_updates(Updates::All, out)?;
    match modseq.filter(|_| session.state.enabled.condstore) {
        Some(modseq) => Ok(Completion::Done(format!(
            "[HIGHESTMODSEQ {modseq}] EXPUNGE completed"
        ))),
        None => Ok(Completion::text("EXPUNGE completed")),
    }
}
