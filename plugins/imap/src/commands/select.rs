//! SELECT and EXAMINE (RFC 9051 sections 6.3.2 and 6.3.3), with CONDSTORE and QRESYNC (RFC 7162).

use std::rc::Rc;

use waxwing_sdk::store::{ViewInfo, views};

use super::{fetch, list};
use crate::names::MailboxName;
use crate::parse::{QuickResync, STAR, SequenceSet};
use crate::render::{object_id, spans};
use crate::rights;
use crate::session::{Answer, Completion, Imap, Output, Refusal, Selected};

pub(super) struct Selecting {
    pub(super) mailbox: MailboxName,
    pub(super) read_only: bool,
    pub(super) condstore: bool,
    pub(super) resync: Option<QuickResync>,
}

pub(super) fn run(session: &mut Imap, tag: &str, selecting: Selecting, out: &mut Output) -> Answer {
    if selecting.resync.is_some() && !session.state.enabled.quick_resync {
        return Err(Refusal::Bad("Enable QRESYNC first".to_owned()));
    }
    if session.deselect() {
        out.line("* OK [CLOSED] Previous mailbox is closed");
    }
    session.state.enabled.condstore |= selecting.condstore;
    // Only IMAP4rev2 is told of the folders around it.
    let account = match selecting.mailbox.is_inbox() && !session.state.enabled.rev2 {
        true => session.own_inbox()?,
        false => Rc::new(session.account_of(&selecting.mailbox)?),
    };
    let Some(node) = account.tree.selectable(&selecting.mailbox) else {
        return Err(Refusal::no("[NONEXISTENT] There is no such mailbox"));
    };
    let read_only = selecting.read_only || !rights::is_writable(node.folder.rights);
    let view = views::open(&account.mailbox, node.folder.id, read_only)?;
    let info = view.info();
    session.set_view(view);
    session.state.attention.account = (!account.own).then_some(account.number);
    session.state.selected = Some(Selected {
        view: info.id,
        folder: info.folder,
        read_only: info.read_only,
        exists: info.exists,
        keywords: 0,
        saved: Vec::new(),
    });
    if session.state.enabled.rev2 {
        list::selected(out, &account.tree, node, session.state.enabled.utf8);
    }
    if let Err(refusal) = show(session, &info, out) {
        session.deselect();
        return Err(refusal);
    }
    let access = if info.read_only {
        "READ-ONLY"
    } else {
        "READ-WRITE"
    };
    let command = if selecting.read_only {
        "EXAMINE"
    } else {
        "SELECT"
    };
    let conclusion = format!("[{access}] {command} completed");
    match selecting
        .resync
        .filter(|resync| resync.uid_validity == info.uid_validity)
    {
        Some(resync) => bring_up_to_date(session, tag, &resync, &conclusion, out),
        None => Ok(Completion::Done(conclusion)),
    }
}

fn show(session: &mut Imap, info: &ViewInfo, out: &mut Output) -> Result<(), Refusal> {
    session.load_keywords()?;
    session.show_flags(info.rights, out);
    out.line(&format!("* {} EXISTS", info.exists));
    let rev2 = session.state.enabled.rev2;
    if !rev2 {
        out.line(&format!("* {} RECENT", info.recent));
    }
    if info.first_unseen > 0 && !rev2 && !session.state.enabled.uid_only {
        out.line(&format!(
            "* OK [UNSEEN {}] First unseen message",
            info.first_unseen
        ));
    }
    out.line(&format!(
        "* OK [UIDVALIDITY {}] UIDs are valid",
        info.uid_validity
    ));
    out.line(&format!(
        "* OK [UIDNEXT {}] Predicted next UID",
        info.uid_next
    ));
    // RFC 7162 section 3.1.2.1: never 0.
    out.line(&format!(
        "* OK [HIGHESTMODSEQ {}] Highest mod-sequence",
        info.highest_modseq.max(1)
    ));
    let id = object_id::mailbox(&session.selected_guid()?, info.folder);
    out.line(&format!("* OK [MAILBOXID ({id})] The id of this mailbox"));
    Ok(())
}

/// RFC 7162 section 3.2.5: what vanished, and what changed, since the client looked last.
fn bring_up_to_date(
    session: &mut Imap,
    tag: &str,
    resync: &QuickResync,
    conclusion: &str,
    out: &mut Output,
) -> Answer {
    let all = SequenceSet::Ranges(vec![(1, STAR)]);
    let targets = session.targets(resync.known_uids.as_ref().unwrap_or(&all), true)?;
    tell_vanished(session, &targets.selection(), resync.modseq, out)?;
    let changes = fetch::Changes {
        targets,
        since: resync.modseq,
    };
    Ok(fetch::tell_changed(session, tag, changes, conclusion, out))
}

/// `* VANISHED (EARLIER) 41,43:116`
pub(super) fn tell_vanished(
    session: &mut Imap,
    selection: &waxwing_sdk::store::Selection,
    since: u64,
    out: &mut Output,
) -> Result<(), Refusal> {
    let gone = session.view()?.vanished(selection, since)?;
    if !gone.is_empty() {
        out.text().extend_from_slice(b"* VANISHED (EARLIER) ");
        spans::set(out.text(), gone.iter().map(|span| (span.first, span.last)));
        out.line("");
    }
    Ok(())
}
