use crate::contentline::{Component, Line};
use crate::{Card, Version, convert};

/// An `address-data` element (RFC 6352 section 10.4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressData {
    /// `prop` elements; `None` for `allprop`. VERSION is always among them: nothing reads a vCard without.
    pub properties: Option<Vec<Prop>>,
    /// The attribute `version`; `None` for the card as it is.
    pub version: Option<Version>,
}

/// A `prop` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prop {
    /// The property; `group.NAME` asks for one of that group.
    pub name: String,
    /// `novalue="yes"`: its name and nothing else.
    pub no_value: bool,
}

impl AddressData {
    /// Whether a card is wanted as it is stored.
    pub fn is_whole(&self, card: &Card) -> bool {
        self.properties.is_none() && self.version.is_none_or(|version| version == card.version())
    }

    /// What of a card is wanted.
    pub fn apply(&self, card: &Card) -> Component {
        let mut tree = match self.version {
            Some(version) => convert::to(card, version),
            None => card.component().clone(),
        };
        if let Some(wanted) = &self.properties {
            tree.lines = tree
                .lines
                .iter()
                .filter_map(|line| wanted_line(line, wanted))
                .collect();
        }
        tree
    }
}

fn wanted_line(line: &Line, wanted: &[Prop]) -> Option<Line> {
    if line.is("VERSION") {
        return Some(line.clone());
    }
    let prop = wanted
        .iter()
        .find(|prop| match prop.name.rsplit_once('.') {
            Some((group, name)) => {
                line.is(name)
                    && line
                        .group
                        .as_deref()
                        .is_some_and(|own| own.eq_ignore_ascii_case(group))
            }
            None => line.is(&prop.name),
        })?;
    let bare = || Line {
        group: line.group.clone(),
        ..Line::new(line.name.clone(), "")
    };
    Some(if prop.no_value { bare() } else { line.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_is_given() {
        let card = Card::parse(b"BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:A\nitem1.TEL;TYPE=x:1\nTEL:2\nNOTE:n\nEND:VCARD\n").unwrap();
        let prop = |name: &str, no_value| Prop {
            name: name.into(),
            no_value,
        };
        let data = AddressData {
            properties: Some(vec![prop("fn", false), prop("item1.TEL", true)]),
            version: None,
        };
        assert!(!data.is_whole(&card));
        assert_eq!(
            data.apply(&card).to_text(),
            "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nitem1.TEL:\r\nEND:VCARD\r\n"
        );
        assert!(
            AddressData {
                properties: None,
                version: Some(Version::V3)
            }
            .is_whole(&card)
        );
    }
}
