//! Properties of the groups of somebody's delegates (caldav-proxy).

use super::{
    Described,
    common::{Common, NAMES, Privilege, hrefs},
};
use crate::place::Place;
use crate::sharing::access::Access;
use crate::sharing::proxies;
use crate::visit::Visit;
use crate::xml::{Name, Writer, ns};

/// A group. Nobody but whose it is sees who is in it.
pub(crate) struct ProxyView<'v> {
    pub(crate) visit: &'v Visit,
    pub(crate) address: String,
    pub(crate) access: Access,
}

impl ProxyView<'_> {
    fn kind(&self) -> Name {
        Name::calendarserver(match self.access {
            Access::Read => "calendar-proxy-read",
            Access::ReadWrite => "calendar-proxy-write",
        })
    }

    fn members(&self) -> Vec<Place> {
        if self.address != self.visit.address {
            return Vec::new();
        }
        let members = proxies::members(self.visit, self.access).unwrap_or_default();
        members.into_iter().map(Place::Principal).collect()
    }
}

impl Described for ProxyView<'_> {
    fn place(&self) -> Place {
        Place::Proxy(self.address.clone(), self.access)
    }

    fn write(&self, name: &Name, out: &mut Writer) -> bool {
        if name.ns == ns::DAV {
            match &*name.local {
                "resourcetype" => {
                    out.open(name);
                    out.empty(&Name::dav("collection"));
                    out.empty(&Name::dav("principal"));
                    out.empty(&self.kind());
                    out.close(name);
                    return true;
                }
                "displayname" => {
                    out.leaf(name, &self.kind().local);
                    return true;
                }
                "principal-URL" => {
                    hrefs(out, name, [self.place()]);
                    return true;
                }
                "group-member-set" => {
                    hrefs(out, name, self.members());
                    return true;
                }
                "group-membership" => {
                    out.empty(name);
                    return true;
                }
                _ => {}
            }
        }
        let mut privileges = Privilege::read_only();
        if self.address == self.visit.address {
            privileges.push(Privilege::WriteProperties);
        }
        let common = Common {
            visit: self.visit,
            owner: Some(&self.address),
            privileges,
            reports: &[],
        };
        common.write(name, out)
    }

    fn names(&self) -> Vec<Name> {
        let mut names = vec![
            Name::dav("resourcetype"),
            Name::dav("displayname"),
            Name::dav("principal-URL"),
            Name::dav("group-member-set"),
            Name::dav("group-membership"),
        ];
        names.extend(NAMES);
        names
    }
}
