//! Locks as clients see them: `lockdiscovery` (RFC 4918 section 15.8) and `supportedlock` (section 15.10).

use super::Lock;
use crate::place::CollectionPlace;
use crate::xml::{Name, Writer};

const EXCLUSIVE: Name = Name::dav("exclusive");
const SHARED: Name = Name::dav("shared");

pub(crate) fn write_supported(out: &mut Writer, name: &Name) {
    out.open(name);
    for scope in [EXCLUSIVE, SHARED] {
        out.open(&Name::dav("lockentry"));
        inside(out, &Name::dav("lockscope"), &scope);
        inside(out, &Name::dav("locktype"), &Name::dav("write"));
        out.close(&Name::dav("lockentry"));
    }
    out.close(name);
}

/// The locks that a resource is locked by.
pub(crate) fn write_discovery<'l>(
    out: &mut Writer,
    (name, collection): (&Name, &CollectionPlace),
    locks: impl Iterator<Item = &'l Lock>,
) {
    out.open(name);
    for lock in locks {
        write_active(out, lock, collection);
    }
    out.close(name);
}

/// `activelock` (section 14.1).
fn write_active(out: &mut Writer, lock: &Lock, collection: &CollectionPlace) {
    let root = Name::dav("activelock");
    out.open(&root);
    let scope = if lock.is_exclusive { EXCLUSIVE } else { SHARED };
    inside(out, &Name::dav("lockscope"), &scope);
    inside(out, &Name::dav("locktype"), &Name::dav("write"));
    let depth = if lock.is_infinite { "infinity" } else { "0" };
    out.leaf(&Name::dav("depth"), depth);
    if !lock.owner.is_empty() {
        out.raw(&lock.owner);
    }
    let left = lock
        .expires
        .saturating_sub(crate::methods::put::now())
        .max(0);
    out.leaf(&Name::dav("timeout"), &format!("Second-{left}"));
    href(out, &Name::dav("locktoken"), &lock.token);
    href(out, &Name::dav("lockroot"), &lock.root(collection));
    out.close(&root);
}

fn inside(out: &mut Writer, name: &Name, inner: &Name) {
    out.open(name);
    out.empty(inner);
    out.close(name);
}

fn href(out: &mut Writer, name: &Name, href: &str) {
    out.open(name);
    out.leaf(&Name::dav("href"), href);
    out.close(name);
}
