//! Dates of SEARCH and date-times of APPEND (RFC 9051 section 9, `date` and `date-time`).

use super::{Bad, cursor::Cursor};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A calendar day, in days since 1970-01-01.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Date(pub i32);

/// Days since 1970-01-01 of a day in the proleptic Gregorian calendar.
pub fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = i32::try_from((month + 9) % 12).unwrap_or(0);
    let day_of_year = (153 * month + 2) / 5 + i32::try_from(day).unwrap_or(1) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `1-Feb-2024`, the day with one or two digits.
fn day_month_year(cursor: &mut Cursor<'_>) -> Result<Date, Bad> {
    let wrong = || Bad::new("malformed date; expected d-Mmm-yyyy");
    let day = cursor.number("a day").map_err(|_| wrong())?;
    cursor.expect(b'-', "-").map_err(|_| wrong())?;
    let name = cursor
        .text_while("a month", |byte| byte.is_ascii_alphabetic())
        .map_err(|_| wrong())?;
    let month = MONTHS
        .iter()
        .zip(1u32..)
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .ok_or_else(wrong)?
        .1;
    cursor.expect(b'-', "-").map_err(|_| wrong())?;
    let digits = cursor
        .text_while("a year", |byte| byte.is_ascii_digit())
        .map_err(|_| wrong())?;
    let year: i32 = digits
        .parse()
        .ok()
        .filter(|_| digits.len() == 4)
        .ok_or_else(wrong)?;
    match (1..=days_in_month(year, month)).contains(&day) {
        true => Ok(Date(days_from_civil(year, month, day))),
        false => Err(wrong()),
    }
}

impl Date {
    /// With or without quotes.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let quoted = cursor.eat(b'"');
        let date = day_month_year(cursor)?;
        if quoted {
            cursor.expect(b'"', "a closing quote")?;
        }
        Ok(date)
    }
}

/// `"17-Jul-1996 02:44:25 -0700"`, as seconds since 1970.
pub(super) fn date_time(cursor: &mut Cursor<'_>) -> Result<i64, Bad> {
    cursor.expect(b'"', "a date-time")?;
    cursor.eat(b' ');
    let Date(days) = day_month_year(cursor)?;
    cursor.space()?;
    let hours = two_digits(cursor, 23)?;
    cursor.expect(b':', ":")?;
    let minutes = two_digits(cursor, 59)?;
    cursor.expect(b':', ":")?;
    let seconds = two_digits(cursor, 60)?;
    cursor.space()?;
    let east = match (cursor.eat(b'+'), cursor.eat(b'-')) {
        (true, _) => 1,
        (_, true) => -1,
        _ => {
            return Err(Bad::new(
                "malformed date-time; expected a zone such as +0100",
            ));
        }
    };
    let zone = cursor.text_while("a zone", |byte| byte.is_ascii_digit())?;
    let value: i64 = zone
        .parse()
        .ok()
        .filter(|_| zone.len() == 4)
        .ok_or_else(|| Bad::new("malformed zone"))?;
    cursor.expect(b'"', "a closing quote")?;
    let offset = east * (value / 100 * 3600 + value % 100 * 60);
    Ok(i64::from(days) * 86_400 + hours * 3600 + minutes * 60 + seconds - offset)
}

/// The same from text, quotes included.
pub fn parse_date_time(text: &[u8]) -> Option<i64> {
    date_time(&mut Cursor::new(text, super::Mode::default())).ok()
}

fn two_digits(cursor: &mut Cursor<'_>, largest: i64) -> Result<i64, Bad> {
    let wrong = || Bad::new("malformed time; expected hh:mm:ss");
    let digits = cursor
        .text_while("a time", |byte| byte.is_ascii_digit())
        .map_err(|_| wrong())?;
    let value: i64 = digits
        .parse()
        .ok()
        .filter(|_| digits.len() == 2)
        .ok_or_else(wrong)?;
    if value > largest {
        Err(wrong())
    } else {
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Mode;

    fn date(text: &str) -> Result<Date, Bad> {
        Date::parse(&mut Cursor::new(text.as_bytes(), Mode::default()))
    }

    #[test]
    fn days_count_from_1970() {
        assert_eq!(date("1-Jan-1970"), Ok(Date(0)));
        assert_eq!(date("\"29-feb-2024\""), Ok(Date(19_782)));
        assert_eq!(date("31-Dec-1969"), Ok(Date(-1)));
    }

    #[test]
    fn a_day_that_no_calendar_has_is_refused() {
        assert!(date("30-Feb-2024").is_err());
        assert!(date("0-Jan-2024").is_err());
        assert!(date("1-Foo-2024").is_err());
        assert!(date("1-Jan-24").is_err());
    }

    #[test]
    fn a_date_time_is_an_instant_and_zones_with_eights_and_nines_are_decimal() {
        assert_eq!(
            parse_date_time(b"\"17-Jul-1996 02:44:25 -0700\""),
            Some(837_596_665)
        );
        assert_eq!(parse_date_time(b"\" 1-Jan-1970 09:08:00 +0908\""), Some(0));
        assert_eq!(parse_date_time(b"\"01-Jan-1970 25:00:00 +0000\""), None);
    }
}
