//! SETACL and DELETEACL (RFC 4314 sections 3.1 and 3.2).

use waxwing_sdk::store::permissions::{self, Entry};

use super::{Subject, member};
use crate::rights::{self, RightsChange};
use crate::session::{Answer, Completion, Refusal};

pub(super) fn set(subject: &Subject<'_>, identifier: &str, change: &RightsChange) -> Answer {
    demand_owner(subject)?;
    let member = member(identifier)?;
    demand_other(subject, &member)?;
    let mut entries = permissions::get(&subject.store, subject.folder.id)?;
    let mut known = entries.iter_mut();
    match known.find(|entry| entry.member.eq_ignore_ascii_case(&member)) {
        Some(entry) => entry.rights = change.apply(entry.rights),
        None => entries.push(Entry {
            member,
            rights: change.apply(0),
        }),
    }
    permissions::set(&subject.store, subject.folder.id, &entries)?;
    Ok(Completion::text("SETACL completed"))
}

/// An identifier that is nobody's any more can still be taken out.
pub(super) fn delete(subject: &Subject<'_>, identifier: &str) -> Answer {
    demand_owner(subject)?;
    let member = member(identifier).unwrap_or_else(|_| identifier.to_owned());
    demand_other(subject, &member)?;
    let mut entries = permissions::get(&subject.store, subject.folder.id)?;
    entries.retain(|entry| !entry.member.eq_ignore_ascii_case(&member));
    permissions::set(&subject.store, subject.folder.id, &entries)?;
    Ok(Completion::text("DELETEACL completed"))
}

/// Before anybody is looked up: who may give no rights learns nothing of who is there.
fn demand_owner(subject: &Subject<'_>) -> Result<(), Refusal> {
    match rights::is_owner(subject.folder.rights) {
        true => Ok(()),
        false => Err(Refusal::no("[NOPERM] Permission denied")),
    }
}

fn demand_other(subject: &Subject<'_>, member: &str) -> Result<(), Refusal> {
    match subject.is_owner(member) {
        true => Err(Refusal::no(
            "[CANNOT] The owner has all rights, and they are not changed",
        )),
        false => Ok(()),
    }
}
