//! Variables (RFC 5229): those of each script that is being run, and those that all of them share (RFC 6609 section 3.4).

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{MAX_VALUE, MAX_VARIABLES};
use crate::matching::Captures;
use crate::script::Modifier;
use crate::text::{Piece, cut};

#[derive(Debug, Default)]
pub(super) struct Variables {
    global: BTreeMap<String, String>,
    own: Scope,
    outer: Vec<Scope>,
}

#[derive(Debug, Default)]
struct Scope {
    values: BTreeMap<String, String>,
    /// Names that mean the shared variable.
    shared: BTreeSet<String>,
    captures: Captures,
}

impl Variables {
    /// A script is included.
    pub(super) fn enter(&mut self) {
        self.outer.push(std::mem::take(&mut self.own));
    }

    pub(super) fn leave(&mut self) {
        self.own = self.outer.pop().unwrap_or_default();
    }

    pub(super) fn make_global(&mut self, name: &str) {
        self.own.shared.insert(name.to_owned());
    }

    pub(super) fn capture(&mut self, captures: Captures) {
        self.own.captures = captures;
    }

    pub(super) fn get(&self, name: &str) -> &str {
        let value = match name.strip_prefix("global.") {
            Some(shared) => self.global.get(shared),
            None if self.own.shared.contains(name) => self.global.get(name),
            None => self.own.values.get(name),
        };
        value.map_or("", String::as_str)
    }

    pub(super) fn piece<'a>(&'a self, piece: &'a Piece) -> &'a str {
        match piece {
            Piece::Literal(text) => text,
            Piece::Variable(name) => self.get(name),
            Piece::Match(number) => self.own.captures.get(*number).map_or("", String::as_str),
        }
    }

    /// False: there are too many.
    pub(super) fn set(&mut self, name: &str, mut value: String) -> bool {
        cut(&mut value, MAX_VALUE);
        let (values, name) = match name.strip_prefix("global.") {
            Some(shared) => (&mut self.global, shared),
            None if self.own.shared.contains(name) => (&mut self.global, name),
            None => (&mut self.own.values, name),
        };
        if values.len() >= MAX_VARIABLES && !values.contains_key(name) {
            return false;
        }
        values.insert(name.to_owned(), value);
        true
    }
}

/// RFC 5229 section 4.1: modifiers in the order of their precedence.
pub(super) fn modified(mut value: String, modifiers: &[Modifier]) -> String {
    let mut modifiers = modifiers.to_vec();
    modifiers.sort_unstable();
    for modifier in modifiers {
        value = match modifier {
            Modifier::Lower => value.to_ascii_lowercase(),
            Modifier::Upper => value.to_ascii_uppercase(),
            Modifier::LowerFirst => first(&value, |c| c.to_ascii_lowercase()),
            Modifier::UpperFirst => first(&value, |c| c.to_ascii_uppercase()),
            Modifier::QuoteWildcard => quoted(&value, "*?\\"),
            Modifier::QuoteRegex => quoted(&value, "\\.+*?()|[]{}^$"),
            Modifier::Length => value.chars().count().to_string(),
        };
    }
    value
}

fn first(value: &str, change: impl Fn(char) -> char) -> String {
    let mut characters = value.chars();
    let head = characters.next().map(change);
    head.into_iter().chain(characters).collect()
}

fn quoted(value: &str, which: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        if which.contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_are_applied_as_the_rfc_shows() {
        let text = || "juMBlEd lETteRS".to_owned();
        for (modifiers, expected) in [
            (vec![Modifier::Length], "15"),
            (vec![Modifier::Lower], "jumbled letters"),
            (vec![Modifier::UpperFirst], "JuMBlEd lETteRS"),
            (
                vec![Modifier::UpperFirst, Modifier::Lower],
                "Jumbled letters",
            ),
        ] {
            assert_eq!(modified(text(), &modifiers), expected);
        }
        assert_eq!(
            modified("Rock*?".into(), &[Modifier::QuoteWildcard]),
            "Rock\\*\\?"
        );
    }
}
