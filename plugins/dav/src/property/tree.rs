//! What there is above collections: the root, the principals, the homes. Nobody changes it.

use super::{
    Described,
    common::{Common, NAMES, Privilege},
};
use crate::place::{Place, Shelf};
use crate::visit::Visit;
use crate::xml::{Name, Writer, ns};

/// One of them.
pub(crate) struct TreeView<'v> {
    pub(crate) visit: &'v Visit,
    pub(crate) place: Place,
}

impl TreeView<'_> {
    fn owner(&self) -> Option<&str> {
        match &self.place {
            Place::Home(_, owner) => Some(owner),
            _ => None,
        }
    }

    fn common(&self) -> Common<'_> {
        let owner = self.owner();
        let mut privileges = Privilege::read_only();
        if owner == Some(self.visit.address.as_str()) {
            privileges.extend([Privilege::Bind, Privilege::Unbind]);
        }
        Common {
            visit: self.visit,
            owner,
            privileges,
            reports: &[],
        }
    }

    fn display_name(&self) -> &'static str {
        match self.place {
            Place::Principals => "Principals",
            Place::Home(Shelf::Calendars, _) | Place::Homes(Shelf::Calendars) => "Calendars",
            Place::Home(..) | Place::Homes(_) => "Address books",
            _ => "Waxwing",
        }
    }
}

/// What a new calendar can be for: any of these, or all.
fn component_sets(out: &mut Writer, name: &Name) {
    let set = Name::caldav("supported-calendar-component-set");
    let comp = Name::caldav("comp");
    out.open(name);
    for kind in ["VEVENT", "VTODO", "VJOURNAL"] {
        out.open(&set);
        out.empty_with(&comp, &[("name", kind)]);
        out.close(&set);
    }
    out.close(name);
}

impl Described for TreeView<'_> {
    fn place(&self) -> Place {
        self.place.clone()
    }

    fn write(&self, name: &Name, out: &mut Writer) -> bool {
        if name.is(ns::DAV, "resourcetype") {
            out.open(name);
            out.empty(&Name::dav("collection"));
            out.close(name);
        } else if name.is(ns::CALDAV, "supported-calendar-component-sets")
            && matches!(self.place, Place::Home(Shelf::Calendars, _))
        {
            component_sets(out, name);
        } else if name.is(ns::DAV, "displayname") {
            out.leaf(name, self.display_name());
        } else {
            return self.common().write(name, out);
        }
        true
    }

    fn names(&self) -> Vec<Name> {
        let mut names = vec![Name::dav("resourcetype"), Name::dav("displayname")];
        names.extend(NAMES);
        names
    }
}
