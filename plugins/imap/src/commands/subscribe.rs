//! SUBSCRIBE and UNSUBSCRIBE (RFC 9051 sections 6.3.7 and 6.3.8). A subscription is a name, which may outlive its mailbox;
//! names of other people's mailboxes are kept with the own.

use waxwing_sdk::store::folders;

use crate::names::MailboxName;
use crate::session::{Answer, Completion, Imap, Refusal};

pub(super) fn run(session: &mut Imap, mailbox: &MailboxName, on: bool) -> Answer {
    let name = mailbox.trimmed();
    if on && session.account_of(&name)?.tree.find(&name).is_none() {
        return Err(Refusal::no("[NONEXISTENT] There is no such mailbox"));
    }
    folders::subscribe(session.mailbox()?, name.as_str(), on)?;
    Ok(Completion::text(if on {
        "SUBSCRIBE completed"
    } else {
        "UNSUBSCRIBE completed"
    }))
}
