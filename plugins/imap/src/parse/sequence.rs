//! Sequence sets (RFC 9051 section 9, `sequence-set`), and `$`, the saved result (RFC 5182).

use serde::{Deserialize, Serialize};

use super::{Bad, cursor::Cursor};

/// Stands for `*`, the largest number in use. No message has it: as a number it is read as the one below.
pub const STAR: u32 = u32::MAX;

/// Numbers or UIDs that a command is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SequenceSet {
    /// Ranges as given, in any order, `*` as [`STAR`].
    Ranges(Vec<(u32, u32)>),
    /// `$`.
    Saved,
}

impl SequenceSet {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        if cursor.eat(b'$') {
            return Ok(SequenceSet::Saved);
        }
        let mut ranges = Vec::new();
        loop {
            let first = number(cursor)?;
            let last = if cursor.eat(b':') {
                number(cursor)?
            } else {
                first
            };
            ranges.push((first, last));
            if !cursor.eat(b',') {
                return Ok(SequenceSet::Ranges(ranges));
            }
        }
    }

    /// Message numbers among `exists` messages: ascending, disjoint, `*` resolved. None when a number is of no message.
    pub fn positions(ranges: &[(u32, u32)], exists: u32) -> Option<Vec<(u32, u32)>> {
        let mut resolved = Vec::with_capacity(ranges.len());
        for &(first, last) in ranges {
            let has_star = first == STAR || last == STAR;
            let resolve = |number: u32| if number == STAR { exists } else { number };
            let (low, high) = ordered(resolve(first), resolve(last));
            if exists == 0 && has_star {
                continue;
            }
            if high > exists {
                return None;
            }
            resolved.push((low, high));
        }
        Some(merged(resolved))
    }

    /// The same for SEARCH, where a number of no message matches nothing.
    pub fn positions_within(ranges: &[(u32, u32)], exists: u32) -> Vec<(u32, u32)> {
        let resolved = Self::uids(ranges, exists);
        let within = resolved.into_iter().filter(|&(first, _)| first <= exists);
        within
            .map(|(first, last)| (first, last.min(exists)))
            .collect()
    }

    /// UIDs where `largest` is the largest in use (0: none): ascending, disjoint, `*` resolved.
    pub fn uids(ranges: &[(u32, u32)], largest: u32) -> Vec<(u32, u32)> {
        let resolve = |number: u32| if number == STAR { largest } else { number };
        let ordered = ranges
            .iter()
            .map(|&(first, last)| ordered(resolve(first), resolve(last)));
        merged(
            ordered
                .filter(|&(_, high)| high > 0)
                .map(|(low, high)| (low.max(1), high))
                .collect(),
        )
    }

    /// Whether `*` occurs.
    pub fn has_star(ranges: &[(u32, u32)]) -> bool {
        ranges
            .iter()
            .any(|&(first, last)| first == STAR || last == STAR)
    }
}

pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<u32, Bad> {
    if cursor.eat(b'*') {
        Ok(STAR)
    } else {
        Ok(cursor.nz_number("a message number")?.min(STAR - 1))
    }
}

fn ordered(one: u32, other: u32) -> (u32, u32) {
    (one.min(other), one.max(other))
}

fn merged(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut result: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match result.last_mut() {
            Some(previous) if low <= previous.1.saturating_add(1) => {
                previous.1 = previous.1.max(high)
            }
            _ => result.push((low, high)),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Mode;

    fn parse(text: &str) -> Result<SequenceSet, Bad> {
        SequenceSet::parse(&mut Cursor::new(text.as_bytes(), Mode::default()))
    }

    #[test]
    fn a_set_is_read_as_written() {
        assert_eq!(
            parse("1,5:3,*:7"),
            Ok(SequenceSet::Ranges(vec![(1, 1), (5, 3), (STAR, 7)]))
        );
        assert_eq!(parse("$"), Ok(SequenceSet::Saved));
        assert_eq!(
            parse("4294967295"),
            Ok(SequenceSet::Ranges(vec![(STAR - 1, STAR - 1)]))
        );
        assert!(parse("0").is_err());
        assert!(parse("1,").is_err());
        assert!(parse("99999999999").is_err());
    }

    #[test]
    fn positions_are_ordered_merged_and_bounded() {
        assert_eq!(
            SequenceSet::positions(&[(5, 3), (1, 2), (9, STAR)], 10),
            Some(vec![(1, 5), (9, 10)])
        );
        assert_eq!(SequenceSet::positions(&[(4, 4)], 3), None);
        assert_eq!(SequenceSet::positions(&[(1, STAR)], 0), Some(vec![]));
        assert_eq!(SequenceSet::positions(&[(1, 1)], 0), None);
    }

    #[test]
    fn a_search_for_numbers_beyond_the_end_is_cut() {
        assert_eq!(
            SequenceSet::positions_within(&[(2, 9), (7, 7)], 3),
            vec![(2, 3)]
        );
        assert_eq!(SequenceSet::positions_within(&[(1, STAR)], 0), vec![]);
    }

    #[test]
    fn a_star_in_uids_is_the_largest_even_when_the_other_end_is_beyond_it() {
        assert_eq!(SequenceSet::uids(&[(90, STAR)], 50), vec![(50, 90)]);
        assert_eq!(SequenceSet::uids(&[(STAR, STAR)], 0), vec![]);
    }
}
