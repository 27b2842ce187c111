//! Folders as collections: which of them are, under which name, and what they take.
//!
//! A folder of the class `IPF.Appointment` or `IPF.Task` is a calendar, one of `IPF.Contact` an address book, wherever in the tree it
//! is. Its display name is the folder's. Its name in paths is the one that a client made it with, kept with the folder; a folder that
//! some other protocol made is called after its role or its number, so that its path stays when its display name does not.

use waxwing_formats_mapi::{PropertyTag, Rights, columns};
use waxwing_sdk::fault::Fault;
use waxwing_sdk::store::folders::{self, Folder};
use waxwing_sdk::store::{Mailbox, Property, Value, objects};

use crate::kept::Kept;
use crate::kind::{Kind, Kinds};
use crate::place::{CollectionPlace, Shelf};

/// `folder.role` of the folders that every mailbox has, and their names in paths.
const ROLES: [(u32, &str); 3] = [(8, "calendar"), (9, "contacts"), (10, "tasks")];
/// The names of folders that nobody named begin so.
const NUMBERED: &str = "folder-";

/// A calendar or an address book.
#[derive(Debug, Clone)]
pub(crate) struct Collection {
    pub(crate) place: CollectionPlace,
    pub(crate) folder: Folder,
    /// What it takes.
    pub(crate) kinds: Kinds,
    /// What clients gave it to keep.
    pub(crate) kept: Kept,
}

impl Collection {
    pub(crate) fn rights(&self) -> Rights {
        Rights::from_bits_truncate(self.folder.rights)
    }

    /// One of those that a mailbox begins with, or that the server makes.
    pub(crate) fn is_default(&self) -> bool {
        self.folder.role != 0 || self.purpose() != Purpose::Objects
    }

    /// Whether meetings may stand in it.
    pub(crate) fn takes_invitations(&self) -> bool {
        self.purpose() == Purpose::Objects && self.kinds.has(Kind::Event)
    }

    pub(crate) fn purpose(&self) -> Purpose {
        purpose(&self.folder)
    }
}

/// What a collection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// What clients put.
    Objects,
    /// Scheduling messages that came (RFC 6638 section 2.2).
    Inbox,
    /// Scheduling messages that leave (RFC 6638 section 2.1).
    Outbox,
}

fn purpose(folder: &Folder) -> Purpose {
    match folder.container_class.as_str() {
        "IPF.ScheduleInbox" => Purpose::Inbox,
        "IPF.ScheduleOutbox" => Purpose::Outbox,
        _ => Purpose::Objects,
    }
}

/// The container class of a new collection.
pub(crate) fn container_class(shelf: Shelf, kinds: Kinds) -> &'static str {
    match shelf {
        Shelf::AddressBooks => "IPF.Contact",
        Shelf::Calendars if kinds == Kinds::only(Kind::ToDo) => "IPF.Task",
        Shelf::Calendars => "IPF.Appointment",
    }
}

/// Whether a client may give a collection this name: those that folders get by themselves are not for clients.
pub(crate) fn is_free_name(name: &str) -> bool {
    !ROLES.iter().any(|(_, reserved)| *reserved == name)
        && !matches!(name, "inbox" | "outbox")
        && !name.starts_with(NUMBERED)
}

/// Where a folder stands, by its class and its subclasses.
fn shelf(folder: &Folder) -> Option<Shelf> {
    let is = |class: &str| {
        let start = folder.container_class.get(..class.len());
        let rest = folder
            .container_class
            .get(class.len()..)
            .unwrap_or_default();
        start.is_some_and(|start| start.eq_ignore_ascii_case(class))
            && (rest.is_empty() || rest.starts_with('.'))
    };
    if is("IPF.Appointment") || is("IPF.Task") || purpose(folder) != Purpose::Objects {
        Some(Shelf::Calendars)
    } else if is("IPF.Contact") {
        Some(Shelf::AddressBooks)
    } else {
        None
    }
}

fn name(folder: &Folder, properties: &[Property]) -> String {
    let given = properties
        .iter()
        .find_map(|property| match &property.value {
            Value::Text(name) if property.tag == columns::OUTSIDE_NAME.0 => Some(name.clone()),
            _ => None,
        });
    let of_role = || {
        let role = ROLES.iter().find(|(role, _)| *role == folder.role);
        role.map(|(_, name)| (*name).to_owned())
    };
    given
        .or_else(of_role)
        .unwrap_or_else(|| format!("{NUMBERED}{}", folder.id))
}

/// What a collection takes when nobody said: calendars of one kind are what phones expect of the first ones.
fn usual(folder: &Folder, shelf: Shelf) -> Kinds {
    match (shelf, folder.role) {
        (Shelf::AddressBooks, _) => Kinds::only(Kind::Card),
        // The server puts what is there.
        _ if purpose(folder) != Purpose::Objects => Kinds::NONE,
        (Shelf::Calendars, _) if container_is_tasks(folder) => Kinds::only(Kind::ToDo),
        (Shelf::Calendars, 0) => Kinds::CALENDAR,
        (Shelf::Calendars, _) => Kinds::only(Kind::Event)
            .with(Kind::FreeBusy)
            .with(Kind::Availability),
    }
}

fn container_is_tasks(folder: &Folder) -> bool {
    let start = folder.container_class.get(..8);
    start.is_some_and(|start| start.eq_ignore_ascii_case("IPF.Task"))
}

/// The collections of a home that may be seen, the default ones first.
pub(crate) fn of_home(
    mailbox: &Mailbox,
    wanted: Shelf,
    owner: &str,
) -> Result<Vec<Collection>, Fault> {
    let mut shown = folders::all(mailbox)?;
    shown.retain(|folder| shelf(folder) == Some(wanted));
    shown.sort_by_key(|folder| (folder.role == 0, folder.id));
    let ids: Vec<u64> = shown.iter().map(|folder| folder.id).collect();
    let tags: [PropertyTag; 2] = [columns::OUTSIDE_NAME, columns::DAV_PROPERTIES];
    let tags = tags.map(|tag| tag.0);
    let properties = objects::properties_of(mailbox, &ids, &tags)?;
    let collection = |(folder, properties): (Folder, Vec<Property>)| {
        let kept = Kept::of(&properties);
        Collection {
            place: CollectionPlace {
                shelf: wanted,
                owner: owner.to_owned(),
                name: name(&folder, &properties),
            },
            kinds: kept.kinds().unwrap_or_else(|| usual(&folder, wanted)),
            folder,
            kept,
        }
    };
    Ok(shown.into_iter().zip(properties).map(collection).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxwing_sdk::testing;

    fn folder(id: u64, class: &str, role: u32) -> Folder {
        testing::folder(id, "Name", class, role)
    }

    #[test]
    fn a_folder_is_a_collection_by_its_class() {
        for (class, expected) in [
            ("IPF.Appointment", Some(Shelf::Calendars)),
            ("ipf.task.Special", Some(Shelf::Calendars)),
            ("IPF.Contact", Some(Shelf::AddressBooks)),
            ("IPF.Note", None),
            ("IPF.Contacts", None),
            ("", None),
        ] {
            assert_eq!(shelf(&folder(1, class, 0)), expected, "{class}");
        }
    }

    #[test]
    fn a_path_has_the_given_name_or_that_of_the_role_or_the_number() {
        let given = Property {
            tag: columns::OUTSIDE_NAME.0,
            value: Value::Text("x-1".into()),
        };
        assert_eq!(name(&folder(9, "IPF.Appointment", 8), &[given]), "x-1");
        assert_eq!(name(&folder(9, "IPF.Appointment", 8), &[]), "calendar");
        assert_eq!(name(&folder(9, "IPF.Appointment", 0), &[]), "folder-9");
        assert!(is_free_name("work") && !is_free_name("calendar") && !is_free_name("folder-9"));
    }
}
