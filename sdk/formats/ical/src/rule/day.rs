use super::{Frequency, Rule, WeekdayNumber};
use jiff::civil::{Date, Weekday};

/// Which days a rule wants: its parts about days, with what DTSTART says where they are silent. A day of a period is in its set when
/// every part that is there lets it through; RFC 5545's distinction of expanding and limiting comes to the same.
#[derive(Debug, Clone)]
pub(super) struct Days {
    months: Vec<i16>,
    month_days: Vec<i16>,
    year_days: Vec<i16>,
    week_numbers: Vec<i16>,
    weekdays: Vec<WeekdayNumber>,
    week_start: Weekday,
    scope: Scope,
}

/// What `2MO` counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Year,
    Month,
    /// Nothing: the number has no meaning and is ignored.
    Nothing,
}

impl Days {
    pub(super) fn of(rule: &Rule, start: Date) -> Days {
        let mut days = Days {
            months: rule.by_month.clone(),
            month_days: rule.by_month_day.clone(),
            year_days: rule.by_year_day.clone(),
            week_numbers: rule.by_week_number.clone(),
            weekdays: rule.by_day.clone(),
            week_start: rule.week_start,
            scope: match rule.frequency {
                Frequency::Monthly => Scope::Month,
                Frequency::Yearly if !rule.by_week_number.is_empty() => Scope::Nothing,
                Frequency::Yearly if !rule.by_month.is_empty() => Scope::Month,
                Frequency::Yearly => Scope::Year,
                _ => Scope::Nothing,
            },
        };
        let no_day =
            days.month_days.is_empty() && days.year_days.is_empty() && days.weekdays.is_empty();
        let on_weekday = WeekdayNumber {
            nth: 0,
            weekday: start.weekday(),
        };
        match rule.frequency {
            Frequency::Yearly if no_day && !days.week_numbers.is_empty() => {
                days.weekdays.push(on_weekday)
            }
            Frequency::Yearly if no_day => {
                if days.months.is_empty() {
                    days.months.push(i16::from(start.month()));
                }
                days.month_days.push(i16::from(start.day()));
            }
            Frequency::Monthly if no_day && days.week_numbers.is_empty() => {
                days.month_days.push(i16::from(start.day()));
            }
            Frequency::Weekly if no_day => days.weekdays.push(on_weekday),
            _ => {}
        }
        days
    }

    /// Whether no day of the month can pass, so that a year is not looked through day by day.
    pub(super) fn skips_month(&self, month: i8) -> bool {
        !self.months.is_empty() && self.months.binary_search(&i16::from(month)).is_err()
    }

    pub(super) fn has(&self, date: Date) -> bool {
        if self.skips_month(date.month()) {
            return false;
        }
        let day = i16::from(date.day());
        let from_end = day - i16::from(date.days_in_month()) - 1;
        if !(self.month_days.is_empty()
            || holds(&self.month_days, day)
            || holds(&self.month_days, from_end))
        {
            return false;
        }
        if !self.year_days.is_empty() {
            let day = date.day_of_year();
            let from_end = day - date.days_in_year() - 1;
            if !(holds(&self.year_days, day) || holds(&self.year_days, from_end)) {
                return false;
            }
        }
        (self.weekdays.is_empty() || self.weekday_passes(date))
            && (self.week_numbers.is_empty() || self.week_passes(date))
    }

    fn weekday_passes(&self, date: Date) -> bool {
        let weekday = date.weekday();
        self.weekdays.iter().any(|wanted| {
            wanted.weekday == weekday
                && (wanted.nth == 0
                    || match self.scope {
                        Scope::Nothing => true,
                        Scope::Month => nth(
                            wanted.nth,
                            i16::from(date.day()),
                            i16::from(date.days_in_month()),
                        ),
                        Scope::Year => nth(wanted.nth, date.day_of_year(), date.days_in_year()),
                    })
        })
    }

    /// Week 1 is the first with at least four days in the year (RFC 5545 section 3.3.10), so a week belongs to the year of its fourth day.
    fn week_passes(&self, date: Date) -> bool {
        let into_week = i32::from(date.weekday().since(self.week_start));
        let Ok(fourth) = date.checked_add(jiff::SignedDuration::from_hours(
            i64::from(3 - into_week) * 24,
        )) else {
            return false;
        };
        let week = (fourth.day_of_year() - 1) / 7 + 1;
        let weeks = week + (fourth.days_in_year() - fourth.day_of_year()) / 7;
        holds(&self.week_numbers, week) || holds(&self.week_numbers, week - weeks - 1)
    }
}

/// Whether the day is the nth of its weekday in a span of so many days.
fn nth(wanted: i16, day: i16, days: i16) -> bool {
    if wanted > 0 {
        (day - 1) / 7 + 1 == wanted
    } else {
        (days - day) / 7 + 1 == -wanted
    }
}

fn holds(sorted: &[i16], number: i16) -> bool {
    sorted.binary_search(&number).is_ok()
}
