use super::address::by_server;
use super::difference::Difference;
use super::prepare::{next_sequence, prepared};
use super::request::{cancel, request};
use super::view::View;
use super::{Context, Message, same_address};
use crate::contentline::Line;
use crate::{Object, Result};

/// What comes of an organiser's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organized {
    /// What is to be stored; `None` after a deletion. It may differ from what the client put, which then gets no ETag.
    pub object: Option<Object>,
    /// Whether it differs.
    pub changed: bool,
    /// For each attendee who has to know.
    pub messages: Vec<Message>,
}

/// The organiser's client stored `new` in the place of `old`; one of them may be missing.
///
/// # Errors
/// What is wrong with a value of either.
pub fn organizer_changed(
    old: Option<&Object>,
    new: Option<&Object>,
    context: &Context<'_>,
) -> Result<Organized> {
    let Some(new) = new else {
        let messages = old
            .map(|old| all_cancelled(old, context))
            .transpose()?
            .unwrap_or_default();
        return Ok(Organized {
            object: None,
            changed: false,
            messages,
        });
    };
    let mut forced = Vec::new();
    let prepared = prepared(old, new, context, &mut forced)?;
    let mut messages = Vec::new();
    for line in recipients(old, Some(&prepared), context) {
        let is_forced = forced
            .iter()
            .any(|address| same_address(address, &line.value));
        messages.extend(for_one(old, &prepared, &line, is_forced, context)?);
    }
    Ok(Organized {
        changed: &prepared != new,
        object: Some(prepared),
        messages,
    })
}

fn all_cancelled(old: &Object, context: &Context<'_>) -> Result<Vec<Message>> {
    let mut messages = Vec::new();
    for line in recipients(Some(old), None, context) {
        if let Some(view) = View::of(old, &line.value)? {
            let next = next_sequence(old);
            messages.push(cancel(
                old,
                line.value.trim(),
                view.into_components(),
                next,
                context,
            ));
        }
    }
    Ok(messages)
}

/// Every attendee of before and after besides the organiser himself, whom the server serves. What SCHEDULE-AGENT says now counts.
fn recipients(old: Option<&Object>, new: Option<&Object>, context: &Context<'_>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for object in [new, old].into_iter().flatten() {
        let organizer = object
            .organizer()
            .map(|line| line.value.clone())
            .unwrap_or_default();
        for line in object.attendees() {
            let known = lines
                .iter()
                .any(|one| same_address(&one.value, &line.value));
            if !known && !same_address(&organizer, &line.value) && !context.is_me(&line.value) {
                lines.push(line.clone());
            }
        }
    }
    lines.retain(by_server);
    lines
}

fn for_one(
    old: Option<&Object>,
    new: &Object,
    line: &Line,
    forced: bool,
    context: &Context<'_>,
) -> Result<Vec<Message>> {
    let address = line.value.trim();
    let before = old
        .map(|old| View::of(old, address))
        .transpose()?
        .flatten()
        .zip(old);
    let after = View::of(new, address)?;
    let next = old.map_or(0, next_sequence).max(new.sequence());
    let whole = |view: View| request(new, address, view.into_components(), context);
    match (before, after) {
        (None, None) => Ok(Vec::new()),
        (None, Some(after)) => Ok(vec![whole(after)]),
        (Some((before, old)), None) => {
            let components = before.into_components();
            Ok(vec![cancel(old, address, components, next, context)])
        }
        (Some(_), Some(after)) if forced => Ok(vec![whole(after)]),
        (Some((before, old)), Some(after)) => {
            Difference::of((old, before), (new, after)).message(address, next, context)
        }
    }
}
