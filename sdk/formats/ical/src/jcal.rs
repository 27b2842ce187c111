//! iCalendar as JSON (RFC 7265): `application/calendar+json`.
//!
//! Written from the lines as they stand. A property that no RFC names has the type `unknown` and its raw value (section 5.1); a value that is not
//! of its type is written as text, because JSON has no other place for it.

use crate::contentline::{Component, Line, text};
use crate::{Form, Moment};
use serde_json::{Map, Value, json};

/// Default types of properties that are neither text nor unknown (RFC 5545 section 3.8, RFC 7986, RFC 9073, RFC 9074).
const TYPES: &[(&str, &[&str])] = &[
    (
        "cal-address",
        &["ATTENDEE", "ORGANIZER", "CALENDAR-ADDRESS"],
    ),
    (
        "date-time",
        &[
            "DTSTART",
            "DTEND",
            "DUE",
            "DTSTAMP",
            "CREATED",
            "LAST-MODIFIED",
            "COMPLETED",
            "RECURRENCE-ID",
            "EXDATE",
            "RDATE",
            "ACKNOWLEDGED",
        ],
    ),
    ("duration", &["DURATION", "TRIGGER", "REFRESH-INTERVAL"]),
    ("float", &["GEO"]),
    (
        "integer",
        &["PERCENT-COMPLETE", "PRIORITY", "REPEAT", "SEQUENCE"],
    ),
    ("period", &["FREEBUSY"]),
    ("recur", &["RRULE", "EXRULE"]),
    (
        "uri",
        &[
            "ATTACH",
            "CONFERENCE",
            "IMAGE",
            "SOURCE",
            "STRUCTURED-DATA",
            "TZURL",
            "URL",
        ],
    ),
    ("utc-offset", &["TZOFFSETFROM", "TZOFFSETTO"]),
    (
        "text",
        &[
            "ACTION",
            "BUSYTYPE",
            "CALSCALE",
            "CATEGORIES",
            "CLASS",
            "COLOR",
            "COMMENT",
            "CONTACT",
            "DESCRIPTION",
            "LOCATION",
            "LOCATION-TYPE",
            "METHOD",
            "NAME",
            "PARTICIPANT-TYPE",
            "PRODID",
            "PROXIMITY",
            "RELATED-TO",
            "REQUEST-STATUS",
            "RESOURCE-TYPE",
            "RESOURCES",
            "STATUS",
            "STYLED-DESCRIPTION",
            "SUMMARY",
            "TRANSP",
            "TZID",
            "TZNAME",
            "UID",
            "VERSION",
        ],
    ),
];

/// Properties that are a list.
const LISTS: [&str; 5] = ["CATEGORIES", "RESOURCES", "FREEBUSY", "EXDATE", "RDATE"];

/// A component as jCal. Depth is that of the component.
pub fn to_jcal(component: &Component) -> Value {
    let properties: Vec<Value> = component.lines.iter().map(property).collect();
    let components: Vec<Value> = component.components.iter().map(to_jcal).collect();
    json!([component.name.to_ascii_lowercase(), properties, components])
}

fn property(line: &Line) -> Value {
    let name = line.name.to_ascii_uppercase();
    let default = TYPES
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()))
        .map_or("unknown", |(kind, _)| *kind);
    let given = line.parameter("VALUE").map(str::to_ascii_lowercase);
    let mut kind = given.unwrap_or_else(|| default.to_owned());
    // A date needs no VALUE to be one.
    if kind == "date-time" && line.value.trim().len() == 8 {
        kind = "date".to_owned();
    }
    let mut out = vec![
        json!(name.to_ascii_lowercase()),
        parameters(line),
        json!(kind),
    ];
    out.extend(values(line, &name, &kind));
    Value::Array(out)
}

/// VALUE is the type, and stands nowhere else.
fn parameters(line: &Line) -> Value {
    let mut map = Map::new();
    for parameter in line
        .parameters
        .iter()
        .filter(|one| !one.name.eq_ignore_ascii_case("VALUE"))
    {
        let value = match parameter.values.as_slice() {
            [one] => json!(one),
            many => json!(many),
        };
        map.insert(parameter.name.to_ascii_lowercase(), value);
    }
    Value::Object(map)
}

fn values(line: &Line, name: &str, kind: &str) -> Vec<Value> {
    if kind == "unknown" {
        return vec![json!(line.value)];
    }
    match name {
        "GEO" => vec![Value::Array(
            line.value.split(';').map(|one| value(one, kind)).collect(),
        )],
        "REQUEST-STATUS" => {
            let parts: Vec<String> = text::split(&line.value, ';').map(text::unescape).collect();
            vec![json!(parts)]
        }
        name if LISTS.contains(&name) => text::split(&line.value, ',')
            .map(|one| value(one, kind))
            .collect(),
        _ => vec![value(&line.value, kind)],
    }
}

fn value(raw: &str, kind: &str) -> Value {
    let trimmed = raw.trim();
    let typed = match kind {
        "boolean" if trimmed.eq_ignore_ascii_case("TRUE") => Some(json!(true)),
        "boolean" if trimmed.eq_ignore_ascii_case("FALSE") => Some(json!(false)),
        "integer" => trimmed.parse::<i64>().ok().map(|number| json!(number)),
        "float" => trimmed
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(|number| json!(number)),
        "date" | "date-time" => moment(trimmed).map(Value::String),
        "period" => period(trimmed),
        "recur" => recur(trimmed),
        "utc-offset" => offset(trimmed).map(Value::String),
        "time" => time(trimmed).map(Value::String),
        "uri" | "cal-address" | "duration" | "binary" => Some(json!(trimmed)),
        _ => None,
    };
    typed.unwrap_or_else(|| json!(text::unescape(raw)))
}

/// With the marks that iCalendar leaves out.
fn moment(value: &str) -> Option<String> {
    let moment = Moment::parse(value, None).ok()?;
    let format = match moment.form {
        Form::Date => "%Y-%m-%d",
        Form::Utc => "%Y-%m-%dT%H:%M:%SZ",
        Form::Floating | Form::Zoned(_) => "%Y-%m-%dT%H:%M:%S",
    };
    Some(moment.civil.strftime(format).to_string())
}

fn period(value: &str) -> Option<Value> {
    let (start, end) = value.split_once('/')?;
    let end = moment(end).unwrap_or_else(|| end.to_owned());
    Some(json!([moment(start)?, end]))
}

fn time(value: &str) -> Option<String> {
    let at = |from: usize| value.get(from..from + 2);
    Some(format!(
        "{}:{}:{}{}",
        at(0)?,
        at(2)?,
        at(4)?,
        value.get(6..)?
    ))
}

fn offset(value: &str) -> Option<String> {
    let (hours, rest) = value.split_at_checked(3)?;
    let (minutes, seconds) = rest.split_at_checked(2)?;
    Some(if seconds.is_empty() {
        format!("{hours}:{minutes}")
    } else {
        format!("{hours}:{minutes}:{seconds}")
    })
}

/// Section 3.6.10: parts in small letters, numbers as numbers, one or a list.
fn recur(value: &str) -> Option<Value> {
    let mut map = Map::new();
    for part in value.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let one = |text: &str| match text.parse::<i64>() {
            Ok(number) => json!(number),
            Err(_) => json!(text),
        };
        let value = match name.as_str() {
            "until" => json!(moment(value.trim())?),
            "freq" | "wkst" => json!(value),
            _ => match value.split(',').map(one).collect::<Vec<_>>() {
                mut single if single.len() == 1 => single.remove(0),
                many => Value::Array(many),
            },
        };
        map.insert(name, value);
    }
    Some(Value::Object(map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> Value {
        let text = format!("BEGIN:V\n{text}\nEND:V\n");
        let component =
            Component::parse_all(text.as_bytes(), &crate::contentline::Limits::default())
                .unwrap()
                .remove(0);
        property(&component.lines[0])
    }

    #[test]
    fn the_examples_of_rfc_7265_come_out() {
        for (ical, jcal) in [
            (
                "SUMMARY:Meeting with Fred",
                json!(["summary", {}, "text", "Meeting with Fred"]),
            ),
            (
                "CATEGORIES:computers,ietf",
                json!(["categories", {}, "text", "computers", "ietf"]),
            ),
            (
                "GEO:37.386013;-122.082932",
                json!(["geo", {}, "float", [37.386_013, -122.082_932]]),
            ),
            (
                "REQUEST-STATUS:2.0;Success",
                json!(["request-status", {}, "text", ["2.0", "Success"]]),
            ),
            (
                "DTSTART;VALUE=DATE:20110512",
                json!(["dtstart", {}, "date", "2011-05-12"]),
            ),
            (
                "DTSTART;TZID=US/Eastern:20060102T120000",
                json!(["dtstart", {"tzid": "US/Eastern"}, "date-time", "2006-01-02T12:00:00"]),
            ),
            (
                "FREEBUSY;FBTYPE=FREE:19970308T160000Z/P3H",
                json!(["freebusy", {"fbtype": "FREE"}, "period", ["1997-03-08T16:00:00Z", "P3H"]]),
            ),
            (
                "TZOFFSETFROM:-0500",
                json!(["tzoffsetfrom", {}, "utc-offset", "-05:00"]),
            ),
            (
                "RRULE:FREQ=YEARLY;COUNT=5;BYDAY=-1SU,2MO;BYMONTH=10",
                json!(["rrule", {}, "recur", {"freq": "YEARLY", "count": 5, "byday": ["-1SU", "2MO"], "bymonth": 10}]),
            ),
            (
                "ATTENDEE;MEMBER=\"mailto:a\",\"mailto:b\":mailto:c",
                json!(["attendee", {"member": ["mailto:a", "mailto:b"]}, "cal-address", "mailto:c"]),
            ),
            (
                "X-COMPLAINT-DEADLINE:20110512T120000",
                json!(["x-complaint-deadline", {}, "unknown", "20110512T120000"]),
            ),
            (
                "X-AGE;VALUE=INTEGER:30",
                json!(["x-age", {}, "integer", 30]),
            ),
            (
                "PERCENT-COMPLETE:95",
                json!(["percent-complete", {}, "integer", 95]),
            ),
            (
                "TRIGGER;VALUE=DATE-TIME:19970317T133000Z",
                json!(["trigger", {}, "date-time", "1997-03-17T13:30:00Z"]),
            ),
        ] {
            assert_eq!(line(ical), jcal);
        }
    }

    #[test]
    fn a_calendar_is_a_tree_of_arrays() {
        let object = crate::rfc4791::object(
            "BEGIN:VEVENT\nUID:1\nDTSTART:20240101T100000Z\nBEGIN:VALARM\nACTION:DISPLAY\nEND:VALARM\nEND:VEVENT\n",
        );
        let jcal = to_jcal(object.component());
        assert_eq!(jcal[2][0][0], "vevent");
        assert_eq!(
            jcal[2][0][2][0],
            json!(["valarm", [["action", {}, "text", "DISPLAY"]], []])
        );
    }

    proptest! {
        #[test]
        fn every_line_has_a_name_parameters_a_type_and_a_value(name in prop::sample::select(TYPES.iter().flat_map(|(_, names)| names.iter()).copied().collect::<Vec<_>>()), kind in "(|;VALUE=(DATE|PERIOD|TIME|RECUR|UTC-OFFSET|BOOLEAN|FLOAT))", value in "[\\PC]{0,20}") {
            let value = line(&format!("{name}{kind}:{value}"));
            prop_assert!(value.as_array().is_some_and(|parts| parts.len() >= 4 && parts[0].is_string() && parts[1].is_object() && parts[2].is_string()));
        }
    }
}
