//! Calendar objects (RFC 4791 section 4.1).

use waxwing_formats_ical::facts::MAX_INDEXED;
use waxwing_formats_ical::free_busy::FreeBusy;
use waxwing_formats_ical::{Calendar, Error, Index, Limits, Object, Range, Zone, contentline};
use waxwing_sdk::store::objects::{Facts, Occurrences, Scheduling, TimeRange};

use super::{bounded, property};
use crate::answer::Refusal;
use crate::catalog::Collection;
use crate::kind::Kind;
use crate::xml::{Name, ns};

/// What the error of a source breaks.
pub(crate) fn refusal(error: &Error) -> Refusal {
    let condition = Name::caldav(error.precondition().element());
    Refusal::forbidden(condition, error.to_string())
}

/// The occurrences of an object, as the store keeps them.
pub(crate) fn occurrences(index: &Index) -> Occurrences {
    let range = |span: &Range| TimeRange {
        first: span.start,
        last: span.end,
    };
    Occurrences {
        ranges: index.spans.iter().map(range).collect(),
        horizon: index.complete_until,
    }
}

/// An object that a collection takes.
pub(crate) fn admitted(collection: &Collection, octets: &[u8]) -> Result<Object, Refusal> {
    let usual = Limits::default();
    let limits = Limits {
        text: bounded(usual.text),
        ..usual
    };
    let object = Object::parse_within(octets, &limits).map_err(|error| refusal(&error))?;
    let kind = Kind::of_ical(object.kind());
    if !collection.kinds.has(kind) {
        return Err(Refusal::forbidden(
            Name::caldav("supported-calendar-component"),
            format!("this calendar does not take {}", kind.component()),
        ));
    }
    if object.kind() == waxwing_formats_ical::Kind::Availability {
        check_availability(octets, &limits.text).map_err(|error| refusal(&error))?;
    }
    Ok(object)
}

/// What the store has to know of an object.
pub(crate) fn facts_of(object: &Object, now: i64, scheduling: Scheduling) -> Facts {
    let known = object.facts(now);
    Facts {
        kind: Kind::of_ical(object.kind()) as u32,
        uid: object.uid().to_owned(),
        occurrences: occurrences(&known.index),
        properties: known.properties.into_iter().map(property).collect(),
        scheduling,
    }
}

/// The zone of dates and floating times in a collection: what it was given to keep, else UTC.
pub(crate) fn default_zone(collection: &Collection) -> Zone {
    let text = collection.kept.zone();
    text.and_then(|text| Zone::of_text(&text))
        .unwrap_or(Zone::UTC)
}

/// Names whose value is a VCALENDAR with a VTIMEZONE.
pub(crate) fn is_zone(name: &Name) -> bool {
    name.is(ns::CALDAV, "calendar-timezone")
}

/// Whether a text is a VCALENDAR that says when somebody is available, and can be counted.
pub(crate) fn is_availability(text: &str) -> bool {
    let checked = check_availability(text.trim().as_bytes(), &Limits::default().text);
    checked.is_ok_and(|components| components > 0)
}

/// Counts the hours of a day: whoever asks for somebody's time finds no fault in them then. The answer is how many components say them.
fn check_availability(octets: &[u8], limits: &contentline::Limits) -> Result<usize, Error> {
    let calendar = Calendar::parse(octets, limits)?;
    let components = calendar.component().components_of("VAVAILABILITY").count();
    let mut busy = FreeBusy::new(Range::new(0, 86_400), MAX_INDEXED);
    busy.add_availability(&[(calendar, Zone::UTC)])?;
    Ok(components)
}
