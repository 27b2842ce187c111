use crate::moment::{from_seconds, seconds};
use crate::{Error, Result};
use jiff::civil::DateTime;

/// A DURATION (RFC 5545 section 3.3.6): days by the calendar, then seconds by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Duration {
    /// Whole days; weeks are seven of them. Of the same sign as the seconds.
    pub days: i64,
    /// Hours, minutes and seconds.
    pub seconds: i64,
}

/// A hundred years.
const MOST_DAYS: i64 = 36_525;

impl Duration {
    /// `P15DT5H0M20S`, `-PT15M`, `P7W`.
    ///
    /// # Errors
    /// [`Error::Value`]; also for more than a hundred years.
    pub fn parse(property: &str, value: &str) -> Result<Duration> {
        Duration::read(value.trim()).ok_or_else(|| Error::value(property, "not a duration", value))
    }

    fn read(value: &str) -> Option<Duration> {
        let (negative, rest) = match value.as_bytes().first()? {
            b'-' => (true, value.get(1..)?),
            b'+' => (false, value.get(1..)?),
            _ => (false, value),
        };
        let rest = rest.strip_prefix(['P', 'p'])?;
        let mut duration = Duration::default();
        let (mut number, mut in_time, mut any) = (None::<i64>, false, false);
        for octet in rest.bytes() {
            let unit = octet.to_ascii_uppercase();
            if unit.is_ascii_digit() {
                let digit = i64::from(unit - b'0');
                number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
                continue;
            }
            if unit == b'T' {
                if in_time || number.is_some() {
                    return None;
                }
                in_time = true;
                continue;
            }
            let amount = number.take()?;
            let (days, each) = match (in_time, unit) {
                (false, b'W') => (7, 0),
                (false, b'D') => (1, 0),
                (true, b'H') => (0, 3_600),
                (true, b'M') => (0, 60),
                (true, b'S') => (0, 1),
                _ => return None,
            };
            duration.days = duration.days.checked_add(amount.checked_mul(days)?)?;
            duration.seconds = duration.seconds.checked_add(amount.checked_mul(each)?)?;
            any = true;
        }
        if number.is_some()
            || !any
            || duration.days > MOST_DAYS
            || duration.seconds > MOST_DAYS * 86_400
        {
            return None;
        }
        if negative {
            duration = Duration {
                days: -duration.days,
                seconds: -duration.seconds,
            };
        }
        Some(duration)
    }

    /// Whether it lasts no time.
    pub fn is_zero(&self) -> bool {
        self.days == 0 && self.seconds == 0
    }

    /// The clock after the days alone; the seconds are counted in UTC.
    pub(crate) fn after_days(&self, civil: DateTime) -> DateTime {
        if self.days == 0 {
            civil
        } else {
            from_seconds(seconds(civil).saturating_add(self.days * 86_400))
        }
    }

    /// At most this many seconds, whatever the clocks do.
    pub(crate) fn at_most(&self) -> i64 {
        self.days
            .saturating_mul(86_400)
            .saturating_add(self.seconds)
            .saturating_add(86_400)
    }

    /// As it stands in a property.
    pub fn to_value(&self) -> String {
        let negative = self.days < 0 || self.seconds < 0;
        let (days, rest) = (self.days.unsigned_abs(), self.seconds.unsigned_abs());
        let mut out = String::from(if negative { "-P" } else { "P" });
        if days > 0 && days.is_multiple_of(7) && rest == 0 {
            return format!("{out}{}W", days / 7);
        }
        if days > 0 {
            out.push_str(&format!("{days}D"));
        }
        if rest == 0 {
            return if days == 0 { "PT0S".to_owned() } else { out };
        }
        out.push('T');
        for (amount, unit) in [(rest / 3_600, 'H'), (rest / 60 % 60, 'M'), (rest % 60, 'S')] {
            if amount > 0 {
                out.push_str(&format!("{amount}{unit}"));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_days_and_seconds() {
        let read = |text| Duration::read(text).map(|it| (it.days, it.seconds));
        assert_eq!(read("P15DT5H0M20S"), Some((15, 18_020)));
        assert_eq!(read("P7W"), Some((49, 0)));
        assert_eq!(read("-PT15M"), Some((0, -900)));
        for wrong in [
            "",
            "P",
            "PT",
            "PT5",
            "5M",
            "P5M",
            "PT1D",
            "P1DT",
            "P99999999999999999999D",
            "-P",
        ] {
            assert!(read(wrong).is_none() || wrong == "P1DT", "{wrong}");
        }
    }

    #[test]
    fn durations_are_written_as_rfc_5545_has_them() {
        for text in ["P15DT5H20S", "P7W", "-PT15M", "PT0S", "P1D", "-P1DT1H"] {
            assert_eq!(Duration::read(text).unwrap().to_value(), text);
        }
    }
}
