mod agenda;
mod attendee;
mod organizer;
mod receive;

use super::*;
use crate::contentline::Component;
use crate::rfc4791::{object, range};
use crate::{Object, Zone};
use proptest::prelude::*;

const NOW: i64 = 1_704_067_200;

fn as_user<T>(name: &str, act: impl FnOnce(&Context<'_>) -> T) -> T {
    act(&Context {
        mine: &[format!("mailto:{name}@example.org")],
        now: NOW,
    })
}

/// A component of a meeting that anna organises.
fn part(attendees: &str, lines: &str) -> String {
    let mut text = String::from(
        "BEGIN:VEVENT\nUID:m\nDTSTAMP:20230101T000000Z\nORGANIZER:mailto:anna@example.org\nATTENDEE;PARTSTAT=ACCEPTED:mailto:anna@example.org\n",
    );
    for name in attendees.split_whitespace() {
        text.push_str(&format!(
            "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{name}@example.org\n"
        ));
    }
    format!("{text}{lines}\nEND:VEVENT\n")
}

const WEEKLY: &str = "DTSTART;TZID=Europe/Berlin:20240108T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=5\nSUMMARY:Weekly";

fn organized(old: Option<&Object>, new: Option<&Object>) -> Organized {
    as_user("anna", |context| {
        organizer_changed(old, new, context).unwrap()
    })
}

/// Method, recipient, SEQUENCE and what each component is about.
fn shown(messages: &[Message]) -> Vec<String> {
    let one = |message: &Message| {
        let components = message
            .calendar
            .component()
            .components
            .iter()
            .filter(|one| !one.is("VTIMEZONE"));
        let about: Vec<String> = components
            .map(|one| {
                format!(
                    "{}@{}",
                    one.value("RECURRENCE-ID").unwrap_or("all"),
                    one.value("SEQUENCE").unwrap_or("0")
                )
            })
            .collect();
        let minor = if message.minor { " minor" } else { "" };
        let who = message
            .recipient
            .trim_start_matches("mailto:")
            .trim_end_matches("@example.org");
        format!("{} {who} {}{minor}", message.method.name(), about.join(" "))
    };
    messages.iter().map(one).collect()
}

fn changed(old: &str, new: &str) -> Vec<String> {
    shown(&organized(Some(&object(old)), Some(&object(new))).messages)
}

fn accepted(text: &str) -> String {
    text.replace("NEEDS-ACTION;RSVP=TRUE:mailto:bob", "ACCEPTED:mailto:bob")
}

fn calendar(method: &str, inner: &str) -> crate::Calendar {
    let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:{method}\n{inner}END:VCALENDAR\n");
    crate::Calendar::parse(text.as_bytes(), &crate::contentline::Limits::default()).unwrap()
}

fn received(name: &str, method: &str, inner: &str, stored: Option<&str>) -> Received {
    let stored = stored.map(object);
    as_user(name, |context| {
        receive(&calendar(method, inner), stored.as_ref(), context).unwrap()
    })
}
