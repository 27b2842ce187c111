//! COPY and MOVE of objects. Within a mailbox it is one commit; between mailboxes it is put there first and then deleted here, so that
//! nothing can be lost in between.

use waxwing_sdk::store::objects::{self, Condition, Transfer};

use super::put::{Stored, denied, parent, put, stored, wanted};
use crate::answer::{Answer, Refusal};
use crate::kind::Kind;
use crate::lock::{Change, demand};
use crate::place::{CollectionPlace, Place, Shelf};
use crate::request::Request;
use crate::scheduling::Replaced;
use crate::visit::{Opened, Visit};
use crate::xml::Name;

pub(super) fn copy(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    transfer(request, visit, true)
}

pub(super) fn move_to(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    transfer(request, visit, false)
}

struct Ends<'r> {
    from: (Opened, &'r str),
    to: (Opened, String),
}

fn transfer(request: &Request, visit: &Visit, copy: bool) -> Result<Answer, Refusal> {
    let (at, name) = match &request.place {
        Some(Place::Object(at, name)) => (at, name.as_str()),
        Some(_) => return Err(Refusal::new(403, "only objects are copied and moved")),
        None => return Err(Refusal::not_found()),
    };
    let Place::Object(target, new_name) = request.destination()? else {
        return Err(Refusal::new(
            403,
            "an object is copied and moved into collections",
        ));
    };
    if (at, name) == (&target, new_name.as_str()) {
        return Err(Refusal::new(403, "it is there already"));
    }
    let ends = Ends {
        from: (visit.open(at)?, name),
        to: (parent(visit, &target)?, new_name),
    };
    wanted(request, &ends.from.0, name)?;
    let (from, to) = (&ends.from.0, &ends.to.0);
    let left = match copy {
        true => None,
        false => Some(demand((request, visit), from, Change::Remove(name))?),
    };
    demand((request, visit), to, Change::Put(&ends.to.1))?;
    let uid = suits(&ends, copy && at.owner == target.owner)?;
    let outcome = if at.owner == target.owner {
        let replaced = Replaced::of(to, (&ends.to.1, &uid))?;
        let outcome = within(&ends, (copy, request.overwrite()))?;
        replaced.tell(to);
        outcome
    } else {
        between(&ends, (copy, request.overwrite()))?
    };
    // A lock stays where it was (RFC 4918 section 7.6), and goes when nothing is there.
    if let Some(locks) = left {
        locks.forget(&from.mailbox, (from.collection.folder.id, Some(name)));
    }
    let status = if outcome.created { 201 } else { 204 };
    Ok(outcome
        .tags(Answer::new(status))
        .header("location", place(&target, &ends.to.1)))
}

fn place(target: &CollectionPlace, name: &str) -> String {
    Place::Object(target.clone(), name.to_owned()).path()
}

fn at(opened: &Opened, name: &str) -> objects::Place {
    objects::Place {
        folder: opened.collection.folder.id,
        name: name.to_owned(),
    }
}

/// Refuses an object that the target does not take; its UID.
fn suits(ends: &Ends<'_>, is_second: bool) -> Result<String, Refusal> {
    let (source, name) = &ends.from;
    let folder = source.collection.folder.id;
    let found = objects::get(&source.mailbox, folder, &[(*name).to_owned()])?;
    let object = found.into_iter().flatten().next();
    let object = object.ok_or_else(Refusal::not_found)?;
    if is_second && object.schedule_tag.is_some() {
        return Err(Refusal::forbidden(
            Name::caldav("unique-scheduling-object-resource"),
            "a meeting is in one of somebody's calendars",
        ));
    }
    let target = &ends.to.0.collection;
    let kind = Kind::of_code(object.kind);
    if kind.is_some_and(|kind| target.kinds.has(kind)) {
        return Ok(object.uid);
    }
    let condition = match (target.place.shelf, kind) {
        (Shelf::AddressBooks, _) => Name::carddav("supported-address-data"),
        (Shelf::Calendars, Some(Kind::Card)) => Name::caldav("supported-calendar-data"),
        (Shelf::Calendars, _) => Name::caldav("supported-calendar-component"),
    };
    Err(Refusal::forbidden(
        condition,
        "the target does not take this",
    ))
}

fn within(ends: &Ends<'_>, (copy, overwrite): (bool, bool)) -> Result<Stored, Refusal> {
    let transfer = Transfer {
        from: at(&ends.from.0, ends.from.1),
        to: at(&ends.to.0, &ends.to.1),
        copy,
        overwrite,
    };
    let outcome = objects::transfer_object(&ends.from.0.mailbox, &transfer)
        .map_err(|fault| denied(fault, &ends.to.0))?;
    stored(outcome, &ends.to.0)
}

fn between(ends: &Ends<'_>, (copy, overwrite): (bool, bool)) -> Result<Stored, Refusal> {
    let from = at(&ends.from.0, ends.from.1);
    let (object, body) = objects::open(&ends.from.0.mailbox, &from)?;
    let condition = if overwrite {
        Condition::Any
    } else {
        Condition::Absent
    };
    let stored = put(&ends.to.0, (&ends.to.1, &condition.into()), &body)?;
    if !copy {
        let unchanged = Condition::OneOf(vec![object.etag]);
        crate::scheduling::remove(&ends.from.0, (ends.from.1, &unchanged.into()), false)?;
    }
    Ok(stored)
}
