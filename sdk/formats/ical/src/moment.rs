use crate::contentline::Line;
use crate::{Error, Result};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// A DATE or DATE-TIME (RFC 5545 sections 3.3.4, 3.3.5) as it stands in a property.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Moment {
    /// What the clock shows; midnight for a date.
    pub civil: DateTime,
    /// Where that clock hangs.
    pub form: Form,
}

/// The forms of a [`Moment`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Form {
    /// A whole day, wherever one is.
    Date,
    /// This time, wherever one is.
    Floating,
    /// With a Z.
    Utc,
    /// With a TZID, as it came.
    Zoned(String),
}

impl Moment {
    /// Reads the value of a property with its VALUE and TZID.
    ///
    /// # Errors
    /// [`Error::Value`].
    pub fn of_line(line: &Line) -> Result<Moment> {
        Moment::parse(line.value.trim(), line.parameter("TZID"))
            .map_err(|()| Error::value(&line.name, "not a date or date-time", &line.value))
    }

    /// Reads all values of a property that is a list of dates; periods give their begin.
    ///
    /// # Errors
    /// [`Error::Value`].
    pub(crate) fn list_of_line(line: &Line) -> Result<Vec<Moment>> {
        let zone = line.parameter("TZID");
        line.value
            .split(',')
            .filter(|value| !value.trim().is_empty())
            .map(|value| {
                let begin = value.split('/').next().unwrap_or(value).trim();
                Moment::parse(begin, zone)
                    .map_err(|()| Error::value(&line.name, "not a date or date-time", value))
            })
            .collect()
    }

    /// `19970714`, `19970714T133000`, `19970714T133000Z`. A second of 60 becomes 59, as leap seconds do everywhere.
    pub(crate) fn parse(text: &str, zone: Option<&str>) -> std::result::Result<Moment, ()> {
        let octets = text.as_bytes();
        let number = |from: usize, to: usize| -> std::result::Result<i16, ()> {
            let digits = octets.get(from..to).ok_or(())?;
            digits.iter().try_fold(0_i16, |sum, &digit| {
                let digit = digit
                    .is_ascii_digit()
                    .then(|| i16::from(digit - b'0'))
                    .ok_or(())?;
                Ok(sum * 10 + digit)
            })
        };
        let small = |from: usize| i8::try_from(number(from, from + 2)?).map_err(|_| ());
        let date = Date::new(number(0, 4)?, small(4)?, small(6)?).map_err(|_| ())?;
        let form = match (octets.len(), octets.get(15)) {
            (8, _) => Form::Date,
            (15, _) => zone.map_or(Form::Floating, |zone| Form::Zoned(zone.to_owned())),
            (16, Some(b'Z' | b'z')) => Form::Utc,
            _ => return Err(()),
        };
        if form == Form::Date {
            return Ok(Moment {
                civil: date.to_datetime(Time::midnight()),
                form,
            });
        }
        if !matches!(octets.get(8), Some(b'T' | b't')) {
            return Err(());
        }
        let second = small(13)?;
        let second = if second == 60 { 59 } else { second };
        let time = Time::new(small(9)?, small(11)?, second, 0).map_err(|_| ())?;
        Ok(Moment {
            civil: date.to_datetime(time),
            form,
        })
    }

    /// Whether it is a whole day.
    pub fn is_date(&self) -> bool {
        self.form == Form::Date
    }

    /// Seconds since 1970, if it is in UTC.
    pub fn as_utc(&self) -> Option<i64> {
        (self.form == Form::Utc).then(|| seconds(self.civil))
    }

    /// UTC of seconds since 1970.
    pub fn utc(seconds: i64) -> Moment {
        Moment {
            civil: from_seconds(seconds),
            form: Form::Utc,
        }
    }

    /// The same form at another time of its clock.
    #[must_use]
    pub fn at(&self, civil: DateTime) -> Moment {
        Moment {
            civil,
            form: self.form.clone(),
        }
    }

    /// The value alone.
    pub fn to_value(&self) -> String {
        match self.form {
            Form::Date => self.civil.strftime("%Y%m%d").to_string(),
            Form::Utc => self.civil.strftime("%Y%m%dT%H%M%SZ").to_string(),
            Form::Floating | Form::Zoned(_) => self.civil.strftime("%Y%m%dT%H%M%S").to_string(),
        }
    }

    /// A property of this value, with VALUE or TZID as it needs them.
    pub fn to_line(&self, name: &str) -> Line {
        let line = Line::new(name, self.to_value());
        match &self.form {
            Form::Date => line.with("VALUE", "DATE"),
            Form::Zoned(zone) => line.with("TZID", zone.clone()),
            Form::Floating | Form::Utc => line,
        }
    }

    /// Puts this value into a property and keeps its other parameters.
    pub fn put(&self, line: &mut Line) {
        line.remove_parameter("VALUE");
        line.remove_parameter("TZID");
        line.parameters.extend(self.to_line("").parameters);
        line.value = self.to_value();
    }
}

/// Seconds since 1970 of a clock that shows UTC.
pub(crate) fn seconds(civil: DateTime) -> i64 {
    let days = civil.date().duration_since(EPOCH).as_hours() / 24;
    let time = civil.time();
    days * 86_400
        + i64::from(time.hour()) * 3_600
        + i64::from(time.minute()) * 60
        + i64::from(time.second())
}

const EPOCH: Date = Date::constant(1970, 1, 1);

/// The other way; what lies beyond the years that there are becomes the first or last of them.
pub(crate) fn from_seconds(seconds: i64) -> DateTime {
    let bounded = seconds.clamp(
        jiff::Timestamp::MIN.as_second() + 1,
        jiff::Timestamp::MAX.as_second() - 1,
    );
    jiff::Timestamp::from_second(bounded)
        .map_or(DateTime::ZERO, |instant| Offset::UTC.to_datetime(instant))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, zone: Option<&str>) -> String {
        let moment = Moment::parse(text, zone).unwrap();
        moment.to_line("X").value
    }

    #[test]
    fn every_form_is_written_as_it_was_read() {
        for text in ["19970714", "19970714T133000", "19970714T133000Z"] {
            assert_eq!(value(text, None), text);
        }
        let zoned = Moment::parse("19970714T133000", Some("America/New_York")).unwrap();
        assert_eq!(
            zoned.to_line("DTSTART").parameter("TZID"),
            Some("America/New_York")
        );
        assert_eq!(value("20161231T235960Z", None), "20161231T235959Z");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "1997",
            "19970231",
            "19970714T25",
            "19970714T256000",
            "19970714 133000",
            "1997071xT133000Z",
            "19970714T133000+",
        ] {
            assert_eq!(Moment::parse(text, None), Err(()), "{text}");
        }
    }

    #[test]
    fn seconds_go_both_ways() {
        for one in [0, 86_399, -1, 4_102_444_800, -2_208_988_800] {
            assert_eq!(seconds(from_seconds(one)), one);
        }
        let _ = (from_seconds(i64::MAX), from_seconds(i64::MIN));
    }
}
