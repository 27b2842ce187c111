//! GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208). A store is one quota root, called as what stands above its mailboxes: nothing for
//! the own; it is there while the store has a limit. Limits are the administrator's: SETQUOTA is refused, so QUOTASET is not offered.

use waxwing_sdk::store::{
    ItemFlags, Query, Selection, Span, View,
    folders::Folder,
    mailboxes::{self, Mailbox, Quota},
    views,
};

use crate::names::MailboxName;
use crate::render::text;
use crate::rights;
use crate::session::{Account, Answer, Completion, Imap, Output, Refusal};

/// RFC 9208 section 5.1: STORAGE counts units of 1024 octets.
const UNIT: u64 = 1024;

pub(super) fn get(session: &mut Imap, root: &[u8], out: &mut Output) -> Answer {
    let missing = || Refusal::no("[NONEXISTENT] There is no such quota root");
    let utf8 = session.state.enabled.utf8;
    let name = MailboxName::from_wire(root, utf8).ok_or_else(missing)?;
    let account = session.account_of(&name).map_err(|_| missing())?;
    let quota = mailboxes::quota_of(&account.mailbox)?;
    if account.above.as_deref().unwrap_or_default() != name.as_str() || resources(&quota).is_empty()
    {
        return Err(missing());
    }
    show(&account, &quota, utf8, out);
    Ok(Completion::text("GETQUOTA completed"))
}

pub(super) fn get_root(session: &mut Imap, mailbox: &MailboxName, out: &mut Output) -> Answer {
    let account = session.account_of(mailbox)?;
    let Some(node) = account.tree.selectable(mailbox) else {
        return Err(Refusal::no("[NONEXISTENT] There is no such mailbox"));
    };
    if !rights::is_readable(node.folder.rights) {
        return Err(Refusal::no("[NOPERM] You may not read this mailbox"));
    }
    let quota = mailboxes::quota_of(&account.mailbox)?;
    let utf8 = session.state.enabled.utf8;
    let is_root = !resources(&quota).is_empty();
    out.text().extend_from_slice(b"* QUOTAROOT ");
    text::astring(out.text(), &mailbox.to_wire(utf8), utf8);
    if is_root {
        out.text().push(b' ');
        root(&account, utf8, out);
    }
    out.line("");
    if is_root {
        show(&account, &quota, utf8, out);
    }
    Ok(Completion::text("GETQUOTAROOT completed"))
}

pub(super) fn set() -> Answer {
    Err(Refusal::no(
        "[NOPERM] Quotas are the administrator's to change",
    ))
}

fn show(account: &Account, quota: &Quota, utf8: bool, out: &mut Output) {
    out.text().extend_from_slice(b"* QUOTA ");
    root(account, utf8, out);
    out.line(&format!(" ({})", resources(quota)));
}

/// The name above an account's mailboxes: nothing above the own.
fn root(account: &Account, utf8: bool, out: &mut Output) {
    let above = MailboxName::new(account.above.as_deref().unwrap_or_default());
    text::astring(out.text(), &above.to_wire(utf8), utf8);
}

fn resources(quota: &Quota) -> String {
    let storage = quota.storage_limit.map(|limit| {
        let used = quota.storage_used.div_ceil(UNIT);
        format!("STORAGE {used} {}", limit / UNIT)
    });
    let messages = quota
        .messages_limit
        .map(|limit| format!("MESSAGE {} {limit}", quota.messages_used));
    let resources: Vec<String> = storage.into_iter().chain(messages).collect();
    resources.join(" ")
}

/// What an EXPUNGE would free (RFC 9208 section 4.1.4), in octets.
pub(super) fn deleted_storage(mailbox: &Mailbox, folder: &Folder) -> Result<u64, Refusal> {
    if folder.deleted == 0 {
        return Ok(0);
    }
    let view = views::open(mailbox, folder.id, true)?;
    let octets = deleted_octets(&view);
    view.close();
    octets
}

fn deleted_octets(view: &View) -> Result<u64, Refusal> {
    let (mut octets, mut after) = (0, Some(0));
    while let Some(behind) = after {
        let all = Span {
            first: 1,
            last: u32::MAX,
        };
        let page = view.fetch_table(&Query {
            selection: Selection::Uids(vec![all]),
            columns: 0,
            tags: Vec::new(),
            changed_since: None,
            after: behind,
            limit: u32::MAX,
        })?;
        let deleted = page
            .rows
            .rows()
            .filter(|row| (row.flags & ItemFlags::DELETED) == ItemFlags::DELETED);
        octets += deleted.map(|row| row.size).sum::<u64>();
        after = page.next;
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(storage_limit: Option<u64>, messages_limit: Option<u64>) -> Quota {
        Quota {
            storage_used: 1025,
            storage_limit,
            messages_used: 3,
            messages_limit,
        }
    }

    #[test]
    fn storage_is_told_in_units_and_never_as_less_than_it_is() {
        let both = quota(Some(10 * 1024), Some(5));
        assert_eq!(resources(&both), "STORAGE 2 10 MESSAGE 3 5");
    }

    #[test]
    fn what_has_no_limit_is_not_a_resource() {
        assert_eq!(resources(&quota(None, Some(5))), "MESSAGE 3 5");
        assert_eq!(resources(&quota(None, None)), "");
    }
}
