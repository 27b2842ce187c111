//! POST: an object whose name the server chooses (RFC 5995), what is asked of the outbox, and what is said of shares.

use waxwing_sdk::store::objects::Condition;

use super::put::{parent, store};
use crate::answer::{Answer, Refusal};
use crate::catalog::Purpose;
use crate::chance;
use crate::lock::{Change, demand};
use crate::place::{Place, Shelf};
use crate::request::Request;
use crate::visit::Visit;

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    if let Some(Place::Home(_, owner)) = &request.place {
        super::propfind::demand_own(visit, owner)?;
        let body = request.xml()?;
        let body = body.ok_or_else(|| Refusal::new(400, "the body is empty"))?;
        return super::invite_reply::answer(visit, &body);
    }
    let Some(Place::Collection(place)) = &request.place else {
        return Err(Refusal::new(405, "members are added to collections")
            .header("allow", super::options::ALLOW));
    };
    let opened = parent(visit, place)?;
    if opened.collection.purpose() == Purpose::Outbox {
        return crate::scheduling::ask_for_time(request, &opened);
    }
    if request.is_xml()
        && let Some(body) = request.xml()?.filter(super::share::is_share)
    {
        demand((request, visit), &opened, Change::Permissions)?;
        return super::share::answer(visit, &opened, &body);
    }
    let name = unique_name(place.shelf);
    demand((request, visit), &opened, Change::Put(&name))?;
    let stored = store(request, &opened, (&name, &Condition::Absent.into()))?;
    let member = Place::Object(place.clone(), name);
    Ok(stored
        .tags(Answer::new(201))
        .header("location", member.path()))
}

/// A name that nothing has.
fn unique_name(shelf: Shelf) -> String {
    let ending = match shelf {
        Shelf::Calendars => "ics",
        Shelf::AddressBooks => "vcf",
    };
    format!("{}.{ending}", chance::name())
}
