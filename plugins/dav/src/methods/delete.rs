//! DELETE: an object, or a collection with all that is in it. The collections that a mailbox begins with stay.

use waxwing_sdk::store::{folders, objects, objects::Outcome};

use super::put::{denied, failed};
use crate::answer::{Answer, Refusal};
use crate::place::{CollectionPlace, Place, Shelf};
use crate::request::Request;
use crate::visit::Visit;
use crate::xml::Name;

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    match &request.place {
        Some(Place::Object(place, name)) => object(request, visit, (place, name)),
        Some(Place::Collection(place)) => collection(visit, place),
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
    let at = objects::Place {
        folder: opened.collection.folder.id,
        name: name.to_owned(),
    };
    let outcome = objects::delete(&opened.mailbox, &at, &request.condition()?)
        .map_err(|fault| denied(fault, &opened))?;
    match outcome {
        Outcome::Created(_) | Outcome::Replaced(_) => Ok(Answer::new(204)),
        other => Err(failed(other, &opened)),
    }
}

fn collection(visit: &Visit, place: &CollectionPlace) -> Result<Answer, Refusal> {
    let opened = visit.open(place)?;
    if opened.collection.is_default() {
        let text = "the collections that a mailbox begins with cannot be deleted";
        return Err(match place.shelf {
            // RFC 6638 section 4.3.
            Shelf::Calendars => Refusal::forbidden(Name::caldav("default-calendar-needed"), text),
            Shelf::AddressBooks => Refusal::new(403, text),
        });
    }
    folders::delete(&opened.mailbox, opened.collection.folder.id)
        .map_err(|fault| denied(fault, &opened))?;
    Ok(Answer::new(204))
}
