//! GET: an object as it was put, or a collection whole.

use waxwing_sdk::store::objects;

use super::collection::{Export, Page};
use crate::answer::{Answer, Content, Refusal};
use crate::kind::Kind;
use crate::place::{CollectionPlace, Place};
use crate::property::http_date;
use crate::request::Request;
use crate::sharing::notifications;
use crate::visit::Visit;

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    match &request.place {
        Some(Place::Object(collection, name)) => object(request, visit, (collection, name)),
        Some(Place::Collection(place)) => {
            let opened = visit.open(place)?;
            let mut export = Export::begin(request, &opened.collection);
            let page = Page::of_list(&opened, request.cursor)?;
            let rest = page.sources(&opened, |object, source| {
                export.add(place.shelf, (&object.name, source));
                Ok(export.is_full())
            })?;
            Ok(export.answer(&opened.collection, rest))
        }
        Some(Place::Root) => Ok(Answer::new(200)
            .header("content-type", "text/plain; charset=utf-8")
            .content(Content::Octets(
                b"This is a server of calendars (CalDAV) and contacts (CardDAV). Enter this address into a calendar program.\n"
                    .to_vec(),
            ))),
        Some(Place::Notification(owner, name)) => {
            super::propfind::demand_own(visit, owner)?;
            let notification = notifications::named(visit, name)?;
            Ok(Answer::xml(200, notification.document()).header("etag", notification.etag()))
        }
        Some(_) => Err(Refusal::new(405, "there is nothing to be read here")
            .header("allow", super::options::ALLOW)),
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
    let (object, body) = objects::open(&opened.mailbox, &at)?;
    let etag = format!("\"{}\"", object.etag);
    if request.knows(&object.etag) {
        return Ok(Answer::new(304).header("etag", etag));
    }
    let answer = match &object.schedule_tag {
        Some(tag) => Answer::new(200).header("schedule-tag", format!("\"{tag}\"")),
        None => Answer::new(200),
    };
    let media = Kind::of_code(object.kind)
        .map_or_else(|| "application/octet-stream".to_owned(), Kind::media_type);
    Ok(answer
        .header("content-type", media)
        .header("etag", etag)
        .header("last-modified", http_date(object.modified))
        .header("cache-control", "private, no-cache")
        .content(Content::Stored(body)))
}
