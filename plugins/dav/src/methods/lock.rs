//! LOCK (RFC 4918 section 9.10): a write lock on an object, or on a collection with or without all that is in it; or a lock that is
//! there lasts longer.

use waxwing_formats_mapi::Rights;
use waxwing_sdk::store::objects;

use crate::answer::{Answer, Refusal};
use crate::chance;
use crate::lock::{Lock, Locks, renew, shut, timeout, unlock, write_discovery};
use crate::place::{CollectionPlace, Place, Shelf};
use crate::property::{Multistatus, Privilege};
use crate::request::{Depth, Request};
use crate::visit::{Opened, Visit};
use crate::xml::{Element, Name, Writer, ns};

/// Octets of what a client says of whoever takes a lock.
const MAX_OWNER: usize = 4096;

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    let (place, name) = match &request.place {
        Some(Place::Object(place, name)) => (place, Some(name.as_str())),
        Some(Place::Collection(place)) => (place, None),
        Some(_) => {
            return Err(Refusal::new(
                403,
                "objects, calendars and address books can be locked",
            ));
        }
        None => return Err(Refusal::new(409, "there is no such collection")),
    };
    let opened = super::put::parent(visit, place)?;
    // The least that any lock here asks for; how deep a new one is, its body is needed for.
    check_may(&opened, place, (name, false))?;
    let seconds = timeout(request.header("timeout"));
    let expires = super::put::now().saturating_add(seconds);
    let Some(body) = request.xml()? else {
        return refresh((request, visit), &opened, (name, expires));
    };
    let is_infinite = is_infinite(request)?;
    check_may(&opened, place, (name, is_infinite))?;
    demand_there(&opened, name)?;
    let lock = Lock {
        name: name.map(str::to_owned),
        token: chance::urn(),
        expires,
        is_infinite,
        principal: visit.address.clone(),
        ..read(&body)?
    };
    let folder = opened.collection.folder.id;
    if let Some(refused) = conflict(&Locks::all(&opened.mailbox, folder)?, &lock, place) {
        return Ok(refused);
    }
    shut(&opened.mailbox, folder, &lock)?;
    // Somebody may have been as fast.
    let all = Locks::all(&opened.mailbox, folder)?;
    if let Some(refused) = conflict(&all, &lock, place) {
        unlock(&opened.mailbox, folder, &lock)?;
        return Ok(refused);
    }
    let token = format!("<{}>", lock.token);
    Ok(told(&all, (place, name)).header("lock-token", token))
}

/// What a lock keeps others from doing is what whoever takes it may do himself, all of it (RFC 3744 appendix B): who may only add to a
/// calendar does not keep its owner from changing it.
fn needed(name: Option<&str>, is_infinite: bool) -> Rights {
    match (name, is_infinite) {
        (Some(_), _) => Rights::EDIT_ANY,
        (None, false) => Rights::CREATE | Rights::DELETE_ANY,
        (None, true) => Rights::CREATE | Rights::EDIT_ANY | Rights::DELETE_ANY,
    }
}

fn check_may(
    opened: &Opened,
    place: &CollectionPlace,
    (name, is_infinite): (Option<&str>, bool),
) -> Result<(), Refusal> {
    let needed = needed(name, is_infinite);
    if opened.collection.rights().contains(needed) {
        return Ok(());
    }
    let path = match name {
        Some(name) => Place::Object(place.clone(), name.to_owned()),
        None => Place::Collection(place.clone()),
    }
    .path();
    let text = "only who may change something locks it";
    Err(Refusal::needs(&path, &Privilege::WriteContent.name(), text))
}

/// A lock of a name that nothing has would make something empty there (RFC 4918 section 7.3), which no collection of ours takes.
fn demand_there(opened: &Opened, name: Option<&str>) -> Result<(), Refusal> {
    let Some(name) = name else {
        return Ok(());
    };
    let folder = opened.collection.folder.id;
    let found = objects::get(&opened.mailbox, folder, &[name.to_owned()])?;
    if found.into_iter().flatten().next().is_some() {
        return Ok(());
    }
    let condition = match opened.collection.place.shelf {
        Shelf::Calendars => Name::caldav("valid-calendar-data"),
        Shelf::AddressBooks => Name::carddav("valid-address-data"),
    };
    let text =
        "there is nothing of this name yet, and nothing empty can be made here: put it first";
    Err(Refusal::forbidden(condition, text))
}

fn is_infinite(request: &Request) -> Result<bool, Refusal> {
    match request.depth(Depth::Infinity)? {
        Depth::Zero => Ok(false),
        Depth::Infinity => Ok(true),
        Depth::One => Err(Refusal::new(400, "a lock has a Depth of 0 or infinity")),
    }
}

/// A `lockinfo`: what kind of lock, and for whom.
fn read(body: &Element) -> Result<Lock, Refusal> {
    if !body.name.is(ns::DAV, "lockinfo") {
        return Err(Refusal::new(400, "the body of LOCK is a DAV:lockinfo"));
    }
    let has = |outer: &str, inner: &str| {
        let outer = body.child(ns::DAV, outer);
        outer.is_some_and(|outer| outer.child(ns::DAV, inner).is_some())
    };
    let is_exclusive = has("lockscope", "exclusive");
    if is_exclusive == has("lockscope", "shared") || !has("locktype", "write") {
        return Err(Refusal::new(
            400,
            "a lock is for writing, and exclusive or shared",
        ));
    }
    let owner = body.child(ns::DAV, "owner").map(|owner| {
        let mut out = Writer::part();
        out.tree(owner);
        out.finish()
    });
    let owner = owner.unwrap_or_default();
    if owner.len() > MAX_OWNER {
        return Err(Refusal::new(
            507,
            format!("limit octets of a lock's owner = {MAX_OWNER} reached"),
        ));
    }
    Ok(Lock {
        name: None,
        token: String::new(),
        expires: 0,
        is_exclusive,
        is_infinite: false,
        principal: String::new(),
        owner,
    })
}

/// What stands in the way of a new lock; it may be among the others already.
fn conflict(all: &Locks, new: &Lock, place: &CollectionPlace) -> Option<Answer> {
    let meets = |other: &&Lock| {
        let same = match (&new.name, &other.name) {
            (Some(name), _) => other.covers(name),
            (None, Some(_)) => new.is_infinite,
            (None, None) => true,
        };
        same && other.token != new.token && (new.is_exclusive || other.is_exclusive)
    };
    let others: Vec<&Lock> = all.iter().filter(meets).collect();
    let locked = |roots: &[String]| {
        Refusal::new(423, "somebody else has locked it")
            .condition(Name::dav("no-conflicting-lock"))
            .about_all(roots)
    };
    let roots: Vec<String> = others.iter().map(|lock| lock.root(place)).collect();
    let own = Place::Collection(place.clone()).path();
    if others.is_empty() {
        return None;
    }
    if new.name.is_some() || roots.contains(&own) {
        return Some(locked(&roots).answer());
    }
    // RFC 4918 section 9.10.3: the members are what stands in the way.
    let mut answer = Multistatus::new(false);
    for root in roots {
        answer.status(&root, 423, Some(&locked(std::slice::from_ref(&root))));
    }
    answer.status(&own, 424, None);
    Some(answer.answer())
}

/// RFC 4918 section 9.10.2: who took it makes it last longer, also by way of something else that it locks.
fn refresh(
    (request, visit): (&Request, &Visit),
    opened: &Opened,
    (name, expires): (Option<&str>, i64),
) -> Result<Answer, Refusal> {
    let lists = request
        .lists()?
        .ok_or_else(|| Refusal::new(400, "a LOCK without a body names the lock in its If field"))?;
    let place = &opened.collection.place;
    let folder = opened.collection.folder.id;
    let Locks(mut all) = Locks::all(&opened.mailbox, folder)?;
    let lock = all.iter_mut().find(|lock| {
        lock.is_on(name) && lock.principal == visit.address && lists.submits(&lock.token)
    });
    let lock = lock.ok_or_else(|| {
        Refusal::new(412, "no lock of this resource has such a token")
            .condition(Name::dav("lock-token-matches-request-uri"))
    })?;
    check_may(opened, place, (lock.name.as_deref(), lock.is_infinite))?;
    *lock = renew(&opened.mailbox, folder, (lock, expires))?;
    Ok(told(&Locks(all), (place, name)))
}

/// The locks of a resource, as its property has them.
fn told(all: &Locks, (place, name): (&CollectionPlace, Option<&str>)) -> Answer {
    let root = Name::dav("prop");
    let mut out = Writer::document(&root);
    let on_it = all.iter().filter(|lock| lock.is_on(name));
    write_discovery(&mut out, (&Name::dav("lockdiscovery"), place), on_it);
    out.close(&root);
    Answer::xml(200, out.finish())
}

/// As [`super::read_any`].
pub(super) fn read_any(body: &Element) {
    let _ = read(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> CollectionPlace {
        CollectionPlace {
            shelf: Shelf::Calendars,
            owner: "a@b".into(),
            name: "work".into(),
        }
    }

    fn lock(token: &str, name: Option<&str>, (is_exclusive, is_infinite): (bool, bool)) -> Lock {
        Lock {
            name: name.map(str::to_owned),
            token: token.into(),
            expires: 1,
            is_exclusive,
            is_infinite,
            principal: "a@b".into(),
            owner: String::new(),
        }
    }

    fn meets(there: Lock, new: Lock) -> bool {
        conflict(&Locks(vec![there, new.clone()]), &new, &place()).is_some()
    }

    #[test]
    fn shared_locks_meet_exclusive_ones_only() {
        let one = |token, exclusive| lock(token, Some("1"), (exclusive, false));
        assert!(!meets(one("a", false), one("b", false)));
        assert!(meets(one("a", true), one("b", false)) && meets(one("a", false), one("b", true)));
        assert!(!meets(lock("a", Some("2"), (true, false)), one("b", true)));
    }

    #[test]
    fn a_lock_of_a_collection_meets_those_of_its_members_when_it_is_about_them() {
        let member = || lock("a", Some("1"), (true, false));
        let whole = |infinite| lock("b", None, (true, infinite));
        assert!(meets(member(), whole(true)) && meets(whole(true), member()));
        assert!(!meets(member(), whole(false)) && !meets(whole(false), member()));
        assert!(meets(lock("a", None, (false, false)), whole(false)));
    }

    #[test]
    fn a_lock_of_a_collection_asks_for_all_that_it_keeps_others_from() {
        let may = |rights: Rights, infinite| rights.contains(needed(None, infinite));
        let comes_and_goes = Rights::CREATE | Rights::DELETE_ANY;
        assert!(!may(Rights::CREATE, false) && !may(Rights::CREATE | Rights::EDIT_ANY, true));
        assert!(may(comes_and_goes, false) && !may(comes_and_goes, true));
        assert!(may(comes_and_goes | Rights::EDIT_ANY, true));
    }

    #[test]
    fn a_lockinfo_is_for_writing_and_of_one_scope() {
        let read = |inner: &str| {
            let body = format!("<lockinfo xmlns='DAV:'>{inner}</lockinfo>");
            super::read(&crate::xml::read(body.as_bytes()).unwrap())
        };
        let write = "<locktype><write/></locktype>";
        let scope = |scope: &str| format!("<lockscope>{scope}</lockscope>{write}");
        assert!(read(&scope("<exclusive/>")).unwrap().is_exclusive);
        let shared = format!("{}<owner>me &amp; you</owner>", scope("<shared/>"));
        let shared = read(&shared).unwrap();
        assert!(!shared.is_exclusive && shared.owner.contains("me &amp; you"));
        for broken in [
            scope(""),
            scope("<exclusive/><shared/>"),
            "<lockscope><shared/></lockscope>".into(),
        ] {
            assert!(read(&broken).is_err(), "{broken}");
        }
    }
}
