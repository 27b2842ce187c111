//! What stands in an object: checked when it comes, and told to the store with it.
//!
//! iCalendar and vCard are read by `waxwing-formats-ical` and `waxwing-formats-vcard`; here their errors become the preconditions of
//! CalDAV and CardDAV, and what they say becomes what the store and other protocols want to know.

pub(crate) mod calendar;
pub(crate) mod card;

use waxwing_formats_ical::contentline::Limits;
use waxwing_formats_mapi::{PropertyTag, tags};
use waxwing_sdk::store::objects::{Occurrences, TimeRange};
use waxwing_sdk::store::{Property, Value};

use crate::answer::Refusal;
use crate::kind::Kind;
use crate::limits::{MAX_LINES, MAX_OBJECT};
use crate::place::Shelf;
use crate::xml::Name;

/// Octets of a text that other protocols see.
const MAX_TEXT: usize = 4096;

/// What bounds a source: what passes it finds room in an instance's memory, also when a part of it is asked for.
fn bounded(usual: Limits) -> Limits {
    Limits {
        size: usize::try_from(MAX_OBJECT).unwrap_or(usize::MAX),
        lines: MAX_LINES,
        ..usual
    }
}

/// The precondition for what is too large.
pub(crate) fn too_large(shelf: Shelf) -> Refusal {
    let name = match shelf {
        Shelf::Calendars => Name::caldav("max-resource-size"),
        Shelf::AddressBooks => Name::carddav("max-resource-size"),
    };
    Refusal::forbidden(
        name,
        format!("limit max-resource-size = {MAX_OBJECT} reached"),
    )
}

/// Refuses a media type that is none of the collection's. Clients that name none, or only "octets", are taken at their word.
pub(crate) fn check_media_type(shelf: Shelf, media: Option<&str>) -> Result<(), Refusal> {
    let Some(media) = media else {
        return Ok(());
    };
    let (ours, condition) = match shelf {
        Shelf::Calendars => ("text/calendar", Name::caldav("supported-calendar-data")),
        Shelf::AddressBooks => ("text/vcard", Name::carddav("supported-address-data")),
    };
    let old = shelf == Shelf::AddressBooks && matches!(media, "text/x-vcard" | "text/directory");
    let unsaid = matches!(
        media,
        "application/octet-stream" | "text/plain" | "application/x-www-form-urlencoded"
    );
    if media == ours || old || unsaid {
        return Ok(());
    }
    Err(Refusal::forbidden(
        condition,
        format!("{media} is not {ours}"),
    ))
}

fn text(tag: PropertyTag, text: &str) -> Property {
    let mut text = text.to_owned();
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    Property {
        tag: tag.0,
        value: Value::Text(text),
    }
}

/// PtypTime of seconds since 1970.
fn time(tag: PropertyTag, seconds: i64) -> Property {
    const BETWEEN_1601_AND_1970: i64 = 11_644_473_600;
    let since_1601 = seconds.saturating_add(BETWEEN_1601_AND_1970).max(0);
    Property {
        tag: tag.0,
        value: Value::Time(since_1601.cast_unsigned().saturating_mul(10_000_000)),
    }
}

/// [MS-OXCMSG]: the message class under which other protocols know it.
fn message_class(kind: Kind) -> Property {
    let class = match kind {
        Kind::ToDo => "IPM.Task",
        Kind::Journal => "IPM.Activity",
        Kind::Card => "IPM.Contact",
        Kind::Event | Kind::FreeBusy | Kind::Availability => "IPM.Appointment",
    };
    text(tags::MESSAGE_CLASS, class)
}

/// What has no time.
fn timeless() -> Occurrences {
    Occurrences {
        ranges: Vec::new(),
        horizon: None,
    }
}

/// What may be at any time.
fn always() -> Occurrences {
    Occurrences {
        ranges: vec![TimeRange {
            first: i64::MIN,
            last: i64::MAX,
        }],
        horizon: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_the_collections_or_says_nothing() {
        let check = |shelf, media| check_media_type(shelf, Some(media)).is_ok();
        assert!(check(Shelf::Calendars, "text/calendar"));
        assert!(check(Shelf::Calendars, "application/octet-stream"));
        assert!(!check(Shelf::Calendars, "text/vcard"));
        assert!(!check(Shelf::Calendars, "application/calendar+json"));
        assert!(check(Shelf::AddressBooks, "text/x-vcard"));
        assert!(!check(Shelf::AddressBooks, "text/calendar"));
        assert!(check_media_type(Shelf::Calendars, None).is_ok());
    }
}
