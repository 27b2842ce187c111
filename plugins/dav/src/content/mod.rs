//! What stands in an object: checked when it comes, and told to the store with it.
//!
//! iCalendar and vCard are read by `waxwing-formats-ical` and `waxwing-formats-vcard`; here their errors become the preconditions of
//! CalDAV and CardDAV, and what they say becomes what the store and other protocols want to know.

pub(crate) mod calendar;
pub(crate) mod card;

use waxwing_formats_ical::contentline::Limits;
use waxwing_formats_mapi::PropertyTag;
use waxwing_sdk::store::objects::Occurrences;
use waxwing_sdk::store::{Property, Value};

use crate::answer::Refusal;
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

/// A property as the store takes it. Facts of objects are texts and times.
fn property(property: waxwing_formats_mapi::Property) -> Property {
    use waxwing_formats_mapi::Value as Fact;
    Property {
        tag: property.tag.0,
        value: match property.value {
            Fact::Time(ticks) => Value::Time(ticks),
            other => Value::Text(other.as_text().unwrap_or_default().to_owned()),
        },
    }
}

fn text(tag: PropertyTag, text: &str) -> Property {
    let mut text = text.to_owned();
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    Property {
        tag: tag.0,
        value: Value::Text(text),
    }
}

/// What has no time.
fn timeless() -> Occurrences {
    Occurrences {
        ranges: Vec::new(),
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
