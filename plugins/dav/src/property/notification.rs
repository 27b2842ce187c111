//! Properties of notifications, and of the collection that they are in (caldav-sharing).

use super::{
    Described,
    common::{Common, NAMES, Privilege},
};
use crate::place::Place;
use crate::sharing::notifications::Notification;
use crate::visit::Visit;
use crate::xml::{Name, Writer, ns};

/// The collection, which is there for its owner only.
pub(crate) struct NotificationsView<'v> {
    pub(crate) visit: &'v Visit,
}

/// A resource in it.
pub(crate) struct NotificationView<'v> {
    pub(crate) visit: &'v Visit,
    pub(crate) notification: &'v Notification,
}

fn common<'v>(visit: &'v Visit, privilege: Privilege) -> Common<'v> {
    let mut privileges = Privilege::read_only();
    privileges.push(privilege);
    Common {
        visit,
        owner: Some(&visit.address),
        privileges,
        reports: &[],
    }
}

impl Described for NotificationsView<'_> {
    fn place(&self) -> Place {
        Place::Notifications(self.visit.address.clone())
    }

    fn write(&self, name: &Name, out: &mut Writer) -> bool {
        if name.is(ns::DAV, "resourcetype") {
            out.open(name);
            out.empty(&Name::dav("collection"));
            out.empty(&Name::calendarserver("notification"));
            out.close(name);
        } else if name.is(ns::DAV, "displayname") {
            out.leaf(name, "Notifications");
        } else {
            return common(self.visit, Privilege::Unbind).write(name, out);
        }
        true
    }

    fn names(&self) -> Vec<Name> {
        let mut names = vec![Name::dav("resourcetype"), Name::dav("displayname")];
        names.extend(NAMES);
        names
    }
}

impl Described for NotificationView<'_> {
    fn place(&self) -> Place {
        Place::Notification(self.visit.address.clone(), self.notification.name())
    }

    fn write(&self, name: &Name, out: &mut Writer) -> bool {
        let kind = Name::calendarserver("notificationtype");
        if *name == kind {
            out.open(name);
            out.empty(self.notification.kind());
            out.close(name);
            return true;
        }
        match (&*name.ns, &*name.local) {
            (ns::DAV, "resourcetype") => out.empty(name),
            (ns::DAV, "getetag") => out.leaf(name, &self.notification.etag()),
            (ns::DAV, "getcontenttype") => out.leaf(name, "application/xml; charset=utf-8"),
            (ns::DAV, "getcontentlength") => {
                out.leaf(name, &self.notification.document().len().to_string());
            }
            _ => return common(self.visit, Privilege::Unbind).write(name, out),
        }
        true
    }

    fn names(&self) -> Vec<Name> {
        let mut names = vec![
            Name::dav("resourcetype"),
            Name::dav("getetag"),
            Name::dav("getcontenttype"),
            Name::dav("getcontentlength"),
            Name::calendarserver("notificationtype"),
        ];
        names.extend(NAMES);
        names
    }
}
