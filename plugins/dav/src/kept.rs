//! What clients give a collection to keep: properties with whatever stands in them, as XML.
//!
//! All of them are one property of the folder, so that a PROPPATCH is one change. Those that we know how to read (the kinds of a
//! calendar, its time zone) are read from here too.

use serde::{Deserialize, Serialize};
use waxwing_formats_ical::Zone;
use waxwing_formats_mapi::columns;
use waxwing_sdk::store::{Property, Value};

use crate::answer::Refusal;
use crate::kind::{Kind, Kinds};
use crate::place::{CollectionPlace, Place};
use crate::xml::{Element, Name, Writer, ns, read};

/// Properties of one collection.
const MAX_PROPERTIES: usize = 128;
/// Octets of one of them.
const MAX_PROPERTY: usize = 64 * 1024;
/// Octets of all of them.
const MAX_ALL: usize = 512 * 1024;

/// What a collection was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept(Vec<(Name, String)>);

impl Kept {
    /// From the properties of a folder. What cannot be read is as if it were not there.
    pub(crate) fn of(properties: &[Property]) -> Kept {
        let octets = properties
            .iter()
            .find_map(|property| match &property.value {
                Value::Binary(octets) if property.tag == columns::DAV_PROPERTIES.0 => Some(octets),
                _ => None,
            });
        let Some(octets) = octets else {
            return Kept::default();
        };
        serde_json::from_slice(octets).unwrap_or_else(|error| {
            waxwing_sdk::error!("the properties of a collection cannot be read: {error}");
            Kept::default()
        })
    }

    /// As properties of a folder: all of it, and what the host must know for free-busy times.
    pub(crate) fn properties(&self) -> Result<[Property; 4], Refusal> {
        let transparency = self.tree(&Name::caldav("schedule-calendar-transp"));
        let is_transparent =
            transparency.is_some_and(|set| set.child(ns::CALDAV, "transparent").is_some());
        let transparent = Property {
            tag: columns::TRANSPARENT.0,
            value: Value::Boolean(is_transparent),
        };
        let availability = Property {
            tag: columns::AVAILABILITY.0,
            value: Value::Text(
                self.tree(&AVAILABILITY)
                    .map_or_else(String::new, |set| set.text()),
            ),
        };
        let zone = Property {
            tag: columns::ZONE.0,
            value: Value::Text(self.zone().unwrap_or_default()),
        };
        Ok([self.property()?, transparent, availability, zone])
    }

    fn property(&self) -> Result<Property, Refusal> {
        let octets = serde_json::to_vec(self)
            .map_err(|error| Refusal::new(500, format!("properties cannot be written: {error}")))?;
        if octets.len() > MAX_ALL || self.0.len() > MAX_PROPERTIES {
            return Err(Refusal::new(
                507,
                format!(
                    "a collection keeps at most {MAX_PROPERTIES} properties of {MAX_ALL} octets"
                ),
            ));
        }
        Ok(Property {
            tag: columns::DAV_PROPERTIES.0,
            value: Value::Binary(octets),
        })
    }

    /// The element of a name, as XML within a document.
    pub(crate) fn xml(&self, name: &Name) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, xml)| xml.as_str())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().map(|(name, _)| name)
    }

    pub(crate) fn set(&mut self, element: &Element) -> Result<(), Refusal> {
        let mut writer = Writer::part();
        writer.tree(element);
        let xml = writer.finish();
        if xml.len() > MAX_PROPERTY {
            return Err(Refusal::new(
                507,
                format!("a property has at most {MAX_PROPERTY} octets"),
            ));
        }
        self.remove(&element.name);
        self.0.push((element.name.clone(), xml));
        Ok(())
    }

    pub(crate) fn remove(&mut self, name: &Name) {
        self.0.retain(|(known, _)| known != name);
    }

    /// An element as a tree.
    pub(crate) fn tree(&self, name: &Name) -> Option<Element> {
        let xml = self.xml(name)?;
        let root = Name::dav("prop");
        let mut writer = Writer::document(&root);
        writer.raw(xml);
        writer.close(&root);
        let document = read(writer.finish().as_bytes()).ok()?;
        document.children().next().cloned()
    }

    /// The zone of dates and floating times: a name (RFC 7809 section 5.2), else a VCALENDAR.
    pub(crate) fn zone(&self) -> Option<String> {
        let names = ["calendar-timezone-id", "calendar-timezone"].map(Name::caldav);
        let mut texts = names.iter().filter_map(|name| self.tree(name));
        texts
            .find(|text| Zone::of_text(&text.text()).is_some())
            .map(|text| text.text().trim().to_owned())
    }

    /// The calendar that invitations are to go to, of an inbox.
    pub(crate) fn default_calendar(&self) -> Option<CollectionPlace> {
        let chosen = self.tree(&DEFAULT_CALENDAR)?;
        let href = chosen.child(ns::DAV, "href")?.text();
        match Place::of_href(&href) {
            Some(Place::Collection(place)) => Some(place),
            _ => None,
        }
    }

    /// The kinds that a calendar was made for.
    pub(crate) fn kinds(&self) -> Option<Kinds> {
        let set = self.tree(&COMPONENT_SET)?;
        Some(kinds_of(&set)).filter(|kinds| *kinds != Kinds::NONE)
    }
}

/// RFC 6638 section 9.2.
pub(crate) const DEFAULT_CALENDAR: Name = Name::caldav("schedule-default-calendar-URL");

/// RFC 7953 section 7.2.4.
pub(crate) const AVAILABILITY: Name = Name::caldav("calendar-availability");

/// RFC 4791 section 5.2.3.
pub(crate) const COMPONENT_SET: Name = Name::caldav("supported-calendar-component-set");

/// What a `supported-calendar-component-set` names, as far as we take it.
pub(crate) fn kinds_of(set: &Element) -> Kinds {
    set.all(ns::CALDAV, "comp")
        .filter_map(|comp| Kind::of_component(comp.attribute("name")?))
        .filter(|kind| *kind != Kind::Card)
        .fold(Kinds::NONE, Kinds::with)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(xml: &str) -> Element {
        read(xml.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        let mut kept = Kept::default();
        let color = element("<c xmlns='urn:x' a='1' xml:lang='de'>#<b xmlns='DAV:'/>&lt;</c>");
        kept.set(&color).unwrap();
        kept.set(&color).unwrap();
        let again = Kept::of(&[kept.property().unwrap()]);
        assert_eq!(again, kept);
        assert_eq!(again.names().count(), 1);
        assert_eq!(again.tree(&color.name), Some(color));
    }

    #[test]
    fn the_kinds_of_a_calendar_are_read_from_what_it_was_made_with() {
        let mut kept = Kept::default();
        assert_eq!(kept.kinds(), None);
        kept.set(&element(
            "<C:supported-calendar-component-set xmlns:C='urn:ietf:params:xml:ns:caldav'><C:comp name='VTODO'/><C:comp name='X'/>\
             </C:supported-calendar-component-set>",
        ))
        .unwrap();
        assert_eq!(kept.kinds(), Some(Kinds::only(Kind::ToDo)));
    }

    #[test]
    fn a_large_property_is_refused() {
        let large = element(&format!("<a>{}</a>", "x".repeat(MAX_PROPERTY)));
        assert_eq!(Kept::default().set(&large).unwrap_err().status, 507);
    }
}
