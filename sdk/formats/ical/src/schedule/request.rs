use super::address::me;
use super::message::{calendar, outgoing};
use super::view::View;
use super::{Context, Message, Method};
use crate::contentline::{Component, Line};
use crate::{Calendar, Moment, Object, Result};

/// The whole meeting for one attendee: what a REFRESH is answered with. `None` when he is not invited.
///
/// # Errors
/// What is wrong with a value of the object.
pub fn refreshed(
    object: &Object,
    recipient: &str,
    context: &Context<'_>,
) -> Result<Option<Message>> {
    Ok(View::of(object, recipient)?
        .map(|view| request(object, recipient, view.into_components(), context)))
}

pub(super) fn request(
    object: &Object,
    recipient: &str,
    components: Vec<Component>,
    context: &Context<'_>,
) -> Message {
    let components = components
        .into_iter()
        .map(|one| outgoing(one, context.now))
        .collect();
    Message {
        method: Method::Request,
        originator: organizer(object),
        recipient: recipient.to_owned(),
        calendar: calendar(Method::Request, object, components),
        minor: false,
    }
}

/// RFC 5546 section 3.2.5: what the recipient needs to find the meeting, and that it is off.
pub(super) fn cancel(
    object: &Object,
    recipient: &str,
    components: Vec<Component>,
    sequence: i64,
    context: &Context<'_>,
) -> Message {
    let cancelled = |component: Component| {
        let mut component = outgoing(component, context.now);
        let others =
            |line: &Line| line.is("ATTENDEE") && !super::same_address(&line.value, recipient);
        component
            .lines
            .retain(|line| !others(line) && !line.is("EXDATE"));
        component.set(Line::new("STATUS", "CANCELLED"));
        component.set(Line::new("SEQUENCE", sequence.to_string()));
        component
    };
    let components = components.into_iter().map(cancelled).collect();
    Message {
        method: Method::Cancel,
        originator: organizer(object),
        recipient: recipient.to_owned(),
        calendar: calendar(Method::Cancel, object, components),
        minor: false,
    }
}

/// Asks the organiser for the whole of what a message is about (RFC 5546 section 3.2.6). `None` when the owner is not invited to it.
pub fn refresh(message: &Calendar, context: &Context<'_>) -> Option<Message> {
    let inner = message.component().components.iter();
    let about = inner.into_iter().find(|one| !one.is("VTIMEZONE"))?;
    let organizer = about.value("ORGANIZER")?.trim().to_owned();
    let attendee = me(about, context)?.value.trim().to_owned();
    let mut asked = Component::new(about.name.clone());
    asked
        .lines
        .push(Moment::utc(context.now).to_line("DTSTAMP"));
    asked.lines.extend(about.line("UID").cloned());
    asked.lines.push(Line::new("ORGANIZER", organizer.clone()));
    asked.lines.push(Line::new("ATTENDEE", attendee.clone()));
    let mut calendar = Calendar::new();
    let method = Line::new("METHOD", Method::Refresh.name());
    calendar.tree.lines.push(method);
    calendar.tree.components.push(asked);
    Some(Message {
        method: Method::Refresh,
        originator: attendee,
        recipient: organizer,
        calendar,
        minor: false,
    })
}

pub(super) fn organizer(object: &Object) -> String {
    object
        .organizer()
        .map(|line| line.value.trim().to_owned())
        .unwrap_or_default()
}
