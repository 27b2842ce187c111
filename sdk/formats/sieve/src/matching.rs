//! Match types and comparators (RFC 5228 section 2.7, relational RFC 5231, regex): whether a text matches a key.
//!
//! Every match is linear in the text for a given key: a glob looks for the pieces between its stars from left to right and
//! takes the first of each, which also makes the earlier stars match as little as can be, as RFC 5229 section 3.2 wants.
//! `i;ascii-casemap` folds the letters of ASCII and nothing else.

use std::cmp::Ordering;

use memchr::memmem;
use regex_lite::{Regex, RegexBuilder};

use crate::limits::MAX_REGEX;

/// Match variables kept, `${0}` counted.
const CAPTURES: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparator {
    Octet,
    Casemap,
    Numeric,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    Unequal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MatchType {
    Is,
    Contains,
    Matches,
    Regex,
    Value(Relation),
    Count(Relation),
}

impl Relation {
    pub(crate) fn of(name: &str) -> Option<Relation> {
        Some(match name {
            "gt" => Relation::Greater,
            "ge" => Relation::GreaterOrEqual,
            "lt" => Relation::Less,
            "le" => Relation::LessOrEqual,
            "eq" => Relation::Equal,
            "ne" => Relation::Unequal,
            _ => return None,
        })
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Greater => ordering.is_gt(),
            Relation::GreaterOrEqual => ordering.is_ge(),
            Relation::Less => ordering.is_lt(),
            Relation::LessOrEqual => ordering.is_le(),
            Relation::Equal => ordering.is_eq(),
            Relation::Unequal => ordering.is_ne(),
        }
    }
}

/// `${0}` and what each wildcard or group matched.
pub(crate) type Captures = Vec<String>;

/// Whether a text matches; with `:matches` what matched what. Expressions are not texts: see [`regex`].
pub(crate) fn matches(
    kind: MatchType,
    comparator: Comparator,
    text: &str,
    key: &str,
) -> Option<Captures> {
    let yes = |matched: bool| matched.then(Captures::new);
    match kind {
        MatchType::Is => yes(compare(comparator, text, key).is_eq()),
        MatchType::Value(relation) => yes(relation.holds(compare(comparator, text, key))),
        MatchType::Count(relation) => yes(relation.holds(compare(Comparator::Numeric, text, key))),
        MatchType::Contains => yes(contains(comparator, text, key)),
        MatchType::Matches => glob(&pattern(key), text, comparator == Comparator::Casemap),
        MatchType::Regex => None,
    }
}

/// A regular expression with bounds on what it becomes.
pub(crate) fn regex(key: &str, comparator: Comparator) -> Result<Regex, String> {
    RegexBuilder::new(key)
        .case_insensitive(comparator == Comparator::Casemap)
        .dot_matches_new_line(true)
        .size_limit(MAX_REGEX)
        .nest_limit(50)
        .build()
        .map_err(|error| format!("not a regular expression: {error}"))
}

/// Where it matches, and what its groups matched.
pub(crate) fn groups(regex: &Regex, text: &str) -> Option<Captures> {
    let found = regex.captures(text)?;
    let group = |found: Option<regex_lite::Match<'_>>| {
        found.map_or_else(String::new, |group| group.as_str().to_owned())
    };
    Some(found.iter().take(CAPTURES).map(group).collect())
}

fn compare(comparator: Comparator, one: &str, other: &str) -> Ordering {
    match comparator {
        Comparator::Octet => one.cmp(other),
        Comparator::Casemap => {
            let folded = |text: &'_ str| text.to_ascii_uppercase();
            if one.eq_ignore_ascii_case(other) {
                return Ordering::Equal;
            }
            folded(one).cmp(&folded(other))
        }
        Comparator::Numeric => number(one).cmp(&number(other)),
    }
}

/// RFC 4790 section 9.1: the digits at the beginning; what begins with none is greater than every number. By length and then
/// by digits, so that no number is too long.
fn number(text: &str) -> (bool, usize, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let digits = text.get(..end).unwrap_or_default();
    if digits.is_empty() {
        return (true, 0, "");
    }
    let digits = digits.trim_start_matches('0');
    (false, digits.len(), digits)
}

fn contains(comparator: Comparator, text: &str, key: &str) -> bool {
    if comparator != Comparator::Casemap {
        return memmem::find(text.as_bytes(), key.as_bytes()).is_some();
    }
    let (text, key) = (text.to_ascii_lowercase(), key.to_ascii_lowercase());
    memmem::find(text.as_bytes(), key.as_bytes()).is_some()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Character(char),
    One,
    Many,
}

fn pattern(key: &str) -> Vec<Symbol> {
    let mut symbols = Vec::with_capacity(key.len());
    let mut characters = key.chars();
    while let Some(character) = characters.next() {
        symbols.push(match character {
            '*' => Symbol::Many,
            '?' => Symbol::One,
            '\\' => Symbol::Character(characters.next().unwrap_or('\\')),
            other => Symbol::Character(other),
        });
    }
    symbols
}

/// The pieces between the stars, each found as early as it can be; the last one stands at the end.
fn glob(pattern: &[Symbol], text: &str, fold: bool) -> Option<Captures> {
    let mut captures = vec![text.to_owned()];
    let mut segments = pattern.split(|symbol| *symbol == Symbol::Many).peekable();
    let mut at = segment(segments.next()?, text, 0, fold, &mut captures)?;
    if segments.peek().is_none() {
        return (at == text.len()).then_some(captures);
    }
    while let Some(next) = segments.next() {
        let is_last = segments.peek().is_none();
        let mut found = captures.clone();
        found.push(String::new());
        let star = found.len() - 1;
        let (begin, end) = if is_last {
            let begin = from_the_end(text, next.len())?;
            if begin < at {
                return None;
            }
            (begin, segment(next, text, begin, fold, &mut found)?)
        } else {
            first(next, text, at, fold, &mut found)?
        };
        if let Some(matched) = found.get_mut(star) {
            matched.push_str(text.get(at..begin)?);
        }
        found.truncate(CAPTURES);
        captures = found;
        at = end;
    }
    Some(captures)
}

/// Where so many last characters begin.
fn from_the_end(text: &str, characters: usize) -> Option<usize> {
    match characters {
        0 => Some(text.len()),
        many => text.char_indices().rev().nth(many - 1).map(|(at, _)| at),
    }
}

/// Where a piece matches first, from `at` on.
fn first(
    piece: &[Symbol],
    text: &str,
    at: usize,
    fold: bool,
    captures: &mut Captures,
) -> Option<(usize, usize)> {
    let kept = captures.len();
    let rest = text.get(at..)?;
    for begin in rest
        .char_indices()
        .map(|(offset, _)| at + offset)
        .chain([text.len()])
    {
        if let Some(end) = segment(piece, text, begin, fold, captures) {
            return Some((begin, end));
        }
        captures.truncate(kept);
    }
    None
}

/// Where a piece ends that matches at `at`.
fn segment(
    piece: &[Symbol],
    text: &str,
    at: usize,
    fold: bool,
    captures: &mut Captures,
) -> Option<usize> {
    let mut characters = text.get(at..)?.chars();
    for symbol in piece {
        let character = characters.next()?;
        match symbol {
            Symbol::Character(wanted) if fold && wanted.eq_ignore_ascii_case(&character) => {}
            Symbol::Character(wanted) if *wanted == character => {}
            Symbol::One => captures.push(character.to_string()),
            _ => return None,
        }
    }
    Some(text.len() - characters.as_str().len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn globbed(key: &str, text: &str) -> Option<Captures> {
        matches(MatchType::Matches, Comparator::Casemap, text, key)
    }

    #[test]
    fn stars_match_as_little_as_they_can_from_the_left() {
        assert_eq!(
            globbed("*-*-*", "a-b-c-d").unwrap(),
            ["a-b-c-d", "a", "b", "c-d"]
        );
        assert_eq!(
            globbed("[acme-users] *", "[ACME-users] [fwd] version 1.0").unwrap()[1],
            "[fwd] version 1.0"
        );
        assert_eq!(globbed("?a*?", "xAyz").unwrap(), ["xAyz", "x", "y", "z"]);
        assert_eq!(globbed("**", "ab").unwrap(), ["ab", "", "ab"]);
    }

    #[test]
    fn a_question_mark_is_one_character_and_a_backslash_quotes() {
        assert!(globbed("gr??e", "größe").is_some());
        assert!(globbed("gr?e", "größe").is_none());
        assert!(globbed("a\\*b", "a*b").is_some() && globbed("a\\*b", "axb").is_none());
        assert!(globbed("", "").is_some() && globbed("", "a").is_none());
        assert!(globbed("aa*aa", "aaa").is_none());
    }

    #[test]
    fn numbers_are_compared_whatever_their_length_and_words_are_beyond_them() {
        let value = |one: &str, relation: &str, other: &str| {
            let kind = MatchType::Value(Relation::of(relation).unwrap());
            matches(kind, Comparator::Numeric, one, other).is_some()
        };
        assert!(value("10", "gt", "9") && value("007", "eq", "7 days"));
        assert!(value(
            "100000000000000000000000000",
            "gt",
            "99999999999999999999999999"
        ));
        assert!(
            value("word", "gt", "99999") && value("word", "eq", "other") && value("", "ge", "0")
        );
    }

    #[test]
    fn expressions_have_groups_and_bounds() {
        let found =
            |key: &str| regex(key, Comparator::Casemap).map(|regex| groups(&regex, "Order 66 now"));
        assert_eq!(
            found("^order ([0-9]+)( x)?").unwrap().unwrap(),
            ["Order 66", "66", ""]
        );
        assert!(found("^([[:alpha:]]+) ([[:digit:]]{2})").unwrap().is_some());
        assert!(found("(").is_err());
        assert!(found("((a{100}){100}){100}").is_err());
    }

    proptest! {
        #[test]
        fn a_glob_agrees_with_trying_everything(key in "[ab?*]{0,8}", text in "[ab]{0,10}") {
            fn slow(key: &[Symbol], text: &[char]) -> bool {
                match (key.split_first(), text.split_first()) {
                    (None, _) => text.is_empty(),
                    (Some((Symbol::Many, rest)), tail) => slow(rest, text) || tail.is_some_and(|(_, tail)| slow(key, tail)),
                    (Some(_), None) => false,
                    (Some((symbol, rest)), Some((first, tail))) => {
                        (*symbol == Symbol::One || *symbol == Symbol::Character(*first)) && slow(rest, tail)
                    }
                }
            }
            let symbols = pattern(&key);
            let characters: Vec<char> = text.chars().collect();
            let found = glob(&symbols, &text, false);
            prop_assert_eq!(found.is_some(), slow(&symbols, &characters));
            if let Some(found) = found {
                prop_assert_eq!(found.len(), 1 + key.matches(['?', '*']).count());
            }
        }
    }
}
