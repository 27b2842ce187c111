//! A moment in a time zone, and its parts (RFC 5260 section 4).

use waxwing_formats_mime::date;

use crate::script::DatePart;

/// 1970-01-01 as a modified Julian day.
const JULIAN_EPOCH: i64 = 40_587;
const DAY: i64 = 86_400;
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Since 1970, UTC.
    pub(crate) seconds: i64,
    /// Seconds east of UTC.
    pub(crate) offset: i32,
}

impl Moment {
    /// Of a field; of one like Received what stands behind its last semicolon.
    pub(crate) fn of_field(value: &[u8]) -> Option<Moment> {
        let tail = value.rsplit(|octet| *octet == b';').next().unwrap_or(value);
        date::parse(tail).map(|date| Moment {
            seconds: date.seconds,
            offset: date.offset,
        })
    }

    pub(crate) fn at(self, offset: i32) -> Moment {
        Moment { offset, ..self }
    }

    fn local(self) -> i64 {
        self.seconds.saturating_add(i64::from(self.offset))
    }

    fn days(self) -> i64 {
        self.local().div_euclid(DAY)
    }

    /// Hour, minute, second.
    fn clock(self) -> (i64, i64, i64) {
        let second = self.local().rem_euclid(DAY);
        (second / 3600, second / 60 % 60, second % 60)
    }

    /// Year, month, day in the Gregorian calendar.
    fn date(self) -> (i64, i64, i64) {
        let days = self.days() + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        (year + era * 400 + i64::from(month <= 2), month, day)
    }

    fn zone(self, colon: &str) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs() / 60;
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }

    fn weekday(self) -> usize {
        usize::try_from((self.days() + 4).rem_euclid(7)).unwrap_or(0)
    }

    /// As a Date field has it.
    pub(crate) fn rfc5322(self) -> String {
        let ((year, month, day), (hour, minute, second)) = (self.date(), self.clock());
        let name = |names: &[&'static str], at: usize| names.get(at).copied().unwrap_or_default();
        let month = name(&MONTHS, usize::try_from(month - 1).unwrap_or(0));
        format!(
            "{}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} {}",
            name(&DAYS, self.weekday()),
            self.zone("")
        )
    }

    pub(super) fn part(self, part: DatePart) -> String {
        let ((year, month, day), (hour, minute, second)) = (self.date(), self.clock());
        match part {
            DatePart::Year => format!("{year:04}"),
            DatePart::Month => format!("{month:02}"),
            DatePart::Day => format!("{day:02}"),
            DatePart::Date => format!("{year:04}-{month:02}-{day:02}"),
            DatePart::Julian => (self.days() + JULIAN_EPOCH).to_string(),
            DatePart::Hour => format!("{hour:02}"),
            DatePart::Minute => format!("{minute:02}"),
            DatePart::Second => format!("{second:02}"),
            DatePart::Time => format!("{hour:02}:{minute:02}:{second:02}"),
            DatePart::Iso8601 => format!(
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{}",
                self.zone(":")
            ),
            DatePart::Std11 => self.rfc5322(),
            DatePart::Zone => self.zone(""),
            DatePart::Weekday => self.weekday().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_the_parts_of_the_rfc() {
        let moment = Moment::of_field(b"from a by b; Sun, 29 Feb 2004 23:59:07 -0330").unwrap();
        for (part, expected) in [
            (DatePart::Year, "2004"),
            (DatePart::Month, "02"),
            (DatePart::Day, "29"),
            (DatePart::Date, "2004-02-29"),
            (DatePart::Julian, "53064"),
            (DatePart::Hour, "23"),
            (DatePart::Time, "23:59:07"),
            (DatePart::Iso8601, "2004-02-29T23:59:07-03:30"),
            (DatePart::Std11, "Sun, 29 Feb 2004 23:59:07 -0330"),
            (DatePart::Zone, "-0330"),
            (DatePart::Weekday, "0"),
        ] {
            assert_eq!(moment.part(part), expected, "{part:?}");
        }
        assert_eq!(
            moment.at(0).part(DatePart::Iso8601),
            "2004-03-01T03:29:07+00:00"
        );
    }

    #[test]
    fn every_day_of_four_centuries_has_a_date_that_is_read_back() {
        for day in (-140_000..60_000_i64).step_by(7) {
            let moment = Moment {
                seconds: day * DAY + 5,
                offset: 0,
            };
            let read = Moment::of_field(moment.rfc5322().as_bytes());
            assert_eq!(read, Some(moment), "{}", moment.rfc5322());
        }
    }
}
