//! The Date field (RFC 5322 sections 3.3 and 4.3), read as generously as mail is written.
//!
//! Accepted: no weekday or a wrong one, two- and three-digit years, zones by name, no zone, no seconds,
//! comments, `5-Jan-2009`, and the order of asctime. What lacks day, month, year or time, or names a day or an hour
//! that does not exist, is None: the store then falls back on when the message arrived.

use crate::cursor::Cursor;

/// An instant, and how the sender wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Seconds since 1970, UTC.
    pub seconds: i64,
    /// Seconds east of UTC.
    pub offset: i32,
    /// The day as written, its zone disregarded (RFC 9051 section 6.4.4), in days since 1970.
    pub local_day: i32,
}

/// Reads a field value.
pub fn parse(field: &[u8]) -> Option<Date> {
    let mut parts = Parts::default();
    let mut cursor = Cursor::new(field);
    while cursor.peek().is_some() {
        let spaced = cursor.skip_cfws();
        if cursor.eat(b',') || (spaced && cursor.peek().is_none()) {
            continue;
        }
        let token = cursor.take_while(|byte| !b" \t(,".contains(&byte));
        if parts.is_date_with_dashes(token) {
            token
                .split(|byte| *byte == b'-')
                .try_for_each(|piece| parts.take(piece))?;
        } else {
            parts.take(token)?;
        }
    }
    parts.date()
}

#[derive(Default)]
struct Parts {
    day: Option<i64>,
    month: Option<i64>,
    year: Option<i64>,
    time: Option<i64>,
    offset: Option<i32>,
}

impl Parts {
    fn is_date_with_dashes(&self, token: &[u8]) -> bool {
        let first_is_digit = token.first().is_some_and(u8::is_ascii_digit);
        self.day.is_none() && first_is_digit && token.contains(&b'-')
    }

    /// Takes one word; None when it spoils the date. Words that say nothing are passed over.
    fn take(&mut self, token: &[u8]) -> Option<()> {
        let first = *token.first()?;
        if token.contains(&b':') {
            // The zone may follow without a space.
            let zone = token.iter().position(|byte| matches!(byte, b'+' | b'-'));
            let (clock, zone) = token.split_at_checked(zone.unwrap_or(token.len()))?;
            self.time = Some(time(clock)?);
            if !zone.is_empty() {
                self.offset = Some(numeric_zone(zone)?);
            }
        } else if matches!(first, b'+' | b'-') {
            self.offset = Some(numeric_zone(token)?);
        } else if first.is_ascii_digit() {
            let digits = token
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let value = number(token.get(..digits)?)?;
            match digits {
                1 | 2 if self.day.is_none() => self.day = Some(value),
                1..=4 if self.year.is_none() => self.year = Some(full_year(value, digits)),
                _ => return None,
            }
        } else if self.month.is_none() && month(token).is_some() {
            self.month = month(token);
        } else if self.time.is_some() && self.offset.is_none() {
            self.offset = named_zone(token);
        }
        Some(())
    }

    fn date(self) -> Option<Date> {
        let (year, month, day) = (self.year?, self.month?, self.day?);
        if !(1..=days_in_month(year, month)).contains(&day) {
            return None;
        }
        let local_day = days_since_1970(year, month, day);
        let offset = self.offset.unwrap_or(0);
        Some(Date {
            seconds: local_day * 86_400 + self.time? - i64::from(offset),
            offset,
            local_day: i32::try_from(local_day).ok()?,
        })
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// RFC 5322 section 4.3.
fn full_year(value: i64, digits: usize) -> i64 {
    match (digits, value) {
        (1 | 2, 0..=49) => value + 2000,
        (1..=3, _) => value + 1900,
        _ => value,
    }
}

/// Seconds of `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`; a leap second counts as the next minute's first.
fn time(token: &[u8]) -> Option<i64> {
    let mut fields = token.split(|byte| *byte == b':');
    let hour = number(fields.next()?).filter(|hour| (0..24).contains(hour))?;
    let minute = number(fields.next()?).filter(|minute| (0..60).contains(minute))?;
    let seconds = fields.next().map_or(Some(0), |field| {
        number(field.split(|byte| *byte == b'.').next()?)
    });
    let second = seconds.filter(|second| (0..=60).contains(second))?;
    Some(hour * 3600 + minute * 60 + second)
}

/// `+hhmm`, `-hhmm`, also with a colon-free hour alone.
fn numeric_zone(token: &[u8]) -> Option<i32> {
    let (sign, digits) = token.split_first()?;
    let digits: &[u8] = digits.trim_ascii();
    let value = i32::try_from(number(digits)?).ok()?;
    let (hours, minutes) = match digits.len() {
        1 | 2 => (value, 0),
        3 | 4 => (value / 100, value % 100),
        _ => return None,
    };
    if hours > 24 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some(if *sign == b'-' { -seconds } else { seconds })
}

/// Names of RFC 5322 `obs-zone`; unknown ones and military letters count as UTC, as it advises.
fn named_zone(token: &[u8]) -> Option<i32> {
    let hours = match token.to_ascii_uppercase().as_slice() {
        b"EDT" => -4,
        b"EST" | b"CDT" => -5,
        b"CST" | b"MDT" => -6,
        b"MST" | b"PDT" => -7,
        b"PST" => -8,
        name if name.iter().all(u8::is_ascii_alphabetic) => 0,
        _ => return None,
    };
    Some(hours * 3600)
}

fn month(token: &[u8]) -> Option<i64> {
    let name = token.get(..3)?.to_ascii_lowercase();
    let names: [&[u8; 3]; 12] = [
        b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov",
        b"dec",
    ];
    let index = names.iter().position(|known| known.as_slice() == name)?;
    i64::try_from(index + 1).ok()
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a day of the proleptic Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years that start in March put the leap day last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        let table = [
            ("Thu, 01 Jan 1970 00:00:00 +0000", 0, 0, 0),
            (
                "Fri, 21 Nov 1997 09:55:06 -0600",
                880_127_706,
                -21_600,
                10_186,
            ),
            ("21 Nov 97 09:55 -0600 (CST)", 880_127_700, -21_600, 10_186),
            (
                "Fri,21(x)Nov 097 09:55:06.5 CST",
                880_127_706,
                -21_600,
                10_186,
            ),
            ("Fri Nov 21 09:55:06 1997", 880_106_106, 0, 10_186),
            ("21 Nov 1997 09:55:06-0600", 880_127_706, -21_600, 10_186),
            ("21-Nov-1997 09:55:06 Z", 880_106_106, 0, 10_186),
            ("1 Jan 2024 00:30:00 +0200", 1_704_061_800, 7200, 19_723),
            ("29 Feb 2000 23:59:60 GMT", 951_868_800, 0, 11_016),
            ("31 Dec 1969 00:00:00 GMT", -86_400, 0, -1),
        ];
        for (text, seconds, offset, local_day) in table {
            let date = Date {
                seconds,
                offset,
                local_day,
            };
            assert_eq!(parse(text.as_bytes()), Some(date), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "now",
            "30 Feb 2001 00:00 GMT",
            "1 Jan 2001",
            "Jan 2001 00:00",
            "1 Jan 00:00",
            "1 Jan 2001 24:00 GMT",
            "1 Jan 2001 00:60 GMT",
            "1 2001 00:00",
            "1 Jan 2001 00:00 +99999",
            "99999999999999999999 Jan 2001 00:00",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(field in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&field);
        }

        #[test]
        fn days_follow_one_another(day in -700_000i64..2_000_000) {
            // Walks back from a day number through the calendar.
            let mut year = 1969 + day.div_euclid(366).min(day.div_euclid(365));
            while days_since_1970(year + 1, 1, 1) <= day { year += 1; }
            let mut month = 1;
            while month < 12 && days_since_1970(year, month + 1, 1) <= day { month += 1; }
            let of_month = day - days_since_1970(year, month, 1) + 1;
            prop_assert!((1..=days_in_month(year, month)).contains(&of_month));
        }
    }
}
