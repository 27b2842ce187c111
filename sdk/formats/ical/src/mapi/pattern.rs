//! RRULE as RecurrencePattern (MS-OXCICAL 2.1.3.2.2).

use crate::rule::{Frequency, Rule, WeekdayNumber};
use jiff::civil::{Date, DateTime, Weekday};
use waxwing_formats_mapi::appointment::{self, Pattern, RecurrencePattern};

const DAY: u32 = 1_440;
const WEEK: u32 = 7 * DAY;
const EPOCH: Date = Date::constant(1601, 1, 1);
const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Sunday, "SU"),
    (Weekday::Monday, "MO"),
    (Weekday::Tuesday, "TU"),
    (Weekday::Wednesday, "WE"),
    (Weekday::Thursday, "TH"),
    (Weekday::Friday, "FR"),
    (Weekday::Saturday, "SA"),
];

/// Minutes since 1601 on the clock of the place; what is before counts as its begin.
pub(super) fn minutes(civil: DateTime) -> u32 {
    let days = civil.date().duration_since(EPOCH).as_hours() / 24;
    let minutes = days * 1_440 + i64::from(civil.hour()) * 60 + i64::from(civil.minute());
    u32::try_from(minutes.max(0)).unwrap_or(u32::MAX)
}

/// The other way.
pub(super) fn civil(minutes: u32) -> DateTime {
    let epoch = crate::moment::seconds(EPOCH.into());
    crate::moment::from_seconds(epoch + i64::from(minutes) * 60)
}

fn bit(weekday: Weekday) -> u32 {
    1 << weekday.to_sunday_zero_offset()
}

/// The pattern of a rule without its end and its exceptions; `None` when no pattern says it.
pub(super) fn of_rule(rule: &Rule, start: DateTime) -> Option<RecurrencePattern> {
    let no_times =
        rule.by_hour.is_empty() && rule.by_minute.is_empty() && rule.by_second.is_empty();
    if !no_times || !rule.by_year_day.is_empty() || !rule.by_week_number.is_empty() {
        return None;
    }
    let (frequency, pattern, period) = match rule.frequency {
        Frequency::Daily => daily(rule)?,
        Frequency::Weekly => (
            appointment::Frequency::Weekly,
            weekly(rule, start)?,
            rule.interval,
        ),
        Frequency::Monthly if rule.by_month.is_empty() => (
            appointment::Frequency::Monthly,
            monthly(rule, start)?,
            rule.interval,
        ),
        Frequency::Yearly
            if rule.by_month.is_empty() || rule.by_month == [i16::from(start.month())] =>
        {
            // Without BYMONTH a weekday is counted in the year.
            let in_month = !rule.by_month.is_empty()
                || (rule.by_day.is_empty() && rule.by_month_day.is_empty());
            (
                appointment::Frequency::Yearly,
                monthly(rule, start).filter(|_| in_month)?,
                rule.interval.checked_mul(12)?,
            )
        }
        _ => return None,
    };
    let first_day_of_week = u32::try_from(rule.week_start.to_sunday_zero_offset()).unwrap_or(0);
    let mut out = RecurrencePattern {
        frequency,
        pattern,
        calendar_type: 0,
        first_date_time: 0,
        period,
        sliding: 0,
        end: appointment::End::Never,
        occurrence_count: 10,
        first_day_of_week,
        deleted: Vec::new(),
        modified: Vec::new(),
        start_date: minutes(start.date().into()),
        end_date: appointment::NO_END,
    };
    out.first_date_time = first_date_time(&out, start, rule.week_start)?;
    Some(out)
}

fn daily(rule: &Rule) -> Option<(appointment::Frequency, Pattern, u32)> {
    if !rule.by_month_day.is_empty()
        || !rule.by_month.is_empty()
        || !rule.by_set_position.is_empty()
    {
        return None;
    }
    if rule.by_day.is_empty() {
        return Some((
            appointment::Frequency::Daily,
            Pattern::Day,
            rule.interval.checked_mul(DAY)?,
        ));
    }
    // "Every weekday" is daily in the dialog and weekly in its days.
    (rule.interval == 1).then(|| {
        (
            appointment::Frequency::Daily,
            Pattern::Week(mask(&rule.by_day)),
            1,
        )
    })
}

fn mask(days: &[WeekdayNumber]) -> u32 {
    days.iter().fold(0, |mask, day| mask | bit(day.weekday))
}

fn weekly(rule: &Rule, start: DateTime) -> Option<Pattern> {
    if !rule.by_month.is_empty()
        || !rule.by_set_position.is_empty()
        || !rule.by_month_day.is_empty()
    {
        return None;
    }
    Some(Pattern::Week(if rule.by_day.is_empty() {
        bit(start.weekday())
    } else {
        mask(&rule.by_day)
    }))
}

fn monthly(rule: &Rule, start: DateTime) -> Option<Pattern> {
    let nth = |position: i16| match position {
        1..=4 => u32::try_from(position).ok(),
        -1 => Some(5),
        _ => None,
    };
    match (
        rule.by_day.as_slice(),
        rule.by_month_day.as_slice(),
        rule.by_set_position.as_slice(),
    ) {
        ([], [], []) => Some(Pattern::MonthDay(u32::try_from(start.day()).ok()?)),
        ([], [-1], []) => Some(Pattern::MonthDay(31)),
        ([], [day @ 1..=31], []) => Some(Pattern::MonthDay(u32::try_from(*day).ok()?)),
        ([day], [], []) => Some(Pattern::MonthNth(bit(day.weekday), nth(day.nth)?)),
        (days, [], [position]) if days.iter().all(|day| day.nth == 0) => {
            Some(Pattern::MonthNth(mask(days), nth(*position)?))
        }
        _ => None,
    }
}

/// MS-OXOCAL 2.2.1.44.1: where in its period the first day lies, counted from 1601.
fn first_date_time(
    pattern: &RecurrencePattern,
    start: DateTime,
    week_start: Weekday,
) -> Option<u32> {
    if pattern.period == 0 {
        return None;
    }
    Some(match pattern.pattern {
        Pattern::Day => pattern.start_date % pattern.period,
        Pattern::Week(_) => {
            let into_week = u32::try_from(start.weekday().since(week_start)).ok()?;
            pattern.start_date.saturating_sub(into_week * DAY) % pattern.period.checked_mul(WEEK)?
        }
        _ => {
            let months = (i64::from(start.year()) - 1601) * 12 + i64::from(start.month()) - 1;
            let rest = months.rem_euclid(i64::from(pattern.period));
            let (year, month) = (1601 + rest / 12, rest % 12 + 1);
            minutes(
                Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1)
                    .ok()?
                    .into(),
            )
        }
    })
}

/// The parts of a rule besides its end; `None` for calendars other than the Gregorian.
pub(super) fn to_rule(pattern: &RecurrencePattern) -> Option<String> {
    let days = |mask: u32| {
        let names: Vec<&str> = DAYS
            .iter()
            .filter(|(day, _)| mask & bit(*day) != 0)
            .map(|(_, name)| *name)
            .collect();
        names.join(",")
    };
    let period = pattern.period.max(1);
    let month = civil(pattern.start_date).month();
    let yearly = pattern.frequency == appointment::Frequency::Yearly && period.is_multiple_of(12);
    let (monthly, interval) = if yearly {
        (format!("FREQ=YEARLY;BYMONTH={month}"), period / 12)
    } else {
        ("FREQ=MONTHLY".to_owned(), period)
    };
    let every = |interval: u32| {
        if interval == 1 {
            String::new()
        } else {
            format!(";INTERVAL={interval}")
        }
    };
    Some(match pattern.pattern {
        Pattern::Day => format!("FREQ=DAILY{}", every(period / DAY)),
        Pattern::Week(mask) => {
            let start = DAYS
                .get(usize::try_from(pattern.first_day_of_week).ok()?)
                .map_or("SU", |(_, name)| name);
            format!(
                "FREQ=WEEKLY{};BYDAY={};WKST={start}",
                every(period),
                days(mask)
            )
        }
        Pattern::MonthDay(31) | Pattern::MonthEnd(_) => {
            format!("{monthly}{};BYMONTHDAY=-1", every(interval))
        }
        Pattern::MonthDay(day) => format!("{monthly}{};BYMONTHDAY={day}", every(interval)),
        Pattern::MonthNth(mask, nth) => {
            let position = if nth >= 5 { -1 } else { i64::from(nth.max(1)) };
            if mask.count_ones() == 1 {
                format!(
                    "{monthly}{};BYDAY={position}{}",
                    every(interval),
                    days(mask)
                )
            } else {
                format!(
                    "{monthly}{};BYDAY={};BYSETPOS={position}",
                    every(interval),
                    days(mask)
                )
            }
        }
        Pattern::Hijri(..) => return None,
    })
}
