//! DELETE: an object, or a collection with all that is in it. The collections that a mailbox begins with stay.

use waxwing_formats_mapi::Rights;
use waxwing_sdk::store::folders;
use waxwing_sdk::store::objects::{self, Condition};

use super::put::{denied, wanted};
use crate::answer::{Answer, Refusal};
use crate::lock::{Change, demand};
use crate::paging::PAGE_OBJECTS;
use crate::place::{CollectionPlace, Place, Shelf};
use crate::property::Privilege;
use crate::request::Request;
use crate::scheduling;
use crate::sharing::invites::{self, Status};
use crate::sharing::notifications;
use crate::visit::{Opened, Visit};
use crate::xml::Name;

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    match &request.place {
        Some(Place::Object(place, name)) => object(request, visit, (place, name)),
        Some(Place::Collection(place)) => collection(request, visit, place),
        Some(Place::Notification(owner, name)) => {
            super::propfind::demand_own(visit, owner)?;
            notifications::named(visit, name)?.dismiss(visit)?;
            Ok(Answer::new(204))
        }
        Some(_) => Err(Refusal::new(403, "this is always there")),
        None => Err(Refusal::not_found()),
    }
}

fn object(
    request: &Request,
    visit: &Visit,
    (place, name): (&CollectionPlace, &str),
) -> Result<Answer, Refusal> {
    let opened = visit.open(place)?;
    let wanted = wanted(request, &opened, name)?;
    let is_silent = request.wants_no_reply();
    let locks = demand((request, visit), &opened, Change::Remove(name))?;
    scheduling::remove(&opened, (name, &wanted), is_silent)?;
    locks.forget(&opened.mailbox, (opened.collection.folder.id, Some(name)));
    Ok(Answer::new(204))
}

fn collection(
    request: &Request,
    visit: &Visit,
    place: &CollectionPlace,
) -> Result<Answer, Refusal> {
    let opened = visit.open(place)?;
    if has_left(visit, &opened)? {
        return Ok(Answer::new(204));
    }
    if opened.collection.is_default() {
        let text = "the collections that a mailbox begins with cannot be deleted";
        return Err(match place.shelf {
            // RFC 6638 section 4.3.
            Shelf::Calendars => Refusal::forbidden(Name::caldav("default-calendar-needed"), text),
            Shelf::AddressBooks => Refusal::new(403, text),
        });
    }
    check_may_go(&opened)?;
    let locks = demand((request, visit), &opened, Change::Everything)?;
    if place.shelf == Shelf::Calendars {
        call_off(&opened, request.wants_no_reply())?;
    }
    folders::delete(&opened.mailbox, opened.collection.folder.id)
        .map_err(|fault| denied(fault, &opened))?;
    locks.forget(&opened.mailbox, (opened.collection.folder.id, None));
    if let Err(fault) = invites::forget(&opened.mailbox, opened.collection.folder.id) {
        let text = &fault.detail;
        waxwing_sdk::warning!("invitations to what is gone stay: {text}");
    }
    Ok(Answer::new(204))
}

/// Whoever has accepted an invitation takes the collection out of his home and leaves it where it is.
fn has_left(visit: &Visit, opened: &Opened) -> Result<bool, Refusal> {
    let collection = &opened.collection;
    if collection.place.owner == visit.address {
        return Ok(false);
    }
    let invite = invites::get(&opened.mailbox, (&visit.address, collection.folder.id))?;
    let Some(invite) = invite.filter(|invite| invite.status == Status::Accepted) else {
        return Ok(false);
    };
    super::invite_reply::say(&opened.mailbox, invite, Status::Declined)?;
    Ok(true)
}

/// What the store would refuse at the end is refused before anybody hears that his meetings are gone.
fn check_may_go(opened: &Opened) -> Result<(), Refusal> {
    let collection = &opened.collection;
    if !collection.rights().contains(Rights::FOLDER_OWNER) {
        let path = Place::Collection(collection.place.clone()).path();
        let text = "only an owner deletes a collection";
        return Err(Refusal::needs(&path, &Privilege::Write.name(), text));
    }
    let all = folders::all(&opened.mailbox)?;
    if all
        .iter()
        .any(|folder| folder.parent == Some(collection.folder.id))
    {
        let text = "there are folders below it, which other programs show; they go first";
        return Err(Refusal::new(403, text));
    }
    Ok(())
}

/// RFC 6638 section 3.2.1.3: whoever takes part in a meeting of a calendar hears that it is gone.
fn call_off(opened: &Opened, is_silent: bool) -> Result<(), Refusal> {
    let folder = opened.collection.folder.id;
    let mut after = 0;
    loop {
        let page = objects::list_objects(&opened.mailbox, folder, after, PAGE_OBJECTS)?;
        for object in page.objects {
            if object.schedule_tag.is_some() {
                scheduling::remove(opened, (&object.name, &Condition::Any.into()), is_silent)?;
            }
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}
