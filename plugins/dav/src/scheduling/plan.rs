//! What a change of an object means: for the organiser, for an attendee, or for nobody (RFC 6638 section 3.2).

use waxwing_formats_ical::schedule::{
    Context, Message, Role, attendee_changed, organizer_changed, role, same_address,
};
use waxwing_formats_ical::{Error, Object};

use crate::answer::Refusal;
use crate::content::calendar::refusal;
use crate::xml::Name;

/// What is to be stored and told.
#[derive(Debug)]
pub(super) struct Plan {
    /// None after a deletion.
    pub(super) object: Option<Object>,
    /// It differs from what the client put.
    pub(super) changed: bool,
    /// Others take part in it.
    pub(super) is_scheduled: bool,
    pub(super) messages: Vec<Message>,
}

fn allowed(condition: &'static str, text: &str) -> Refusal {
    Refusal::forbidden(Name::caldav(condition), text)
}

const ORGANIZER: &str = "allowed-organizer-scheduling-object-change";
const ATTENDEE: &str = "allowed-attendee-scheduling-object-change";

/// What becomes of `new` in the place of `old`.
pub(super) fn put(
    old: Option<&Object>,
    new: Object,
    context: &Context<'_>,
) -> Result<Plan, Refusal> {
    let was = old.map_or(Role::Nobody, |old| {
        // What is stored was let in once; what is wrong with it now is no reason to keep it.
        role(old, context).unwrap_or(Role::Nobody)
    });
    let is = role(&new, context).map_err(wrong)?;
    match (was, is) {
        (Role::Nobody, Role::Nobody) => Ok(Plan {
            object: Some(new),
            changed: false,
            is_scheduled: false,
            messages: Vec::new(),
        }),
        (Role::Attendee, Role::Nobody | Role::Organizer) => Err(allowed(
            ATTENDEE,
            "an attendee stays one: to be out of it, decline or delete it",
        )),
        (Role::Organizer, Role::Attendee) => Err(allowed(
            ORGANIZER,
            "the organizer of a meeting stays who he is",
        )),
        (Role::Organizer, _) | (Role::Nobody, Role::Organizer) => {
            let old = old.filter(|_| was == Role::Organizer);
            let organized = organizer_changed(old, Some(&new), context).map_err(wrong)?;
            Ok(Plan {
                object: organized.object,
                changed: organized.changed,
                is_scheduled: is != Role::Nobody,
                messages: organized.messages,
            })
        }
        (_, Role::Attendee) => {
            let old = old.filter(|_| was == Role::Attendee);
            if old.is_some_and(|old| !have_one_organizer(old, &new)) {
                return Err(allowed(ATTENDEE, "an attendee may not change ORGANIZER"));
            }
            let attended = attendee_changed(old, Some(&new), context).map_err(wrong)?;
            Ok(Plan {
                object: attended.object,
                changed: attended.changed,
                is_scheduled: true,
                messages: attended.reply.into_iter().collect(),
            })
        }
    }
}

/// What a deletion tells. An attendee may go in silence (RFC 6638 section 8.1).
pub(super) fn removal(
    old: &Object,
    context: &Context<'_>,
    is_silent: bool,
) -> Result<Vec<Message>, Refusal> {
    match role(old, context).unwrap_or(Role::Nobody) {
        Role::Nobody => Ok(Vec::new()),
        Role::Organizer => {
            let organized = organizer_changed(Some(old), None, context).map_err(wrong)?;
            Ok(organized.messages)
        }
        Role::Attendee if is_silent => Ok(Vec::new()),
        Role::Attendee => {
            let attended = attendee_changed(Some(old), None, context).map_err(wrong)?;
            Ok(attended.reply.into_iter().collect())
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn wrong(error: Error) -> Refusal {
    refusal(&error)
}

fn have_one_organizer(old: &Object, new: &Object) -> bool {
    match (old.organizer(), new.organizer()) {
        (Some(old), Some(new)) => same_address(&old.value, &new.value),
        (old, new) => old.is_none() && new.is_none(),
    }
}
