//! Principals: people, by their addresses. Others see of somebody what they need to reach their calendars, and no more.

use waxwing_sdk::scheduling;

use super::{
    Described,
    common::{Common, NAMES, Privilege, hrefs},
};
use crate::place::{CollectionPlace, Place, Shelf};
use crate::sharing::access::Access;
use crate::visit::Visit;
use crate::xml::{Name, Writer, ns};

/// A principal.
pub(crate) struct PrincipalView<'v> {
    pub(crate) visit: &'v Visit,
    pub(crate) address: String,
    pub(crate) display_name: String,
}

impl<'v> PrincipalView<'v> {
    /// Whoever asks.
    pub(crate) fn current(visit: &'v Visit) -> PrincipalView<'v> {
        PrincipalView {
            visit,
            address: visit.address.clone(),
            display_name: visit.display_name(),
        }
    }

    fn place_of_principal(&self) -> Place {
        Place::Principal(self.address.clone())
    }

    fn home(&self, shelf: Shelf) -> Place {
        Place::Home(shelf, self.address.clone())
    }

    /// The inbox or outbox, which the server makes when somebody looks.
    fn scheduling(&self, name: &str) -> Place {
        Place::Collection(CollectionPlace {
            shelf: Shelf::Calendars,
            owner: self.address.clone(),
            name: name.to_owned(),
        })
    }

    /// A person, a room, a piece of equipment, a group.
    fn kind(&self) -> String {
        let kinds = scheduling::kinds(&[format!("mailto:{}", self.address)]);
        let kind = kinds.ok().and_then(|mut kinds| kinds.pop());
        kind.unwrap_or_else(|| "INDIVIDUAL".to_owned())
    }

    /// Aliases; of others nobody hears them.
    fn other_addresses(&self) -> Vec<String> {
        if self.address != self.visit.address {
            return Vec::new();
        }
        let mailbox = self.visit.mailbox(&self.address).ok();
        let all = mailbox.and_then(|mailbox| scheduling::addresses(&mailbox).ok());
        let mut others = all.unwrap_or_default();
        let primary = format!("mailto:{}", self.address);
        others.retain(|other| !other.eq_ignore_ascii_case(&primary));
        others
    }

    /// Whose calendars may be read and changed, or read only (calendarserver's caldav-proxy). Nobody but themselves is told who
    /// shares something with somebody.
    fn proxied(&self, writable: bool) -> impl Iterator<Item = Place> {
        let shared = match self.address == self.visit.address {
            true => self.visit.shared(Shelf::Calendars),
            false => Vec::new(),
        };
        let of_kind = shared
            .into_iter()
            .filter(move |shared| shared.is_writable() == writable);
        of_kind.map(|shared| Place::Principal(shared.owner))
    }

    fn groups(&self, access: Access) -> impl Iterator<Item = Place> {
        let proxied = self.proxied(access == Access::ReadWrite);
        proxied.filter_map(move |place| match place {
            Place::Principal(owner) => Some(Place::Proxy(owner, access)),
            _ => None,
        })
    }

    fn dav(&self, name: &Name, out: &mut Writer) -> bool {
        match &*name.local {
            "resourcetype" => {
                out.open(name);
                out.empty(&Name::dav("collection"));
                out.empty(&Name::dav("principal"));
                out.close(name);
            }
            "displayname" => out.leaf(name, &self.display_name),
            "principal-URL" => hrefs(out, name, [self.place_of_principal()]),
            "alternate-URI-set" => {
                out.open(name);
                out.leaf(&Name::dav("href"), &format!("mailto:{}", self.address));
                out.close(name);
            }
            // Who may do something with calendars of others is in a group of their delegates.
            "group-membership" => {
                let read = self.groups(Access::Read);
                hrefs(out, name, read.chain(self.groups(Access::ReadWrite)));
            }
            "group-member-set" => out.empty(name),
            _ => {
                let common = Common {
                    visit: self.visit,
                    owner: Some(&self.address),
                    privileges: Privilege::read_only(),
                    reports: &[],
                };
                return common.write(name, out);
            }
        }
        true
    }

    fn caldav(&self, name: &Name, out: &mut Writer) -> bool {
        match &*name.local {
            "calendar-home-set" => hrefs(out, name, [self.home(Shelf::Calendars)]),
            "calendar-user-address-set" => {
                out.open(name);
                let href = Name::dav("href");
                out.open_with(&href, &[("preferred", "1")]);
                out.text(&format!("mailto:{}", self.address));
                out.close(&href);
                for other in self.other_addresses() {
                    out.leaf(&href, &other);
                }
                out.leaf(&href, &self.place_of_principal().path());
                out.close(name);
            }
            "schedule-inbox-URL" => hrefs(out, name, [self.scheduling("inbox")]),
            "schedule-outbox-URL" => hrefs(out, name, [self.scheduling("outbox")]),
            "calendar-user-type" => out.leaf(name, &self.kind()),
            _ => return false,
        }
        true
    }

    fn calendarserver(&self, name: &Name, out: &mut Writer) -> bool {
        match &*name.local {
            "email-address-set" => {
                out.open(name);
                out.leaf(
                    &Name::new(ns::CALENDARSERVER, "email-address"),
                    &self.address,
                );
                out.close(name);
            }
            "notification-URL" => hrefs(out, name, [Place::Notifications(self.address.clone())]),
            "record-type" => out.leaf(name, "users"),
            "calendar-proxy-read-for" => hrefs(out, name, self.proxied(false)),
            "calendar-proxy-write-for" => hrefs(out, name, self.proxied(true)),
            _ => return false,
        }
        true
    }
}

impl Described for PrincipalView<'_> {
    fn place(&self) -> Place {
        self.place_of_principal()
    }

    fn write(&self, name: &Name, out: &mut Writer) -> bool {
        match &*name.ns {
            ns::DAV => self.dav(name, out),
            ns::CALDAV => self.caldav(name, out),
            ns::CALENDARSERVER => self.calendarserver(name, out),
            ns::CARDDAV if name.local == "addressbook-home-set" => {
                hrefs(out, name, [self.home(Shelf::AddressBooks)]);
                true
            }
            _ => false,
        }
    }

    fn names(&self) -> Vec<Name> {
        let mut names = vec![
            Name::dav("resourcetype"),
            Name::dav("displayname"),
            Name::dav("principal-URL"),
            Name::dav("group-membership"),
            Name::caldav("calendar-home-set"),
            Name::caldav("calendar-user-address-set"),
            Name::caldav("calendar-user-type"),
            Name::caldav("schedule-inbox-URL"),
            Name::caldav("schedule-outbox-URL"),
            Name::carddav("addressbook-home-set"),
            Name::new(ns::CALENDARSERVER, "email-address-set"),
        ];
        names.extend(NAMES);
        names
    }
}
