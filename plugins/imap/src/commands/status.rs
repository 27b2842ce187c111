//! STATUS (RFC 9051 section 6.3.11, RFC 7162, RFC 8438, RFC 7889, RFC 8474).

use waxwing_sdk::store::folders::Folder;

use crate::names::MailboxName;
use crate::parse::StatusItem;
use crate::render::{object_id, text};
use crate::session::{Answer, Completion, Imap, Output, Refusal};

pub(super) fn run(
    session: &mut Imap,
    mailbox: &MailboxName,
    items: &[StatusItem],
    out: &mut Output,
) -> Answer {
    let tree = session.tree()?;
    let Some(node) = tree.selectable(mailbox) else {
        return Err(Refusal::no("[NONEXISTENT] There is no such mailbox"));
    };
    if items.contains(&StatusItem::HighestModSeq) {
        session.enable_condstore(out)?;
    }
    let described = Described {
        name: mailbox,
        folder: &node.folder,
        guid: &session.mailbox()?.guid(),
    };
    described.line(out.text(), items, session.state.enabled.utf8);
    Ok(Completion::text("STATUS completed"))
}

/// A mailbox whose status is told.
pub(super) struct Described<'a> {
    pub(super) name: &'a MailboxName,
    pub(super) folder: &'a Folder,
    /// Of the store that it is in.
    pub(super) guid: &'a str,
}

impl Described<'_> {
    /// `* STATUS name (MESSAGES 3 …)`
    pub(super) fn line(&self, out: &mut Vec<u8>, items: &[StatusItem], utf8: bool) {
        out.extend_from_slice(b"* STATUS ");
        text::astring(out, &self.name.to_wire(utf8), utf8);
        let values: Vec<String> = items.iter().map(|item| self.value(*item)).collect();
        out.extend_from_slice(format!(" ({})\r\n", values.join(" ")).as_bytes());
    }

    fn value(&self, item: StatusItem) -> String {
        let folder = self.folder;
        match item {
            StatusItem::Messages => format!("MESSAGES {}", folder.items),
            StatusItem::Recent => format!("RECENT {}", folder.recent),
            StatusItem::UidNext => format!("UIDNEXT {}", folder.uid_next),
            StatusItem::UidValidity => format!("UIDVALIDITY {}", folder.uid_validity),
            StatusItem::Unseen => format!("UNSEEN {}", folder.unread),
            StatusItem::Deleted => format!("DELETED {}", folder.deleted),
            StatusItem::Size => format!("SIZE {}", folder.size),
            StatusItem::HighestModSeq => format!("HIGHESTMODSEQ {}", folder.highest_modseq),
            StatusItem::AppendLimit => format!("APPENDLIMIT {}", super::append::limit()),
            StatusItem::MailboxId => {
                format!("MAILBOXID ({})", object_id::mailbox(self.guid, folder.id))
            }
        }
    }
}
