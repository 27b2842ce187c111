//! Calendar objects (RFC 4791 section 4.1).

use waxwing_formats_ical::free_busy::FreeBusy;
use waxwing_formats_ical::{Error, Index, Limits, Object, Zone};
use waxwing_formats_mapi::PropertyTag;
use waxwing_sdk::store::objects::{Facts, Occurrences, Scheduling, TimeRange};

use super::{always, bounded, message_class, text, time};
use crate::answer::Refusal;
use crate::catalog::Collection;
use crate::kind::Kind;
use crate::limits::{HORIZON, MAX_INDEXED};
use crate::xml::{Name, ns};

/// PidTagSubject.
use waxwing_formats_mapi::tags::SUBJECT;
/// PidTagStartDate ([MS-OXOCAL] 2.2.1.30).
const START_DATE: PropertyTag = PropertyTag(0x0060_0040);
/// PidTagEndDate ([MS-OXOCAL] 2.2.1.31).
const END_DATE: PropertyTag = PropertyTag(0x0061_0040);

/// What the error of a source breaks.
pub(crate) fn refusal(error: &Error) -> Refusal {
    let condition = Name::caldav(error.precondition().element());
    Refusal::forbidden(condition, error.to_string())
}

/// The occurrences of an object up to a horizon. A rule that costs too much to follow may be at any time.
pub(crate) fn occurrences(object: &Object, horizon: i64) -> Occurrences {
    let Ok(Index {
        spans,
        complete_until,
    }) = object.index(&Zone::UTC, horizon, MAX_INDEXED)
    else {
        return always();
    };
    let range = |span: &waxwing_formats_ical::Range| TimeRange {
        first: span.start,
        last: span.end,
    };
    Occurrences {
        ranges: spans.iter().map(range).collect(),
        horizon: complete_until,
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
    Ok(object)
}

/// What the store has to know of an object.
pub(crate) fn facts_of(object: &Object, now: i64, scheduling: Scheduling) -> Facts {
    let kind = Kind::of_ical(object.kind());
    let mut properties = vec![message_class(kind)];
    if let Some(summary) = object.summary() {
        properties.push(text(SUBJECT, &summary));
    }
    let occurrences = occurrences(object, now.saturating_add(HORIZON));
    if let Some(first) = occurrences
        .ranges
        .first()
        .filter(|range| range.first > i64::MIN)
    {
        properties.push(time(START_DATE, first.first));
    }
    if let Some(last) = occurrences
        .ranges
        .last()
        .filter(|range| range.last < i64::MAX)
    {
        properties.push(time(END_DATE, last.last));
    }
    Facts {
        kind: kind as u32,
        uid: object.uid().to_owned(),
        properties,
        occurrences,
        scheduling,
    }
}

/// The zone of dates and floating times in a collection: what it was given to keep, else UTC.
pub(crate) fn default_zone(collection: &Collection) -> Zone {
    let id = collection.kept.tree(&Name::caldav("calendar-timezone-id"));
    let named = id.and_then(|id| Zone::named(id.text().trim()));
    let given = || {
        let zone = collection.kept.tree(&Name::caldav("calendar-timezone"))?;
        zone_of(&zone.text())
    };
    named.or_else(given).unwrap_or(Zone::UTC)
}

/// The zone of a VCALENDAR that holds a VTIMEZONE.
pub(crate) fn zone_of(text: &str) -> Option<Zone> {
    let limits = waxwing_formats_ical::Limits::default().text;
    let calendar = waxwing_formats_ical::Calendar::parse(text.as_bytes(), &limits).ok()?;
    let zone = calendar.component().components_of("VTIMEZONE").next()?;
    Some(Zone::of_component(zone))
}

/// Names whose value is a VCALENDAR with a VTIMEZONE.
pub(crate) fn is_zone(name: &Name) -> bool {
    name.is(ns::CALDAV, "calendar-timezone")
}

/// Whether a text is a VCALENDAR that says when somebody is available, and can be counted.
pub(crate) fn is_availability(text: &str) -> bool {
    let limits = waxwing_formats_ical::Limits::default().text;
    let Ok(calendar) = waxwing_formats_ical::Calendar::parse(text.trim().as_bytes(), &limits)
    else {
        return false;
    };
    let day = waxwing_formats_ical::Range::new(0, 86_400);
    let mut busy = FreeBusy::new(day, MAX_INDEXED);
    let mut all = calendar.component().components_of("VAVAILABILITY");
    all.next().is_some() && busy.add_availability(&calendar, &Zone::UTC).is_ok()
}
