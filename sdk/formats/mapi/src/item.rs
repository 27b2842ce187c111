//! The properties of an item before a mailbox gave ids to its names: what converters of formats make and read.

use crate::{NamedProperty, Property, PropertyName, PropertyTag, Value};

/// Properties by tag and by name, each once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ItemProperties {
    /// Those with a fixed id.
    pub tagged: Vec<Property>,
    /// Those that a mailbox has an id for.
    pub named: Vec<(NamedProperty, Value)>,
}

/// A named property whose name is a number: its set and number.
pub type Lid = ([u8; 16], u32);

impl ItemProperties {
    /// Puts a value in the place of the one there was.
    pub fn set(&mut self, tag: PropertyTag, value: Value) {
        self.tagged.retain(|old| old.tag != tag);
        self.tagged.push(Property::new(tag, value));
    }

    /// A text; an empty one is none.
    pub fn set_text(&mut self, tag: PropertyTag, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.set(tag, Value::Text(text));
        }
    }

    /// A named property.
    pub fn set_lid(&mut self, (set, lid): Lid, value: Value) {
        self.set_named(
            NamedProperty {
                set,
                name: PropertyName::Lid(lid),
            },
            value,
        );
    }

    /// A named property whose name is a text.
    pub fn set_name(&mut self, set: [u8; 16], name: &str, value: Value) {
        self.set_named(
            NamedProperty {
                set,
                name: PropertyName::Text(name.to_owned()),
            },
            value,
        );
    }

    fn set_named(&mut self, name: NamedProperty, value: Value) {
        self.named.retain(|(old, _)| *old != name);
        self.named.push((name, value));
    }

    /// A named text; an empty one is none.
    pub fn set_lid_text(&mut self, lid: Lid, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.set_lid(lid, Value::Text(text));
        }
    }

    /// The value of a tag.
    pub fn get(&self, tag: PropertyTag) -> Option<&Value> {
        self.tagged
            .iter()
            .find(|one| one.tag == tag)
            .map(|one| &one.value)
    }

    /// The value of a named property.
    pub fn get_lid(&self, (set, lid): Lid) -> Option<&Value> {
        let is_it = |name: &NamedProperty| name.set == set && name.name == PropertyName::Lid(lid);
        self.named
            .iter()
            .find(|(name, _)| is_it(name))
            .map(|(_, value)| value)
    }

    /// The value of a named property whose name is a text; names have no case.
    pub fn get_name(&self, set: [u8; 16], wanted: &str) -> Option<&Value> {
        let is_it = |name: &NamedProperty| {
            name.set == set
                && matches!(&name.name, PropertyName::Text(text) if text.eq_ignore_ascii_case(wanted))
        };
        self.named
            .iter()
            .find(|(name, _)| is_it(name))
            .map(|(_, value)| value)
    }

    /// A text that is not empty.
    pub fn text(&self, tag: PropertyTag) -> Option<&str> {
        self.get(tag)
            .and_then(Value::as_text)
            .filter(|text| !text.is_empty())
    }

    /// A named text that is not empty.
    pub fn lid_text(&self, lid: Lid) -> Option<&str> {
        self.get_lid(lid)
            .and_then(Value::as_text)
            .filter(|text| !text.is_empty())
    }

    /// A named number, a boolean as 0 or 1.
    pub fn lid_integer(&self, lid: Lid) -> Option<i64> {
        self.get_lid(lid).and_then(Value::as_integer)
    }

    /// A named time in seconds since 1970.
    pub fn lid_time(&self, lid: Lid) -> Option<i64> {
        self.get_lid(lid).and_then(Value::unix_seconds)
    }

    /// A named binary.
    pub fn lid_binary(&self, lid: Lid) -> Option<&[u8]> {
        match self.get_lid(lid)? {
            Value::Binary(octets) => Some(octets),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sets, tags};

    #[test]
    fn a_property_is_there_once() {
        let mut item = ItemProperties::default();
        item.set_text(tags::SUBJECT, "a");
        item.set_text(tags::SUBJECT, "b");
        item.set_lid((sets::TASK, 1), Value::Int32(1));
        item.set_lid((sets::TASK, 1), Value::Int32(2));
        item.set_name(sets::PUBLIC_STRINGS, "Keywords", Value::MultiText(vec![]));
        assert_eq!(
            (item.text(tags::SUBJECT), item.lid_integer((sets::TASK, 1))),
            (Some("b"), Some(2))
        );
        assert!(item.get_name(sets::PUBLIC_STRINGS, "keywords").is_some());
        assert_eq!((item.tagged.len(), item.named.len()), (1, 2));
    }
}
