//! Which tokens a change must come with (RFC 4918 section 7). What is locked by several shared locks may be changed with the token of
//! one of them, by whoever took it.

use waxwing_formats_mapi::Rights;
use waxwing_sdk::store::objects;

use super::{Lock, Locks};
use crate::answer::Refusal;
use crate::request::Request;
use crate::visit::{Opened, Visit};
use crate::xml::Name;

/// What is to be changed in a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change<'c> {
    /// There will be an object of this name, whether there is one or not.
    Put(&'c str),
    /// There will be none of this name.
    Remove(&'c str),
    /// Something about an object, which stays.
    Object(&'c str),
    /// Something about the collection itself.
    Collection,
    /// Who may do what in the collection: an owner needs no token for it, or somebody could keep him from taking rights away.
    Permissions,
    /// All of it goes.
    Everything,
}

/// Refuses a change of what somebody has locked; the locks that it met.
pub(crate) fn demand(
    (request, visit): (&Request, &Visit),
    opened: &Opened,
    change: Change<'_>,
) -> Result<Locks, Refusal> {
    let folder = opened.collection.folder.id;
    let is_owner = opened.collection.rights().contains(Rights::FOLDER_OWNER);
    if change == Change::Permissions && is_owner {
        return Ok(Locks::default());
    }
    let locks = match change {
        Change::Put(name) | Change::Remove(name) | Change::Object(name) => {
            Locks::about(&opened.mailbox, folder, name)?
        }
        Change::Collection | Change::Permissions | Change::Everything => {
            Locks::all(&opened.mailbox, folder)?
        }
    };
    if locks.iter().next().is_none() {
        return Ok(locks);
    }
    // A new member changes the collection.
    let change = match change {
        Change::Put(name) if is_there(opened, name) => Change::Object(name),
        other => other,
    };
    let lists = request.lists()?;
    let is_held = |lock: &Lock| {
        let submitted = lists
            .as_ref()
            .is_some_and(|lists| lists.submits(&lock.token));
        submitted && lock.principal == visit.address
    };
    let place = &opened.collection.place;
    let mut roots: Vec<String> = needed(&locks, change)
        .into_iter()
        .filter(|all| !all.is_empty() && !all.iter().any(|lock| is_held(lock)))
        .flatten()
        .map(|lock| lock.root(place))
        .collect();
    roots.sort();
    roots.dedup();
    if roots.is_empty() {
        return Ok(locks);
    }
    Err(Refusal::new(423, "somebody has locked it")
        .condition(Name::dav("lock-token-submitted"))
        .about_all(&roots))
}

fn is_there(opened: &Opened, name: &str) -> bool {
    let folder = opened.collection.folder.id;
    let found = objects::get(&opened.mailbox, folder, &[name.to_owned()]);
    // Who may not read it is asked for the token of the collection too.
    found.is_ok_and(|found| found.into_iter().flatten().next().is_some())
}

/// Sets of locks: of each that is not empty, one must be held.
fn needed<'l>(locks: &'l Locks, change: Change<'_>) -> Vec<Vec<&'l Lock>> {
    let on = |name: Option<&str>| locks.iter().filter(|lock| lock.is_on(name)).collect();
    match change {
        Change::Object(name) => vec![on(Some(name))],
        Change::Put(name) | Change::Remove(name) => vec![on(Some(name)), on(None)],
        Change::Collection | Change::Permissions => vec![on(None)],
        Change::Everything => {
            let members = locks.iter().filter_map(|lock| lock.name.as_deref());
            members
                .map(|name| on(Some(name)))
                .chain([on(None)])
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(token: &str, name: Option<&str>, is_infinite: bool) -> Lock {
        Lock {
            name: name.map(str::to_owned),
            token: token.into(),
            expires: 1,
            is_exclusive: false,
            is_infinite,
            principal: String::new(),
            owner: String::new(),
        }
    }

    /// The tokens of each set that is not empty.
    fn tokens(locks: &[Lock], change: Change<'_>) -> Vec<Vec<String>> {
        let locks = Locks(locks.to_vec());
        let needed = needed(&locks, change);
        let sets = needed.into_iter().filter(|set| !set.is_empty());
        sets.map(|set| set.into_iter().map(|lock| lock.token.clone()).collect())
            .collect()
    }

    #[test]
    fn the_lock_of_an_object_is_asked_of_whoever_changes_that_object() {
        let locks = [lock("a", Some("1.ics"), false)];
        assert_eq!(tokens(&locks, Change::Object("1.ics")), [["a"]]);
        assert_eq!(tokens(&locks, Change::Everything), [["a"]]);
        assert!(tokens(&locks, Change::Object("2.ics")).is_empty());
        assert!(tokens(&locks, Change::Collection).is_empty());
    }

    #[test]
    fn the_lock_of_a_collection_keeps_members_from_coming_and_going() {
        let locks = [lock("a", None, false)];
        assert_eq!(tokens(&locks, Change::Put("1.ics")), [["a"]]);
        assert_eq!(tokens(&locks, Change::Remove("1.ics")), [["a"]]);
        assert!(tokens(&locks, Change::Object("1.ics")).is_empty());
        assert_eq!(
            tokens(&[lock("a", None, true)], Change::Object("1.ics")),
            [["a"]]
        );
    }

    #[test]
    fn of_shared_locks_one_is_enough() {
        let locks = [lock("a", Some("1.ics"), false), lock("b", None, true)];
        assert_eq!(tokens(&locks, Change::Object("1.ics")), [["a", "b"]]);
    }
}
