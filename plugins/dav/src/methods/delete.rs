//! DELETE: an object, or a collection with all that is in it. The collections that a mailbox begins with stay.

use waxwing_formats_mapi::Rights;
use waxwing_sdk::store::folders;
use waxwing_sdk::store::objects::{self, Condition};

use super::put::{denied, pinned};
use crate::answer::{Answer, Refusal};
use crate::paging::PAGE_OBJECTS;
use crate::place::{CollectionPlace, Place, Shelf};
use crate::property::Privilege;
use crate::request::Request;
use crate::scheduling;
use crate::visit::{Opened, Visit};
use crate::xml::Name;

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    match &request.place {
        Some(Place::Object(place, name)) => object(request, visit, (place, name)),
        Some(Place::Collection(place)) => collection(request, visit, place),
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
    let condition = pinned(request, &opened, name)?;
    let is_silent = request.wants_no_reply();
    scheduling::remove(&opened, (name, &condition), is_silent)?;
    Ok(Answer::new(204))
}

fn collection(
    request: &Request,
    visit: &Visit,
    place: &CollectionPlace,
) -> Result<Answer, Refusal> {
    let opened = visit.open(place)?;
    if opened.collection.is_default() {
        let text = "the collections that a mailbox begins with cannot be deleted";
        return Err(match place.shelf {
            // RFC 6638 section 4.3.
            Shelf::Calendars => Refusal::forbidden(Name::caldav("default-calendar-needed"), text),
            Shelf::AddressBooks => Refusal::new(403, text),
        });
    }
    check_may_go(&opened)?;
    if place.shelf == Shelf::Calendars {
        call_off(&opened, request.wants_no_reply())?;
    }
    folders::delete(&opened.mailbox, opened.collection.folder.id)
        .map_err(|fault| denied(fault, &opened))?;
    Ok(Answer::new(204))
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
                scheduling::remove(opened, (&object.name, &Condition::Any), is_silent)?;
            }
        }
        match page.next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}
