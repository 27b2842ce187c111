use crate::contentline::{self, Component, Line};
use crate::{Error, Object, Precondition, Result};
use std::collections::{BTreeMap, HashSet};

/// Any VCALENDAR: an export of many objects, an iTIP message with its METHOD, the value of `calendar-timezone`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    pub(crate) tree: Component,
}

impl Calendar {
    /// Reads one VCALENDAR of version 2.0.
    ///
    /// # Errors
    /// [`Error::Syntax`], or [`Error::Object`] with `valid-calendar-data` or `supported-calendar-data`.
    pub fn parse(octets: &[u8], limits: &contentline::Limits) -> Result<Calendar> {
        let mut all = Component::parse_all(octets, limits)?;
        let wrong = |what: &str| Error::object(Precondition::ValidCalendarData, what);
        let tree = all
            .pop()
            .filter(|_| all.is_empty())
            .ok_or_else(|| wrong("more than one VCALENDAR"))?;
        if !tree.is("VCALENDAR") {
            return Err(wrong("the outermost component is no VCALENDAR"));
        }
        match tree.value("VERSION").map(str::trim) {
            Some("2.0") => {}
            Some(_) => {
                return Err(Error::object(
                    Precondition::SupportedCalendarData,
                    "VERSION is not 2.0",
                ));
            }
            None => return Err(wrong("VERSION is missing")),
        }
        if tree
            .value("CALSCALE")
            .is_some_and(|scale| !scale.trim().eq_ignore_ascii_case("GREGORIAN"))
        {
            return Err(Error::object(
                Precondition::SupportedCalendarData,
                "CALSCALE is not GREGORIAN",
            ));
        }
        Ok(Calendar { tree })
    }

    /// An empty VCALENDAR of this server.
    pub fn new() -> Calendar {
        let mut tree = Component::new("VCALENDAR");
        tree.lines.push(Line::new("VERSION", "2.0"));
        tree.lines
            .push(Line::new("PRODID", "-//Waxwing//Waxwing//EN"));
        Calendar { tree }
    }

    /// The VCALENDAR itself.
    pub fn component(&self) -> &Component {
        &self.tree
    }

    /// METHOD, in capitals.
    pub fn method(&self) -> Option<String> {
        self.tree
            .value("METHOD")
            .map(|method| method.trim().to_ascii_uppercase())
    }

    /// What it is without METHOD.
    #[must_use]
    pub fn without_method(mut self) -> Calendar {
        self.tree.remove("METHOD");
        self
    }

    /// One object for each UID, with the time zones it names. Components without a UID are given to none.
    ///
    /// # Errors
    /// What [`Object::parse`] finds wrong with one of them.
    pub fn split(&self, limits: &crate::Limits) -> Result<Vec<Object>> {
        let mut by_uid: BTreeMap<&str, Vec<&Component>> = BTreeMap::new();
        for component in &self.tree.components {
            if let Some(uid) = component
                .value("UID")
                .filter(|_| !component.is("VTIMEZONE"))
            {
                by_uid.entry(uid).or_default().push(component);
            }
        }
        by_uid
            .values()
            .map(|components| Object::of_calendar(self.with(components), limits))
            .collect()
    }

    /// These components, with the properties of the calendar besides METHOD and the time zones they name.
    pub(crate) fn with(&self, components: &[&Component]) -> Calendar {
        let mut tree = Component::new("VCALENDAR");
        tree.lines = self
            .tree
            .lines
            .iter()
            .filter(|line| !line.is("METHOD"))
            .cloned()
            .collect();
        let mut named = HashSet::new();
        components
            .iter()
            .for_each(|component| zones_named(component, &mut named));
        let zones = self.tree.components_of("VTIMEZONE");
        tree.components = zones
            .filter(|zone| zone.value("TZID").is_some_and(|name| named.contains(name)))
            .chain(components.iter().copied())
            .cloned()
            .collect();
        Calendar { tree }
    }

    /// Adds an object: its components, and its time zones unless there is one of that name.
    pub fn add(&mut self, object: &Object) {
        let known: HashSet<String> = self
            .tree
            .components_of("VTIMEZONE")
            .filter_map(|zone| zone.value("TZID").map(str::to_owned))
            .collect();
        for component in &object.component().components {
            let is_known = || {
                component
                    .value("TZID")
                    .is_some_and(|name| known.contains(name))
            };
            if !(component.is("VTIMEZONE") && is_known()) {
                self.tree.components.push(component.clone());
            }
        }
    }

    /// As text.
    pub fn to_text(&self) -> String {
        self.tree.to_text()
    }
}

impl Default for Calendar {
    fn default() -> Self {
        Calendar::new()
    }
}

/// Depth is bounded by the parse.
fn zones_named<'a>(component: &'a Component, named: &mut HashSet<&'a str>) {
    named.extend(
        component
            .lines
            .iter()
            .filter_map(|line| line.parameter("TZID")),
    );
    for inner in &component.components {
        zones_named(inner, named);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:PUBLISH\n\
        BEGIN:VTIMEZONE\nTZID:A\nEND:VTIMEZONE\nBEGIN:VTIMEZONE\nTZID:B\nEND:VTIMEZONE\n\
        BEGIN:VEVENT\nUID:1\nDTSTART;TZID=A:20240101T100000\nEND:VEVENT\n\
        BEGIN:VTODO\nUID:2\nEND:VTODO\nEND:VCALENDAR\n";

    #[test]
    fn an_export_is_split_into_objects_and_put_together_again() {
        let calendar = Calendar::parse(TWO.as_bytes(), &contentline::Limits::default()).unwrap();
        assert_eq!(calendar.method().as_deref(), Some("PUBLISH"));
        let objects = calendar.split(&crate::Limits::default()).unwrap();
        assert_eq!(
            objects.iter().map(Object::uid).collect::<Vec<_>>(),
            ["1", "2"]
        );
        assert_eq!(objects[0].component().components.len(), 2);
        assert_eq!(objects[1].component().components.len(), 1);
        let mut export = Calendar::new();
        for object in [&objects[0], &objects[0], &objects[1]] {
            export.add(object);
        }
        assert_eq!(export.component().components_of("VTIMEZONE").count(), 1);
        assert_eq!(export.component().components.len(), 4);
    }

    #[test]
    fn other_versions_and_calendars_are_not_supported() {
        let precondition = |text: &str| {
            Calendar::parse(text.as_bytes(), &contentline::Limits::default())
                .unwrap_err()
                .precondition()
                .element()
        };
        assert_eq!(
            precondition("BEGIN:VCALENDAR\nVERSION:1.0\nEND:VCALENDAR\n"),
            "supported-calendar-data"
        );
        assert_eq!(
            precondition("BEGIN:VCALENDAR\nVERSION:2.0\nCALSCALE:HEBREW\nEND:VCALENDAR\n"),
            "supported-calendar-data"
        );
        assert_eq!(
            precondition("BEGIN:VCALENDAR\nEND:VCALENDAR\n"),
            "valid-calendar-data"
        );
        assert_eq!(
            precondition("BEGIN:VCARD\nVERSION:3.0\nEND:VCARD\n"),
            "valid-calendar-data"
        );
        assert_eq!(precondition("Hello\n"), "valid-calendar-data");
    }
}
