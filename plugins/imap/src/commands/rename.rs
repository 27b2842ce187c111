//! RENAME (RFC 9051 section 6.3.6). INBOX stays: its messages move to the new mailbox.

use waxwing_sdk::store::{Selection, Span, folders, views};

use super::create;
use crate::names::{MailboxName, SEPARATOR};
use crate::session::{Account, Answer, Completion, Imap, Refusal};

pub(super) fn run(session: &mut Imap, from: &MailboxName, to: &MailboxName) -> Answer {
    let (from, to) = (from.trimmed(), to.trimmed());
    let account = session.account_of(&from)?;
    let Some(node) = account.tree.find(&from) else {
        return Err(Refusal::no("[NONEXISTENT] There is no such mailbox"));
    };
    if session.account_of(&to)?.number != account.number {
        return Err(Refusal::no(
            "[CANNOT] A mailbox stays in its account; create one there and move the messages",
        ));
    }
    if account.tree.find(&to).is_some() {
        return Err(Refusal::no(
            "[ALREADYEXISTS] A mailbox of the new name exists already",
        ));
    }
    if from.is_inbox() {
        empty_inbox(&account, node.folder.id, &to)?;
        return Ok(Completion::text("RENAME completed, messages were moved"));
    }
    let below = format!("{}{SEPARATOR}", from.as_str());
    if to.as_str().starts_with(&below) {
        return Err(Refusal::no(
            "[CANNOT] A mailbox cannot be moved below itself",
        ));
    }
    let id = node.folder.id;
    let parent = create::parents(&account, &to)?;
    folders::move_(&account.mailbox, id, parent, to.split().1)?;
    Ok(Completion::text("RENAME completed"))
}

fn empty_inbox(account: &Account, inbox: u64, to: &MailboxName) -> Result<(), Refusal> {
    let target = create::create_with_parents(account, to, 0)?;
    let view = views::open(&account.mailbox, inbox, false)?;
    let last = view.info().exists;
    let moved = match last {
        0 => Ok(()),
        _ => view
            .move_(&Selection::Positions(vec![Span { first: 1, last }]), target)
            .map(|_| ()),
    };
    view.close();
    Ok(moved?)
}
