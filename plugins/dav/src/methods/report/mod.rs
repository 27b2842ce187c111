//! REPORT: one file for each.

mod calendar_query;
mod card_query;
mod data;
mod expand_property;
mod filter;
mod free_busy;
mod multiget;
mod principals;
mod sync;

use waxwing_sdk::store::objects::Object;

use crate::answer::{Answer, Refusal};
use crate::place::{CollectionPlace, Place, Shelf};
use crate::property::{Asked, Multistatus, ObjectView};
use crate::request::Request;
use crate::visit::{Opened, Visit};
use crate::xml::{Element, Name, ns};

use data::Data;

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    let place = request.place.as_ref().ok_or_else(Refusal::not_found)?;
    let body = request
        .xml()?
        .ok_or_else(|| Refusal::new(400, "a REPORT has a body"))?;
    let name = (&*body.name.ns, &*body.name.local);
    match name {
        (ns::DAV, "expand-property") => expand_property::answer((request, visit), place, &body),
        (ns::DAV, "principal-match") => principals::matching((request, visit), &body),
        (ns::DAV, "principal-property-search") => principals::search((request, visit), &body),
        (ns::DAV, "principal-search-property-set") => Ok(principals::searchable()),
        (ns::DAV, "acl-principal-prop-set") => principals::of_acl((request, visit), place, &body),
        (ns::DAV, "sync-collection") => sync::answer((request, visit), &collection(place)?, &body),
        (ns::CALDAV, "calendar-multiget") => {
            multiget::answer((request, visit), &shelved(place, Shelf::Calendars)?, &body)
        }
        (ns::CARDDAV, "addressbook-multiget") => multiget::answer(
            (request, visit),
            &shelved(place, Shelf::AddressBooks)?,
            &body,
        ),
        (ns::CALDAV, "calendar-query") => {
            calendar_query::answer((request, visit), &shelved(place, Shelf::Calendars)?, &body)
        }
        (ns::CARDDAV, "addressbook-query") => card_query::answer(
            (request, visit),
            &shelved(place, Shelf::AddressBooks)?,
            &body,
        ),
        (ns::CALDAV, "free-busy-query") => {
            free_busy::answer(visit, &shelved(place, Shelf::Calendars)?, &body)
        }
        // RFC 3253 section 3.6.
        _ => Err(Refusal::forbidden(
            Name::dav("supported-report"),
            format!("the report {} is not served", body.name.local),
        )),
    }
}

/// As [`crate::read_any`], of what reports read.
pub(in crate::methods) fn read_any(body: &Element) {
    let _ = filter::of_calendar(body);
    let _ = filter::of_cards(body);
    let _ = data::zone(body);
    let _ = wanted(body, ns::DAV);
    let _ = expand_property::read(body);
}

/// The collection that a report is about.
fn collection(place: &Place) -> Result<CollectionPlace, Refusal> {
    match place {
        Place::Collection(place) => Ok(place.clone()),
        _ => Err(Refusal::forbidden(
            Name::dav("supported-report"),
            "this report is for calendars and address books",
        )),
    }
}

/// The collection of a kind; an object stands for the one that it is in, as a query of depth 0 may be about it.
fn shelved(place: &Place, shelf: Shelf) -> Result<CollectionPlace, Refusal> {
    let place = match place {
        Place::Object(place, _) => place.clone(),
        other => collection(other)?,
    };
    if place.shelf == shelf {
        return Ok(place);
    }
    Err(Refusal::forbidden(
        Name::dav("supported-report"),
        "this report is for the other kind of collection",
    ))
}

/// What a report answers about objects, up to the limit of an answer.
struct Objects<'v> {
    visit: &'v Visit,
    opened: &'v Opened,
    asked: Asked,
    data: Option<Data>,
    answer: Multistatus,
}

impl<'v> Objects<'v> {
    fn new(
        (request, visit): (&Request, &'v Visit),
        opened: &'v Opened,
        body: &Element,
    ) -> Result<Objects<'v>, Refusal> {
        let asked = Asked::of(body)?.unwrap_or(Asked::These(Vec::new()));
        Ok(Objects {
            visit,
            opened,
            data: Data::asked(body, opened)?,
            asked,
            answer: Multistatus::page(request),
        })
    }

    fn wants_data(&self) -> bool {
        self.data.is_some()
    }

    fn path(&self, name: &str) -> String {
        Place::Object(self.opened.collection.place.clone(), name.to_owned()).path()
    }

    /// Whether the page is full.
    fn is_full(&self) -> bool {
        self.answer.is_full()
    }

    /// Tells of an object, with its data when they are asked for. The source is then needed.
    fn tell(&mut self, object: &Object, source: Option<&[u8]>) {
        let data = match (&self.data, source) {
            (Some(data), Some(source)) => match data.of(source) {
                Ok(text) => Some(text),
                Err(refusal) => {
                    let path = self.path(&object.name);
                    self.answer.status(&path, refusal.status, Some(&refusal));
                    return;
                }
            },
            _ => None,
        };
        let view = ObjectView {
            visit: self.visit,
            opened: self.opened,
            object,
            data: data.as_deref(),
        };
        self.answer.describe(&view, &self.asked);
    }

    /// There is no such object.
    fn missing(&mut self, name: &str) {
        let path = self.path(name);
        self.answer.status(&path, 404, None);
    }

    /// There is more than was told: RFC 6578 section 3.6, RFC 6352 section 8.6.1.
    fn truncated(&mut self) {
        let path = Place::Collection(self.opened.collection.place.clone()).path();
        let refusal = Refusal::new(507, "there is more")
            .condition(Name::dav("number-of-matches-within-limits"));
        self.answer.status(&path, 507, Some(&refusal));
    }
}

/// `limit/nresults` (RFC 5323 section 5.17, RFC 6352 section 10.6).
fn wanted(body: &Element, ns: &str) -> Result<Option<u32>, Refusal> {
    let Some(limit) = body.child(ns, "limit") else {
        return Ok(None);
    };
    let number = limit
        .child(ns, "nresults")
        .and_then(|number| number.text().trim().parse().ok())
        .filter(|number| *number > 0);
    number
        .map(Some)
        .ok_or_else(|| Refusal::new(400, "limit holds nresults, a number above 0"))
}
