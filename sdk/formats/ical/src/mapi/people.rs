//! ORGANIZER and ATTENDEE as recipients (MS-OXCICAL 2.1.3.1.1.20.2, 2.1.3.1.1.20.16).

use super::words::{self, PARTICIPATION};
use crate::contentline::{Component, Line};
use waxwing_formats_mapi::{ItemProperties, Value, tags};

const REQUIRED: i32 = 1;
const OPTIONAL: i32 = 2;
const RESOURCE: i32 = 3;
/// PidTagRecipientFlags: somebody who gets mail, and the organiser.
const SENDABLE: i32 = 1;
const ORGANIZER: i32 = 2;

pub(super) fn rows(component: &Component) -> Vec<ItemProperties> {
    let organizer = component.line("ORGANIZER");
    let is_organizer = |line: &Line| {
        organizer.is_some_and(|own| own.value.trim().eq_ignore_ascii_case(line.value.trim()))
    };
    let attendees = component
        .lines_of("ATTENDEE")
        .filter(|line| !is_organizer(line));
    let first = organizer
        .filter(|_| component.line("ATTENDEE").is_some())
        .map(|line| row(line, REQUIRED, SENDABLE | ORGANIZER));
    first
        .into_iter()
        .chain(attendees.map(|line| row(line, kind(line), SENDABLE)))
        .collect()
}

fn kind(line: &Line) -> i32 {
    let is = |name: &str, value: &str| line.has_parameter(name, value);
    if is("CUTYPE", "RESOURCE") || is("CUTYPE", "ROOM") {
        RESOURCE
    } else if is("ROLE", "OPT-PARTICIPANT") || is("ROLE", "NON-PARTICIPANT") {
        OPTIONAL
    } else {
        REQUIRED
    }
}

fn row(line: &Line, kind: i32, flags: i32) -> ItemProperties {
    let (address, name) = address_and_name(line);
    let mut row = ItemProperties::default();
    row.set(tags::RECIPIENT_TYPE, Value::Int32(kind));
    row.set(tags::RECIPIENT_FLAGS, Value::Int32(flags));
    row.set_text(tags::ADDRESS_TYPE, "SMTP");
    row.set_text(tags::EMAIL_ADDRESS, address.clone());
    row.set_text(tags::SMTP_ADDRESS, address);
    row.set_text(tags::DISPLAY_NAME, name.clone());
    row.set_text(tags::RECIPIENT_DISPLAY_NAME, name);
    let answer = line
        .parameter("PARTSTAT")
        .and_then(|word| words::number(&PARTICIPATION, word))
        .unwrap_or(0);
    // 5 would be "not answered"; a row says that with 0 (MS-OXOCAL 2.2.4.10.2).
    let answer = if answer == 5 || flags & ORGANIZER != 0 {
        0
    } else {
        answer
    };
    row.set(
        tags::RECIPIENT_TRACK_STATUS,
        Value::Int32(i32::try_from(answer).unwrap_or(0)),
    );
    row
}

/// The address without `mailto:`, and CN or the address again.
pub(super) fn address_and_name(line: &Line) -> (String, String) {
    let value = line.value.trim();
    let plain = value
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
        .and_then(|_| value.get(7..));
    let address = plain
        .or_else(|| line.parameter("EMAIL"))
        .unwrap_or(value)
        .to_owned();
    let name = line
        .parameter("CN")
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .unwrap_or(&address)
        .to_owned();
    (address, name)
}

/// The lines of rows: the organiser's, and one for each other.
pub(super) fn lines(rows: &[ItemProperties]) -> (Option<Line>, Vec<Line>) {
    let mut organizer = None;
    let mut attendees = Vec::new();
    for row in rows {
        let integer = |tag| row.get(tag).and_then(Value::as_integer).unwrap_or(0);
        let Some(address) = row
            .text(tags::SMTP_ADDRESS)
            .or_else(|| row.text(tags::EMAIL_ADDRESS))
        else {
            continue;
        };
        let name = row.text(tags::DISPLAY_NAME).filter(|name| *name != address);
        let value = if address.contains(':') {
            address.to_owned()
        } else {
            format!("mailto:{address}")
        };
        if integer(tags::RECIPIENT_FLAGS) & i64::from(ORGANIZER) != 0 {
            organizer = Some(named("ORGANIZER", value, name));
            continue;
        }
        let mut line = named("ATTENDEE", value, name);
        match integer(tags::RECIPIENT_TYPE) {
            3 => {
                line = line
                    .with("CUTYPE", "RESOURCE")
                    .with("ROLE", "NON-PARTICIPANT")
            }
            2 => line = line.with("ROLE", "OPT-PARTICIPANT"),
            _ => {}
        }
        let answer = words::word(&PARTICIPATION, integer(tags::RECIPIENT_TRACK_STATUS))
            .unwrap_or("NEEDS-ACTION");
        line = line.with("PARTSTAT", answer);
        if answer == "NEEDS-ACTION" {
            line = line.with("RSVP", "TRUE");
        }
        attendees.push(line);
    }
    (organizer, attendees)
}

pub(super) fn named(property: &str, value: String, name: Option<&str>) -> Line {
    let line = Line::new(property, value);
    match name {
        Some(name) => line.with("CN", name),
        None => line,
    }
}
