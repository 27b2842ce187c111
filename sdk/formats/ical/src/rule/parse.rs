use super::{Frequency, Rule, Until, WeekdayNumber};
use crate::{Error, Form, Moment, Result};
use jiff::civil::Weekday;
use std::ops::RangeInclusive;

/// Values of one part; BYYEARDAY can name each day of a year from both ends.
const MAX_VALUES: usize = 732;

impl Rule {
    /// Reads the value of RRULE.
    ///
    /// # Errors
    /// [`Error::Value`]: a part that is unknown, twice or out of its range, or no FREQ. RSCALE other than GREGORIAN is refused, and so is a
    /// SKIP other than OMIT (RFC 7529).
    pub fn parse(value: &str) -> Result<Rule> {
        Rule::read(value).map_err(|what| Error::value("RRULE", what, value))
    }

    fn read(value: &str) -> std::result::Result<Rule, &'static str> {
        let mut frequency = None;
        let mut rule = Rule::every(Frequency::Daily);
        for part in value.trim().trim_end_matches(';').split(';') {
            let (name, value) = part.split_once('=').ok_or("a part without =")?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim());
            match name.as_str() {
                "FREQ" => frequency = Some(read_frequency(value)?),
                "INTERVAL" => rule.interval = one(value, 1..=i32::MAX as u32)?,
                "COUNT" => rule.count = Some(one(value, 1..=i32::MAX as u32)?),
                "UNTIL" => rule.until = Some(read_until(value)?),
                "BYSECOND" => rule.by_second = list(value, 0..=60, true)?,
                "BYMINUTE" => rule.by_minute = list(value, 0..=59, true)?,
                "BYHOUR" => rule.by_hour = list(value, 0..=23, true)?,
                "BYDAY" => rule.by_day = read_days(value)?,
                "BYMONTHDAY" => rule.by_month_day = list(value, -31..=31, false)?,
                "BYYEARDAY" => rule.by_year_day = list(value, -366..=366, false)?,
                "BYWEEKNO" => rule.by_week_number = list(value, -53..=53, false)?,
                "BYMONTH" => rule.by_month = list(value, 1..=12, false)?,
                "BYSETPOS" => rule.by_set_position = list(value, -366..=366, false)?,
                "WKST" => rule.week_start = weekday(value).ok_or("WKST is no weekday")?,
                "RSCALE" if value.eq_ignore_ascii_case("GREGORIAN") => {}
                "RSCALE" => return Err("RSCALE is not GREGORIAN"),
                "SKIP" if value.eq_ignore_ascii_case("OMIT") => {}
                "SKIP" => return Err("SKIP is not OMIT"),
                name if name.starts_with("X-") => {}
                _ => return Err("an unknown part"),
            }
        }
        rule.frequency = frequency.ok_or("no FREQ")?;
        Ok(rule)
    }

    /// A rule with nothing but its frequency.
    pub fn every(frequency: Frequency) -> Rule {
        Rule {
            frequency,
            interval: 1,
            until: None,
            count: None,
            by_second: Vec::new(),
            by_minute: Vec::new(),
            by_hour: Vec::new(),
            by_day: Vec::new(),
            by_month_day: Vec::new(),
            by_year_day: Vec::new(),
            by_week_number: Vec::new(),
            by_month: Vec::new(),
            by_set_position: Vec::new(),
            week_start: Weekday::Monday,
        }
    }
}

fn read_frequency(value: &str) -> std::result::Result<Frequency, &'static str> {
    Ok(match value.to_ascii_uppercase().as_str() {
        "SECONDLY" => Frequency::Secondly,
        "MINUTELY" => Frequency::Minutely,
        "HOURLY" => Frequency::Hourly,
        "DAILY" => Frequency::Daily,
        "WEEKLY" => Frequency::Weekly,
        "MONTHLY" => Frequency::Monthly,
        "YEARLY" => Frequency::Yearly,
        _ => return Err("an unknown FREQ"),
    })
}

fn read_until(value: &str) -> std::result::Result<Until, &'static str> {
    let moment = Moment::parse(value, None).map_err(|()| "UNTIL is no date or date-time")?;
    Ok(match moment.form {
        Form::Date => Until::Date(moment.civil.date()),
        Form::Utc => Until::Utc(crate::moment::seconds(moment.civil)),
        Form::Floating | Form::Zoned(_) => Until::Local(moment.civil),
    })
}

fn one(value: &str, range: RangeInclusive<u32>) -> std::result::Result<u32, &'static str> {
    let number = value
        .parse()
        .map_err(|_| "COUNT or INTERVAL is no number")?;
    if range.contains(&number) {
        Ok(number)
    } else {
        Err("COUNT or INTERVAL is out of its range")
    }
}

fn list(
    value: &str,
    range: RangeInclusive<i16>,
    zero: bool,
) -> std::result::Result<Vec<i16>, &'static str> {
    let mut numbers = Vec::new();
    for item in value.split(',').take(MAX_VALUES + 1) {
        let number: i16 = item
            .trim()
            .parse()
            .map_err(|_| "a list has what is no number")?;
        if !range.contains(&number) || (number == 0 && !zero) {
            return Err("a number is out of its range");
        }
        numbers.push(number);
    }
    if numbers.len() > MAX_VALUES {
        return Err("a list is too long");
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn read_days(value: &str) -> std::result::Result<Vec<WeekdayNumber>, &'static str> {
    let mut days = Vec::new();
    for item in value.split(',').take(MAX_VALUES + 1) {
        let item = item.trim();
        let split = item
            .len()
            .checked_sub(2)
            .filter(|&at| item.is_char_boundary(at));
        let (nth, name) = item.split_at(split.ok_or("BYDAY has no weekday")?);
        let weekday = weekday(name).ok_or("BYDAY has no weekday")?;
        let nth = match nth {
            "" => 0,
            text => text
                .parse()
                .ok()
                .filter(|nth| *nth != 0 && (-53..=53).contains(nth))
                .ok_or("BYDAY has a number out of its range")?,
        };
        days.push(WeekdayNumber { nth, weekday });
    }
    if days.len() > MAX_VALUES {
        return Err("a list is too long");
    }
    Ok(days)
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}
