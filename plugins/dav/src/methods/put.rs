//! PUT: an object under a name that the client chose. It is stored octet for octet, so the answer may tell its entity tag.

use waxwing_sdk::bodies::{self, Body};
use waxwing_sdk::fault::{Fault, FaultClass};
use waxwing_sdk::store::objects::{self, Object, Outcome};

use crate::answer::{Answer, Content, Refusal};
use crate::content;
use crate::kind::Kind;
use crate::limits::MAX_OBJECT;
use crate::lock::{Change, demand};
use crate::place::{CollectionPlace, Place, Shelf};
use crate::property::Privilege;
use crate::request::Request;
use crate::scheduling::{Wanted, row};
use crate::visit::{Opened, Visit};
use crate::xml::Name;

pub(in crate::methods) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    let (place, name) = match &request.place {
        Some(Place::Object(place, name)) => (place, name),
        Some(_) => {
            return Err(Refusal::new(405, "objects are put into collections")
                .header("allow", super::options::ALLOW));
        }
        // RFC 4918 section 9.7.1.
        None => return Err(Refusal::new(409, "there is no such collection")),
    };
    let opened = parent(visit, place)?;
    let wanted = wanted(request, &opened, name)?;
    demand((request, visit), &opened, Change::Put(name))?;
    let stored = store(request, &opened, (name, &wanted))?;
    let status = if stored.created { 201 } else { 204 };
    let answer = |status| stored.tags(Answer::new(status));
    match request.body() {
        Some(body) if request.wants_representation() && !stored.changed => {
            let media = Kind::of_code(stored.object.kind).map(Kind::media_type);
            Ok(answer(if stored.created { 201 } else { 200 })
                .header("preference-applied", "return=representation")
                .header("content-type", media.unwrap_or_default())
                .content(Content::Stored(body.dup())))
        }
        _ => Ok(answer(status)),
    }
}

/// The collection of an object that is to be made: when there is none, that is a conflict.
pub(in crate::methods) fn parent(
    visit: &Visit,
    place: &CollectionPlace,
) -> Result<Opened, Refusal> {
    visit.open(place).map_err(|refusal| match refusal.status {
        404 => refusal.status(409),
        _ => refusal,
    })
}

/// What was put.
pub(crate) struct Stored {
    pub(crate) object: Object,
    pub(crate) created: bool,
    /// It is not what the client put, which therefore must not take it for that.
    pub(crate) changed: bool,
}

impl Stored {
    /// Tells the tags of what is there now.
    pub(in crate::methods) fn tags(&self, answer: Answer) -> Answer {
        let quoted = |tag: &str| format!("\"{tag}\"");
        let answer = match &self.object.schedule_tag {
            Some(tag) => answer.header("schedule-tag", quoted(tag)),
            None => answer,
        };
        match self.changed {
            // RFC 4791 section 5.3.4.
            true => answer,
            false => answer.header("etag", quoted(&self.object.etag)),
        }
    }
}

/// What a request wants to find. When it does not, it is refused here already.
pub(in crate::methods) fn wanted(
    request: &Request,
    opened: &Opened,
    name: &str,
) -> Result<Wanted, Refusal> {
    let wanted = Wanted {
        etags: request.condition()?,
        schedule_tag: request.schedule_tag().map(str::to_owned),
    };
    if wanted.schedule_tag.is_some() && !wanted.holds(row(opened, name)?.as_ref()) {
        return Err(Refusal::new(412, "it is not as the request says"));
    }
    Ok(wanted)
}

/// Puts the body of a request into a collection.
pub(in crate::methods) fn store(
    request: &Request,
    opened: &Opened,
    (name, wanted): (&str, &Wanted),
) -> Result<Stored, Refusal> {
    let shelf = opened.collection.place.shelf;
    content::check_media_type(shelf, request.media_type().as_deref())?;
    let body = request.body().ok_or_else(|| empty(shelf))?;
    put(opened, (name, wanted), body)
}

/// Puts a source into a collection.
pub(in crate::methods) fn put(
    opened: &Opened,
    (name, wanted): (&str, &Wanted),
    body: &Body,
) -> Result<Stored, Refusal> {
    let shelf = opened.collection.place.shelf;
    if body.size() > MAX_OBJECT {
        return Err(content::too_large(shelf));
    }
    let octets = bodies::read_all(body, MAX_OBJECT)?;
    if shelf == Shelf::Calendars {
        let object = content::calendar::admitted(&opened.collection, &octets)?;
        return crate::scheduling::put(opened, (name, wanted), (body, object));
    }
    let facts = content::card::facts(&octets)?;
    let at = objects::Place {
        folder: opened.collection.folder.id,
        name: name.to_owned(),
    };
    let outcome = objects::put(&opened.mailbox, &at, &wanted.etags, body, &facts)
        .map_err(|fault| denied(fault, opened))?;
    stored(outcome, opened)
}

/// What a put has come to.
pub(crate) fn stored(outcome: Outcome, opened: &Opened) -> Result<Stored, Refusal> {
    let (object, created) = match outcome {
        Outcome::Created(object) => (object, true),
        Outcome::Replaced(object) => (object, false),
        other => return Err(failed(other, opened)),
    };
    Ok(Stored {
        object,
        created,
        changed: false,
    })
}

fn empty(shelf: Shelf) -> Refusal {
    let name = match shelf {
        Shelf::Calendars => Name::caldav("valid-calendar-data"),
        Shelf::AddressBooks => Name::carddav("valid-address-data"),
    };
    Refusal::forbidden(name, "the body is empty")
}

/// What a change that did not happen is called.
pub(crate) fn failed(outcome: Outcome, opened: &Opened) -> Refusal {
    match outcome {
        Outcome::UidTaken(name) => {
            let place = opened.collection.place.clone();
            let condition = match place.shelf {
                Shelf::Calendars => Name::caldav("no-uid-conflict"),
                Shelf::AddressBooks => Name::carddav("no-uid-conflict"),
            };
            Refusal::conflict(
                condition,
                "the UID belongs to another object of the collection",
            )
            .about(&Place::Object(place, name).path())
        }
        _ => Refusal::new(412, "it is not as the request says"),
    }
}

/// A missing right, with its name.
pub(crate) fn denied(fault: Fault, opened: &Opened) -> Refusal {
    if fault.class != FaultClass::Denied {
        return fault.into();
    }
    let path = Place::Collection(opened.collection.place.clone()).path();
    Refusal::needs(&path, &Privilege::Write.name(), fault.detail)
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
