//! ACL (RFC 3744 section 8.1): the permissions of a collection, replaced whole. The owner's own stay.

use waxwing_formats_mapi::Rights;
use waxwing_sdk::store::permissions::{self, Entry};

use super::propfind::principal;
use super::put::denied;
use crate::answer::{Answer, Refusal};
use crate::lock::{Change, demand};
use crate::place::Place;
use crate::property::acl::{EVERYBODY, granted, rights_of};
use crate::request::Request;
use crate::visit::Visit;
use crate::xml::{Element, Name, ns};

/// Entries of one list.
const MAX_ENTRIES: usize = 500;

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    let Some(Place::Collection(place)) = &request.place else {
        return Err(Refusal::new(
            403,
            "permissions are those of calendars and address books",
        ));
    };
    let body = request.xml()?.filter(|body| body.name.is(ns::DAV, "acl"));
    let body = body.ok_or_else(|| Refusal::new(400, "the body of ACL is a DAV:acl"))?;
    let opened = visit.open(place)?;
    demand((request, visit), &opened, Change::Permissions)?;
    let mut entries: Vec<Entry> = Vec::new();
    for ace in body.all(ns::DAV, "ace") {
        if entries.len() >= MAX_ENTRIES {
            return Err(Refusal::forbidden(
                Name::dav("limited-number-of-aces"),
                format!("limit entries of a list = {MAX_ENTRIES} reached"),
            ));
        }
        let Some(member) = member(visit, ace, &place.owner)? else {
            continue;
        };
        let rights = rights(ace)?.bits();
        match entries.iter_mut().find(|entry| entry.member == member) {
            Some(entry) => entry.rights |= rights,
            None => entries.push(Entry { member, rights }),
        }
    }
    permissions::set(&opened.mailbox, opened.collection.folder.id, &entries)
        .map_err(|fault| denied(fault, &opened))?;
    Ok(Answer::new(200))
}

/// Whom an entry is about; none for the owner, whose rights no entry changes.
fn member(visit: &Visit, ace: &Element, owner: &str) -> Result<Option<String>, Refusal> {
    if ace.child(ns::DAV, "invert").is_some() {
        return Err(Refusal::forbidden(
            Name::dav("no-invert"),
            "everybody but somebody cannot be said",
        ));
    }
    let who = ace
        .child(ns::DAV, "principal")
        .and_then(|principal| principal.children().next())
        .ok_or_else(|| Refusal::new(400, "an ace has a principal"))?;
    match (&*who.name.ns, &*who.name.local) {
        (ns::DAV, "authenticated" | "all") => Ok(Some(EVERYBODY.to_owned())),
        (ns::DAV, "property") if who.child(ns::DAV, "owner").is_some() => Ok(None),
        (ns::DAV, "href") => match Place::of_href(&who.text()) {
            Some(Place::Principal(address)) if address == owner => Ok(None),
            Some(Place::Principal(address)) => match principal(visit, &address) {
                Ok(_) => Ok(Some(address)),
                Err(_) => Err(Refusal::forbidden(
                    Name::dav("recognized-principal"),
                    "there is nobody of this address",
                )),
            },
            _ => Err(Refusal::forbidden(
                Name::dav("recognized-principal"),
                "this is no principal of this server",
            )),
        },
        _ => Err(Refusal::forbidden(
            Name::dav("allowed-principal"),
            "entries are for people of this server, or for everybody who is logged in",
        )),
    }
}

fn rights(ace: &Element) -> Result<Rights, Refusal> {
    if ace.child(ns::DAV, "deny").is_some() {
        return Err(Refusal::forbidden(
            Name::dav("grant-only"),
            "rights are granted, never denied",
        ));
    }
    let mut rights = Rights::empty();
    for privilege in ace.all(ns::DAV, "grant").flat_map(granted) {
        rights |= rights_of(privilege).ok_or_else(|| {
            Refusal::forbidden(
                Name::dav("not-supported-privilege"),
                format!("there is no privilege {}", privilege.local),
            )
        })?;
    }
    Ok(rights)
}
