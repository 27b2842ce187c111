//! COPY and MOVE (RFC 9051 sections 6.4.7 and 6.4.8), with COPYUID (RFC 4315). All or nothing; from one account
//! into another the copies are all there before anything goes.

use waxwing_sdk::store::views::{self, Transfer};
use waxwing_sdk::store::{Selection, Span};

use crate::names::MailboxName;
use crate::parse::SequenceSet;
use crate::render::spans;
use crate::session::{Account, Answer, Completion, Imap, Output, Refusal, Updates};

pub(super) struct Transferring {
    pub(super) uid: bool,
    pub(super) set: SequenceSet,
    pub(super) mailbox: MailboxName,
    pub(super) moves: bool,
}

pub(super) fn run(session: &mut Imap, transferring: &Transferring, out: &mut Output) -> Answer {
    let Transferring {
        uid,
        set,
        mailbox,
        moves,
    } = transferring;
    let selected = session.state.selected.as_ref();
    if *moves && selected.is_some_and(|selected| selected.read_only) {
        return Err(Refusal::no("[CANNOT] The mailbox is selected read-only"));
    }
    let targets = session.targets(set, *uid)?;
    let missing = || Refusal::no("[TRYCREATE] There is no such mailbox");
    let account = session
        .account_of(mailbox)
        .map_err(|refusal| refusal.or_missing(missing()))?;
    let node = account.tree.selectable(mailbox).ok_or_else(missing)?;
    if targets.spans.is_empty() {
        return Ok(Completion::text("There was nothing to do"));
    }
    let selection = targets.selection();
    if !*moves {
        let transfer = transfer(session, &selection, (&account, node.folder.id), false)?;
        return match code(&transfer) {
            Some(code) => Ok(Completion::Done(format!("[{code}] COPY completed"))),
            None => nothing(targets.by_uid),
        };
    }
    let transfer = transfer(session, &selection, (&account, node.folder.id), true)?;
    if let Some(code) = code(&transfer) {
        // Before the expunges, so that a client knows where its messages went (RFC 6851 section 4.3).
        out.line(&format!("* OK [{code}] Moved"));
    }
    let modseq = session.tell_updates(Updates::All, out)?;
    if transfer.source.is_empty() {
        return nothing(targets.by_uid);
    }
    match modseq.filter(|_| session.state.enabled.quick_resync) {
        Some(modseq) => Ok(Completion::Done(format!(
            "[HIGHESTMODSEQ {modseq}] MOVE completed"
        ))),
        None => Ok(Completion::text("MOVE completed")),
    }
}

/// Within an account, or from one into another.
fn transfer(
    session: &mut Imap,
    selection: &Selection,
    (account, folder): (&Account, u64),
    moves: bool,
) -> Result<Transfer, Refusal> {
    let within = session.selected_account() == Some(account.number);
    let view = session.view()?;
    Ok(match (within, moves) {
        (true, false) => view.copy(selection, folder)?,
        (true, true) => view.move_(selection, folder)?,
        (false, _) => views::copy_across(view, selection, &account.mailbox, folder, moves)?,
    })
}

/// UIDs may be of nobody. A number is of a message that was there, and that another session has expunged (RFC 2180 section 4.4).
fn nothing(by_uid: bool) -> Answer {
    match by_uid {
        true => Ok(Completion::text("There was nothing to do")),
        false => Err(Refusal::no("[EXPUNGEISSUED] The messages no longer exist")),
    }
}

/// `COPYUID 38505 304,319:320 3956:3958`; none when nothing was copied.
fn code(transfer: &Transfer) -> Option<String> {
    if transfer.source.is_empty() {
        return None;
    }
    let set = |list: &[Span]| {
        let mut text = Vec::new();
        spans::set(&mut text, list.iter().map(|span| (span.first, span.last)));
        String::from_utf8_lossy(&text).into_owned()
    };
    Some(format!(
        "COPYUID {} {} {}",
        transfer.uid_validity,
        set(&transfer.source),
        set(&transfer.target)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copyuid_pairs_source_and_target() {
        let span = |first, last| Span { first, last };
        let transfer = Transfer {
            uid_validity: 38_505,
            source: vec![span(304, 304), span(319, 320)],
            target: vec![span(3956, 3958)],
        };
        assert_eq!(
            code(&transfer).as_deref(),
            Some("COPYUID 38505 304,319:320 3956:3958")
        );
        assert_eq!(
            code(&Transfer {
                uid_validity: 1,
                source: vec![],
                target: vec![]
            }),
            None
        );
    }
}
