//! Properties of objects. All but the data come from the store's row.

use waxwing_sdk::store::objects::Object;

use super::{
    Described,
    common::{Common, NAMES, Privilege},
    time::{http_date, iso_date},
};
use crate::kind::Kind;
use crate::lock;
use crate::place::Place;
use crate::visit::{Opened, Visit};
use crate::xml::{Name, Writer, ns};

/// An object as who asks sees it.
pub(crate) struct ObjectView<'v> {
    pub(crate) visit: &'v Visit,
    pub(crate) opened: &'v Opened,
    pub(crate) object: &'v Object,
    /// `calendar-data` or `address-data`, where a report asks for it.
    pub(crate) data: Option<&'v str>,
}

impl ObjectView<'_> {
    fn dav(&self, name: &Name, out: &mut Writer) -> bool {
        let object = self.object;
        match &*name.local {
            "resourcetype" => out.empty(name),
            "getetag" => out.leaf(name, &format!("\"{}\"", object.etag)),
            "getcontenttype" => match Kind::of_code(object.kind) {
                Some(kind) => out.leaf(name, &kind.media_type()),
                None => return false,
            },
            "getcontentlength" => out.leaf(name, &object.size.to_string()),
            "getlastmodified" => out.leaf(name, &http_date(object.modified)),
            "creationdate" => out.leaf(name, &iso_date(object.created)),
            "supportedlock" => lock::write_supported(out, name),
            "lockdiscovery" => {
                let locks = self.opened.locks().iter();
                let on_it = locks.filter(|lock| lock.covers(&object.name));
                let place = &self.opened.collection.place;
                lock::write_discovery(out, (name, place), on_it);
            }
            _ => {
                let collection = &self.opened.collection;
                let common = Common {
                    visit: self.visit,
                    owner: Some(&collection.place.owner),
                    privileges: Privilege::of_rights(collection.rights()),
                    reports: &[],
                };
                return common.write(name, out);
            }
        }
        true
    }
}

impl Described for ObjectView<'_> {
    fn place(&self) -> Place {
        Place::Object(
            self.opened.collection.place.clone(),
            self.object.name.clone(),
        )
    }

    fn write(&self, name: &Name, out: &mut Writer) -> bool {
        if name.ns == ns::DAV {
            return self.dav(name, out);
        }
        if name.is(ns::CALDAV, "schedule-tag") {
            let tag = self.object.schedule_tag.as_ref();
            return tag.is_some_and(|tag| {
                out.leaf(name, &format!("\"{tag}\""));
                true
            });
        }
        let is_data = name.is(ns::CALDAV, "calendar-data") || name.is(ns::CARDDAV, "address-data");
        match self.data {
            Some(data) if is_data => {
                out.leaf(name, data);
                true
            }
            _ => false,
        }
    }

    fn names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = [
            "resourcetype",
            "getetag",
            "getcontenttype",
            "getcontentlength",
            "getlastmodified",
            "creationdate",
            "lockdiscovery",
            "supportedlock",
        ]
        .map(Name::dav)
        .into();
        names.extend(NAMES);
        names
    }
}
