//! Properties of calendars and address books: what the server knows first, then what clients gave them to keep.

use waxwing_formats_mapi::Rights;
use waxwing_sdk::store::Mailbox;
use waxwing_sdk::store::mailboxes::quota_of;
use waxwing_sdk::store::permissions;

use super::{
    Described, acl,
    common::{Common, NAMES, Privilege, hrefs},
};
use crate::catalog::{self, Collection, Purpose};
use crate::kind::Kinds;
use crate::limits::MAX_OBJECT;
use crate::lock;
use crate::place::{Place, Shelf};
use crate::sharing::access;
use crate::sharing::invites::{self, Invite, Status};
use crate::sharing::notifications::write_access;
use crate::visit::Visit;
use crate::xml::{Name, Writer, ns};

static CALENDAR_REPORTS: [Name; 4] = [
    Name::caldav("calendar-query"),
    Name::caldav("calendar-multiget"),
    Name::caldav("free-busy-query"),
    Name::dav("sync-collection"),
];
static ADDRESS_BOOK_REPORTS: [Name; 3] = [
    Name::carddav("addressbook-query"),
    Name::carddav("addressbook-multiget"),
    Name::dav("sync-collection"),
];

/// `folder.role` of the default calendar.
const CALENDAR: u32 = 8;

/// A collection as who asks sees it.
pub(crate) struct CollectionView<'v> {
    pub(crate) visit: &'v Visit,
    pub(crate) collection: &'v Collection,
    /// Of the mailbox.
    pub(crate) guid: &'v str,
    pub(crate) mailbox: &'v Mailbox,
}

/// What the server says itself, by namespace: no client sets it.
const PROTECTED: [(&str, &[&str]); 4] = [
    (
        ns::DAV,
        &[
            "resourcetype",
            "getetag",
            "getcontenttype",
            "getcontentlength",
            "getlastmodified",
            "creationdate",
            "sync-token",
            "supported-report-set",
            "current-user-principal",
            "principal-collection-set",
            "owner",
            "group",
            "current-user-privilege-set",
            "supported-privilege-set",
            "acl",
            "acl-restrictions",
            "inherited-acl-set",
            "supportedlock",
            "lockdiscovery",
            "add-member",
            "principal-URL",
            "alternate-URI-set",
            "group-membership",
            "group-member-set",
            "quota-available-bytes",
            "quota-used-bytes",
        ],
    ),
    (
        ns::CALDAV,
        &[
            "supported-calendar-component-set",
            "supported-calendar-component-sets",
            "supported-calendar-data",
            "supported-collation-set",
            "max-resource-size",
            "min-date-time",
            "max-date-time",
            "max-instances",
            "max-attendees-per-instance",
            "calendar-home-set",
            "calendar-user-address-set",
            "calendar-data",
            "schedule-inbox-URL",
            "schedule-outbox-URL",
            "schedule-tag",
            "calendar-user-type",
        ],
    ),
    (
        ns::CARDDAV,
        &[
            "supported-address-data",
            "supported-collation-set",
            "max-resource-size",
            "addressbook-home-set",
            "address-data",
        ],
    ),
    (
        ns::CALENDARSERVER,
        &[
            "getctag",
            "email-address-set",
            "invite",
            "allowed-sharing-modes",
            "notification-URL",
            "notificationtype",
        ],
    ),
];

pub(crate) fn is_protected(name: &Name) -> bool {
    let mut lists = PROTECTED.iter().filter(|(ns, _)| *ns == name.ns);
    lists.any(|(_, locals)| locals.contains(&&*name.local))
}

impl CollectionView<'_> {
    fn common(&self) -> Common<'_> {
        let place = &self.collection.place;
        Common {
            visit: self.visit,
            owner: Some(&place.owner),
            privileges: self.privileges(),
            reports: match place.shelf {
                Shelf::Calendars => &CALENDAR_REPORTS,
                Shelf::AddressBooks => &ADDRESS_BOOK_REPORTS,
            },
        }
    }

    fn privileges(&self) -> Vec<Privilege> {
        let mut privileges = Privilege::of_rights(self.collection.rights());
        match self.collection.purpose() {
            Purpose::Objects => {}
            Purpose::Inbox => privileges.extend(Privilege::DELIVER),
            Purpose::Outbox => privileges.extend(Privilege::SEND),
        }
        privileges
    }

    /// The calendar that invitations go to (RFC 6638 section 9.2).
    fn default_calendar(&self) -> Place {
        let place = &self.collection.place;
        let home = catalog::of_home(self.mailbox, Shelf::Calendars, &place.owner);
        let chosen = self.collection.kept.default_calendar();
        let found = home.ok().and_then(|mut collections| {
            let at = collections
                .iter()
                .position(|one| Some(&one.place) == chosen.as_ref() && one.takes_invitations())
                .or_else(|| {
                    collections
                        .iter()
                        .position(|one| one.folder.role == CALENDAR)
                })?;
            Some(collections.swap_remove(at))
        });
        Place::Collection(found.map_or_else(|| place.clone(), |found| found.place))
    }

    fn token(&self) -> String {
        let folder = &self.collection.folder;
        crate::token::Token {
            guid: self.guid.to_owned(),
            folder: folder.id,
            number: folder.highest_modseq,
        }
        .to_string()
    }

    fn dav(&self, name: &Name, out: &mut Writer) -> bool {
        match &*name.local {
            "resourcetype" => {
                out.open(name);
                out.empty(&Name::dav("collection"));
                out.empty(
                    &match (self.collection.purpose(), self.collection.place.shelf) {
                        (Purpose::Inbox, _) => Name::caldav("schedule-inbox"),
                        (Purpose::Outbox, _) => Name::caldav("schedule-outbox"),
                        (Purpose::Objects, Shelf::Calendars) => Name::caldav("calendar"),
                        (Purpose::Objects, Shelf::AddressBooks) => Name::carddav("addressbook"),
                    },
                );
                if let Some(shared) = self.shared() {
                    out.empty(&shared);
                }
                out.close(name);
            }
            "displayname" => out.leaf(name, &self.display_name()),
            "sync-token" => out.leaf(name, &self.token()),
            "supportedlock" => lock::write_supported(out, name),
            "lockdiscovery" => {
                let locks = lock::Locks::all(self.mailbox, self.collection.folder.id);
                let locks = locks.unwrap_or_default();
                let own = locks.iter().filter(|lock| lock.is_on(None));
                lock::write_discovery(out, (name, &self.collection.place), own);
            }
            "add-member" => hrefs(out, name, [self.place()]),
            "acl" => return self.acl(name, out),
            "quota-used-bytes" | "quota-available-bytes" => return quota(self.mailbox, name, out),

            _ => return self.common().write(name, out),
        }
        true
    }

    /// Everybody's first calendar has the same name: others see whose it is.
    fn display_name(&self) -> String {
        let (name, owner) = (&self.collection.folder.name, &self.collection.place.owner);
        match *owner == self.visit.address {
            true => name.clone(),
            false => format!("{name} ({owner})"),
        }
    }

    /// Who may not read it does not see that it is there.
    fn acl(&self, name: &Name, out: &mut Writer) -> bool {
        if !self.collection.rights().contains(Rights::FOLDER_OWNER) {
            return false;
        }
        let Ok(entries) = permissions::get(self.mailbox, self.collection.folder.id) else {
            return false;
        };
        acl::write(name, &self.collection.place.owner, &entries, out);
        true
    }

    fn caldav(&self, name: &Name, out: &mut Writer) -> bool {
        match &*name.local {
            "supported-calendar-component-set" => {
                out.open(name);
                let kinds = match self.collection.purpose() {
                    Purpose::Objects => self.collection.kinds,
                    Purpose::Inbox | Purpose::Outbox => Kinds::CALENDAR,
                };
                for kind in kinds.iter() {
                    out.empty_with(&Name::caldav("comp"), &[("name", kind.component())]);
                }
                out.close(name);
            }
            "supported-calendar-data" => {
                out.open(name);
                out.empty_with(
                    &Name::caldav("calendar-data"),
                    &[("content-type", "text/calendar"), ("version", "2.0")],
                );
                out.close(name);
            }
            "supported-collation-set" => {
                collations(out, name, &Name::caldav("supported-collation"))
            }
            "max-resource-size" => out.leaf(name, &MAX_OBJECT.to_string()),
            "schedule-default-calendar-URL" if self.collection.purpose() == Purpose::Inbox => {
                hrefs(out, name, [self.default_calendar()]);
            }
            // What a client set stands among what is kept.
            "schedule-calendar-transp"
                if self.collection.purpose() == Purpose::Objects
                    && self.collection.kept.xml(name).is_none() =>
            {
                out.open(name);
                out.empty(&Name::caldav("opaque"));
                out.close(name);
            }
            _ => return false,
        }
        true
    }

    fn carddav(&self, name: &Name, out: &mut Writer) -> bool {
        match &*name.local {
            "supported-address-data" => {
                out.open(name);
                for version in ["3.0", "4.0"] {
                    out.empty_with(
                        &Name::carddav("address-data-type"),
                        &[("content-type", "text/vcard"), ("version", version)],
                    );
                }
                out.close(name);
            }
            "supported-collation-set" => {
                collations(out, name, &Name::carddav("supported-collation"))
            }
            "max-resource-size" => out.leaf(name, &MAX_OBJECT.to_string()),
            _ => return false,
        }
        true
    }

    fn calendarserver(&self, name: &Name, out: &mut Writer) -> bool {
        match &*name.local {
            "getctag" => out.leaf(name, &self.token()),
            "allowed-sharing-modes" if self.is_for_sharing() => {
                out.open(name);
                out.empty(&Name::calendarserver("can-be-shared"));
                out.close(name);
            }
            "invite" if self.collection.purpose() == Purpose::Objects => self.invite(name, out),
            _ => return false,
        }
        true
    }

    fn is_for_sharing(&self) -> bool {
        self.collection.purpose() == Purpose::Objects
            && self.collection.rights().contains(Rights::FOLDER_OWNER)
    }

    /// The word for it in a `resourcetype`.
    fn shared(&self) -> Option<Name> {
        if self.collection.purpose() != Purpose::Objects {
            return None;
        }
        if self.collection.place.owner != self.visit.address {
            return Some(Name::calendarserver("shared"));
        }
        let people = access::people(self.mailbox, self.collection.folder.id).ok()?;
        (!people.is_empty()).then(|| Name::calendarserver("shared-owner"))
    }

    /// `CS:invite`: whose it is and, for those who may know, who has it.
    fn invite(&self, name: &Name, out: &mut Writer) {
        let owner = &self.collection.place.owner;
        let common_name = Name::calendarserver("common-name");
        out.open(name);
        let organizer = Name::calendarserver("organizer");
        out.open(&organizer);
        out.leaf(&Name::dav("href"), &format!("mailto:{owner}"));
        out.leaf(&common_name, owner);
        out.close(&organizer);
        let user = Name::calendarserver("user");
        for invite in self.invited() {
            out.open(&user);
            out.leaf(&Name::dav("href"), &format!("mailto:{}", invite.address));
            out.leaf(&common_name, &invite.common_name);
            out.empty(&invite.status.name());
            write_access(out, &invite);
            out.leaf(&Name::calendarserver("summary"), &invite.summary);
            out.close(&user);
        }
        out.close(name);
    }

    /// The invitations, and those who were given it without one.
    fn invited(&self) -> Vec<Invite> {
        let folder = self.collection.folder.id;
        if !self.is_for_sharing() {
            let own = invites::get(self.mailbox, (&self.visit.address, folder));
            return own.ok().flatten().into_iter().collect();
        }
        let mut invited = invites::to(self.mailbox, folder).unwrap_or_default();
        let people = access::people(self.mailbox, folder).unwrap_or_default();
        // Rights may have been taken away otherwise.
        invited.retain(|one| {
            one.status == Status::Invalid || people.iter().any(|(known, _)| *known == one.address)
        });
        for (address, access) in people {
            match invited.iter_mut().find(|one| one.address == address) {
                // The rights are what counts.
                Some(one) => one.access = access,
                None => invited.push(Invite {
                    uid: String::new(),
                    common_name: address.clone(),
                    address,
                    folder,
                    summary: self.collection.folder.name.clone(),
                    access,
                    status: Status::Accepted,
                    stamp: 0,
                    is_dismissed: true,
                }),
            }
        }
        invited
    }

    fn known(&self, name: &Name, out: &mut Writer) -> bool {
        let shelf = self.collection.place.shelf;
        match &*name.ns {
            ns::DAV => self.dav(name, out),
            ns::CALDAV if shelf == Shelf::Calendars => self.caldav(name, out),
            ns::CARDDAV if shelf == Shelf::AddressBooks => self.carddav(name, out),
            ns::CALENDARSERVER => self.calendarserver(name, out),
            _ => false,
        }
    }
}

/// RFC 4331: of the mailbox, whichever of its collections is asked.
pub(super) fn quota(mailbox: &Mailbox, name: &Name, out: &mut Writer) -> bool {
    let Ok(quota) = quota_of(mailbox) else {
        return false;
    };
    let octets = match (&*name.local, quota.storage_limit) {
        ("quota-used-bytes", _) => quota.storage_used,
        (_, Some(limit)) => limit.saturating_sub(quota.storage_used),
        // Without a limit there is nothing to be told.
        (_, None) => return false,
    };
    out.leaf(name, &octets.to_string());
    true
}

fn collations(out: &mut Writer, name: &Name, one: &Name) {
    out.open(name);
    for collation in ["i;ascii-casemap", "i;unicode-casemap", "i;octet"] {
        out.leaf(one, collation);
    }
    out.close(name);
}

impl Described for CollectionView<'_> {
    fn place(&self) -> Place {
        Place::Collection(self.collection.place.clone())
    }

    fn write(&self, name: &Name, out: &mut Writer) -> bool {
        if self.known(name, out) {
            return true;
        }
        match self.collection.kept.xml(name) {
            Some(xml) if !is_protected(name) => {
                out.raw(xml);
                true
            }
            _ => false,
        }
    }

    fn names(&self) -> Vec<Name> {
        let mut names = vec![
            Name::dav("resourcetype"),
            Name::dav("displayname"),
            Name::dav("sync-token"),
            Name::dav("lockdiscovery"),
            Name::dav("supportedlock"),
            Name::new(ns::CALENDARSERVER, "getctag"),
        ];
        names.extend(match self.collection.place.shelf {
            Shelf::Calendars => vec![
                Name::caldav("supported-calendar-component-set"),
                Name::caldav("supported-calendar-data"),
                Name::caldav("max-resource-size"),
            ],
            Shelf::AddressBooks => vec![
                Name::carddav("supported-address-data"),
                Name::carddav("max-resource-size"),
            ],
        });
        names.extend(NAMES);
        let kept = self.collection.kept.names();
        names.extend(kept.filter(|name| !is_protected(name)).cloned());
        names
    }
}
