//! A page of a result (RFC 9394): `1:500` from its beginning, `-1:-500` from its end.

use serde::{Deserialize, Serialize};

use super::{Bad, cursor::Cursor};

/// Which of the messages found, by their place in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    first: u32,
    last: u32,
    from_end: bool,
}

impl Partial {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let from_end = cursor.eat(b'-');
        let first = cursor.nz_number("the first place")?;
        cursor.expect(b':', "a range")?;
        if cursor.eat(b'-') != from_end {
            return Err(Bad::new("a range counts from one end"));
        }
        let last = cursor.nz_number("the last place")?;
        Ok(Partial {
            first,
            last,
            from_end,
        })
    }

    /// What of a result stands at these places: ranges, of which each counts as its numbers.
    pub fn of(self, result: &[(u32, u32)]) -> Vec<(u32, u32)> {
        let length = |&(first, last): &(u32, u32)| u64::from(last - first) + 1;
        let count: u64 = result.iter().map(length).sum();
        let (first, last) = (
            u64::from(self.first.min(self.last)),
            u64::from(self.first.max(self.last)),
        );
        // Places from 0, the end not included.
        let (from, to) = if self.from_end {
            (
                count.saturating_sub(last),
                (count + 1).saturating_sub(first),
            )
        } else {
            (first - 1, last)
        };
        let mut place = 0;
        let mut page = Vec::new();
        for range in result {
            let begin = place;
            place += length(range);
            let (from, to) = (from.max(begin), to.min(place));
            if from < to {
                let at = |place: u64| range.0 + u32::try_from(place - begin).unwrap_or(0);
                page.push((at(from), at(to - 1)));
            }
        }
        page
    }
}

impl std::fmt::Display for Partial {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.from_end { "-" } else { "" };
        write!(formatter, "{sign}{}:{sign}{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Mode;

    fn page(range: &str, result: &[(u32, u32)]) -> Vec<(u32, u32)> {
        let mut cursor = Cursor::new(range.as_bytes(), Mode::default());
        Partial::parse(&mut cursor).unwrap().of(result)
    }

    #[test]
    fn places_are_counted_over_ranges_from_either_end() {
        let result = [(2, 4), (9, 9), (20, 29)];
        assert_eq!(page("1:2", &result), [(2, 3)]);
        assert_eq!(page("3:5", &result), [(4, 4), (9, 9), (20, 20)]);
        assert_eq!(page("5:3", &result), page("3:5", &result));
        assert_eq!(page("14:20", &result), [(29, 29)]);
        assert_eq!(page("15:20", &result), []);
        assert_eq!(page("-1:-2", &result), [(28, 29)]);
        assert_eq!(
            page("-11:-100", &result),
            [(2, 4), (9, 9)].map(|range| range)
        );
        assert_eq!(page("-15:-20", &result), []);
        assert_eq!(page("1:5", &[]), []);
    }

    #[test]
    fn a_range_has_two_ends_of_one_sign_and_no_zero() {
        for wrong in ["1", "0:5", "1:-5", "-1:5", "1:*"] {
            let mut cursor = Cursor::new(wrong.as_bytes(), Mode::default());
            let read = Partial::parse(&mut cursor).and_then(|_| cursor.end());
            assert!(read.is_err(), "{wrong}");
        }
    }
}
