//! GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 sections 3.3 to 3.5).

use waxwing_sdk::store::permissions;

use super::{Subject, begin, identifier, member, my_rights};
use crate::render::text;
use crate::rights;
use crate::session::{Answer, Completion, Output, Refusal};

/// All rights.
const OWNER: u32 = 0x1DFB;

pub(super) fn acl(subject: &Subject<'_>, utf8: bool, out: &mut Output) -> Answer {
    let mut entries = permissions::get(&subject.store, subject.folder.id)?;
    entries.sort_by(|one, other| one.member.cmp(&other.member));
    begin(out, "ACL", subject.name, utf8);
    text::astring(out.text(), &subject.store.address(), utf8);
    out.text().push(b' ');
    out.text()
        .extend_from_slice(rights::letters(OWNER).as_bytes());
    for entry in entries
        .iter()
        .filter(|entry| !subject.is_owner(&entry.member))
    {
        out.text().push(b' ');
        text::astring(out.text(), identifier(entry), utf8);
        out.text().push(b' ');
        text::astring(out.text(), &rights::letters(entry.rights), utf8);
    }
    out.line("");
    Ok(Completion::text("GETACL completed"))
}

pub(super) fn list(
    subject: &Subject<'_>,
    identifier: &str,
    utf8: bool,
    out: &mut Output,
) -> Answer {
    if !rights::is_owner(subject.folder.rights) {
        return Err(Refusal::no("[NOPERM] Permission denied"));
    }
    let member = member(identifier)?;
    begin(out, "LISTRIGHTS", subject.name, utf8);
    text::astring(out.text(), identifier, utf8);
    let (required, optional) = match subject.is_owner(&member) {
        true => (rights::letters(OWNER), &[][..]),
        false => (String::new(), &rights::TIED[..]),
    };
    out.text().push(b' ');
    text::astring(out.text(), &required, utf8);
    for tied in optional {
        out.text().extend_from_slice(format!(" {tied}").as_bytes());
    }
    out.line("");
    Ok(Completion::text("LISTRIGHTS completed"))
}

pub(super) fn mine(subject: &Subject<'_>, utf8: bool, out: &mut Output) -> Answer {
    my_rights(out, subject.name, subject.folder.rights, utf8);
    Ok(Completion::text("MYRIGHTS completed"))
}
