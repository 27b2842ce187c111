//! A calendar object is deleted.

use waxwing_formats_ical::schedule::Context;
use waxwing_sdk::store::objects::{self, Condition, Outcome};

use super::{ATTEMPTS, Wanted, addresses, before, deliver, plan, row};
use crate::answer::Refusal;
use crate::methods::put::{denied, failed, now};
use crate::visit::Opened;

/// Deletes an object, with all that follows. In silence, an attendee's organiser hears nothing of it.
pub(crate) fn remove(
    opened: &Opened,
    (name, wanted): (&str, &Wanted),
    is_silent: bool,
) -> Result<(), Refusal> {
    let place = objects::Place {
        folder: opened.collection.folder.id,
        name: name.to_owned(),
    };
    // Who may not read it may still delete it.
    let there = row(opened, name).ok().flatten();
    let is_scheduled = there.is_some_and(|row| row.schedule_tag.is_some());
    for _ in 0..ATTEMPTS {
        let there = match is_scheduled {
            true => before(opened, name)?,
            false => None,
        };
        let (unchanged, messages) = match there {
            None => (wanted.etags.clone(), Vec::new()),
            Some(there) => {
                if !wanted.holds(Some(&there.row)) {
                    return Err(failed(Outcome::Refused(None), opened));
                }
                let mine = addresses(opened)?;
                let context = Context {
                    mine: &mine,
                    now: now(),
                };
                let messages = match &there.object {
                    Some(object) => plan::removal(object, &context, is_silent)?,
                    None => Vec::new(),
                };
                (Condition::OneOf(vec![there.row.etag]), messages)
            }
        };
        let outcome = objects::delete(&opened.mailbox, &place, &unchanged)
            .map_err(|fault| denied(fault, opened))?;
        match outcome {
            Outcome::Created(_) | Outcome::Replaced(_) => {
                deliver::deliver(opened, messages);
                return Ok(());
            }
            Outcome::Refused(_) if is_scheduled => {}
            other => return Err(failed(other, opened)),
        }
    }
    Err(Refusal::new(
        409,
        "others change the object at the same time",
    ))
}
