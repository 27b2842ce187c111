//! `calendar-data` and `address-data`: what of an object is to be in the answer. Wanted whole, it goes as it was put.

use waxwing_formats_ical::{
    Object, Range, Zone,
    data::{CalendarData, Comp, Prop, Recurrence},
};
use waxwing_formats_vcard::{AddressData, Card, Prop as CardProp, Version};

use crate::answer::Refusal;
use crate::content::{calendar, card};
use crate::limits::MAX_INSTANCES;
use crate::visit::Opened;
use crate::xml::{Element, Name, ns};

/// Elements in elements of `comp`.
const MAX_NESTING: usize = 8;

/// What is wanted of each object.
pub(super) enum Data {
    Calendar(CalendarData, Zone),
    Card(AddressData),
}

impl Data {
    /// What the `prop` of a report wants; none when it wants no data.
    pub(super) fn asked(body: &Element, opened: &Opened) -> Result<Option<Data>, Refusal> {
        let Some(prop) = body.child(ns::DAV, "prop") else {
            return Ok(None);
        };
        if let Some(element) = prop.child(ns::CALDAV, "calendar-data") {
            demand(
                element,
                ("text/calendar", &["2.0"]),
                "supported-calendar-data",
            )?;
            let zone = zone(body)?.unwrap_or_else(|| calendar::default_zone(&opened.collection));
            return Ok(Some(Data::Calendar(calendar_data(element)?, zone)));
        }
        if let Some(element) = prop.child(ns::CARDDAV, "address-data") {
            demand(
                element,
                ("text/vcard", &["3.0", "4.0"]),
                "supported-address-data",
            )?;
            return Ok(Some(Data::Card(address_data(element)?)));
        }
        Ok(None)
    }

    /// That of one object.
    pub(super) fn of(&self, source: &[u8]) -> Result<String, Refusal> {
        match self {
            Data::Calendar(wanted, _) if wanted.is_whole() => Ok(whole(source)),
            Data::Calendar(wanted, zone) => {
                let object = Object::parse(source).map_err(|error| calendar::refusal(&error))?;
                let tree = wanted.apply(&object, zone, MAX_INSTANCES);
                Ok(tree.map_err(|error| calendar::refusal(&error))?.to_text())
            }
            Data::Card(wanted) => {
                let parsed = Card::parse(source).map_err(|error| card::refusal(&error))?;
                if wanted.is_whole(&parsed) {
                    return Ok(whole(source));
                }
                Ok(wanted.apply(&parsed).to_text())
            }
        }
    }
}

fn whole(source: &[u8]) -> String {
    String::from_utf8_lossy(source).into_owned()
}

/// Refuses a type or version that we do not have.
fn demand(
    element: &Element,
    (media, versions): (&str, &[&str]),
    condition: &'static str,
) -> Result<(), Refusal> {
    let media_is = element
        .attribute("content-type")
        .is_none_or(|asked| asked.eq_ignore_ascii_case(media));
    let version_is = element
        .attribute("version")
        .is_none_or(|asked| versions.contains(&asked));
    if media_is && version_is {
        return Ok(());
    }
    let name = match media {
        "text/calendar" => Name::caldav(condition),
        _ => Name::carddav(condition),
    };
    Err(Refusal::forbidden(
        name,
        format!("data are {media} of versions {versions:?}"),
    ))
}

/// The zone that a query names: `timezone` or `timezone-id` (RFC 7809 section 5.1).
pub(super) fn zone(body: &Element) -> Result<Option<Zone>, Refusal> {
    if let Some(id) = body.child(ns::CALDAV, "timezone-id") {
        let named = Zone::named(id.text().trim());
        let unknown = || {
            Refusal::forbidden(
                Name::caldav("valid-timezone"),
                "this time zone is not known",
            )
        };
        return named.map(Some).ok_or_else(unknown);
    }
    let Some(zone) = body.child(ns::CALDAV, "timezone") else {
        return Ok(None);
    };
    let wrong = || {
        Refusal::forbidden(
            Name::caldav("valid-calendar-data"),
            "timezone is a VCALENDAR with one VTIMEZONE",
        )
    };
    Zone::of_calendar(&zone.text()).map(Some).ok_or_else(wrong)
}

/// `start` and `end` of an element.
pub(super) fn range(element: &Element) -> Result<Range, Refusal> {
    Range::of_attributes(element.attribute("start"), element.attribute("end"))
        .map_err(|error| Refusal::forbidden(Name::caldav("valid-filter"), error.to_string()))
}

fn calendar_data(element: &Element) -> Result<CalendarData, Refusal> {
    let recurrence = if let Some(expand) = element.child(ns::CALDAV, "expand") {
        Some(Recurrence::Expand(range(expand)?))
    } else if let Some(limit) = element.child(ns::CALDAV, "limit-recurrence-set") {
        Some(Recurrence::Limit(range(limit)?))
    } else {
        None
    };
    Ok(CalendarData {
        components: element
            .child(ns::CALDAV, "comp")
            .map(|comp| component(comp, 0))
            .transpose()?,
        recurrence,
        free_busy: element
            .child(ns::CALDAV, "limit-freebusy-set")
            .map(range)
            .transpose()?,
    })
}

fn component(element: &Element, depth: usize) -> Result<Comp, Refusal> {
    if depth >= MAX_NESTING {
        return Err(Refusal::new(
            400,
            format!("comp nests deeper than {MAX_NESTING}"),
        ));
    }
    let properties: Vec<Prop> = element
        .all(ns::CALDAV, "prop")
        .filter_map(|prop| {
            Some(Prop {
                name: prop.attribute("name")?.to_owned(),
                no_value: prop.attribute("novalue") == Some("yes"),
            })
        })
        .collect();
    let inner = element
        .all(ns::CALDAV, "comp")
        .map(|comp| component(comp, depth + 1));
    let inner = inner.collect::<Result<Vec<_>, _>>()?;
    let all = |name: &str| element.child(ns::CALDAV, name).is_some();
    Ok(Comp {
        name: element.attribute("name").unwrap_or("VCALENDAR").to_owned(),
        properties: (!all("allprop")).then_some(properties),
        components: (!all("allcomp")).then_some(inner),
    })
}

fn address_data(element: &Element) -> Result<AddressData, Refusal> {
    // RFC 6352 section 10.4.2: who names no version reads 3.0.
    let version = Version::of_name(element.attribute("version").unwrap_or("3.0"));
    let properties: Vec<CardProp> = element
        .all(ns::CARDDAV, "prop")
        .filter_map(|prop| {
            Some(CardProp {
                name: prop.attribute("name")?.to_owned(),
                no_value: prop.attribute("novalue") == Some("yes"),
            })
        })
        .collect();
    let some = element.child(ns::CARDDAV, "allprop").is_none() && !properties.is_empty();
    Ok(AddressData {
        version,
        properties: some.then_some(properties),
    })
}
