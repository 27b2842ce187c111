//! The `If` field (RFC 4918 section 10.4): lists of conditions, each about the resource of the request or about one that it names.
//! It does two things at once. It is true when one list is; and every token in it is submitted, wherever it stands.

use crate::answer::Refusal;
use crate::place::Place;

/// Conditions of one field, in all lists.
const MAX_CONDITIONS: usize = 100;

/// The field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lists(pub(super) Vec<List>);

/// Conditions that are true together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List {
    /// About what.
    pub(super) about: About,
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// What the request is about.
    Itself,
    /// None: there can be nothing.
    Other(Option<Place>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) is_negated: bool,
    pub(super) state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// A token, without brackets.
    Token(String),
    /// An entity tag without quotes; none for a weak one, which no resource has.
    Tag(Option<String>),
}

impl Lists {
    /// Reads the field.
    pub(crate) fn read(text: &str) -> Result<Lists, Refusal> {
        let wrong = || Refusal::new(400, "the If field is not as RFC 4918 section 10.4 has it");
        let mut lists = Vec::new();
        let mut about = About::Itself;
        // A field is all of tagged lists or all of others (section 10.4.2), and a tag has a list.
        let mut is_tag_open = false;
        let mut conditions = 0;
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('<') {
                let (href, after) = after.split_once('>').ok_or_else(wrong)?;
                if is_tag_open || (about == About::Itself && !lists.is_empty()) {
                    return Err(wrong());
                }
                about = About::Other(Place::of_href(href));
                is_tag_open = true;
                rest = after.trim_start();
                continue;
            }
            let after = rest.strip_prefix('(').ok_or_else(wrong)?;
            let (list, after) = list(after).ok_or_else(wrong)?;
            conditions += list.len();
            if conditions > MAX_CONDITIONS {
                return Err(Refusal::new(
                    400,
                    format!("limit conditions of an If field = {MAX_CONDITIONS} reached"),
                ));
            }
            lists.push(List {
                about: about.clone(),
                conditions: list,
            });
            is_tag_open = false;
            rest = after.trim_start();
        }
        if is_tag_open || lists.is_empty() {
            return Err(wrong());
        }
        Ok(Lists(lists))
    }

    /// Whether a token stands somewhere in it.
    pub(crate) fn submits(&self, token: &str) -> bool {
        self.tokens().any(|submitted| submitted == token)
    }

    /// All tokens in it.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &str> {
        let conditions = self.0.iter().flat_map(|list| &list.conditions);
        conditions.filter_map(|condition| match &condition.state {
            State::Token(token) => Some(token.as_str()),
            State::Tag(_) => None,
        })
    }
}

/// The conditions up to the end of a list, and what follows.
fn list(mut rest: &str) -> Option<(Vec<Condition>, &str)> {
    let mut conditions = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(')') {
            return (!conditions.is_empty()).then_some((conditions, after));
        }
        let negation = rest
            .split_at_checked(3)
            .filter(|(start, _)| start.eq_ignore_ascii_case("not"));
        let is_negated = negation.is_some();
        rest = negation.map_or(rest, |(_, after)| after).trim_start();
        let (state, after) = state(rest)?;
        conditions.push(Condition { is_negated, state });
        rest = after;
    }
}

fn state(text: &str) -> Option<(State, &str)> {
    if let Some(rest) = text.strip_prefix('<') {
        let (token, after) = rest.split_once('>')?;
        return Some((State::Token(token.to_owned()), after));
    }
    let rest = text.strip_prefix('[')?.trim_start();
    let (is_weak, rest) = match rest.strip_prefix("W/") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    // Some clients leave the quotes out.
    let (tag, after) = match rest.strip_prefix('"') {
        Some(rest) => {
            let (tag, after) = rest.split_once('"')?;
            (tag, after.trim_start().strip_prefix(']')?)
        }
        None => {
            let (tag, after) = rest.split_once(']')?;
            (tag.trim(), after)
        }
    };
    Some((State::Tag((!is_weak).then(|| tag.to_owned())), after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(text: &str) -> Condition {
        Condition {
            is_negated: false,
            state: State::Token(text.into()),
        }
    }

    fn tag(text: &str) -> Condition {
        Condition {
            is_negated: false,
            state: State::Tag(Some(text.into())),
        }
    }

    fn not(condition: Condition) -> Condition {
        Condition {
            is_negated: true,
            ..condition
        }
    }

    fn read(text: &str) -> Vec<List> {
        Lists::read(text).unwrap().0
    }

    #[test]
    fn lists_without_a_tag_are_about_the_resource_itself() {
        let lists = read(r#"(<urn:uuid:1> ["I am an ETag"]) (Not <DAV:no-lock>["b)"])"#);
        let conditions: Vec<_> = lists.iter().map(|list| list.conditions.clone()).collect();
        let expected = [
            vec![token("urn:uuid:1"), tag("I am an ETag")],
            vec![not(token("DAV:no-lock")), tag("b)")],
        ];
        assert_eq!(conditions, expected);
        assert!(lists.iter().all(|list| list.about == About::Itself));
    }

    #[test]
    fn a_tagged_list_is_about_what_it_names_and_so_are_those_behind_it() {
        let lists = read("<http://x/dav/principals/a@b/> (<t:1>) ([\"e\"])</elsewhere>(<t:2>)");
        let about: Vec<_> = lists.into_iter().map(|list| list.about).collect();
        let principal = About::Other(Some(Place::Principal("a@b".into())));
        assert_eq!(about, [principal.clone(), principal, About::Other(None)]);
    }

    #[test]
    fn a_weak_tag_matches_nothing_and_a_token_is_submitted_wherever_it_stands() {
        let lists = Lists::read("(Not <t:1>) ([W/\"e\"])").unwrap();
        assert_eq!(lists.0[1].conditions[0].state, State::Tag(None));
        assert!(lists.submits("t:1") && !lists.submits("e"));
    }

    #[test]
    fn what_is_not_of_this_form_is_refused() {
        for text in [
            "",
            "()",
            "(<a>",
            "<a>",
            "<a><b>(<c>)",
            "(<a>)<b>(<c>)",
            "(Not)",
            "([\"a)",
            "x",
            "(<a>) <b>",
        ] {
            assert!(Lists::read(text).is_err(), "{text}");
        }
        assert!(Lists::read(&"(<a>)".repeat(101)).is_err());
    }

    proptest! {
        #[test]
        fn any_field_is_read_or_refused(text in "[()<>\\[\\]\"aNotW/ é]{0,60}") {
            let _ = Lists::read(&text);
        }
    }
}
