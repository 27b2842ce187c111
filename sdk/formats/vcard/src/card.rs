use crate::contentline::{self, Component, Line, text};
use crate::{Error, Precondition, Result};

/// The versions that are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// RFC 2426.
    V3,
    /// RFC 6350.
    V4,
}

impl Version {
    /// The value of VERSION, and of the attribute `version` of `address-data`.
    pub const fn name(self) -> &'static str {
        match self {
            Version::V3 => "3.0",
            Version::V4 => "4.0",
        }
    }

    /// The version of a name.
    pub fn of_name(name: &str) -> Option<Version> {
        match name.trim() {
            "3.0" => Some(Version::V3),
            "4.0" => Some(Version::V4),
            _ => None,
        }
    }
}

/// What a card is of (RFC 6350 section 6.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A person, and whatever has no KIND.
    Individual,
    /// A list of others.
    Group,
    /// An organisation.
    Organization,
    /// A place.
    Location,
    /// Any other word.
    Other,
}

/// What bounds a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of its text.
    pub text: contentline::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        let text = contentline::Limits {
            size: 10 * 1024 * 1024,
            lines: 50_000,
            depth: 2,
            components: 10,
            ..contentline::Limits::default()
        };
        Limits { text }
    }
}

/// One address object resource (RFC 6352 section 5.1): one vCard of 3.0 or 4.0 with a UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    tree: Component,
    version: Version,
    uid: String,
}

impl Card {
    /// Reads what a client puts, with the usual limits.
    ///
    /// # Errors
    /// As [`Card::parse_within`].
    pub fn parse(octets: &[u8]) -> Result<Card> {
        Card::parse_within(octets, &Limits::default())
    }

    /// Reads what a client puts.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::precondition`] says which precondition is broken.
    pub fn parse_within(octets: &[u8], limits: &Limits) -> Result<Card> {
        let mut all = Component::parse_all(octets, &limits.text)?;
        let wrong = |what| Error::Card {
            precondition: Precondition::ValidAddressData,
            what,
        };
        let tree = all
            .pop()
            .filter(|_| all.is_empty())
            .ok_or_else(|| wrong("more than one vCard"))?;
        Card::of_component(tree)
    }

    /// Makes a card of a component.
    ///
    /// # Errors
    /// [`Error::Card`].
    pub fn of_component(tree: Component) -> Result<Card> {
        let wrong = |what| Error::Card {
            precondition: Precondition::ValidAddressData,
            what,
        };
        if !tree.is("VCARD") {
            return Err(wrong("the component is no VCARD"));
        }
        let version = tree
            .value("VERSION")
            .ok_or_else(|| wrong("VERSION is missing"))?;
        let version = Version::of_name(version).ok_or(Error::Card {
            precondition: Precondition::SupportedAddressData,
            what: "VERSION is neither 3.0 nor 4.0",
        })?;
        let uid = tree
            .value("UID")
            .map(str::trim)
            .filter(|uid| !uid.is_empty());
        let uid = uid.ok_or_else(|| wrong("UID is missing"))?.to_owned();
        Ok(Card { tree, version, uid })
    }

    /// The components of a file of many vCards, to be made cards with [`Card::of_component`].
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn split(octets: &[u8], limits: &contentline::Limits) -> Result<Vec<Component>> {
        Ok(Component::parse_all(octets, limits)?)
    }

    /// VERSION.
    pub fn version(&self) -> Version {
        self.version
    }

    /// UID.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The VCARD.
    pub fn component(&self) -> &Component {
        &self.tree
    }

    /// The VCARD.
    pub fn into_component(self) -> Component {
        self.tree
    }

    /// FN; without one what N, ORG or the first address make of it.
    pub fn formatted_name(&self) -> String {
        let given = |name: &str| {
            self.tree
                .line(name)
                .map(Line::as_text)
                .filter(|text| !text.trim().is_empty())
        };
        if let Some(name) = given("FN") {
            return name;
        }
        if let Some(line) = self.tree.line("N") {
            let fields = text::structure(&line.value);
            let part = |at: usize| {
                fields
                    .get(at)
                    .map(|field| field.join(" "))
                    .unwrap_or_default()
            };
            let name = [part(3), part(1), part(2), part(0), part(4)].join(" ");
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            if !name.is_empty() {
                return name;
            }
        }
        let organisation = self
            .tree
            .line("ORG")
            .map(|line| text::structure(&line.value).concat().join(", "));
        organisation
            .filter(|name| !name.trim().is_empty())
            .or_else(|| self.emails().into_iter().next())
            .unwrap_or_default()
    }

    /// The values of EMAIL, the preferred first.
    pub fn emails(&self) -> Vec<String> {
        let mut lines: Vec<&Line> = self.tree.lines_of("EMAIL").collect();
        lines.sort_by_key(|line| preference(line));
        lines
            .iter()
            .map(|line| line.as_text().trim().to_owned())
            .filter(|email| !email.is_empty())
            .collect()
    }

    /// KIND, or what Apple writes in its place into 3.0.
    pub fn kind(&self) -> Kind {
        let value = self
            .tree
            .value("KIND")
            .or_else(|| self.tree.value("X-ADDRESSBOOKSERVER-KIND"));
        match value
            .map(|kind| kind.trim().to_ascii_lowercase())
            .as_deref()
        {
            None | Some("individual") => Kind::Individual,
            Some("group") => Kind::Group,
            Some("org") => Kind::Organization,
            Some("location") => Kind::Location,
            Some(_) => Kind::Other,
        }
    }

    /// MEMBER, or what Apple writes in its place: `urn:uuid:` and the UID of a card, or a `mailto:`.
    pub fn members(&self) -> Vec<&str> {
        let lines = self.tree.lines.iter();
        lines
            .filter(|line| line.is("MEMBER") || line.is("X-ADDRESSBOOKSERVER-MEMBER"))
            .map(|line| line.value.trim())
            .collect()
    }

    /// As text.
    pub fn to_text(&self) -> String {
        self.tree.to_text()
    }
}

/// 1 is the most preferred (RFC 6350 section 5.3); `TYPE=PREF` of 3.0 is that.
pub(crate) fn preference(line: &Line) -> u8 {
    let said = line
        .parameter("PREF")
        .and_then(|value| value.trim().parse().ok());
    let typed = || {
        let bare = line
            .parameters
            .iter()
            .any(|one| one.values.is_empty() && one.name.eq_ignore_ascii_case("PREF"));
        (bare || line.has_parameter("TYPE", "PREF")).then_some(1)
    };
    said.or_else(typed).unwrap_or(101)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn card(lines: &str) -> Result<Card> {
        Card::parse(format!("BEGIN:VCARD\n{lines}\nEND:VCARD\n").as_bytes())
    }

    #[test]
    fn a_card_tells_who_it_is() {
        let card = card("VERSION:3.0\nUID:1\nN:Public;John;Quinlan;Mr.;Esq.\nEMAIL;TYPE=work:b@example.org\nEMAIL;TYPE=home,pref:a@example.org").unwrap();
        assert_eq!(
            (card.uid(), card.version(), card.kind()),
            ("1", Version::V3, Kind::Individual)
        );
        assert_eq!(card.formatted_name(), "Mr. John Quinlan Public Esq.");
        assert_eq!(card.emails(), ["a@example.org", "b@example.org"]);
    }

    #[test]
    fn a_group_of_either_version_has_members() {
        for lines in [
            "VERSION:4.0\nUID:1\nKIND:group\nMEMBER:urn:uuid:2\nMEMBER:mailto:x@example.org",
            "VERSION:3.0\nUID:1\nX-ADDRESSBOOKSERVER-KIND:group\nX-ADDRESSBOOKSERVER-MEMBER:urn:uuid:2\nX-ADDRESSBOOKSERVER-MEMBER:mailto:x@example.org",
        ] {
            let card = card(lines).unwrap();
            assert_eq!(card.kind(), Kind::Group);
            assert_eq!(card.members(), ["urn:uuid:2", "mailto:x@example.org"]);
        }
    }

    #[test]
    fn a_wrong_card_names_its_precondition() {
        let precondition = |lines: &str| card(lines).unwrap_err().precondition().element();
        assert_eq!(precondition("VERSION:2.1\nUID:1"), "supported-address-data");
        assert_eq!(precondition("UID:1"), "valid-address-data");
        assert_eq!(precondition("VERSION:3.0\nFN:x"), "valid-address-data");
        assert_eq!(
            precondition("VERSION:3.0\nUID:1\nEND:VCARD\nBEGIN:VCARD"),
            "valid-address-data"
        );
        assert_eq!(precondition("nonsense"), "valid-address-data");
        let small = Limits {
            text: contentline::Limits {
                size: 10,
                ..contentline::Limits::default()
            },
        };
        assert_eq!(
            Card::parse_within(b"BEGIN:VCARD\nEND:VCARD\n", &small)
                .unwrap_err()
                .precondition()
                .element(),
            "max-resource-size"
        );
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_so_that_it_reads_the_same(lines in prop::collection::vec("(item[0-9]\\.)?(N|FN|EMAIL|TEL|ADR|X-Y)(;(TYPE|PREF|X)=[a-z,1]{1,5}){0,2}:[\\PC]{0,30}", 0..6)) {
            if let Ok(card) = card(&format!("VERSION:4.0\nUID:1\n{}", lines.join("\n"))) {
                let _ = (card.formatted_name(), card.emails(), card.members());
                prop_assert_eq!(Card::parse(card.to_text().as_bytes()), Ok(card));
            }
        }
    }
}
