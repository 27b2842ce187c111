//! POST: an object whose name the server chooses (RFC 5995), and what is asked of the outbox.

use waxwing_sdk::store::objects::Condition;

use super::put::{parent, store};
use crate::answer::{Answer, Refusal};
use crate::catalog::Purpose;
use crate::place::{Place, Shelf};
use crate::request::Request;
use crate::visit::Visit;

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    let Some(Place::Collection(place)) = &request.place else {
        return Err(Refusal::new(405, "members are added to collections")
            .header("allow", super::options::ALLOW));
    };
    let opened = parent(visit, place)?;
    if opened.collection.purpose() == Purpose::Outbox {
        return crate::scheduling::ask_for_time(request, &opened);
    }
    let name = unique_name(place.shelf);
    let stored = store(request, &opened, (&name, &Condition::Absent))?;
    let member = Place::Object(place.clone(), name);
    Ok(stored
        .tags(Answer::new(201))
        .header("location", member.path()))
}

/// A name that nothing has: 128 bits of chance.
fn unique_name(shelf: Shelf) -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // Each state has keys of its own, from the host's source of chance.
    let half = || RandomState::new().build_hasher().finish();
    let ending = match shelf {
        Shelf::Calendars => "ics",
        Shelf::AddressBooks => "vcf",
    };
    format!("{:016x}{:016x}.{ending}", half(), half())
}
