//! Does a card match a query (RFC 6352 section 10.5)?

use crate::Card;
use crate::contentline::Line;
use crate::contentline::filter::{ParamFilter, TextMatch};

/// The attribute `test`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Test {
    /// `anyof`.
    #[default]
    AnyOf,
    /// `allof`.
    AllOf,
}

impl Test {
    /// Of nothing everything passes.
    fn of(self, mut results: impl ExactSizeIterator<Item = bool>) -> bool {
        match self {
            Test::AnyOf => results.len() == 0 || results.any(|passes| passes),
            Test::AllOf => results.all(|passes| passes),
        }
    }
}

/// A `filter` element. Without a property filter every card matches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// How many of the properties must pass.
    pub test: Test,
    /// `prop-filter`.
    pub properties: Vec<PropFilter>,
}

/// A `prop-filter` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropFilter {
    /// The property; `group.NAME` asks for one of that group (RFC 6352 section 10.5.1).
    pub name: String,
    /// What is asked of it.
    pub test: PropTest,
}

/// What a [`PropFilter`] asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropTest {
    /// `is-not-defined`.
    NotDefined,
    /// That there is one which passes any or all of these; without any, that it is there.
    Defined {
        /// How many must pass.
        test: Test,
        /// `text-match`.
        texts: Vec<TextMatch>,
        /// `param-filter`.
        parameters: Vec<ParamFilter>,
    },
}

impl Filter {
    /// Whether a card matches.
    pub fn matches(&self, card: &Card) -> bool {
        self.test.of(self
            .properties
            .iter()
            .map(|property| property.matches(card)))
    }
}

impl PropFilter {
    fn matches(&self, card: &Card) -> bool {
        let (group, name) = match self.name.rsplit_once('.') {
            Some((group, name)) => (Some(group), name),
            None => (None, self.name.as_str()),
        };
        let of_group = |line: &&Line| {
            group.is_none_or(|group| {
                line.group
                    .as_deref()
                    .is_some_and(|own| own.eq_ignore_ascii_case(group))
            })
        };
        let mut lines = card.component().lines_of(name).filter(of_group);
        match &self.test {
            PropTest::NotDefined => lines.next().is_none(),
            PropTest::Defined {
                test,
                texts,
                parameters,
            } => lines.any(|line| passes(line, *test, texts, parameters)),
        }
    }
}

fn passes(line: &Line, test: Test, texts: &[TextMatch], parameters: &[ParamFilter]) -> bool {
    let results: Vec<bool> = texts
        .iter()
        .map(|text| text.matches_value(line))
        .chain(parameters.iter().map(|parameter| parameter.matches(line)))
        .collect();
    test.of(results.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contentline::filter::{Collation, MatchType, ParamTest};

    fn card() -> Card {
        Card::parse(
            b"BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:Babs Jensen\nNICKNAME:me,babs\nEMAIL;TYPE=work:babs@example.com\nEMAIL;TYPE=home:b@example.net\nitem1.TEL:1\nEND:VCARD\n",
        )
        .unwrap()
    }

    fn text(text: &str, match_type: MatchType) -> TextMatch {
        TextMatch::new(text, Collation::UnicodeCasemap, match_type)
    }

    fn property(
        name: &str,
        test: Test,
        texts: Vec<TextMatch>,
        parameters: Vec<ParamFilter>,
    ) -> PropFilter {
        PropFilter {
            name: name.into(),
            test: PropTest::Defined {
                test,
                texts,
                parameters,
            },
        }
    }

    fn any(properties: Vec<PropFilter>) -> bool {
        Filter {
            test: Test::AnyOf,
            properties,
        }
        .matches(&card())
    }

    #[test]
    fn the_queries_of_rfc_6352_find_their_cards() {
        // Section 8.6.3: a nickname of exactly "me".
        assert!(any(vec![property(
            "NICKNAME",
            Test::AnyOf,
            vec![text("me", MatchType::Equals)],
            vec![]
        )]));
        // Section 8.6.4: FN or EMAIL contains "daboo".
        assert!(!any(vec![
            property(
                "FN",
                Test::AnyOf,
                vec![text("daboo", MatchType::Contains)],
                vec![]
            ),
            property(
                "EMAIL",
                Test::AnyOf,
                vec![text("daboo", MatchType::Contains)],
                vec![]
            ),
        ]));
        assert!(any(vec![]));
    }

    #[test]
    fn conditions_of_one_property_are_tested_on_the_same_line() {
        let work = || ParamFilter {
            name: "TYPE".into(),
            test: ParamTest::Text(text("work", MatchType::Equals)),
        };
        let net = || vec![text(".net", MatchType::EndsWith)];
        assert!(any(vec![property(
            "EMAIL",
            Test::AnyOf,
            net(),
            vec![work()]
        )]));
        assert!(!any(vec![property(
            "EMAIL",
            Test::AllOf,
            net(),
            vec![work()]
        )]));
    }

    #[test]
    fn groups_and_absence_can_be_asked_for() {
        assert!(any(vec![property(
            "item1.TEL",
            Test::AnyOf,
            vec![],
            vec![]
        )]));
        assert!(!any(vec![property(
            "item2.TEL",
            Test::AnyOf,
            vec![],
            vec![]
        )]));
        assert!(any(vec![PropFilter {
            name: "PHOTO".into(),
            test: PropTest::NotDefined
        }]));
        let both = Filter {
            test: Test::AllOf,
            properties: vec![
                property("FN", Test::AnyOf, vec![], vec![]),
                PropFilter {
                    name: "EMAIL".into(),
                    test: PropTest::NotDefined,
                },
            ],
        };
        assert!(!both.matches(&card()));
    }
}
