use super::Context;
use crate::contentline::{Component, Line};
use crate::{Error, Object, Precondition, Result};

/// Whether two calendar user addresses are one. Case has no meaning in any that are in use.
pub fn same_address(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

/// What somebody is in a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// ORGANIZER, and there are others to tell.
    Organizer,
    /// One of ATTENDEE, and somebody else organises it.
    Attendee,
    /// Neither: nothing is sent (RFC 6638 section 3.1).
    Nobody,
}

/// What the owner of a calendar is in an object.
///
/// # Errors
/// [`Error::Object`] with `same-organizer-in-all-components`.
pub fn role(object: &Object, context: &Context<'_>) -> Result<Role> {
    let organizers: Vec<&str> = object
        .components()
        .filter_map(|one| one.value("ORGANIZER"))
        .collect();
    let Some(first) = organizers.first() else {
        return Ok(Role::Nobody);
    };
    if organizers.iter().any(|other| !same_address(first, other)) {
        return Err(Error::object(
            Precondition::SameOrganizerInAllComponents,
            "components with different organizers",
        ));
    }
    let attendees = object.attendees();
    Ok(if context.is_me(first) {
        let others = attendees.iter().any(|line| !context.is_me(&line.value));
        if others {
            Role::Organizer
        } else {
            Role::Nobody
        }
    } else if attendees.iter().any(|line| context.is_me(&line.value)) {
        Role::Attendee
    } else {
        Role::Nobody
    })
}

/// The line of an attendee.
pub(super) fn attendee<'a>(component: &'a Component, address: &str) -> Option<&'a Line> {
    component
        .lines_of("ATTENDEE")
        .find(|line| same_address(&line.value, address))
}

/// The line of the owner of the calendar.
pub(super) fn me<'a>(component: &'a Component, context: &Context<'_>) -> Option<&'a Line> {
    component
        .lines_of("ATTENDEE")
        .find(|line| context.is_me(&line.value))
}

/// The same, to change it.
pub(super) fn me_mut<'a>(
    component: &'a mut Component,
    context: &Context<'_>,
) -> Option<&'a mut Line> {
    component
        .lines
        .iter_mut()
        .find(|line| line.is("ATTENDEE") && context.is_me(&line.value))
}

/// PARTSTAT in capitals; NEEDS-ACTION when there is none.
pub(super) fn participation(line: &Line) -> String {
    line.parameter("PARTSTAT")
        .unwrap_or("NEEDS-ACTION")
        .to_ascii_uppercase()
}

/// Whether the server is to send what concerns this ATTENDEE or ORGANIZER (RFC 6638 section 7.1).
pub(super) fn by_server(line: &Line) -> bool {
    line.parameter("SCHEDULE-AGENT")
        .is_none_or(|agent| agent.eq_ignore_ascii_case("SERVER"))
}

/// Whether SCHEDULE-FORCE-SEND asks for a method (RFC 6638 section 7.2).
pub(super) fn forces(line: &Line, method: &str) -> bool {
    line.has_parameter("SCHEDULE-FORCE-SEND", method)
}
