//! Time zones as Windows writes them: a name, and the rules of a year.

use crate::{Range, Zone};
use jiff::civil::Date;
use std::collections::HashMap;
use std::sync::LazyLock;
use waxwing_formats_mapi::appointment::{TimeZoneDefinition, TimeZoneRule, Transition};

/// Names of Windows, without ` Standard Time`, that name zones of the database one to one; `calcard` knows which.
const WINDOWS: &[&str] = &[
    "AUS Central",
    "AUS Eastern",
    "Afghanistan",
    "Alaskan",
    "Aleutian",
    "Arab",
    "Arabian",
    "Arabic",
    "Argentina",
    "Atlantic",
    "Azerbaijan",
    "Azores",
    "Bahia",
    "Bangladesh",
    "Belarus",
    "Canada Central",
    "Cape Verde",
    "Caucasus",
    "Cen. Australia",
    "Central America",
    "Central Asia",
    "Central Brazilian",
    "Central Europe",
    "Central European",
    "Central Pacific",
    "Central",
    "Chatham Islands",
    "China",
    "Cuba",
    "E. Africa",
    "E. Australia",
    "E. Europe",
    "E. South America",
    "Easter Island",
    "Eastern",
    "Egypt",
    "Ekaterinburg",
    "FLE",
    "Fiji",
    "GMT",
    "GTB",
    "Georgian",
    "Greenland",
    "Greenwich",
    "Haiti",
    "Hawaiian",
    "India",
    "Iran",
    "Israel",
    "Jordan",
    "Kaliningrad",
    "Korea",
    "Libya",
    "Lord Howe",
    "Magadan",
    "Mauritius",
    "Middle East",
    "Montevideo",
    "Morocco",
    "Mountain",
    "Myanmar",
    "Namibia",
    "Nepal",
    "New Zealand",
    "Newfoundland",
    "North Asia East",
    "North Asia",
    "Pacific SA",
    "Pacific",
    "Pakistan",
    "Paraguay",
    "Romance",
    "Russian",
    "SA Eastern",
    "SA Pacific",
    "SA Western",
    "SE Asia",
    "Samoa",
    "Singapore",
    "South Africa",
    "Sri Lanka",
    "Sudan",
    "Syria",
    "Taipei",
    "Tasmania",
    "Tokyo",
    "Tonga",
    "Turkey",
    "US Eastern",
    "US Mountain",
    "Ulaanbaatar",
    "Venezuela",
    "Vladivostok",
    "W. Australia",
    "W. Central Africa",
    "W. Europe",
    "West Asia",
    "West Pacific",
    "Yakutsk",
];

static BY_DATABASE: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let mut names = HashMap::from([("UTC".to_owned(), "UTC".to_owned())]);
    for name in WINDOWS {
        let windows = format!("{name} Standard Time");
        if let Some(zone) = Zone::named(&windows)
            && let Some(database) = zone.name()
        {
            names.entry(database.to_owned()).or_insert(windows);
        }
    }
    names
});

/// Windows' name of a zone, else the database's, else none: then the rules alone count.
pub(super) fn windows_name(zone: &Zone) -> String {
    let name = zone.name().unwrap_or("Custom");
    BY_DATABASE
        .get(name)
        .cloned()
        .unwrap_or_else(|| name.to_owned())
}

/// The definition that is right for the year of an instant.
pub(super) fn definition(zone: &Zone, instant: i64) -> TimeZoneDefinition {
    TimeZoneDefinition {
        name: windows_name(zone),
        rules: vec![rule(zone, instant)],
    }
}

/// The rule of the year of an instant. Of more than two changes in a year the first two count.
pub(super) fn rule(zone: &Zone, instant: i64) -> TimeZoneRule {
    let year = zone.to_civil(instant).year();
    let (start, end) = (at_new_year(year), at_new_year(year.saturating_add(1)));
    let offset = |at: i64| crate::moment::seconds(zone.to_civil(at)) - at;
    let changes = changes(zone, Range::new(start, end));
    let offsets = changes.iter().map(|at| offset(*at)).chain([offset(start)]);
    let standard = offsets.min().unwrap_or(0);
    let mut rule = TimeZoneRule {
        flags: 2,
        year: u16::try_from(year).unwrap_or(1601),
        bias: i32::try_from(-standard / 60).unwrap_or(0),
        standard_bias: 0,
        daylight_bias: 0,
        standard: Transition::default(),
        daylight: Transition::default(),
    };
    let (Some(first), Some(second)) = (changes.first(), changes.get(1)) else {
        return rule;
    };
    for at in [*first, *second] {
        let change = transition(at + offset(at - 1));
        if offset(at) == standard {
            rule.standard = change;
        } else {
            rule.daylight_bias = i32::try_from((standard - offset(at)) / 60).unwrap_or(0);
            rule.daylight = change;
        }
    }
    rule
}

fn at_new_year(year: i16) -> i64 {
    Date::new(year, 1, 1).map_or(0, |date| crate::moment::seconds(date.into()))
}

/// When the offset changes, found by halving days: a zone may be one of the database or one of a VTIMEZONE.
fn changes(zone: &Zone, range: Range) -> Vec<i64> {
    const DAY: i64 = 86_400;
    let offset = |at: i64| crate::moment::seconds(zone.to_civil(at)) - at;
    let mut found = Vec::new();
    let mut at = range.start;
    while at < range.end && found.len() < 2 {
        let (mut low, mut high) = (at, at + DAY);
        if offset(low) != offset(high) {
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if offset(middle) == offset(low) {
                    low = middle
                } else {
                    high = middle
                }
            }
            found.push(high);
        }
        at += DAY;
    }
    found
}

/// The nth weekday of a month, `local` as if it were UTC.
fn transition(local: i64) -> Transition {
    let civil = crate::moment::from_seconds(local);
    let last = civil.day() + 7 > civil.days_in_month();
    Transition {
        month: civil.month() as u16,
        weekday: civil.weekday().to_sunday_zero_offset() as u16,
        nth: if last {
            5
        } else {
            (civil.day() as u16 - 1) / 7 + 1
        },
        hour: civil.hour() as u16,
        minute: civil.minute() as u16,
    }
}

/// The zone of a definition: by its name, else one that its last rule makes.
pub(super) fn of_definition(octets: &[u8]) -> Option<Zone> {
    let definition = TimeZoneDefinition::decode(octets).ok()?;
    Zone::named(&definition.name).or_else(|| definition.rules.last().map(of_rule))
}

/// The zone of a PidLidTimeZoneStruct.
pub(super) fn of_struct(octets: &[u8]) -> Option<Zone> {
    TimeZoneRule::decode_struct(octets)
        .ok()
        .as_ref()
        .map(of_rule)
}

fn of_rule(rule: &TimeZoneRule) -> Zone {
    use crate::contentline::{Component, Line};
    const DAYS: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
    let offset = |bias: i32| {
        let minutes = rule.bias.saturating_add(bias).saturating_neg();
        let sign = if minutes < 0 { '-' } else { '+' };
        format!(
            "{sign}{:02}{:02}",
            minutes.unsigned_abs() / 60,
            minutes.unsigned_abs() % 60
        )
    };
    let (standard, daylight) = (offset(rule.standard_bias), offset(rule.daylight_bias));
    let observance = |name: &str, change: &Transition, from: &str, to: &str| {
        let mut component = Component::new(name);
        let clock = format!("{:02}{:02}00", change.hour.min(23), change.minute.min(59));
        component
            .lines
            .push(Line::new("DTSTART", format!("16010101T{clock}")));
        component.lines.push(Line::new("TZOFFSETFROM", from));
        component.lines.push(Line::new("TZOFFSETTO", to));
        if let Some(day) = DAYS
            .get(usize::from(change.weekday))
            .filter(|_| change.month > 0)
        {
            let nth = if change.nth >= 5 {
                -1
            } else {
                i32::from(change.nth.max(1))
            };
            let rule = format!(
                "FREQ=YEARLY;BYMONTH={};BYDAY={nth}{day}",
                change.month.min(12)
            );
            component.lines.push(Line::new("RRULE", rule));
        }
        component
    };
    let mut zone = Component::new("VTIMEZONE");
    let daylight_from = if rule.daylight.month > 0 {
        &daylight
    } else {
        &standard
    };
    zone.components.push(observance(
        "STANDARD",
        &rule.standard,
        daylight_from,
        &standard,
    ));
    if rule.daylight.month > 0 {
        zone.components
            .push(observance("DAYLIGHT", &rule.daylight, &standard, &daylight));
    }
    Zone::of_component(&zone)
}
