//! INTERNALDATE (RFC 9051 section 9, `date-time`), in UTC.

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Year, month from 1 and day of a number of days since 1970-01-01.
fn civil_from_days(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (
        year_of_era + era * 400 + i64::from(month <= 2),
        usize::try_from(month).unwrap_or(1),
        day,
    )
}

/// `"17-Jul-1996 09:44:25 +0000"` with its quotes. Years that the grammar cannot write are bent to its ends.
pub fn date_time(out: &mut Vec<u8>, seconds: i64) {
    let seconds = seconds.clamp(-62_167_219_200, 253_402_300_799);
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let time = seconds.rem_euclid(86_400);
    let name = MONTHS.get(month - 1).copied().unwrap_or("Jan");
    let (hours, minutes, seconds) = (time / 3_600, time / 60 % 60, time % 60);
    out.push(b'"');
    out.push(if day < 10 { b' ' } else { digit(day / 10) });
    out.push(digit(day));
    out.push(b'-');
    out.extend_from_slice(name.as_bytes());
    out.push(b'-');
    two_digits(out, year / 100);
    two_digits(out, year);
    out.push(b' ');
    two_digits(out, hours);
    out.push(b':');
    two_digits(out, minutes);
    out.push(b':');
    two_digits(out, seconds);
    out.extend_from_slice(b" +0000\"");
}

/// The last digit of a number that is not negative. By hand: a date stands in every line of a list, and format! is most of
/// what one costs.
fn digit(number: i64) -> u8 {
    b'0' + u8::try_from(number % 10).unwrap_or_default()
}

fn two_digits(out: &mut Vec<u8>, number: i64) {
    out.push(digit(number / 10));
    out.push(digit(number));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_date_time;
    use proptest::prelude::*;

    fn rendered(seconds: i64) -> String {
        let mut out = Vec::new();
        date_time(&mut out, seconds);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_day_below_ten_has_a_space_before_it() {
        assert_eq!(rendered(837_596_665), "\"17-Jul-1996 09:44:25 +0000\"");
        assert_eq!(rendered(0), "\" 1-Jan-1970 00:00:00 +0000\"");
        assert_eq!(rendered(i64::MAX), "\"31-Dec-9999 23:59:59 +0000\"");
    }

    proptest! {
        #[test]
        fn every_instant_is_read_back(seconds in -62_167_219_200i64..253_402_300_800) {
            prop_assert_eq!(parse_date_time(rendered(seconds).as_bytes()), Some(seconds));
        }
    }
}
