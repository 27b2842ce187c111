//! `free-busy-query` (RFC 4791 section 7.10): when somebody is busy, and nothing of with what.

use waxwing_formats_ical::free_busy::FreeBusy;
use waxwing_formats_ical::{Calendar, Error, Kind as CalendarKind, Limits, Zone};

use super::calendar_query::{Further, occurring, parsed};
use super::data;
use crate::answer::{Answer, Content, Refusal};
use crate::content::calendar;
use crate::limits::MAX_INSTANCES;

use crate::methods::put::now;
use crate::paging::{Cursor, PAGE_OBJECTS};
use crate::place::CollectionPlace;
use crate::visit::Visit;
use crate::xml::{Element, Name, ns};

pub(super) fn answer(
    visit: &Visit,
    place: &CollectionPlace,
    body: &Element,
) -> Result<Answer, Refusal> {
    let opened = visit.open(place)?;
    let range = body
        .child(ns::CALDAV, "time-range")
        .ok_or_else(|| Refusal::new(400, "a free-busy-query has a time-range"))?;
    let range = data::range(range)?;
    if range.start == i64::MIN || range.end == i64::MAX {
        return Err(Refusal::new(
            400,
            "the time-range of a free-busy-query has both ends",
        ));
    }
    let zone = calendar::default_zone(&opened.collection);
    let found = occurring(&opened, range, Cursor::default())?;
    let mut busy = FreeBusy::new(range, MAX_INSTANCES);
    let mut hours = Vec::new();
    let mut further = Further::new(&opened, Some(range));
    let unsure = found.unsure;
    let rest = found.page.sources(&opened, |object, source| {
        if let Some(parsed) = parsed(&object.name, source) {
            if unsure.contains(&object.item) {
                further.note(object, &parsed)?;
            }
            match parsed.kind() {
                CalendarKind::Availability => hours.extend(calendar_of(source, &zone)),
                _ => counted(busy.add(&parsed, &zone))?,
            }
        }
        Ok(false)
    })?;
    if rest.is_some() {
        return Err(too_much(format!(
            "limit objects of a free-busy time = {PAGE_OBJECTS} reached"
        )));
    }
    further.finish()?;
    let passed_over = busy.add_readable_availability(&hours);
    for error in passed_over.map_err(|error| too_much(error.to_string()))? {
        counted(Err(error))?;
    }
    let mut tree = Calendar::new().component().clone();
    tree.components.push(busy.to_component(now()));
    Ok(Answer::new(200)
        .header("content-type", "text/calendar; charset=utf-8")
        .content(Content::Octets(tree.to_text().into_bytes())))
}

/// An object as a calendar, with the zone of what has none in it.
fn calendar_of(source: &[u8], zone: &Zone) -> Option<(Calendar, Zone)> {
    let calendar = Calendar::parse(source, &Limits::default().text).ok()?;
    Some((calendar, zone.clone()))
}

/// What cannot be read takes no time that anybody could tell.
fn counted(added: Result<(), Error>) -> Result<(), Refusal> {
    match added {
        Ok(()) => Ok(()),
        Err(error @ Error::Limit { .. }) => Err(too_much(error.to_string())),
        Err(error) => {
            waxwing_sdk::warning!(
                "something in a calendar cannot be counted and takes no time: {error}"
            );
            Ok(())
        }
    }
}

/// It is one answer or none: half a busy time would be a free one.
fn too_much(why: String) -> Refusal {
    Refusal::forbidden(Name::dav("number-of-matches-within-limits"), why)
}
