//! Where locks lie: in the mailbox that holds what is locked, one row for each, so that everybody who shares it meets them, and they
//! outlive instances, versions and the server.
//!
//! The key says whose lock it is and until when: `lock/FOLDER/SCOPE/EXPIRES/TOKEN`, where the scope is `*` for the collection and
//! `o/NAME` for an object. What is over is found by keys alone, and a change of an object in a calendar where nothing is locked asks
//! one question. A refresh writes a row that lasts longer and takes the old one away; in between there are two of one token, and the
//! one that lasts counts.
//!
//! Two who lock at once both write their row first and look then: each sees the other, and both are refused.

use serde::{Deserialize, Serialize};
use waxwing_sdk::fault::Fault;
use waxwing_sdk::kv;
use waxwing_sdk::store::Mailbox;

use super::{Lock, MAX_LOCKS};
use crate::answer::Refusal;

/// Rows of one list: all there can be, with those that are over and not swept yet.
const MAX_ROWS: u32 = 1_000;
/// Shared locks of one person in a mailbox: others find room beside them.
const MAX_SHARED: usize = 50;
/// Shared locks of one person on one resource.
const MAX_SHARED_ON_ONE: usize = 5;
/// Octets of a name in a key.
const MAX_SCOPE: usize = 300;

/// The part of a lock that its key does not say.
#[derive(Debug, Serialize, Deserialize)]
struct Terms {
    name: Option<String>,
    exclusive: bool,
    infinite: bool,
    principal: String,
    owner: String,
}

/// A key, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    folder: u64,
    /// `*`, or `o/` and a name.
    scope: String,
    expires: i64,
    token: String,
}

impl Key {
    fn of(folder: u64, lock: &Lock) -> Key {
        Key {
            folder,
            scope: scope(lock.name.as_deref()),
            expires: lock.expires,
            token: lock.token.clone(),
        }
    }

    fn read(text: &str) -> Option<Key> {
        let (folder, rest) = text.strip_prefix("lock/")?.split_once('/')?;
        let (rest, token) = rest.rsplit_once('/')?;
        let (scope, expires) = rest.rsplit_once('/')?;
        Some(Key {
            folder: folder.parse().ok()?,
            scope: scope.to_owned(),
            expires: expires.parse().ok()?,
            token: token.to_owned(),
        })
    }

    fn text(&self) -> String {
        let Key {
            folder,
            scope,
            expires,
            token,
        } = self;
        format!("lock/{folder}/{scope}/{expires}/{token}")
    }
}

/// Names have no slash in them.
fn scope(name: Option<&str>) -> String {
    match name {
        None => "*".to_owned(),
        Some(name) => format!(
            "o/{}",
            name.get(..name.floor_char_boundary(MAX_SCOPE))
                .unwrap_or(name)
        ),
    }
}

fn keys(mailbox: &Mailbox, prefix: &str) -> Result<Vec<Key>, Fault> {
    let texts = kv::list_keys(mailbox, prefix, None, MAX_ROWS)?;
    Ok(texts.iter().filter_map(|text| Key::read(text)).collect())
}

/// The locks of a collection and of what is in it, as far as they were looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Locks(pub(crate) Vec<Lock>);

impl Locks {
    /// All of them.
    pub(crate) fn all(mailbox: &Mailbox, folder: u64) -> Result<Locks, Fault> {
        Locks::read(mailbox, folder, |_| true)
    }

    /// Those that an object of this name may be locked by, and those of the collection.
    pub(crate) fn about(mailbox: &Mailbox, folder: u64, name: &str) -> Result<Locks, Fault> {
        let own = scope(Some(name));
        Locks::read(mailbox, folder, |scope| scope == "*" || scope == own)
    }

    fn read(mailbox: &Mailbox, folder: u64, wanted: impl Fn(&str) -> bool) -> Result<Locks, Fault> {
        let now = crate::methods::put::now();
        let mut locks: Vec<Lock> = Vec::new();
        for key in keys(mailbox, &format!("lock/{folder}/"))? {
            if key.expires <= now || !wanted(&key.scope) {
                continue;
            }
            // It may be gone since.
            let Some(value) = kv::get(mailbox, &key.text())? else {
                continue;
            };
            let Ok(terms) = serde_json::from_slice::<Terms>(&value) else {
                waxwing_sdk::error!("a lock cannot be read");
                continue;
            };
            let lock = Lock {
                name: terms.name,
                token: key.token,
                expires: key.expires,
                is_exclusive: terms.exclusive,
                is_infinite: terms.infinite,
                principal: terms.principal,
                owner: terms.owner,
            };
            match locks.iter_mut().find(|known| known.token == lock.token) {
                Some(known) if known.expires < lock.expires => *known = lock,
                Some(_) => {}
                None => locks.push(lock),
            }
        }
        Ok(Locks(locks))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Lock> {
        self.0.iter()
    }

    /// Takes away the locks of objects that are gone (none: of the collection and of all that was in it).
    pub(crate) fn forget(&self, mailbox: &Mailbox, (folder, name): (u64, Option<&str>)) {
        let of_it = |lock: &&Lock| name.is_none() || lock.name.as_deref() == name;
        for lock in self.0.iter().filter(of_it) {
            if let Err(fault) = unlock(mailbox, folder, lock) {
                let text = &fault.detail;
                waxwing_sdk::warning!("a lock of what is gone stays until it is over: {text}");
            }
        }
    }
}

fn write(mailbox: &Mailbox, folder: u64, lock: &Lock) -> Result<(), Refusal> {
    let terms = Terms {
        name: lock.name.clone(),
        exclusive: lock.is_exclusive,
        infinite: lock.is_infinite,
        principal: lock.principal.clone(),
        owner: lock.owner.clone(),
    };
    let value = serde_json::to_vec(&terms)
        .map_err(|error| Refusal::new(500, format!("a lock cannot be written: {error}")))?;
    Ok(kv::put(mailbox, &Key::of(folder, lock).text(), &value)?)
}

/// Writes a new lock, if the mailbox has room for it. What is over goes.
pub(crate) fn shut(mailbox: &Mailbox, folder: u64, lock: &Lock) -> Result<(), Refusal> {
    let now = crate::methods::put::now();
    let (over, live): (Vec<Key>, Vec<Key>) = keys(mailbox, "lock/")?
        .into_iter()
        .partition(|key| key.expires <= now);
    for key in over {
        kv::delete(mailbox, &key.text())?;
    }
    if live.len() >= MAX_LOCKS {
        return Err(Refusal::new(
            507,
            format!("limit locks of a mailbox = {MAX_LOCKS} reached"),
        ));
    }
    demand_share(mailbox, &live, (folder, lock))?;
    write(mailbox, folder, lock)
}

/// Shared locks do not meet each other, so whoever takes them gets a part of the room only.
fn demand_share(
    mailbox: &Mailbox,
    live: &[Key],
    (folder, lock): (u64, &Lock),
) -> Result<(), Refusal> {
    if lock.is_exclusive {
        return Ok(());
    }
    let own = Key::of(folder, lock);
    let (mut all, mut on_it) = (0_usize, 0_usize);
    for key in live {
        let is_on_it = key.folder == own.folder && key.scope == own.scope;
        // Fewer than there may be are not worth a look.
        if !is_on_it && live.len() < MAX_SHARED {
            continue;
        }
        // It may be gone since.
        let terms = kv::get(mailbox, &key.text())?
            .and_then(|value| serde_json::from_slice::<Terms>(&value).ok());
        if terms.is_some_and(|terms| !terms.exclusive && terms.principal == lock.principal) {
            all += 1;
            on_it += usize::from(is_on_it);
        }
    }
    for (reached, most, what) in [
        (
            on_it,
            MAX_SHARED_ON_ONE,
            "shared locks of one person on one resource",
        ),
        (all, MAX_SHARED, "shared locks of one person in a mailbox"),
    ] {
        if reached >= most {
            return Err(Refusal::new(507, format!("limit {what} = {most} reached")));
        }
    }
    Ok(())
}

/// A lock with a later end, or an earlier one.
pub(crate) fn renew(
    mailbox: &Mailbox,
    folder: u64,
    (lock, expires): (&Lock, i64),
) -> Result<Lock, Refusal> {
    let renewed = Lock {
        expires,
        ..lock.clone()
    };
    write(mailbox, folder, &renewed)?;
    if lock.expires != expires {
        kv::delete(mailbox, &Key::of(folder, lock).text())?;
    }
    Ok(renewed)
}

/// Takes a lock away, also one that is being renewed.
pub(crate) fn unlock(mailbox: &Mailbox, folder: u64, lock: &Lock) -> Result<(), Fault> {
    let scope = scope(lock.name.as_deref());
    for key in keys(mailbox, &format!("lock/{folder}/{scope}/"))? {
        if key.token == lock.token {
            kv::delete(mailbox, &key.text())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_is_read_as_it_was_written(name in proptest::option::of("[^/\\p{Cc}]{1,200}"), folder: u64, expires: i64) {
            let key = Key { folder, scope: scope(name.as_deref()), expires, token: "urn:uuid:1".into() };
            prop_assert!(key.text().len() <= 512);
            prop_assert_eq!(Key::read(&key.text()), Some(key));
        }

        #[test]
        fn any_key_is_read_or_passed_over(text in "(lock/)?[0-9*/o]{0,20}") {
            let _ = Key::read(&text);
        }
    }
}
