//! What CalDAV and CardDAV queries ask of a text and of a parameter.

use crate::Line;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;

/// How texts are compared (RFC 4790). The two that RFC 4791 section 7.5.1 demands and the one that RFC 6352 section 8.3 adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Collation {
    /// `i;ascii-casemap`: the default of CalDAV.
    #[default]
    AsciiCasemap,
    /// `i;octet`.
    Octet,
    /// `i;unicode-casemap` (RFC 5051): the default of CardDAV.
    UnicodeCasemap,
}

/// A collation that is none of [`Collation`]: the precondition `supported-collation`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("collation {0:?} is not one of i;ascii-casemap, i;octet, i;unicode-casemap")]
pub struct UnknownCollation(pub String);

impl FromStr for Collation {
    type Err = UnknownCollation;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "i;ascii-casemap" => Ok(Collation::AsciiCasemap),
            "i;octet" => Ok(Collation::Octet),
            // RFC 4790 section 3.1: the server's choice.
            "i;unicode-casemap" | "default" => Ok(Collation::UnicodeCasemap),
            other => Err(UnknownCollation(other.to_owned())),
        }
    }
}

impl Collation {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Collation::AsciiCasemap => "i;ascii-casemap",
            Collation::Octet => "i;octet",
            Collation::UnicodeCasemap => "i;unicode-casemap",
        }
    }

    /// Texts that are equal under the collation become one.
    fn fold(self, text: &str) -> String {
        match self {
            Collation::Octet => text.to_owned(),
            Collation::AsciiCasemap => text.to_ascii_lowercase(),
            Collation::UnicodeCasemap if text.is_ascii() => text.to_ascii_lowercase(),
            // RFC 5051 maps to title case and decomposes; upper, then lower case parts the same texts, and `ß` from `ss` does not.
            Collation::UnicodeCasemap => text
                .chars()
                .flat_map(char::to_uppercase)
                .flat_map(char::to_lowercase)
                .nfkd()
                .collect(),
        }
    }
}

/// RFC 6352 section 10.5.4 `match-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MatchType {
    /// The whole text.
    Equals,
    /// Somewhere in it: the default, and all that CalDAV knows.
    #[default]
    Contains,
    /// At its begin.
    StartsWith,
    /// At its end.
    EndsWith,
}

impl FromStr for MatchType {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "equals" => Ok(MatchType::Equals),
            "contains" => Ok(MatchType::Contains),
            "starts-with" => Ok(MatchType::StartsWith),
            "ends-with" => Ok(MatchType::EndsWith),
            _ => Err(()),
        }
    }
}

/// A `text-match` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextMatch {
    folded: String,
    collation: Collation,
    match_type: MatchType,
    negate: bool,
}

impl TextMatch {
    /// A text to be found.
    pub fn new(text: &str, collation: Collation, match_type: MatchType) -> Self {
        TextMatch {
            folded: collation.fold(text),
            collation,
            match_type,
            negate: false,
        }
    }

    /// `negate-condition="yes"`.
    #[must_use]
    pub fn negated(mut self, negate: bool) -> Self {
        self.negate = negate;
        self
    }

    /// Whether one of the texts matches; negated, whether none of them does.
    pub fn matches<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        let found = texts.into_iter().any(|text| self.finds(text));
        found != self.negate
    }

    fn finds(&self, text: &str) -> bool {
        let text = self.collation.fold(text);
        match self.match_type {
            MatchType::Equals => text == self.folded,
            MatchType::Contains => text.contains(&self.folded),
            MatchType::StartsWith => text.starts_with(&self.folded),
            MatchType::EndsWith => text.ends_with(&self.folded),
        }
    }

    /// Whether the value of a property matches: as a text, or one item of its list. The raw value counts too, because clients
    /// search for `mailto:` and for rules as they were written.
    pub fn matches_value(&self, line: &Line) -> bool {
        if !line.value.contains([',', '\\', ';']) {
            return self.matches([line.value.as_str()]);
        }
        let mut texts = crate::text::list(&line.value);
        texts.push(line.as_text());
        self.matches(texts.iter().map(String::as_str))
    }
}

/// A `param-filter` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamFilter {
    /// The parameter.
    pub name: String,
    /// What is asked of it.
    pub test: ParamTest,
}

/// What a [`ParamFilter`] asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamTest {
    /// That it is there.
    Defined,
    /// `is-not-defined`.
    NotDefined,
    /// That it is there and one of its values matches.
    Text(TextMatch),
}

impl ParamFilter {
    /// Whether the property passes. `TEL;HOME:` of vCard 2.1, which some clients write in 3.0, has a TYPE.
    pub fn matches(&self, line: &Line) -> bool {
        let mut values: Vec<&str> = line.parameter_values(&self.name).collect();
        let mut defined = line
            .parameters
            .iter()
            .any(|parameter| parameter.name.eq_ignore_ascii_case(&self.name));
        if self.name.eq_ignore_ascii_case("TYPE") {
            let bare = line
                .parameters
                .iter()
                .filter(|parameter| parameter.values.is_empty());
            values.extend(bare.map(|parameter| parameter.name.as_str()));
            defined |= !values.is_empty();
        }
        match &self.test {
            ParamTest::Defined => defined,
            ParamTest::NotDefined => !defined,
            ParamTest::Text(text) => defined && text.matches(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(collation: Collation, match_type: MatchType, needle: &str, text: &str) -> bool {
        TextMatch::new(needle, collation, match_type).matches([text])
    }

    #[test]
    fn each_collation_knows_its_own_case() {
        assert!(found(
            Collation::AsciiCasemap,
            MatchType::Contains,
            "WORLD",
            "hello World"
        ));
        assert!(!found(
            Collation::AsciiCasemap,
            MatchType::Contains,
            "GRÜSSE",
            "grüße"
        ));
        assert!(!found(
            Collation::Octet,
            MatchType::Contains,
            "WORLD",
            "hello World"
        ));
        assert!(found(
            Collation::UnicodeCasemap,
            MatchType::Equals,
            "GRÜßE",
            "gru\u{308}sse"
        ));
    }

    #[test]
    fn each_match_type_looks_where_it_should() {
        let at = |match_type, needle| found(Collation::Octet, match_type, needle, "abc");
        assert!(at(MatchType::Equals, "abc") && !at(MatchType::Equals, "ab"));
        assert!(at(MatchType::StartsWith, "ab") && !at(MatchType::StartsWith, "bc"));
        assert!(at(MatchType::EndsWith, "bc") && !at(MatchType::EndsWith, "ab"));
        assert!(at(MatchType::Contains, "b") && !at(MatchType::Contains, "d"));
    }

    #[test]
    fn a_negated_match_wants_no_value_to_match() {
        let text = TextMatch::new("work", Collation::AsciiCasemap, MatchType::Equals).negated(true);
        assert!(!text.matches(["home", "Work"]));
        assert!(text.matches(["home"]));
    }

    #[test]
    fn an_item_of_a_list_matches_by_itself() {
        let text = TextMatch::new("a,b", Collation::Octet, MatchType::Equals);
        assert!(text.matches_value(&Line::new("CATEGORIES", "x,a\\,b")));
        assert!(!text.matches_value(&Line::new("CATEGORIES", "x,b")));
    }

    #[test]
    fn a_parameter_filter_sees_absence_and_bare_types() {
        let line = Line::new("TEL", "1").with("X-A", "1");
        let filter = |name: &str, test| {
            ParamFilter {
                name: name.into(),
                test,
            }
            .matches(&line)
        };
        assert!(filter("x-a", ParamTest::Defined));
        assert!(filter("TYPE", ParamTest::NotDefined));
        let home = TextMatch::new("home", Collation::AsciiCasemap, MatchType::Equals);
        assert!(!filter("TYPE", ParamTest::Text(home.clone().negated(true))));
        let bare = Line {
            parameters: vec![crate::Parameter {
                name: "HOME".into(),
                values: vec![],
            }],
            ..Line::new("TEL", "1")
        };
        assert!(
            ParamFilter {
                name: "TYPE".into(),
                test: ParamTest::Text(home)
            }
            .matches(&bare)
        );
    }
}
