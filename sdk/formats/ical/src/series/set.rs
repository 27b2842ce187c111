//! The recurrence set of a master.

use super::{Key, Part, Series};
use crate::contentline::Line;
use crate::rule::{Instances, Rule, Until};
use crate::{Duration, Moment, Result, Zone};
use jiff::civil::{Date, DateTime};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Bound;

/// RRULE of one component that count; RFC 5545 section 3.8.5.3 wants one.
const MAX_RULES: usize = 8;

/// RDATE and EXDATE, read once.
pub(super) struct Fixed {
    dates: BTreeSet<DateTime>,
    /// Ends that RDATE says itself.
    ends: BTreeMap<DateTime, i64>,
    without: HashSet<DateTime>,
    without_days: HashSet<Date>,
}

impl Fixed {
    fn of(master: &Part<'_>, series: &Series<'_>) -> Result<Fixed> {
        let mut fixed = Fixed {
            dates: BTreeSet::new(),
            ends: BTreeMap::new(),
            without: HashSet::new(),
            without_days: HashSet::new(),
        };
        for line in master.component.lines_of("RDATE") {
            fixed.add_dates(line, series)?;
        }
        for line in master.component.lines_of("EXDATE") {
            for date in Moment::list_of_line(line)? {
                match series.key(&date) {
                    Key::Time(time) => fixed.without.insert(time),
                    Key::Day(day) => fixed.without_days.insert(day),
                };
            }
        }
        Ok(fixed)
    }

    fn add_dates(&mut self, line: &Line, series: &Series<'_>) -> Result<()> {
        let zone = line.parameter("TZID");
        let periods = line
            .value
            .split(',')
            .filter(|value| !value.trim().is_empty());
        for (date, value) in Moment::list_of_line(line)?.iter().zip(periods) {
            let time = match series.key(date) {
                Key::Time(time) => time,
                Key::Day(day) => DateTime::from(day),
            };
            self.dates.insert(time);
            if let Some((_, end)) = value.split_once('/') {
                let end = end.trim();
                let end = match Duration::parse("RDATE", end) {
                    Ok(duration) => {
                        let clock = series.zones.of_form(&date.form);
                        let days = clock.to_utc(duration.after_days(date.civil));
                        days.saturating_add(duration.seconds)
                    }
                    Err(error) => {
                        let end = Moment::parse(end, zone).map_err(|()| error)?;
                        series.zones.to_utc(&end)
                    }
                };
                self.ends.insert(time, end);
            }
        }
        Ok(())
    }

    pub(super) fn excludes(&self, time: DateTime) -> bool {
        self.without.contains(&time) || self.without_days.contains(&time.date())
    }
}

impl Series<'_> {
    pub(super) fn fixed(&self, master: &Part<'_>) -> Result<&Fixed> {
        if let Some(fixed) = self.fixed.get() {
            return Ok(fixed);
        }
        let fixed = Fixed::of(master, self)?;
        Ok(self.fixed.get_or_init(|| fixed))
    }
}

/// The times of a master on its own clock, in order, without its exceptions.
pub(super) struct Set<'s> {
    start: Option<DateTime>,
    rules: Vec<Instances>,
    fixed: &'s Fixed,
    /// Where in the dates it stands.
    dates: Bound<DateTime>,
}

impl<'s> Set<'s> {
    pub(super) fn of(
        master: &Part<'_>,
        anchor: &Moment,
        series: &'s Series<'_>,
        work: usize,
    ) -> Result<Set<'s>> {
        let mut set = Set {
            start: Some(anchor.civil),
            rules: Vec::new(),
            fixed: series.fixed(master)?,
            dates: Bound::Unbounded,
        };
        for line in master.component.lines_of("RRULE").take(MAX_RULES) {
            let rule = Rule::parse(&line.value)?;
            let until = until(&rule, master.timing.zone());
            let mut instances = Instances::new(&rule, anchor.civil, until).within(work);
            if instances.peek()? != Some(anchor.civil) {
                instances.count_one();
            }
            set.rules.push(instances);
        }
        Ok(set)
    }

    /// The end that an RDATE says itself.
    pub(super) fn end(&self, time: &DateTime) -> Option<i64> {
        self.fixed.ends.get(time).copied()
    }

    /// What the rules may still take.
    pub(super) fn work_left(&self) -> Option<usize> {
        self.rules.iter().map(Instances::work_left).min()
    }

    /// Leaves out what comes before a time.
    pub(super) fn seek(&mut self, to: DateTime) -> Result<()> {
        self.start = self.start.filter(|start| *start >= to);
        self.dates = Bound::Included(to);
        self.rules.iter_mut().try_for_each(|rule| rule.seek(to))
    }

    pub(super) fn next(&mut self) -> Result<Option<DateTime>> {
        loop {
            let dates = self.fixed.dates.range((self.dates, Bound::Unbounded));
            let mut next = self.start.into_iter().chain(dates.copied().next()).min();
            for rule in &mut self.rules {
                next = next.into_iter().chain(rule.peek()?).min();
            }
            let Some(next) = next else { return Ok(None) };
            self.start = self.start.filter(|start| *start != next);
            self.dates = Bound::Excluded(next);
            for rule in &mut self.rules {
                if rule.peek()? == Some(next) {
                    rule.next()?;
                }
            }
            if !self.fixed.excludes(next) {
                return Ok(Some(next));
            }
        }
    }
}

/// UNTIL on the clock of DTSTART. A date is read as its whole day.
pub(crate) fn until(rule: &Rule, zone: &Zone) -> Option<DateTime> {
    Some(match rule.until? {
        Until::Utc(instant) => zone.to_civil(instant),
        Until::Local(time) => time,
        Until::Date(date) => date.at(23, 59, 59, 0),
    })
}
