//! CREATE (RFC 9051 section 6.3.4), with special uses (RFC 6154 section 3).

use waxwing_sdk::store::folders;

use super::list::SPECIAL_USES;
use crate::names::{MailboxName, Realm, SEPARATOR, Tree};
use crate::render::object_id;
use crate::session::{Account, Answer, Completion, Imap, Refusal};

pub(super) fn run(session: &mut Imap, mailbox: &MailboxName, special_use: &[String]) -> Answer {
    let name = mailbox.trimmed();
    if is_above_accounts(&name) {
        return Err(Refusal::no("[NOPERM] Nothing is created there"));
    }
    let account = session.account_of(&name)?;
    let found = account.tree.find(&name);
    if found.is_some_and(|node| node.selectable) {
        return Err(Refusal::no("[ALREADYEXISTS] The mailbox exists already"));
    }
    if !account.own && !special_use.is_empty() {
        return Err(Refusal::no(
            "[USEATTR] Special uses are of the own mailboxes",
        ));
    }
    let role = role(&account.tree, special_use)?;
    let folder = create_with_parents(&account, &name, role)?;
    let id = object_id::mailbox(&account.mailbox.guid(), folder);
    Ok(Completion::Done(format!(
        "[MAILBOXID ({id})] CREATE completed"
    )))
}

/// A mailbox has one special use at the most, and a special use one mailbox.
fn role(tree: &Tree, special_use: &[String]) -> Result<u32, Refusal> {
    let wanted = match special_use {
        [] => return Ok(0),
        [wanted] => wanted,
        _ => {
            return Err(Refusal::no(
                "[USEATTR] A mailbox has one special use at the most",
            ));
        }
    };
    let known = SPECIAL_USES.iter().find(|(_, name)| {
        name.strip_prefix('\\')
            .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
    });
    let (role, _) = known.ok_or_else(|| Refusal::no("[USEATTR] There is no such special use"))?;
    match tree.nodes().iter().any(|node| node.folder.role == *role) {
        true => Err(Refusal::no(
            "[USEATTR] Another mailbox has this special use",
        )),
        false => Ok(*role),
    }
}

/// Creates a mailbox, and those above it that do not exist.
pub(super) fn create_with_parents(
    account: &Account,
    name: &MailboxName,
    role: u32,
) -> Result<u64, Refusal> {
    let parent = parents(account, name)?;
    let (_, last) = name.split();
    Ok(folders::create(&account.mailbox, parent, last, "IPF.Note", role)?.id)
}

/// A namespace, or the account itself in that of other users.
fn is_above_accounts(name: &MailboxName) -> bool {
    let levels = name.as_str().matches(SEPARATOR).count();
    match name.realm() {
        Realm::Personal => false,
        Realm::Public => levels == 0,
        Realm::OtherUsers(_) => levels <= 1,
    }
}

/// The id of the mailbox above, which is created with all above it where it does not exist.
pub(super) fn parents(account: &Account, name: &MailboxName) -> Result<Option<u64>, Refusal> {
    if !name.is_well_formed() {
        return Err(Refusal::no("[CANNOT] A name on the way is empty"));
    }
    let mut missing = Vec::new();
    let mut above = name.split().0;
    let mut parent = None;
    while let Some(at) = above {
        if let Some(node) = account.tree.find(&at) {
            parent = Some(node.folder.id);
            break;
        }
        if is_above_accounts(&at) {
            break;
        }
        above = at.split().0;
        missing.push(at);
    }
    for at in missing.iter().rev() {
        let (_, last) = at.split();
        demand_parent(account, parent)?;
        parent = Some(folders::create(&account.mailbox, parent, last, "IPF.Note", 0)?.id);
    }
    demand_parent(account, parent)?;
    Ok(parent)
}

/// Where an account begins only its owner creates mailboxes.
fn demand_parent(account: &Account, parent: Option<u64>) -> Result<(), Refusal> {
    match account.own || parent.is_some() {
        true => Ok(()),
        false => Err(Refusal::no(
            "[NOPERM] Only below a mailbox of this account others can be created",
        )),
    }
}
