//! The rights of mailboxes (RFC 4314). The store keeps them and holds to them ([`crate::rights`]); here they are read and changed.
//!
//! The owner's rights are no entry and cannot be changed; `anyone` is everybody who is logged in. There are no negative rights: an entry
//! without rights, which SETACL with `""` makes, keeps its user from what groups and `anyone` have.

mod get;
mod set;

use std::rc::Rc;

use waxwing_sdk::accounts::sharing;
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::{Mailbox, folders::Folder, permissions::Entry};

use crate::names::MailboxName;
use crate::parse::AclRequest;
use crate::render::text;
use crate::rights;
use crate::session::{Answer, Imap, Output, Refusal};

/// Of everybody: in IMAP, and in the store.
const EVERYBODY: (&str, &str) = ("anyone", "default");

/// The mailbox that a command is about.
struct Subject<'a> {
    name: &'a MailboxName,
    store: Rc<Mailbox>,
    folder: Folder,
}

pub(super) fn run(
    session: &mut Imap,
    name: &MailboxName,
    request: AclRequest,
    out: &mut Output,
) -> Answer {
    let utf8 = session.state.enabled.utf8;
    let account = session.account_of(name)?;
    let node = account
        .tree
        .selectable(name)
        .ok_or_else(|| Refusal::no("[NONEXISTENT] There is no such mailbox"))?;
    let subject = Subject {
        name,
        folder: node.folder.clone(),
        store: account.mailbox,
    };
    match request {
        AclRequest::Get => get::acl(&subject, utf8, out),
        AclRequest::ListRights { identifier } => get::list(&subject, &identifier, utf8, out),
        AclRequest::MyRights => get::mine(&subject, utf8, out),
        AclRequest::Set { identifier, change } => set::set(&subject, &identifier, &change),
        AclRequest::Delete { identifier } => set::delete(&subject, &identifier),
    }
}

/// `* MYRIGHTS INBOX lrswipkxteacd`
pub(super) fn my_rights(out: &mut Output, name: &MailboxName, bits: u32, utf8: bool) {
    begin(out, "MYRIGHTS", name, utf8);
    let letters = rights::letters(bits);
    text::astring(out.text(), &letters, utf8);
    out.line("");
}

/// `* ACL INBOX `
fn begin(out: &mut Output, word: &str, name: &MailboxName, utf8: bool) {
    out.text()
        .extend_from_slice(format!("* {word} ").as_bytes());
    text::astring(out.text(), &name.to_wire(utf8), utf8);
    out.text().push(b' ');
}

impl Subject<'_> {
    fn is_owner(&self, member: &str) -> bool {
        self.store.address().eq_ignore_ascii_case(member)
    }
}

/// How the store names an identifier.
fn member(identifier: &str) -> Result<String, Refusal> {
    if identifier == EVERYBODY.0 {
        return Ok(EVERYBODY.1.to_owned());
    }
    if identifier.starts_with('-') {
        return Err(Refusal::no(
            "[CANNOT] There are no negative rights; SETACL with \"\" keeps somebody out",
        ));
    }
    sharing::member(identifier).map_err(|fault| match fault.class {
        FaultClass::NotFound | FaultClass::Invalid => {
            Refusal::no("[NONEXISTENT] There is no such user or group")
        }
        _ => Refusal::from(fault),
    })
}

fn identifier(entry: &Entry) -> &str {
    match entry.member == EVERYBODY.1 {
        true => EVERYBODY.0,
        false => &entry.member,
    }
}
