//! STATUS (RFC 9051 section 6.3.11, RFC 7162, RFC 8438, RFC 7889, RFC 8474, RFC 9208).

use waxwing_sdk::store::{Mailbox, folders::Folder};

use super::quota;
use crate::names::MailboxName;
use crate::parse::StatusItem;
use crate::render::{object_id, text};
use crate::rights;
use crate::session::{Answer, Completion, Imap, Output, Refusal};

pub(super) fn run(
    session: &mut Imap,
    mailbox: &MailboxName,
    items: &[StatusItem],
    out: &mut Output,
) -> Answer {
    let account = session.account_of(mailbox)?;
    let Some(node) = account.tree.selectable(mailbox) else {
        return Err(Refusal::no("[NONEXISTENT] There is no such mailbox"));
    };
    if !rights::is_readable(node.folder.rights) {
        return Err(Refusal::no("[NOPERM] You may not read this mailbox"));
    }
    if items.contains(&StatusItem::HighestModSeq) {
        session.enable_condstore(out)?;
    }
    let utf8 = session.state.enabled.utf8;
    let described = Described {
        name: mailbox,
        folder: &node.folder,
        mailbox: &account.mailbox,
    };
    described.line(out.text(), items, utf8)?;
    Ok(Completion::text("STATUS completed"))
}

/// A mailbox whose status is told.
pub(super) struct Described<'a> {
    pub(super) name: &'a MailboxName,
    pub(super) folder: &'a Folder,
    /// The store that it is in.
    pub(super) mailbox: &'a Mailbox,
}

impl Described<'_> {
    /// `* STATUS name (MESSAGES 3 …)`
    pub(super) fn line(
        &self,
        out: &mut Vec<u8>,
        items: &[StatusItem],
        utf8: bool,
    ) -> Result<(), Refusal> {
        let values: Result<Vec<String>, Refusal> =
            items.iter().map(|item| self.value(*item)).collect();
        let values = values?.join(" ");
        out.extend_from_slice(b"* STATUS ");
        text::astring(out, &self.name.to_wire(utf8), utf8);
        out.extend_from_slice(format!(" ({values})\r\n").as_bytes());
        Ok(())
    }

    fn value(&self, item: StatusItem) -> Result<String, Refusal> {
        let folder = self.folder;
        Ok(match item {
            StatusItem::Messages => format!("MESSAGES {}", folder.items),
            StatusItem::Recent => format!("RECENT {}", folder.recent),
            StatusItem::UidNext => format!("UIDNEXT {}", folder.uid_next),
            StatusItem::UidValidity => format!("UIDVALIDITY {}", folder.uid_validity),
            StatusItem::Unseen => format!("UNSEEN {}", folder.unread),
            StatusItem::Deleted => format!("DELETED {}", folder.deleted),
            StatusItem::DeletedStorage => format!(
                "DELETED-STORAGE {}",
                quota::deleted_storage(self.mailbox, folder)?
            ),
            StatusItem::Size => format!("SIZE {}", folder.size),
            StatusItem::HighestModSeq => format!("HIGHESTMODSEQ {}", folder.highest_modseq),
            StatusItem::AppendLimit => format!("APPENDLIMIT {}", super::append::limit()),
            StatusItem::MailboxId => {
                let id = object_id::mailbox(&self.mailbox.guid(), folder.id);
                format!("MAILBOXID ({id})")
            }
        })
    }
}
