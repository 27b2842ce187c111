use super::message::{calendar, outgoing};
use super::view::View;
use super::{Context, Message, Method};
use crate::contentline::{Component, Line};
use crate::{Object, Result};

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

pub(super) fn organizer(object: &Object) -> String {
    object
        .organizer()
        .map(|line| line.value.trim().to_owned())
        .unwrap_or_default()
}
