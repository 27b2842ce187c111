//! Time zones: what a TZID means.
//!
//! A name that the IANA database knows means that zone, whatever the VTIMEZONE beside it says: definitions in objects are often cut to a
//! few years or out of date. Any other name means its VTIMEZONE; without one, what Windows or Outlook means by it; and if nobody knows it,
//! the default zone, because an event at a doubtful time is better than none.

mod definition;
mod generate;

use crate::contentline::Component;
use crate::moment::{from_seconds, seconds};
use crate::{Calendar, Form, Limits};
use definition::Definition;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use std::collections::HashMap;
use std::sync::Arc;

/// A place where a clock hangs.
#[derive(Debug, Clone)]
pub struct Zone(Inner);

#[derive(Debug, Clone)]
enum Inner {
    Utc,
    Named(TimeZone),
    Defined(Arc<Definition>),
}

/// What clients put before a name of the database.
const PREFIXES: [&str; 4] = [
    "/freeassociation.sourceforge.net/",
    "/mozilla.org/",
    "/citadel.org/",
    "/softwarestudio.org/",
];

impl Zone {
    /// UTC.
    pub const UTC: Zone = Zone(Inner::Utc);

    /// The zone of a text: a name, or a VCALENDAR (CALDAV:calendar-timezone-id, CALDAV:calendar-timezone).
    pub fn of_text(text: &str) -> Option<Zone> {
        Zone::named(text).or_else(|| Zone::of_calendar(text))
    }

    /// The zone of a VCALENDAR that holds a VTIMEZONE.
    pub fn of_calendar(text: &str) -> Option<Zone> {
        let limits = Limits::default().text;
        let calendar = Calendar::parse(text.trim().as_bytes(), &limits).ok()?;
        let zone = calendar.component().components_of("VTIMEZONE").next()?;
        Some(Zone::of_component(zone))
    }

    /// The zone of a name: of the database, of Windows, of Outlook's ids, or of the database behind a client's prefix.
    pub fn named(name: &str) -> Option<Zone> {
        let name = name.trim().trim_matches('"');
        if name.len() > 128 {
            return None;
        }
        if let Some(zone) = Zone::of_database(name) {
            return Some(zone);
        }
        if let Some(plain) = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)) {
            // `/mozilla.org/20050126_1/Europe/Berlin`
            let dated = plain
                .split_once('/')
                .filter(|(date, _)| date.starts_with(|first: char| first.is_ascii_digit()));
            return Zone::of_database(dated.map_or(plain, |(_, zone)| zone));
        }
        if let Some(microsoft) = name.strip_prefix("tzone://Microsoft/") {
            return Zone::named(microsoft);
        }
        name.parse::<calcard::common::timezone::Tz>()
            .ok()
            .and_then(|zone| Zone::of_database(&zone.name()?))
    }

    fn of_database(name: &str) -> Option<Zone> {
        if matches!(
            name,
            "UTC" | "utc" | "Utc" | "GMT" | "Z" | "Etc/UTC" | "Etc/GMT"
        ) {
            return Some(Zone::UTC);
        }
        TimeZone::get(name)
            .ok()
            .map(|zone| Zone(Inner::Named(zone)))
    }

    /// The zone of a VTIMEZONE: its TZID if the database knows it, else what it defines.
    pub fn of_component(component: &Component) -> Zone {
        let named = component.value("TZID").and_then(Zone::of_database);
        named.unwrap_or_else(|| Zone(Inner::Defined(Arc::new(Definition::of(component)))))
    }

    /// The VTIMEZONE that a zone came from, under a name; `None` for one of the database.
    #[cfg(feature = "mapi")]
    pub(crate) fn definition(&self, name: &str) -> Option<Component> {
        match &self.0 {
            Inner::Defined(definition) => Some(definition.to_component(name)),
            _ => None,
        }
    }

    /// The name in the database, if it has one.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Inner::Utc => Some("UTC"),
            Inner::Named(zone) => zone.iana_name(),
            Inner::Defined(_) => None,
        }
    }

    /// Seconds since 1970 when the clock shows this. Of two such times the first; a time that the clock leaves out is read with the offset
    /// before the gap (RFC 5545 section 3.3.5).
    pub fn to_utc(&self, civil: DateTime) -> i64 {
        match &self.0 {
            Inner::Utc => seconds(civil),
            Inner::Named(zone) => zone
                .to_ambiguous_timestamp(civil)
                .compatible()
                .map_or_else(|_| seconds(civil), |instant| instant.as_second()),
            Inner::Defined(definition) => definition.to_utc(seconds(civil)),
        }
    }

    /// What the clock shows at an instant.
    pub fn to_civil(&self, instant: i64) -> DateTime {
        match &self.0 {
            Inner::Utc => from_seconds(instant),
            Inner::Named(zone) => {
                let bounded = instant.clamp(
                    jiff::Timestamp::MIN.as_second(),
                    jiff::Timestamp::MAX.as_second(),
                );
                let offset = jiff::Timestamp::from_second(bounded)
                    .map_or(Offset::UTC, |instant| zone.to_offset(instant));
                from_seconds(instant.saturating_add(i64::from(offset.seconds())))
            }
            Inner::Defined(definition) => {
                from_seconds(instant.saturating_add(definition.offset_at(instant)))
            }
        }
    }
}

/// The zones of one calendar object.
#[derive(Debug, Clone)]
pub struct Zones {
    named: HashMap<String, Zone>,
    default: Zone,
}

impl Zones {
    /// The zones that the components of a VCALENDAR name. Dates and floating times are of the default zone.
    pub fn of(calendar: &Component, default: &Zone) -> Zones {
        let mut zones = Zones {
            named: HashMap::new(),
            default: default.clone(),
        };
        let defined = calendar.components_of("VTIMEZONE");
        let mut definitions: HashMap<&str, &Component> = HashMap::new();
        for component in defined {
            if let Some(name) = component.value("TZID") {
                definitions.entry(name).or_insert(component);
            }
        }
        for component in &calendar.components {
            if component.is("VTIMEZONE") {
                continue;
            }
            let names = component
                .lines
                .iter()
                .filter_map(|line| line.parameter("TZID"));
            for name in names {
                if !zones.named.contains_key(name) {
                    let zone = zones.find(name, definitions.get(name).copied());
                    zones.named.insert(name.to_owned(), zone);
                }
            }
        }
        zones
    }

    fn find(&self, name: &str, definition: Option<&Component>) -> Zone {
        let Some(definition) = definition else {
            return Zone::named(name).unwrap_or_else(|| self.default.clone());
        };
        Zone::of_database(name).unwrap_or_else(|| {
            let defined = Definition::of(definition);
            if defined.is_empty() {
                let location = definition.value("X-LIC-LOCATION").and_then(Zone::named);
                return location
                    .or_else(|| Zone::named(name))
                    .unwrap_or_else(|| self.default.clone());
            }
            Zone(Inner::Defined(Arc::new(defined)))
        })
    }

    /// The zone of dates and floating times.
    pub fn default_zone(&self) -> &Zone {
        &self.default
    }

    /// The zone of a moment's clock; also of one that stands in no component of the calendar.
    pub fn of_form(&self, form: &Form) -> Zone {
        match form {
            Form::Utc => Zone::UTC,
            Form::Date | Form::Floating => self.default.clone(),
            Form::Zoned(name) => match self.named.get(name) {
                Some(zone) => zone.clone(),
                None => Zone::named(name).unwrap_or_else(|| self.default.clone()),
            },
        }
    }

    /// Seconds since 1970 of a moment; a date is its first second.
    pub fn to_utc(&self, moment: &crate::Moment) -> i64 {
        self.of_form(&moment.form).to_utc(moment.civil)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;
    use crate::contentline::Limits;

    fn utc(zone: &Zone, civil: &str) -> String {
        Moment::utc(zone.to_utc(Moment::parse(civil, None).unwrap().civil)).to_value()
    }

    fn component(text: &str) -> Component {
        Component::parse_all(text.as_bytes(), &Limits::default())
            .unwrap()
            .remove(0)
    }

    const NEW_YORK: &str = "BEGIN:VTIMEZONE\nTZID:Somewhere\n\
        BEGIN:STANDARD\nDTSTART:16011104T020000\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nEND:STANDARD\n\
        BEGIN:DAYLIGHT\nDTSTART:16010311T020000\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400\nEND:DAYLIGHT\nEND:VTIMEZONE\n";

    #[test]
    fn names_of_the_database_of_windows_and_of_clients_are_known() {
        for (name, noon) in [
            ("Europe/Berlin", "20240701T100000Z"),
            ("W. Europe Standard Time", "20240701T100000Z"),
            (
                "/freeassociation.sourceforge.net/Europe/Berlin",
                "20240701T100000Z",
            ),
            ("/mozilla.org/20050126_1/Europe/Berlin", "20240701T100000Z"),
            ("tzone://Microsoft/Utc", "20240701T120000Z"),
            ("Eastern Standard Time", "20240701T160000Z"),
            ("GMT", "20240701T120000Z"),
        ] {
            let zone = Zone::named(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(utc(&zone, "20240701T120000"), noon, "{name}");
        }
        assert!(Zone::named("Nowhere/Never").is_none());
    }

    #[test]
    fn a_definition_gives_the_same_times_as_the_database() {
        let (defined, database) = (
            Zone::of_component(&component(NEW_YORK)),
            Zone::named("America/New_York").unwrap(),
        );
        // The times around both changes of 2024 among them: a gap and a fold.
        for civil in [
            "20240310T015959",
            "20240310T023000",
            "20240310T030000",
            "20240701T120000",
            "20241103T005959",
            "20241103T013000",
            "20241103T020000",
            "20991224T120000",
        ] {
            assert_eq!(utc(&defined, civil), utc(&database, civil), "{civil}");
            let instant = defined.to_utc(Moment::parse(civil, None).unwrap().civil);
            assert_eq!(
                defined.to_civil(instant),
                database.to_civil(instant),
                "{civil}"
            );
        }
    }

    #[test]
    fn a_gap_is_read_with_the_offset_before_it_and_a_fold_as_its_first() {
        let zone = Zone::named("America/New_York").unwrap();
        assert_eq!(utc(&zone, "20070311T023000"), "20070311T073000Z");
        assert_eq!(utc(&zone, "20071104T013000"), "20071104T053000Z");
    }

    #[test]
    fn a_zone_that_nobody_knows_is_the_default() {
        let calendar = component(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID=Mars:20240101T120000\nEND:VEVENT\nEND:VCALENDAR\n",
        );
        let zones = Zones::of(&calendar, &Zone::named("Asia/Tokyo").unwrap());
        let moment = Moment::of_line(calendar.components[0].line("DTSTART").unwrap()).unwrap();
        assert_eq!(
            Moment::utc(zones.to_utc(&moment)).to_value(),
            "20240101T030000Z"
        );
    }

    #[test]
    fn a_generated_definition_means_what_its_zone_means() {
        for name in [
            "Europe/Berlin",
            "America/New_York",
            "Asia/Kolkata",
            "Australia/Sydney",
            "America/Sao_Paulo",
            "UTC",
        ] {
            let zone = Zone::named(name).unwrap();
            let mut text = zone.to_component(name, crate::Range::new(1_500_000_000, 1_800_000_000));
            text.line_mut("TZID").unwrap().value = "Other".into();
            let defined = Zone::of_component(&text);
            for instant in (1_500_000_000..1_800_000_000).step_by(86_400 * 9) {
                assert_eq!(
                    zone.to_civil(instant),
                    defined.to_civil(instant),
                    "{name} {instant}"
                );
            }
        }
    }
}
