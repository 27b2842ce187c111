//! MKCALENDAR (RFC 4791 section 5.3.1) and the extended MKCOL (RFC 5689): a collection with its properties, in one commit.

use waxwing_formats_mapi::columns;
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::objects::{self, NewCollection};
use waxwing_sdk::store::{Property, Value};

use super::proppatch::{Change, Plan, changes, folder_name, namesakes, plan, stats};
use crate::answer::{Answer, Refusal};
use crate::catalog::{container_class, is_free_name};
use crate::kept::{COMPONENT_SET, Kept, kinds_of};
use crate::kind::{Kind, Kinds};
use crate::place::{CollectionPlace, Place, Shelf};
use crate::property::Multistatus;
use crate::request::Request;
use crate::visit::Visit;
use crate::xml::{Element, Name, Writer, ns};

pub(super) fn calendar(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    let body = request.xml()?;
    if body
        .as_ref()
        .is_some_and(|body| !body.name.is(ns::CALDAV, "mkcalendar"))
    {
        return Err(Refusal::new(
            400,
            "the body of MKCALENDAR is a CALDAV:mkcalendar",
        ));
    }
    let place = free_place(request, visit, Shelf::Calendars)?;
    make(visit, &place, (body.as_ref(), "mkcalendar-response"))
}

pub(super) fn collection(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    // RFC 4918 section 9.3: what cannot be understood is said to be so before it is read. Clients may leave the type out.
    if request.media_type().is_some() && !request.is_xml() {
        return Err(Refusal::new(415, "the body of MKCOL is XML"));
    }
    let body = request.xml()?;
    let kind_of_body = |body: &Element| body.name.is(ns::DAV, "mkcol");
    if body.as_ref().is_some_and(|body| !kind_of_body(body)) {
        return Err(Refusal::new(415, "the body of MKCOL is a DAV:mkcol"));
    }
    let shelf = match &request.place {
        Some(Place::Collection(place)) => place.shelf,
        _ => Shelf::Calendars,
    };
    let place = free_place(request, visit, shelf)?;
    let asked = body.as_ref().map(resource_type).transpose()?.flatten();
    // Without a type it is what its home is for.
    if asked.is_some_and(|asked| asked != place.shelf) {
        return Err(Refusal::forbidden(
            Name::dav("valid-resourcetype"),
            "calendars belong into the home of calendars, address books into that of address books",
        ));
    }
    make(visit, &place, (body.as_ref(), "mkcol-response"))
}

/// What a `resourcetype` makes.
fn resource_type(body: &Element) -> Result<Option<Shelf>, Refusal> {
    let set = body
        .all(ns::DAV, "set")
        .flat_map(|set| set.all(ns::DAV, "prop"));
    let kind = set
        .filter_map(|prop| prop.child(ns::DAV, "resourcetype"))
        .next();
    let Some(kind) = kind else {
        return Ok(None);
    };
    let calendar = kind.child(ns::CALDAV, "calendar").is_some();
    let cards = kind.child(ns::CARDDAV, "addressbook").is_some();
    match (calendar, cards) {
        (true, false) => Ok(Some(Shelf::Calendars)),
        (false, true) => Ok(Some(Shelf::AddressBooks)),
        _ => Err(Refusal::forbidden(
            Name::dav("valid-resourcetype"),
            "a collection is a calendar or an address book",
        )),
    }
}

/// Where a collection may be made: nothing is there yet.
fn free_place(request: &Request, visit: &Visit, shelf: Shelf) -> Result<CollectionPlace, Refusal> {
    let wrong_place = match shelf {
        Shelf::Calendars => Name::caldav("calendar-collection-location-ok"),
        Shelf::AddressBooks => Name::carddav("addressbook-collection-location-ok"),
    };
    let place = match &request.place {
        Some(Place::Collection(place)) if place.shelf == shelf => place,
        Some(Place::Collection(_) | Place::Object(..)) | None => {
            return Err(Refusal::forbidden(
                wrong_place,
                "collections are made in homes",
            ));
        }
        Some(_) => {
            return Err(Refusal::new(405, "there is something already")
                .condition(Name::dav("resource-must-be-null")));
        }
    };
    let (_, there) = visit.home(place.shelf, &place.owner)?;
    if there.iter().any(|collection| collection.place == *place) {
        return Err(Refusal::new(405, "there is something already")
            .condition(Name::dav("resource-must-be-null")));
    }
    if !is_free_name(&place.name) {
        return Err(Refusal::forbidden(
            wrong_place,
            "the server gives names like this itself",
        ));
    }
    Ok(place.clone())
}

fn make(
    visit: &Visit,
    place: &CollectionPlace,
    (body, response): (Option<&Element>, &'static str),
) -> Result<Answer, Refusal> {
    let mut instructions = body.map(changes).unwrap_or_default();
    instructions.retain(|change| !matches!(change, Change::Set(element) if element.name.is(ns::DAV, "resourcetype")));
    let (kinds, set) = components(&mut instructions, place.shelf)?;
    let Plan { display_name, kept } = match plan(&instructions, &set) {
        Ok(plan) => plan,
        Err(refused) => return Ok(failed(response, &instructions, refused)),
    };
    let mailbox = visit.mailbox(&place.owner)?;
    let outside_name = Property {
        tag: columns::OUTSIDE_NAME.0,
        value: Value::Text(place.name.clone()),
    };
    let mut new = NewCollection {
        parent: None,
        name: String::new(),
        container_class: container_class(place.shelf, kinds).to_owned(),
        properties: std::iter::once(outside_name)
            .chain(kept.properties()?)
            .collect(),
    };
    let wanted = display_name.unwrap_or_else(|| folder_name(&place.name));
    for name in namesakes(&wanted) {
        new.name = name;
        match objects::create_collection(&mailbox, &new) {
            Ok(_) => return Ok(Answer::new(201).header("cache-control", "no-cache")),
            Err(fault) if fault.class == FaultClass::AlreadyExists => {}
            Err(fault) if fault.class == FaultClass::Denied => {
                let home = Place::Home(place.shelf, place.owner.clone());
                return Err(Refusal::needs(
                    &home.path(),
                    &Name::dav("bind"),
                    fault.detail,
                ));
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    Err(Refusal::new(409, "too many folders of this name"))
}

/// The kinds of a new calendar, taken out of the instructions: it can be said once, and never changed.
fn components(instructions: &mut Vec<Change>, shelf: Shelf) -> Result<(Kinds, Kept), Refusal> {
    let mut kept = Kept::default();
    if shelf == Shelf::AddressBooks {
        return Ok((Kinds::only(Kind::Card), kept));
    }
    let mut kinds = Kinds::CALENDAR;
    let is_set =
        |change: &Change| matches!(change, Change::Set(element) if element.name == COMPONENT_SET);
    for change in instructions.iter().filter(|change| is_set(change)) {
        let Change::Set(element) = change else {
            continue;
        };
        kinds = kinds_of(element);
        if kinds == Kinds::NONE {
            return Err(Refusal::forbidden(
                Name::caldav("supported-calendar-component"),
                "no component of this set is supported",
            ));
        }
        kept.set(element)?;
    }
    instructions.retain(|change| !is_set(change));
    Ok((kinds, kept))
}

/// RFC 5689 section 3.4: what was wrong, in the place of a 207.
fn failed(
    response: &'static str,
    instructions: &[Change],
    refused: Vec<(Name, Refusal)>,
) -> Answer {
    let root = match response {
        "mkcalendar-response" => Name::caldav(response),
        _ => Name::dav(response),
    };
    let mut out = Writer::document(&root);
    Multistatus::propstats(&mut out, stats(instructions, refused));
    out.close(&root);
    Answer::xml(424, out.finish())
}
