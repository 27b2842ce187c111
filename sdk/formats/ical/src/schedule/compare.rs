//! What a component says, apart from how it is written: DTEND or DURATION, a zone or UTC, the order of properties and parameters.

use crate::contentline::{Component, Line};
use crate::overlap::Timing;
use crate::{Form, Kind, Moment, Result, Rule, Zones};
use std::collections::BTreeSet;

/// The statements of a component.
pub(super) type Shape = BTreeSet<String>;

/// Properties that change without anybody having changed the meeting, or that everybody has his own of.
const OWN: [&str; 8] = [
    "DTSTAMP",
    "LAST-MODIFIED",
    "CREATED",
    "SEQUENCE",
    "REQUEST-STATUS",
    "TRANSP",
    "ACKNOWLEDGED",
    "RECURRENCE-ID",
];

/// Everything that attendees are told. Answers count when `answers` says so.
pub(super) fn content(
    component: &Component,
    kind: Kind,
    zones: &Zones,
    answers: bool,
) -> Result<Shape> {
    let mut shape = timing(component, kind, zones)?;
    for line in &component.lines {
        if is_time(line)
            || line.name.len() > 1
                && line
                    .name
                    .get(..2)
                    .is_some_and(|start| start.eq_ignore_ascii_case("X-"))
        {
            continue;
        }
        if !OWN.iter().any(|own| line.is(own)) {
            shape.insert(statement(line, answers));
        }
    }
    for inner in component
        .components
        .iter()
        .filter(|inner| !inner.is("VALARM"))
    {
        shape.insert(inner.to_text());
    }
    for line in component.lines_of("EXDATE") {
        dates(line, "EXDATE", zones, &mut shape)?;
    }
    Ok(shape)
}

/// When it is: a change of this is a reschedule (RFC 5546 section 2.1.4). Exceptions are left out: whoever could come to the others still can.
pub(super) fn timing(component: &Component, kind: Kind, zones: &Zones) -> Result<Shape> {
    let mut shape = Shape::new();
    let timing = Timing::of(component, kind, zones)?;
    if let Some(anchor) = timing.anchor() {
        shape.insert(format!(
            "DTSTART {} {:?}",
            zones.to_utc(anchor),
            class(&anchor.form)
        ));
        let times = timing.own();
        shape.insert(format!("END {:?}", times.end));
        // A rule means something else on another clock.
        if component.line("RRULE").is_some() {
            shape.insert(format!("ZONE {:?}", zones.of_form(&anchor.form).name()));
        }
    }
    for line in component.lines_of("RRULE") {
        shape.insert(format!("RRULE {:?}", Rule::parse(&line.value)?));
    }
    for line in component.lines_of("RDATE") {
        dates(line, "RDATE", zones, &mut shape)?;
    }
    Ok(shape)
}

fn dates(line: &Line, name: &str, zones: &Zones, shape: &mut Shape) -> Result<()> {
    for moment in Moment::list_of_line(line)? {
        shape.insert(format!("{name} {}", zones.to_utc(&moment)));
    }
    Ok(())
}

/// Dates and floating times are of no zone.
fn class(form: &Form) -> u8 {
    match form {
        Form::Date => 0,
        Form::Floating => 1,
        Form::Utc | Form::Zoned(_) => 2,
    }
}

fn is_time(line: &Line) -> bool {
    [
        "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE",
    ]
    .iter()
    .any(|name| line.is(name))
}

fn statement(line: &Line, answers: bool) -> String {
    let person = line.is("ATTENDEE") || line.is("ORGANIZER");
    let mut parameters: Vec<String> = line
        .parameters
        .iter()
        .map(|one| (one.name.to_ascii_uppercase(), one.values.join(",")))
        .filter(|(name, _)| {
            !(person && (name.starts_with("SCHEDULE-") || name.starts_with("X-") || name == "RSVP"))
        })
        .filter(|(name, _)| !(person && name == "PARTSTAT" && !answers))
        // The default of PARTSTAT is as good as none.
        .filter(|(name, value)| !(name == "PARTSTAT" && value.eq_ignore_ascii_case("NEEDS-ACTION")))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    parameters.sort();
    let value = if person {
        line.value.trim().to_ascii_lowercase()
    } else {
        line.value.trim().to_owned()
    };
    format!(
        "{};{}:{value}",
        line.name.to_ascii_uppercase(),
        parameters.join(";")
    )
}
