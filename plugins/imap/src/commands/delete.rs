//! DELETE (RFC 9051 section 6.3.5).

use waxwing_sdk::store::folders;

use super::metadata;
use crate::names::MailboxName;
use crate::session::{Answer, Completion, Imap, Output, Refusal};

pub(super) fn run(session: &mut Imap, mailbox: &MailboxName, out: &mut Output) -> Answer {
    let account = session.account_of(mailbox)?;
    let Some(node) = account.tree.selectable(&mailbox.trimmed()) else {
        return Err(Refusal::no("[NONEXISTENT] There is no such mailbox"));
    };
    if node.folder.role != 0 {
        return Err(Refusal::no(
            "[CANNOT] This mailbox is needed and cannot be deleted",
        ));
    }
    if node.has_children {
        return Err(Refusal::no("[HASCHILDREN] The mailbox has others below it"));
    }
    let id = node.folder.id;
    let of_account = session.selected_account() == Some(account.number);
    let selected = session.state.selected.as_ref();
    let selected = of_account && selected.is_some_and(|selected| selected.folder == id);
    folders::delete(&account.mailbox, id)?;
    if account.own {
        metadata::forget(session, id)?;
    }
    if selected {
        session.deselect();
        out.line("* OK [CLOSED] The selected mailbox was deleted");
    }
    Ok(Completion::text("DELETE completed"))
}
