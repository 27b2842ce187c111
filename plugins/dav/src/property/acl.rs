//! Who may do what with a collection, between the privileges of RFC 3744 and the rights of a folder ([MS-OXCPERM]).
//!
//! | privilege | rights |
//! |---|---|
//! | `read`, and with it `read-free-busy` | read any, visible |
//! | `bind` | create |
//! | `write-content` | edit any |
//! | `unbind` | delete any |
//! | `write` | these three |
//! | `write-properties`, `read-acl`, `write-acl`, `unlock`, `all` | the folder's owner, who may do all |

use waxwing_formats_mapi::Rights;
use waxwing_sdk::store::permissions::Entry;

use super::common::{Privilege, write_privilege};
use crate::place::Place;
use crate::xml::{Element, Name, Writer, ns};

/// The member that stands for everybody who is logged in.
pub(crate) const EVERYBODY: &str = "default";
/// The member that stands for who is not.
pub(crate) const NOBODY: &str = "anonymous";

/// What the folder's owner alone may do.
const OWNERS: [&str; 5] = ["all", "write-properties", "read-acl", "write-acl", "unlock"];

/// The rights that a privilege of a grant comes to; none when there is no such privilege.
pub(crate) fn rights_of(privilege: &Name) -> Option<Rights> {
    if privilege.is(ns::CALDAV, "read-free-busy") {
        return Some(Rights::FOLDER_VISIBLE);
    }
    if privilege.ns != ns::DAV {
        return None;
    }
    Some(match &*privilege.local {
        "read" => Rights::READ_ANY | Rights::FOLDER_VISIBLE,
        "read-current-user-privilege-set" => Rights::FOLDER_VISIBLE,
        "bind" => Rights::CREATE | Rights::FOLDER_VISIBLE,
        "write-content" => Rights::EDIT_ANY | Rights::FOLDER_VISIBLE,
        "unbind" => Rights::DELETE_ANY | Rights::FOLDER_VISIBLE,
        "write" => Rights::CREATE | Rights::EDIT_ANY | Rights::DELETE_ANY | Rights::FOLDER_VISIBLE,
        local if OWNERS.contains(&local) => Rights::OWNER,
        _ => return None,
    })
}

/// `DAV:acl` of a collection: the owner's entry, which stays, and those of the folder.
pub(super) fn write(name: &Name, owner: &str, entries: &[Entry], out: &mut Writer) {
    out.open(name);
    ace(
        out,
        &Place::Principal(owner.to_owned()).path(),
        (&[Privilege::All], true),
    );
    for entry in entries {
        let rights = Rights::from_bits_truncate(entry.rights);
        let privileges = Privilege::of_rights(rights);
        if rights.is_empty() {
            continue;
        }
        match entry.member.as_str() {
            EVERYBODY | NOBODY => {
                let who = match entry.member.as_str() {
                    EVERYBODY => Name::dav("authenticated"),
                    _ => Name::dav("unauthenticated"),
                };
                open_ace(out);
                out.empty(&who);
                close_ace(out, (&privileges, false));
            }
            address => ace(
                out,
                &Place::Principal(address.to_lowercase()).path(),
                (&privileges, false),
            ),
        }
    }
    out.close(name);
}

fn ace(out: &mut Writer, href: &str, granted: (&[Privilege], bool)) {
    open_ace(out);
    out.leaf(&Name::dav("href"), href);
    close_ace(out, granted);
}

fn open_ace(out: &mut Writer) {
    out.open(&Name::dav("ace"));
    out.open(&Name::dav("principal"));
}

fn close_ace(out: &mut Writer, (privileges, protected): (&[Privilege], bool)) {
    out.close(&Name::dav("principal"));
    out.open(&Name::dav("grant"));
    for privilege in privileges {
        write_privilege(out, *privilege);
    }
    out.close(&Name::dav("grant"));
    if protected {
        out.empty(&Name::dav("protected"));
    }
    out.close(&Name::dav("ace"));
}

/// The privileges of a `grant`.
pub(crate) fn granted(grant: &Element) -> impl Iterator<Item = &Name> {
    grant
        .all(ns::DAV, "privilege")
        .flat_map(Element::children)
        .map(|privilege| &privilege.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_shown_again() {
        for (privileges, shown) in [
            (&["read"][..], &["read", "read-free-busy"][..]),
            (&["write"], &["write-content", "bind", "unbind"]),
            (&["read", "bind"], &["read", "read-free-busy", "bind"]),
            (&["all"], &["all"]),
        ] {
            let rights = privileges
                .iter()
                .filter_map(|privilege| rights_of(&Name::dav(privilege)))
                .fold(Rights::empty(), |all, rights| all | rights);
            let names: Vec<String> = Privilege::of_rights(rights)
                .iter()
                .map(|privilege| privilege.name().local.into_owned())
                .collect();
            assert!(
                shown.iter().all(|one| names.iter().any(|name| name == one)),
                "{privileges:?}: {names:?}"
            );
        }
        assert_eq!(rights_of(&Name::dav("fly")), None);
    }
}
