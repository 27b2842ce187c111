use super::address::{me, me_mut};
use super::message::{calendar, without_orders};
use super::request::organizer;
use super::{Context, Message, Method, same_address};
use crate::contentline::{Component, Line};
use crate::{Calendar, Limits, Moment, Object, Result};

/// PARTSTAT of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Participation {
    /// ACCEPTED.
    Accepted,
    /// DECLINED.
    Declined,
    /// TENTATIVE.
    Tentative,
}

impl Participation {
    /// The value of PARTSTAT.
    pub const fn name(self) -> &'static str {
        match self {
            Participation::Accepted => "ACCEPTED",
            Participation::Declined => "DECLINED",
            Participation::Tentative => "TENTATIVE",
        }
    }
}

/// Answers for the owner of the calendar, in every component he is in: his copy, and the message to the organiser.
///
/// # Errors
/// What is wrong with a value of the object.
pub fn answer(
    object: &Object,
    participation: Participation,
    context: &Context<'_>,
) -> Result<(Object, Option<Message>)> {
    let mut tree = object.component().clone();
    let mut answered = Vec::new();
    for component in tree
        .components
        .iter_mut()
        .filter(|one| one.is(object.kind().name()))
    {
        if let Some(line) = me_mut(component, context) {
            line.set_parameter("PARTSTAT", participation.name());
            line.remove_parameter("RSVP");
            answered.push(component.clone());
        }
    }
    let copy = Object::of_calendar(Calendar { tree }, &Limits::default())?;
    let message = reply(&copy, &answered, context);
    Ok((copy, message))
}

/// RFC 5546 section 3.2.3. `None` when there is nothing to answer, or the owner is in none of the components.
pub(super) fn reply(
    object: &Object,
    components: &[Component],
    context: &Context<'_>,
) -> Option<Message> {
    let answers: Vec<Component> = components
        .iter()
        .filter_map(|one| answered(one, context))
        .collect();
    let originator = answers.first()?.value("ATTENDEE")?.trim().to_owned();
    Some(Message {
        method: Method::Reply,
        originator,
        recipient: organizer(object),
        calendar: calendar(Method::Reply, object, answers),
        minor: false,
    })
}

fn answered(component: &Component, context: &Context<'_>) -> Option<Component> {
    let mut own = me(component, context)?.clone();
    own.remove_parameter("RSVP");
    without_orders(&mut own);
    let mut answer = Component::new(component.name.clone());
    answer
        .lines
        .push(Moment::utc(context.now).to_line("DTSTAMP"));
    let kept = [
        "UID",
        "RECURRENCE-ID",
        "SEQUENCE",
        "DTSTART",
        "DTEND",
        "DUE",
        "DURATION",
        "SUMMARY",
        "COMMENT",
        "COMPLETED",
        "PERCENT-COMPLETE",
    ];
    answer.lines.extend(
        component
            .lines
            .iter()
            .filter(|line| kept.iter().any(|name| line.is(name)))
            .cloned(),
    );
    if let Some(organizer) = component.line("ORGANIZER") {
        let mut organizer = organizer.clone();
        without_orders(&mut organizer);
        answer.lines.push(organizer);
    }
    answer.lines.push(own);
    answer
        .lines
        .push(Line::new("REQUEST-STATUS", "2.0;Success"));
    Some(answer)
}

/// Notes on the line of a person how delivery went (RFC 6638 section 7.3): `1.2` delivered, `5.1` could not be, `3.7` nobody of that address.
#[must_use]
pub fn set_schedule_status(object: &Object, address: &str, status: &str) -> Calendar {
    let mut tree = object.component().clone();
    let lines = tree
        .components
        .iter_mut()
        .flat_map(|component| component.lines.iter_mut());
    for line in lines.filter(|line| line.is("ATTENDEE") || line.is("ORGANIZER")) {
        if same_address(&line.value, address) {
            line.set_parameter("SCHEDULE-STATUS", status);
        }
    }
    Calendar { tree }
}
