//! `calendar-multiget` (RFC 4791 section 7.9) and `addressbook-multiget` (RFC 6352 section 8.7): objects by their paths.

use waxwing_sdk::store::objects;

use super::Objects;
use crate::answer::{Answer, Refusal};
use crate::methods::collection::sources;
use crate::paging::{Cursor, PAGE_OBJECTS};
use crate::place::{CollectionPlace, Place};
use crate::request::Request;
use crate::visit::{Opened, Visit};
use crate::xml::{Element, ns};

/// Paths of one request.
const MAX_PATHS: usize = 20_000;

pub(super) fn answer(
    (request, visit): (&Request, &Visit),
    place: &CollectionPlace,
    body: &Element,
) -> Result<Answer, Refusal> {
    let opened = visit.open(place)?;
    let mut objects = Objects::new((request, visit), &opened, body)?;
    let mut names = Vec::new();
    for href in body.all(ns::DAV, "href") {
        if names.len() >= MAX_PATHS {
            return Err(Refusal::new(
                413,
                format!("limit paths of a multiget = {MAX_PATHS} reached"),
            ));
        }
        let text = href.text();
        match Place::of_href(&text) {
            Some(Place::Object(at, name)) if at == *place => names.push(name),
            // It is not in this collection, whatever else it is.
            _ if request.cursor.is_start() => objects.answer.status(text.trim(), 404, None),
            _ => {}
        }
    }
    let told = request.cursor.after as usize;
    let rest = names.get(told..).unwrap_or_default();
    let now = rest.get(..PAGE_OBJECTS as usize).unwrap_or(rest);
    let count = tell(&mut objects, &opened, now)?;
    let next = told + count;
    let rest = (next < names.len()).then(|| Cursor {
        after: u32::try_from(next).unwrap_or(u32::MAX),
        item: 0,
    });
    Ok(objects.answer.answer_with(rest))
}

/// Tells of objects until the page is full; how many they were.
fn tell(objects: &mut Objects<'_>, opened: &Opened, names: &[String]) -> Result<usize, Refusal> {
    let mut count = 0;
    if objects.wants_data() {
        sources(opened, names, |name, sourced| {
            match sourced {
                Some((object, source)) => objects.tell(&object, Some(&source)),
                None => objects.missing(name),
            }
            count += 1;
            Ok(!objects.is_full())
        })?;
        return Ok(count);
    }
    let found = objects::get(&opened.mailbox, opened.collection.folder.id, names)?;
    for (name, object) in names.iter().zip(found) {
        match object {
            Some(object) => objects.tell(&object, None),
            None => objects.missing(name),
        }
    }
    Ok(names.len())
}
