//! Recurrence rules (RFC 5545 section 3.3.10): reading them, and the times they give.
//!
//! A rule works on what the clock shows at the place of DTSTART; zones come in later. [`Instances`] walks from period to period (a year,
//! a month, a second), makes the sorted set of one period and hands it out. A rule without COUNT is entered near the time asked for
//! and not at its begin, so that a query costs the same for a series of this year and of 1970.

mod day;
mod instances;
mod parse;

pub use instances::Instances;

/// Steps (days looked at, times made) of one [`Instances`]: about 50 milliseconds.
pub const MAX_WORK: usize = 2_000_000;

/// The repetition of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of FREQ")]
pub enum Frequency {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The end of this day, at the place of DTSTART.
    Date(jiff::civil::Date),
    /// This time at the place of DTSTART, included.
    Local(jiff::civil::DateTime),
    /// This second since 1970, included.
    Utc(i64),
}

/// `2MO`: the second Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekdayNumber {
    /// Counted from the begin, or negative from the end; 0: every one.
    pub nth: i16,
    /// The day.
    pub weekday: jiff::civil::Weekday,
}

/// A recurrence rule. Lists are sorted and have no doubles, besides `by_day`, which stands as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// FREQ.
    pub frequency: Frequency,
    /// INTERVAL, at least 1.
    pub interval: u32,
    /// UNTIL.
    pub until: Option<Until>,
    /// COUNT, at least 1.
    pub count: Option<u32>,
    /// BYSECOND.
    pub by_second: Vec<i16>,
    /// BYMINUTE.
    pub by_minute: Vec<i16>,
    /// BYHOUR.
    pub by_hour: Vec<i16>,
    /// BYDAY.
    pub by_day: Vec<WeekdayNumber>,
    /// BYMONTHDAY.
    pub by_month_day: Vec<i16>,
    /// BYYEARDAY.
    pub by_year_day: Vec<i16>,
    /// BYWEEKNO.
    pub by_week_number: Vec<i16>,
    /// BYMONTH.
    pub by_month: Vec<i16>,
    /// BYSETPOS.
    pub by_set_position: Vec<i16>,
    /// WKST.
    pub week_start: jiff::civil::Weekday,
}

#[cfg(test)]
mod tests;
