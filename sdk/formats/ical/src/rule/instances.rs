use super::day::Days;
use super::{Frequency, MAX_WORK, Rule};
use crate::moment::{from_seconds, seconds};
use crate::{Error, Result};
use jiff::civil::{Date, DateTime, Time};
use std::collections::VecDeque;

/// The last year that a clock shows.
const LAST_YEAR: i16 = 9998;

/// The times that a rule gives, in order, on the clock of DTSTART. DTSTART itself comes only when the rule gives it.
#[derive(Debug)]
pub struct Instances {
    frequency: Frequency,
    interval: i64,
    start: DateTime,
    until: Option<DateTime>,
    left: Option<u32>,
    days: Days,
    hours: Vec<i16>,
    minutes: Vec<i16>,
    seconds: Vec<i16>,
    positions: Vec<i16>,
    week_start: jiff::civil::Weekday,
    /// The begin of the period that comes next; `None` when there is none.
    period: Option<DateTime>,
    ready: VecDeque<DateTime>,
    work: usize,
}

impl Instances {
    /// The instances of a rule with this DTSTART. `until` is the rule's UNTIL on the same clock: zones are the caller's.
    pub fn new(rule: &Rule, start: DateTime, until: Option<DateTime>) -> Self {
        let or_start = |list: &[i16], of_start: i8, longest: Frequency| {
            if list.is_empty() && rule.frequency > longest {
                vec![i16::from(of_start)]
            } else {
                list.to_vec()
            }
        };
        let mut instances = Instances {
            frequency: rule.frequency,
            interval: i64::from(rule.interval.max(1)),
            start,
            until,
            left: rule.count,
            days: Days::of(rule, start.date()),
            hours: or_start(&rule.by_hour, start.hour(), Frequency::Hourly),
            minutes: or_start(&rule.by_minute, start.minute(), Frequency::Minutely),
            seconds: or_start(&rule.by_second, start.second(), Frequency::Secondly),
            positions: rule.by_set_position.clone(),
            week_start: rule.week_start,
            period: None,
            ready: VecDeque::new(),
            work: MAX_WORK,
        };
        instances.period = instances.period_of(start);
        instances
    }

    /// Allows another amount of work than [`MAX_WORK`].
    #[must_use]
    pub fn within(mut self, work: usize) -> Self {
        self.work = work;
        self
    }

    /// One of COUNT is a DTSTART that the rule does not give.
    pub(crate) fn count_one(&mut self) {
        self.left = self.left.map(|left| left.saturating_sub(1));
    }

    /// What is left of the work that is allowed.
    pub fn work_left(&self) -> usize {
        self.work
    }

    /// Goes on at the first instance that is not before a time. With COUNT all before it are still counted.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub fn seek(&mut self, to: DateTime) -> Result<()> {
        if self.left.is_none() && to > self.start {
            self.ready.clear();
            self.period = self.period_near(to);
        }
        while let Some(next) = self.peek()? {
            if next >= to {
                break;
            }
            self.pop();
        }
        Ok(())
    }

    /// The next instance, or nothing after the last.
    ///
    /// # Errors
    /// [`Error::Limit`] when the rule takes too much work.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator of results would go on after an error"
    )]
    pub fn next(&mut self) -> Result<Option<DateTime>> {
        let next = self.peek()?;
        if next.is_some() {
            self.pop();
        }
        Ok(next)
    }

    fn pop(&mut self) {
        self.ready.pop_front();
        self.left = self.left.map(|left| left.saturating_sub(1));
    }

    /// What [`Self::next`] will give.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub fn peek(&mut self) -> Result<Option<DateTime>> {
        while self.ready.is_empty() {
            let Some(period) = self.period else {
                return Ok(None);
            };
            if self.left == Some(0) || self.until.is_some_and(|until| period > until) {
                return Ok(None);
            }
            self.period = self.fill(period)?;
        }
        let ended =
            |next: &DateTime| self.left == Some(0) || self.until.is_some_and(|until| *next > until);
        Ok(self.ready.front().copied().filter(|next| !ended(next)))
    }

    /// Makes the set of a period and gives the begin of the next.
    fn fill(&mut self, period: DateTime) -> Result<Option<DateTime>> {
        self.charge(1)?;
        if let Some(target) = self.first_that_may_match(period) {
            return Ok(self.ahead(period, target));
        }
        let mut set = Vec::new();
        let days = self.days_of(period)?;
        if !days.is_empty() {
            let times = self.times_of(period)?;
            self.charge(days.len().saturating_mul(times.len()))?;
            set.extend(
                days.iter()
                    .flat_map(|day| times.iter().map(move |time| day.to_datetime(*time))),
            );
        }
        let start = self.start;
        self.ready = self
            .positioned(set)
            .into_iter()
            .filter(|one| *one >= start)
            .collect();
        Ok(self.ahead(period, period))
    }

    fn charge(&mut self, work: usize) -> Result<()> {
        self.work = self.work.checked_sub(work).ok_or(Error::Limit {
            name: "recurrence work",
            most: MAX_WORK,
        })?;
        Ok(())
    }

    /// For periods shorter than a day: where to go on when the day, hour or minute lets nothing through.
    fn first_that_may_match(&self, period: DateTime) -> Option<DateTime> {
        let unit = if self.frequency >= Frequency::Daily {
            return None;
        } else if !self.days.has(period.date()) {
            86_400
        } else if !passes(&self.hours, period.hour()) {
            3_600
        } else if self.frequency < Frequency::Hourly && !passes(&self.minutes, period.minute()) {
            60
        } else if self.frequency < Frequency::Minutely && !passes(&self.seconds, period.second()) {
            1
        } else {
            return None;
        };
        let at = seconds(period);
        Some(from_seconds(at - at.rem_euclid(unit) + unit))
    }

    fn days_of(&mut self, period: DateTime) -> Result<Vec<Date>> {
        let first = period.date();
        let mut days = Vec::new();
        match self.frequency {
            Frequency::Yearly => {
                for month in 1..=12 {
                    if !self.days.skips_month(month)
                        && let Ok(first) = Date::new(first.year(), month, 1)
                    {
                        self.matching(first, i64::from(first.days_in_month()), &mut days)?;
                    }
                }
            }
            Frequency::Monthly if self.days.skips_month(first.month()) => {}
            Frequency::Monthly => {
                self.matching(first, i64::from(first.days_in_month()), &mut days)?
            }
            Frequency::Weekly => self.matching(first, 7, &mut days)?,
            _ => self.matching(first, 1, &mut days)?,
        }
        Ok(days)
    }

    fn matching(&mut self, first: Date, count: i64, days: &mut Vec<Date>) -> Result<()> {
        self.charge(usize::try_from(count).unwrap_or(usize::MAX))?;
        let mut day = first;
        for _ in 0..count {
            if self.days.has(day) {
                days.push(day);
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Ok(())
    }

    fn times_of(&mut self, period: DateTime) -> Result<Vec<Time>> {
        let of = |list: &Vec<i16>, own: i8, least: Frequency| {
            if self.frequency <= least {
                vec![i16::from(own)]
            } else {
                list.clone()
            }
        };
        let hours = of(&self.hours, period.hour(), Frequency::Hourly);
        let minutes = of(&self.minutes, period.minute(), Frequency::Minutely);
        let seconds = of(&self.seconds, period.second(), Frequency::Secondly);
        self.charge(hours.len() * minutes.len() * seconds.len())?;
        let mut times = Vec::new();
        for hour in &hours {
            for minute in &minutes {
                for second in &seconds {
                    let second = (*second).min(59);
                    times.extend(Time::new(*hour as i8, *minute as i8, second as i8, 0));
                }
            }
        }
        Ok(times)
    }

    /// BYSETPOS of a set.
    fn positioned(&self, set: Vec<DateTime>) -> Vec<DateTime> {
        if self.positions.is_empty() {
            return set;
        }
        let mut chosen: Vec<DateTime> = self
            .positions
            .iter()
            .filter_map(|&position| {
                let position = isize::from(position);
                let at = if position > 0 {
                    position - 1
                } else {
                    isize::try_from(set.len()).ok()? + position
                };
                set.get(usize::try_from(at).ok()?).copied()
            })
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// The begin of the period that holds a time.
    fn period_of(&self, time: DateTime) -> Option<DateTime> {
        let date = time.date();
        match self.frequency {
            Frequency::Yearly => Date::new(date.year(), 1, 1).ok().map(DateTime::from),
            Frequency::Monthly => Some(DateTime::from(date.first_of_month())),
            Frequency::Weekly => {
                let back = i64::from(date.weekday().since(self.week_start));
                Some(from_seconds(seconds(DateTime::from(date)) - back * 86_400))
            }
            Frequency::Daily => Some(DateTime::from(date)),
            Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => Some(time),
        }
    }

    /// The next period after one that does not begin before a target.
    fn ahead(&self, period: DateTime, target: DateTime) -> Option<DateTime> {
        self.jump(period, up(self.units(period, target), self.interval).max(1))
    }

    /// The last period of the rule that does not begin after a time, or one before that.
    fn period_near(&self, to: DateTime) -> Option<DateTime> {
        let first = self.period_of(self.start)?;
        let intervals = self.units(first, to) / self.interval - 1;
        if intervals <= 0 {
            Some(first)
        } else {
            self.jump(first, intervals)
        }
    }

    /// Periods from one time to another, rounded up.
    fn units(&self, from: DateTime, to: DateTime) -> i64 {
        let span = seconds(to) - seconds(from);
        match self.frequency {
            Frequency::Yearly => i64::from(to.year()) - i64::from(from.year()),
            Frequency::Monthly => {
                let years = i64::from(to.year()) - i64::from(from.year());
                years * 12 + i64::from(to.month()) - i64::from(from.month())
            }
            Frequency::Weekly => up(span, 7 * 86_400),
            Frequency::Daily => up(span, 86_400),
            Frequency::Hourly => up(span, 3_600),
            Frequency::Minutely => up(span, 60),
            Frequency::Secondly => span.max(0),
        }
    }

    /// So many intervals later, as long as the calendar has that year.
    fn jump(&self, period: DateTime, intervals: i64) -> Option<DateTime> {
        let units = intervals.checked_mul(self.interval)?;
        let later = |unit: i64| {
            let at = seconds(period).checked_add(units.checked_mul(unit)?)?;
            Some(from_seconds(at)).filter(|later| *later > period)
        };
        let later = match self.frequency {
            Frequency::Yearly => {
                let year = i16::try_from(i64::from(period.year()).checked_add(units)?).ok()?;
                DateTime::from(Date::new(year, 1, 1).ok()?)
            }
            Frequency::Monthly => {
                let months = (i64::from(period.year()) * 12 + i64::from(period.month()) - 1)
                    .checked_add(units)?;
                let year = i16::try_from(months.div_euclid(12)).ok()?;
                let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
                DateTime::from(Date::new(year, month, 1).ok()?)
            }
            Frequency::Weekly => later(7 * 86_400)?,
            Frequency::Daily => later(86_400)?,
            Frequency::Hourly => later(3_600)?,
            Frequency::Minutely => later(60)?,
            Frequency::Secondly => later(1)?,
        };
        (later.year() <= LAST_YEAR).then_some(later)
    }
}

/// How many units cover a span.
fn up(span: i64, unit: i64) -> i64 {
    (span.max(0) + unit - 1) / unit
}

fn passes(list: &[i16], own: i8) -> bool {
    list.is_empty() || list.binary_search(&i16::from(own)).is_ok()
}
