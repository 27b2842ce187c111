//! `sync-collection` (RFC 6578): a range of the change log.
//!
//! A page that was cut off says so with 507 on the collection, and its token continues. A token of another mailbox or folder, of the
//! future, or from before what the log remembers asks for a synchronisation from the beginning.

use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::objects::{self, Delta, Object};

use super::{Objects, wanted};
use crate::answer::{Answer, Refusal};
use crate::limits::{MAX_ANSWER, MAX_PAGE};
use crate::methods::collection::sources;
use crate::place::CollectionPlace;
use crate::request::{Depth, Request};
use crate::token::Token;
use crate::visit::{Opened, Visit};
use crate::xml::{Element, Name, ns};

pub(super) fn answer(
    (request, visit): (&Request, &Visit),
    place: &CollectionPlace,
    body: &Element,
) -> Result<Answer, Refusal> {
    // RFC 6578 section 3.2 wants 0; clients of the drafts before it send the level here.
    if request.depth(Depth::Zero)? == Depth::Infinity {
        return Err(Refusal::new(400, "sync-collection has a Depth of 0"));
    }
    let opened = visit.open(place)?;
    let mut since = since(&opened, body)?;
    let limit = wanted(body, ns::DAV)?;
    let mut objects = Objects::new((request, visit), &opened, body)?;
    let folder = opened.collection.folder.id;
    let mut more;
    loop {
        let page = limit.unwrap_or(MAX_PAGE).min(MAX_PAGE);
        let delta =
            objects::changes(&opened.mailbox, folder, since, page).map_err(|fault| match fault
                .class
            {
                FaultClass::Expired => stale(fault.detail),
                _ => fault.into(),
            })?;
        tell(&mut objects, &delta)?;
        since = delta.until;
        more = delta.more;
        if !more || limit.is_some() || objects.answer.len() > MAX_ANSWER {
            break;
        }
    }
    if more {
        objects.truncated();
    }
    let token = Token {
        guid: opened.mailbox.guid(),
        folder,
        number: since,
    };
    objects.answer.sync_token(&token.to_string());
    Ok(objects.answer.answer())
}

fn stale(why: impl Into<String>) -> Refusal {
    Refusal::forbidden(Name::dav("valid-sync-token"), why)
}

/// The number that the client's token stands for; 0 without one.
fn since(opened: &Opened, body: &Element) -> Result<u64, Refusal> {
    let text = body
        .child(ns::DAV, "sync-token")
        .map(Element::text)
        .unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(0);
    }
    let folder = &opened.collection.folder;
    let token: Token = text
        .trim()
        .parse()
        .map_err(|()| stale("this is no token of ours"))?;
    let ours = token.guid == opened.mailbox.guid()
        && token.folder == folder.id
        && token.number != 0
        && token.number <= folder.highest_modseq;
    ours.then_some(token.number)
        .ok_or_else(|| stale("the token is of another collection or another time"))
}

fn tell(objects: &mut Objects<'_>, delta: &Delta) -> Result<(), Refusal> {
    if objects.wants_data() {
        let names: Vec<String> = delta
            .changed
            .iter()
            .map(|object| object.name.clone())
            .collect();
        sources(objects.opened, &names, |_, sourced| {
            // One that went in the meantime is told as gone the next time.
            if let Some((object, source)) = sourced {
                objects.tell(&object, Some(&source));
            }
            Ok(true)
        })?;
    } else {
        let one = |object: &Object| objects.tell(object, None);
        delta.changed.iter().for_each(one);
    }
    for name in &delta.deleted {
        objects.missing(name);
    }
    Ok(())
}
