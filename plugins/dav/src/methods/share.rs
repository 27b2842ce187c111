//! POST of a `CS:share`: the owner of a collection invites people to it, or takes it from them.

use waxwing_formats_mapi::Rights;
use waxwing_sdk::scheduling;

use super::put::{denied, now};
use crate::answer::{Answer, Refusal};
use crate::catalog::Purpose;
use crate::chance;
use crate::place::Place;
use crate::property::Privilege;
use crate::sharing::access::{self, Access};
use crate::sharing::invites::{self, Invite, Status};
use crate::sharing::member;
use crate::visit::{Opened, Visit};
use crate::xml::{Element, ns};

/// People of one request.
const MAX_PEOPLE: usize = 200;

/// What is asked for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Set(Set),
    /// The href.
    Remove(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Set {
    href: String,
    common_name: String,
    summary: String,
    access: Access,
}

/// Whether a body is one.
pub(super) fn is_share(body: &Element) -> bool {
    body.name.is(ns::CALENDARSERVER, "share")
}

pub(super) fn answer(visit: &Visit, opened: &Opened, body: &Element) -> Result<Answer, Refusal> {
    let collection = &opened.collection;
    if !collection.rights().contains(Rights::FOLDER_OWNER) {
        let path = Place::Collection(collection.place.clone()).path();
        let text = "only an owner shares a collection";
        return Err(Refusal::needs(&path, &Privilege::WriteAcl.name(), text));
    }
    if collection.purpose() != Purpose::Objects {
        return Err(Refusal::new(403, "inbox and outbox are nobody else's"));
    }
    for change in changes(body)? {
        match change {
            Change::Set(set) => invite(visit, opened, set)?,
            Change::Remove(href) => uninvite(opened, &href)?,
        }
    }
    Ok(Answer::new(200))
}

fn changes(body: &Element) -> Result<Vec<Change>, Refusal> {
    let wrong = || {
        Refusal::new(
            400,
            "a CS:share holds CS:set and CS:remove, each with an href",
        )
    };
    let mut changes = Vec::new();
    for element in body.children() {
        let href = element.child(ns::DAV, "href").map(Element::text);
        let href = href.map(|href| href.trim().to_owned());
        let href = href.filter(|href| !href.is_empty()).ok_or_else(wrong)?;
        let own = |name: &str| element.child(ns::CALENDARSERVER, name);
        let text = |name: &str| own(name).map(|inner| invites::text(&inner.text()));
        changes.push(match &*element.name.local {
            "set" => Change::Set(Set {
                href,
                common_name: text("common-name").unwrap_or_default(),
                summary: text("summary").unwrap_or_default(),
                access: match own("read-write").or_else(|| own("read-write-schedule")) {
                    Some(_) => Access::ReadWrite,
                    None => Access::Read,
                },
            }),
            "remove" => Change::Remove(href),
            _ => return Err(wrong()),
        });
    }
    if changes.len() > MAX_PEOPLE {
        return Err(Refusal::new(
            400,
            format!("limit people of one CS:share = {MAX_PEOPLE} reached"),
        ));
    }
    Ok(changes)
}

fn invite(visit: &Visit, opened: &Opened, set: Set) -> Result<(), Refusal> {
    let folder = opened.collection.folder.id;
    let owner = &opened.collection.place.owner;
    let found = member(&set.href).filter(|member| member != owner && *member != visit.address);
    let address = found.clone().unwrap_or_else(|| said(&set.href));
    let before = invites::get(&opened.mailbox, (&address, folder))?;
    if before.is_none() {
        invites::demand_room(&opened.mailbox, *owner == visit.address)?;
    }
    let status = match &found {
        None => Status::Invalid,
        Some(member) => status(opened, (member, before.as_ref()))?,
    };
    let summary = match set.summary.is_empty() {
        true => opened.collection.folder.name.clone(),
        false => set.summary,
    };
    // Rights first: an invitation without them could not be found.
    if let Some(member) = found {
        access::change(&opened.mailbox, folder, (&[(member, set.access)], &[]))
            .map_err(|fault| denied(fault, opened))?;
    }
    let invite = Invite {
        uid: before.map_or_else(chance::name, |before| before.uid),
        address,
        folder,
        common_name: set.common_name,
        summary,
        access: set.access,
        status,
        stamp: now(),
        is_dismissed: false,
    };
    invites::put(&opened.mailbox, &invite)
}

/// Who has it already is not asked again, and a group is asked nothing: nobody could answer for it.
fn status(opened: &Opened, (member, before): (&str, Option<&Invite>)) -> Result<Status, Refusal> {
    if let Some(before) = before {
        return Ok(match before.status {
            // Invited anew.
            Status::Declined | Status::Invalid => Status::NoResponse,
            other => other,
        });
    }
    let people = access::people(&opened.mailbox, opened.collection.folder.id)?;
    let kinds = scheduling::kinds(&[format!("mailto:{member}")])?;
    let is_group = kinds.first().is_some_and(|kind| kind == "GROUP");
    let is_there = people.iter().any(|(known, _)| known == member);
    Ok(match is_group || is_there {
        true => Status::Accepted,
        false => Status::NoResponse,
    })
}

/// The address as it was written.
fn said(href: &str) -> String {
    let address = href.split_once(':').map_or(href, |(_, address)| address);
    address.to_lowercase()
}

fn uninvite(opened: &Opened, href: &str) -> Result<(), Refusal> {
    let folder = opened.collection.folder.id;
    let address = member(href).unwrap_or_else(|| said(href));
    access::change(
        &opened.mailbox,
        folder,
        (&[], std::slice::from_ref(&address)),
    )
    .map_err(|fault| denied(fault, opened))?;
    Ok(invites::remove(&opened.mailbox, (&address, folder))?)
}

/// As [`super::read_any`].
pub(super) fn read_any(body: &Element) {
    let _ = changes(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_says_who_may_do_what_and_who_no_more() {
        let read = |inner: &str| {
            let body = format!(
                "<share xmlns='http://calendarserver.org/ns/' xmlns:D='DAV:'>{inner}</share>"
            );
            changes(&crate::xml::read(body.as_bytes()).unwrap())
        };
        let set = "<set><D:href>mailto:b@c</D:href><summary>Work</summary><read-write/></set>";
        let found = read(&format!(
            "{set}<remove><D:href>mailto:d@e</D:href></remove>"
        ))
        .unwrap();
        let expected = Set {
            href: "mailto:b@c".into(),
            common_name: String::new(),
            summary: "Work".into(),
            access: Access::ReadWrite,
        };
        assert_eq!(
            found,
            [Change::Set(expected), Change::Remove("mailto:d@e".into())]
        );
        assert!(read("<set/>").is_err() && read("<x><D:href>a</D:href></x>").is_err());
        assert_eq!(said("mailto:A@B"), "a@b");
    }
}
