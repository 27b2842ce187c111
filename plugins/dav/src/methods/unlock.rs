//! UNLOCK (RFC 4918 section 9.11): by whoever took the lock, and by the owner of the collection.

use waxwing_formats_mapi::Rights;

use crate::answer::{Answer, Refusal};
use crate::lock::{Locks, unlock};
use crate::place::Place;
use crate::property::Privilege;
use crate::request::Request;
use crate::visit::Visit;
use crate::xml::Name;

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    let (place, name) = match &request.place {
        Some(Place::Object(place, name)) => (place, Some(name.as_str())),
        Some(Place::Collection(place)) => (place, None),
        _ => return Err(no_lock()),
    };
    let token = request
        .header("lock-token")
        .and_then(|field| field.strip_prefix('<')?.strip_suffix('>'))
        .ok_or_else(|| Refusal::new(400, "Lock-Token names the lock: <urn:uuid:...>"))?;
    let opened = visit.open(place)?;
    let folder = opened.collection.folder.id;
    let locks = Locks::all(&opened.mailbox, folder)?;
    let lock = locks
        .iter()
        .find(|lock| lock.token == token && lock.is_on(name))
        .ok_or_else(no_lock)?;
    let is_owner = opened.collection.rights().contains(Rights::FOLDER_OWNER);
    if lock.principal != visit.address && !is_owner {
        let text = "the lock is somebody else's";
        let unlock = Privilege::Unlock.name();
        return Err(Refusal::needs(&lock.root(place), &unlock, text));
    }
    unlock(&opened.mailbox, folder, lock)?;
    Ok(Answer::new(204))
}

fn no_lock() -> Refusal {
    Refusal::conflict(
        Name::dav("lock-token-matches-request-uri"),
        "no lock of this resource has such a token",
    )
}
