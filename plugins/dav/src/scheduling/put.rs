//! A calendar object is put.

use waxwing_formats_ical::Object;
use waxwing_formats_ical::schedule::Context;
use waxwing_sdk::bodies::Body;
use waxwing_sdk::store::objects::{self, Condition, Outcome, Scheduling};

use super::{ATTEMPTS, Before, Wanted, addresses, before, deliver, plan, row, written};
use crate::answer::Refusal;
use crate::catalog;
use crate::content::calendar;
use crate::methods::put::{Stored, denied, failed, now, stored};
use crate::place::{Place, Shelf};
use crate::visit::Opened;
use crate::xml::Name;

/// Puts a source that was read as `new`, with all that follows.
pub(crate) fn put(
    opened: &Opened,
    (name, wanted): (&str, &Wanted),
    (body, new): (&Body, Object),
) -> Result<Stored, Refusal> {
    if is_nobodys(opened, (name, wanted), &new)? {
        let facts = calendar::facts_of(&new, now(), Scheduling::None);
        let outcome = objects::put(
            &opened.mailbox,
            &at(opened, name),
            &wanted.etags,
            body,
            &facts,
        )
        .map_err(|fault| denied(fault, opened))?;
        return stored(outcome, opened);
    }
    let mine = addresses(opened)?;
    for _ in 0..ATTEMPTS {
        let there = before(opened, name)?;
        if !wanted.holds(there.as_ref().map(|there| &there.row)) {
            return Err(failed(Outcome::Refused(None), opened));
        }
        if let Some(stored) = once(opened, (name, there.as_ref()), (body, &new, &mine))? {
            return Ok(stored);
        }
    }
    Err(Refusal::new(
        409,
        "others change the object at the same time",
    ))
}

/// Whether nobody takes part in it, neither before nor after.
fn is_nobodys(
    opened: &Opened,
    (name, wanted): (&str, &Wanted),
    new: &Object,
) -> Result<bool, Refusal> {
    if new.organizer().is_some() || wanted.schedule_tag.is_some() {
        return Ok(false);
    }
    if matches!(wanted.etags, Condition::Absent) {
        return Ok(true);
    }
    let there = row(opened, name)?;
    Ok(there.is_none_or(|there| there.schedule_tag.is_none()))
}

/// None when another change came in between.
fn once(
    opened: &Opened,
    (name, there): (&str, Option<&Before>),
    (body, new, mine): (&Body, &Object, &[String]),
) -> Result<Option<Stored>, Refusal> {
    let context = Context { mine, now: now() };
    let old = there.and_then(|there| there.object.as_ref());
    let planned = plan::put(old, new.clone(), &context)?;
    if there.is_none() && planned.is_scheduled {
        only_one(opened, new.uid())?;
    }
    let object = planned.object.unwrap_or_else(|| new.clone());
    let state = match planned.is_scheduled {
        true => Scheduling::Changed,
        false => Scheduling::None,
    };
    let facts = calendar::facts_of(&object, now(), state);
    let rewritten = match planned.changed {
        true => Some(written(&object)?),
        false => None,
    };
    let unchanged = match there {
        Some(there) => Condition::OneOf(vec![there.row.etag.clone()]),
        None => Condition::Absent,
    };
    let source = rewritten.as_ref().unwrap_or(body);
    let outcome = objects::put(
        &opened.mailbox,
        &at(opened, name),
        &unchanged,
        source,
        &facts,
    )
    .map_err(|fault| denied(fault, opened))?;
    if matches!(outcome, Outcome::Refused(_)) {
        return Ok(None);
    }
    let mut put = stored(outcome, opened)?;
    put.changed = planned.changed;
    let statuses = deliver::deliver(opened, planned.messages);
    if let Some(noted) = deliver::note(opened, name, &statuses) {
        put.object = noted;
        put.changed = true;
    }
    Ok(Some(put))
}

fn at(opened: &Opened, name: &str) -> objects::Place {
    objects::Place {
        folder: opened.collection.folder.id,
        name: name.to_owned(),
    }
}

/// RFC 6638 section 3.2.4.1: a meeting is in one of somebody's calendars.
fn only_one(opened: &Opened, uid: &str) -> Result<(), Refusal> {
    let folder = opened.collection.folder.id;
    let others = objects::of_uid(&opened.mailbox, uid)?;
    let other = others
        .into_iter()
        .find(|(at, object)| *at != folder && object.schedule_tag.is_some());
    let Some((at, object)) = other else {
        return Ok(());
    };
    let refusal = Refusal::forbidden(
        Name::caldav("unique-scheduling-object-resource"),
        "the meeting is in another calendar already",
    );
    let owner = &opened.collection.place.owner;
    let home = catalog::of_home(&opened.mailbox, Shelf::Calendars, owner)?;
    let collection = home
        .into_iter()
        .find(|collection| collection.folder.id == at);
    Err(match collection {
        Some(collection) => refusal.about(&Place::Object(collection.place, object.name).path()),
        None => refusal,
    })
}
