//! Who may say what: a REQUEST or CANCEL is the organiser's, an answer is its attendee's (RFC 5546 section 1.4, RFC 6047 section 3).

use waxwing_formats_ical::schedule::{Context, Method, same_address};
use waxwing_formats_ical::{Calendar, Object, contentline::Line};

use crate::{Error, Result};

/// Whether a method speaks for the organiser; else for an attendee.
fn is_of_organizer(method: Method) -> bool {
    match method {
        Method::Publish
        | Method::Request
        | Method::Add
        | Method::Cancel
        | Method::DeclineCounter => true,
        Method::Reply | Method::Refresh | Method::Counter => false,
    }
}

/// The line of whom a message speaks for.
pub(crate) fn speaker(calendar: &Calendar) -> Option<(Method, &Line)> {
    let method = Method::of_name(&calendar.method()?)?;
    let name = match is_of_organizer(method) {
        true => "ORGANIZER",
        false => "ATTENDEE",
    };
    let line = calendar
        .component()
        .components
        .iter()
        .find_map(|component| component.line(name))?;
    Some((method, line))
}

/// Whether somebody of these addresses may say it: it speaks for him in all its components. What it says itself of who has written for
/// whom (SENT-BY) is nobody's word; whoever may edit another one's calendar writes there.
pub(crate) fn is_from(calendar: &Calendar, addresses: &[String]) -> bool {
    let Some((method, _)) = speaker(calendar) else {
        return false;
    };
    let name = match is_of_organizer(method) {
        true => "ORGANIZER",
        false => "ATTENDEE",
    };
    let is_his = |line: &Line| addresses.iter().any(|one| same_address(one, &line.value));
    let components = calendar.component().components.iter();
    components
        .filter(|component| !component.is("VTIMEZONE"))
        .all(|component| component.line(name).is_some_and(is_his))
}

/// Whether a message may change the copy that is there.
pub(crate) fn check(
    calendar: &Calendar,
    stored: Option<&Object>,
    context: &Context<'_>,
) -> Result<()> {
    let Some((method, line)) = speaker(calendar) else {
        return Err(Error::NotTheirs("it does not say whom it is from"));
    };
    let Some(organizer) = stored.map(|stored| stored.organizer()) else {
        return Ok(());
    };
    let organizer = organizer
        .map(|line| line.value.as_str())
        .unwrap_or_default();
    let is_mine = context.mine.iter().any(|one| same_address(one, organizer));
    match is_of_organizer(method) {
        true if !same_address(organizer, &line.value) => {
            Err(Error::NotTheirs("somebody else organises this meeting"))
        }
        true if is_mine => Err(Error::NotTheirs("the recipient organises this meeting")),
        false if !is_mine => Err(Error::NotTheirs(
            "the recipient does not organise this meeting",
        )),
        _ => Ok(()),
    }
}
