//! The packed list of occurrences: for each the distance from the beginning of the one before and its length, as LEB128 numbers.

use super::Occurrences;
use crate::{Error, Result};

/// Occurrences of one object.
const MAX_RANGES: usize = 4096;

/// A list as its row holds it.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) horizon: Option<i64>,
    pub(super) octets: Vec<u8>,
}

impl Packed {
    /// # Errors
    /// `Limit` for too many, `Invalid` for one that ends before it begins.
    pub(super) fn of(occurrences: &Occurrences) -> Result<Packed> {
        let mut ranges = occurrences.ranges.clone();
        if ranges.len() > MAX_RANGES {
            return Err(Error::Limit(format!(
                "an object has at most {MAX_RANGES} occurrences in its index"
            )));
        }
        if ranges.iter().any(|(begin, end)| begin > end) {
            return Err(Error::Invalid(
                "an occurrence ends before it begins".to_owned(),
            ));
        }
        ranges.sort_unstable();
        let mut octets = Vec::with_capacity(ranges.len() * 4);
        let mut before = 0_i64;
        for (begin, end) in &ranges {
            // Wrapping undoes itself in `hits`: what is always there begins before all time.
            push(&mut octets, zigzag(begin.wrapping_sub(before)));
            push(&mut octets, end.wrapping_sub(*begin).cast_unsigned());
            before = *begin;
        }
        Ok(Packed {
            first: ranges.first().map_or(i64::MAX, |(begin, _)| *begin),
            last: ranges.iter().map(|(_, end)| *end).max().unwrap_or(i64::MIN),
            horizon: occurrences.horizon,
            octets,
        })
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn push(octets: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            octets.push(low & 0x7f);
            return;
        }
        octets.push(low | 0x80);
    }
}

fn take(octets: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..70).step_by(7) {
        let (octet, rest) = octets.split_first()?;
        *octets = rest;
        number |= u64::from(octet & 0x7f).checked_shl(shift)?;
        if octet & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Whether some occurrence of a packed list lies in a range. A list that cannot be read says yes: somebody will look.
pub(super) fn hits(mut octets: &[u8], from: i64, until: i64) -> bool {
    let mut begin = 0_i64;
    while !octets.is_empty() {
        let (Some(step), Some(length)) = (take(&mut octets), take(&mut octets)) else {
            return true;
        };
        begin = begin.wrapping_add(unzigzag(step));
        if begin > until {
            return false;
        }
        if begin.wrapping_add(length.cast_signed()) >= from {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(ranges: &[(i64, i64)]) -> Packed {
        let ranges = ranges.to_vec();
        Packed::of(&Occurrences {
            ranges,
            horizon: None,
        })
        .unwrap()
    }

    proptest! {
        #[test]
        fn a_packed_list_hits_what_the_ranges_hit(
            ranges in prop::collection::vec((-5000_i64..5000, 0_i64..300), 0..20),
            from in -6000_i64..6000,
            length in 0_i64..500,
        ) {
            let ranges: Vec<_> = ranges.into_iter().map(|(begin, length)| (begin, begin + length)).collect();
            let until = from + length;
            let expected = ranges.iter().any(|(begin, end)| *begin <= until && *end >= from);
            prop_assert_eq!(hits(&packed(&ranges).octets, from, until), expected);
        }

        #[test]
        fn any_octets_are_looked_through(octets in prop::collection::vec(any::<u8>(), 0..40)) {
            hits(&octets, 0, 10);
        }
    }

    #[test]
    fn what_is_always_there_is_in_every_range() {
        let always = packed(&[(i64::MIN, i64::MAX)]);
        assert_eq!((always.first, always.last), (i64::MIN, i64::MAX));
    }

    #[test]
    fn a_daily_hour_costs_few_octets() {
        let days: Vec<_> = (0..1000)
            .map(|day| (day * 86_400, day * 86_400 + 3600))
            .collect();
        assert!(packed(&days).octets.len() <= 1000 * 5);
    }

    #[test]
    fn too_many_and_backward_ranges_are_refused() {
        let of = |ranges| {
            Packed::of(&Occurrences {
                ranges,
                horizon: None,
            })
        };
        assert!(matches!(
            of(vec![(0, 1); MAX_RANGES + 1]),
            Err(Error::Limit(_))
        ));
        assert!(matches!(of(vec![(2, 1)]), Err(Error::Invalid(_))));
    }
}
