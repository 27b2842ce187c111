//! Reads values out of a parsed configuration file and collects everything that is wrong with it, with line and column.
//!
//! serde stops at the first trouble; an operator wants all of them at once. So every key is read by itself.

use std::{fmt, ops::Range};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

/// How alike two keys must be for "did you mean" (Jaro-Winkler, 1 is the same).
const ALIKE: f64 = 0.78;

/// Something wrong at a place of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// Collects problems of one text.
pub(crate) struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Reader<'a> {
        Reader {
            text,
            problems: Vec::new(),
        }
    }

    /// In the order of the file.
    pub(crate) fn into_problems(mut self) -> Vec<Problem> {
        self.problems
            .sort_by_key(|problem| (problem.line, problem.column));
        self.problems
    }

    /// Tells of a problem at a place.
    pub(crate) fn problem(&mut self, at: Range<usize>, message: String) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        self.problems.push(Problem {
            line,
            column,
            message,
        });
    }

    /// A key's value, when it is there and readable.
    pub(crate) fn value<T: DeserializeOwned>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
    ) -> Option<T> {
        let value = lookup(table, key)?;
        match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(
                    error.span().unwrap_or(value.span()),
                    format!("`{key}`: {}", error.message().trim_end()),
                );
                None
            }
        }
    }

    /// The table under a key; something else there is a problem.
    pub(crate) fn table<'t, 'i>(
        &mut self,
        table: &'t DeTable<'i>,
        key: &str,
    ) -> Option<&'t DeTable<'i>> {
        let value = lookup(table, key)?;
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.problem(
                value.span(),
                format!("`{key}` is a table: write [{key}] and its keys below"),
            );
        }
        found
    }

    /// The tables under a key that are written `[[key]]`, each as a `T`.
    pub(crate) fn records<T: DeserializeOwned>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        section: &str,
        known: Vec<&str>,
    ) -> Vec<T> {
        let Some(value) = lookup(table, key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.problem(
                value.span(),
                format!(
                    "`{key}` may be given several times: write{}",
                    section.trim_start_matches(" in")
                ),
            );
            return Vec::new();
        };
        array
            .iter()
            .filter_map(|entry| self.record(entry, section, &known))
            .collect()
    }

    /// The struct that a whole table is; keys that are not `known` are told and left out.
    pub(crate) fn record<T: DeserializeOwned>(
        &mut self,
        entry: &Spanned<DeValue<'_>>,
        section: &str,
        known: &[&str],
    ) -> Option<T> {
        let mut entry = entry.clone();
        if let DeValue::Table(table) = entry.get_mut() {
            self.unknown(table, section, known);
            // Told already; the rest is read on for its own troubles.
            let all = std::mem::take(table);
            *table = all
                .into_iter()
                .filter(|(name, _)| known.contains(&name.get_ref().as_ref()))
                .collect();
        }
        let span = entry.span();
        match T::deserialize(ValueDeserializer::from(entry)) {
            Ok(record) => Some(record),
            Err(error) => {
                self.problem(
                    error.span().unwrap_or(span),
                    format!("{}{section}", error.message().trim_end()),
                );
                None
            }
        }
    }

    /// Every key of `table` that is not among the `known` ones is a problem, with the nearest known one.
    pub(crate) fn unknown(&mut self, table: &DeTable<'_>, section: &str, known: &[&str]) {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let hint = match nearest(name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                self.problem(key.span(), format!("unknown key `{name}`{section}; {hint}"));
            }
        }
    }
}

/// The value of a key; toml's map wants its own key type for a look-up.
pub(crate) fn lookup<'t, 'i>(
    table: &'t DeTable<'i>,
    key: &str,
) -> Option<&'t Spanned<DeValue<'i>>> {
    table
        .iter()
        .find(|(name, _)| name.get_ref() == key)
        .map(|(_, value)| value)
}

fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
