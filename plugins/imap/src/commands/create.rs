//! CREATE (RFC 9051 section 6.3.4), with special uses (RFC 6154 section 3).

use waxwing_sdk::store::folders;

use super::list::SPECIAL_USES;
use crate::names::{MailboxName, Tree};
use crate::render::object_id;
use crate::session::{Answer, Completion, Imap, Refusal};

pub(super) fn run(session: &mut Imap, mailbox: &MailboxName, special_use: &[String]) -> Answer {
    let name = mailbox.trimmed();
    let tree = session.tree()?;
    if tree.find(&name).is_some_and(|node| node.selectable) {
        return Err(Refusal::no("[ALREADYEXISTS] The mailbox exists already"));
    }
    let role = role(&tree, special_use)?;
    let folder = create_with_parents(session, &tree, &name, role)?;
    let id = object_id::mailbox(&session.mailbox()?.guid(), folder);
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
    session: &mut Imap,
    tree: &Tree,
    name: &MailboxName,
    role: u32,
) -> Result<u64, Refusal> {
    let parent = parents(session, tree, name)?;
    let (_, last) = name.split();
    Ok(folders::create(session.mailbox()?, parent, last, "IPF.Note", role)?.id)
}

/// The id of the mailbox above, which is created with all above it where it does not exist.
pub(super) fn parents(
    session: &mut Imap,
    tree: &Tree,
    name: &MailboxName,
) -> Result<Option<u64>, Refusal> {
    if !name.is_well_formed() {
        return Err(Refusal::no("[CANNOT] A name on the way is empty"));
    }
    let mut missing = Vec::new();
    let mut above = name.split().0;
    let mut parent = None;
    while let Some(at) = above {
        if let Some(node) = tree.find(&at) {
            parent = Some(node.folder.id);
            break;
        }
        above = at.split().0;
        missing.push(at);
    }
    for at in missing.iter().rev() {
        let (_, last) = at.split();
        parent = Some(folders::create(session.mailbox()?, parent, last, "IPF.Note", 0)?.id);
    }
    Ok(parent)
}
