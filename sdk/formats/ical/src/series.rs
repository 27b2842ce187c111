//! All instances of an object: DTSTART, rules, dates, exceptions and overrides (RFC 5545 section 3.8.5, RFC 4791 section 9.9).
//!
//! Everything is counted on the clock of the master's DTSTART, so that the identity of an instance, its RECURRENCE-ID, does not depend on
//! the zone it is written in. DTSTART is always an instance and counts for COUNT, also when the rule does not give it.

mod instance;
mod set;

#[cfg(feature = "mapi")]
pub(crate) use set::until;

use crate::contentline::Component;
use crate::moment::{from_seconds, seconds};
use crate::overlap::{Times, Timing};
use crate::{Error, Form, Moment, Object, Range, Result, Zone, Zones};
use jiff::civil::{Date, DateTime};
use set::{Fixed, Set};
use std::cell::{Cell, OnceCell};
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

/// One instance of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence<'a> {
    /// What describes it: the master, or an override.
    pub component: &'a Component,
    /// When the instance was to begin before anybody moved it, in the form of the master's DTSTART; `None` in an object that does not recur.
    pub recurrence_id: Option<Moment>,
    /// When it begins, as its component would write it. `None` for a task without DTSTART.
    pub start_moment: Option<Moment>,
    /// Seconds since 1970; `i64::MIN` when it has no begin.
    pub start: i64,
    /// The first second after it; the begin when it takes no time, `i64::MAX` when it has no end.
    pub end: i64,
}

struct Part<'a> {
    component: &'a Component,
    timing: Timing,
}

/// A change of this and all later instances.
struct Future<'a> {
    from: DateTime,
    /// Seconds on the clock by which later instances move.
    shift: i64,
    part: Part<'a>,
}

struct Override<'a> {
    id: Moment,
    part: Part<'a>,
}

pub(crate) struct Series<'a> {
    zones: Zones,
    master: Option<Part<'a>>,
    overrides: Vec<Override<'a>>,
    /// By their begin.
    futures: Vec<Future<'a>>,
    overridden: HashSet<DateTime>,
    overridden_days: HashSet<Date>,
    /// Overrides by their identity.
    by_identity: HashMap<String, usize>,
    recurring: bool,
    fixed: OnceCell<Fixed>,
    /// What single instances may still cost: see [`instance`].
    work: Cell<usize>,
}

impl<'a> Series<'a> {
    pub(crate) fn of(object: &'a Object, default: &Zone) -> Result<Series<'a>> {
        let zones = Zones::of(object.component(), default);
        let part = |component: &'a Component| -> Result<Part<'a>> {
            Ok(Part {
                component,
                timing: Timing::of(component, object.kind(), &zones)?,
            })
        };
        let master = object.master().map(part).transpose()?;
        let mut series = Series {
            master,
            overrides: Vec::new(),
            futures: Vec::new(),
            overridden: HashSet::new(),
            overridden_days: HashSet::new(),
            by_identity: HashMap::new(),
            recurring: object.is_recurring(),
            fixed: OnceCell::new(),
            work: Cell::new(instance::MAX_WORK),
            zones: zones.clone(),
        };
        for component in object.components() {
            let Some(line) = component.line("RECURRENCE-ID") else {
                continue;
            };
            let id = Moment::of_line(line)?;
            let part = part(component)?;
            if line.has_parameter("RANGE", "THISANDFUTURE") && series.master.is_some() {
                series.add_future(&id, part);
            } else {
                match series.key(&id) {
                    Key::Time(time) => series.overridden.insert(time),
                    Key::Day(day) => series.overridden_days.insert(day),
                };
                let identity = series.identity(&id);
                let place = series.overrides.len();
                series.by_identity.entry(identity).or_insert(place);
                series.overrides.push(Override { id, part });
            }
        }
        series.futures.sort_by_key(|future| future.from);
        Ok(series)
    }

    fn add_future(&mut self, id: &Moment, part: Part<'a>) {
        let from = match self.key(id) {
            Key::Time(time) => time,
            Key::Day(day) => DateTime::from(day),
        };
        let begin = part.timing.anchor().map_or(from, |anchor| anchor.civil);
        self.futures.push(Future {
            from,
            shift: seconds(begin) - seconds(from),
            part,
        });
    }

    pub(crate) fn zones(&self) -> &Zones {
        &self.zones
    }

    /// The identity of an instance, however it is written.
    fn key(&self, id: &Moment) -> Key {
        let timing = self.master.as_ref().map(|master| &master.timing);
        match timing.and_then(|timing| Some((timing.anchor()?, timing.zone()))) {
            // Of a date the day counts, whatever clock somebody wrote it on.
            Some((anchor, _)) if anchor.is_date() => Key::Time(DateTime::from(id.civil.date())),
            Some(_) if id.is_date() => Key::Day(id.civil.date()),
            Some((_, zone)) => Key::Time(zone.to_civil(self.zones.to_utc(id))),
            None if id.is_date() => Key::Time(id.civil),
            None => Key::Time(from_seconds(self.zones.to_utc(id))),
        }
    }

    /// Gives every instance that overlaps a range, overrides first, then the others by their original begin.
    pub(crate) fn visit(
        &self,
        range: Range,
        take: &mut dyn FnMut(Occurrence<'a>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        for one in &self.overrides {
            let timing = &one.part.timing;
            let times = timing.own();
            if timing.overlaps(times, range) {
                let occurrence = occurrence(
                    one.part.component,
                    Some(self.id_as_master(&one.id)),
                    timing.anchor().cloned(),
                    times,
                );
                if take(occurrence).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        let Some(master) = &self.master else {
            return Ok(ControlFlow::Continue(()));
        };
        let Some(anchor) = master.timing.anchor().filter(|_| self.recurring) else {
            let times = master.timing.own();
            if master.timing.overlaps(times, range) {
                return Ok(take(occurrence(
                    master.component,
                    None,
                    master.timing.anchor().cloned(),
                    times,
                )));
            }
            return Ok(ControlFlow::Continue(()));
        };
        self.visit_recurring(master, anchor, range, take)
    }

    /// Whether an override changes what is in a range: it is in it, or its instance was to be, or later instances follow it.
    pub(crate) fn matters(&self, component: &Component, range: Range) -> Result<bool> {
        let is_it = |part: &Part<'_>| std::ptr::eq(part.component, component);
        let Some(master) = &self.master else {
            return Ok(true);
        };
        if let Some(future) = self.futures.iter().find(|future| is_it(&future.part)) {
            return Ok(master.timing.zone().to_utc(future.from) < range.end);
        }
        let Some(one) = self.overrides.iter().find(|one| is_it(&one.part)) else {
            return Ok(true);
        };
        let original = match self.key(&one.id) {
            Key::Time(time) => time,
            Key::Day(day) => DateTime::from(day),
        };
        let timing = &one.part.timing;
        Ok(timing.overlaps(timing.own(), range)
            || master.timing.overlaps(master.timing.at(original), range))
    }

    /// RECURRENCE-ID in the form of the master's DTSTART, where there is one.
    pub(crate) fn id_as_master(&self, id: &Moment) -> Moment {
        let anchor = self
            .master
            .as_ref()
            .and_then(|master| master.timing.anchor());
        match (anchor, self.key(id)) {
            (Some(anchor), Key::Time(time)) => anchor.at(time),
            _ => id.clone(),
        }
    }

    fn visit_recurring(
        &self,
        master: &Part<'a>,
        anchor: &Moment,
        range: Range,
        take: &mut dyn FnMut(Occurrence<'a>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let mut set = Set::of(master, anchor, self, crate::rule::MAX_WORK)?;
        let slack = self.slack(master);
        if range.start > i64::MIN {
            let first = range.start.saturating_sub(slack);
            set.seek(master.timing.zone().to_civil(first))?;
        }
        let last = master
            .timing
            .zone()
            .to_civil(range.end.saturating_add(self.shift()));
        while let Some(key) = set.next()? {
            if key > last {
                break;
            }
            if self.overridden.contains(&key) || self.overridden_days.contains(&key.date()) {
                continue;
            }
            let (part, begin) = self.described_by(master, key);
            let mut times = part.timing.at(begin);
            if let Some(end) = set.end(&key) {
                times.end = Some(end.max(times.start.unwrap_or(end)));
            }
            if part.timing.overlaps(times, range) {
                let start = part.timing.anchor().map(|anchor| anchor.at(begin));
                let id = Some(anchor.at(key));
                if take(occurrence(part.component, id, start, times)).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The component of an instance and its begin on that component's clock.
    fn described_by<'s>(&'s self, master: &'s Part<'a>, key: DateTime) -> (&'s Part<'a>, DateTime) {
        let place = self.futures.partition_point(|future| future.from <= key);
        match place
            .checked_sub(1)
            .and_then(|place| self.futures.get(place))
        {
            Some(future) => (
                &future.part,
                from_seconds(seconds(key).saturating_add(future.shift)),
            ),
            None => (master, key),
        }
    }

    /// How far before a range an instance may have been to begin that overlaps it: its length, what it was moved by, and a day for the
    /// clocks.
    fn slack(&self, master: &Part<'a>) -> i64 {
        let parts = self
            .futures
            .iter()
            .map(|future| &future.part)
            .chain([master]);
        let longest = parts.map(|part| part.timing.longest()).max().unwrap_or(0);
        let explicit = master
            .component
            .lines_of("RDATE")
            .filter(|line| line.has_parameter("VALUE", "PERIOD"))
            .count();
        // A period of RDATE may have any length.
        if explicit > 0 {
            i64::MAX / 4
        } else {
            longest.saturating_add(self.shift())
        }
    }

    /// How far instances are moved at most, and two days for the clocks.
    fn shift(&self) -> i64 {
        let most = self
            .futures
            .iter()
            .map(|future| future.shift.saturating_abs())
            .max()
            .unwrap_or(0);
        most.saturating_add(2 * 86_400)
    }

    /// As [`Self::visit`], with what covers each instance in the store's index.
    pub(crate) fn cover(&self, occurrence: &Occurrence<'a>) -> Range {
        let parts = self
            .futures
            .iter()
            .map(|future| &future.part)
            .chain(&self.master);
        let part = parts
            .chain(self.overrides.iter().map(|one| &one.part))
            .find(|part| std::ptr::eq(part.component, occurrence.component));
        let known = |at: i64| (at != i64::MIN && at != i64::MAX).then_some(at);
        let times = Times {
            start: known(occurrence.start),
            end: known(occurrence.end),
        };
        let Some(part) = part else { return Range::ALL };
        let cover = part.timing.cover(times);
        match part.timing.anchor().map(|anchor| &anchor.form) {
            // On whatever clock: zones lie between 12 hours behind and 14 before UTC.
            Some(Form::Date | Form::Floating) => Range::new(
                cover.start.saturating_sub(26 * 3_600),
                cover.end.saturating_add(26 * 3_600),
            ),
            _ => cover,
        }
    }
}

enum Key {
    Time(DateTime),
    Day(Date),
}

fn occurrence<'a>(
    component: &'a Component,
    id: Option<Moment>,
    start: Option<Moment>,
    times: Times,
) -> Occurrence<'a> {
    let begin = times.start.or(times.end);
    Occurrence {
        component,
        recurrence_id: id,
        start_moment: start.filter(|_| times.start.is_some()),
        start: begin.unwrap_or(i64::MIN),
        end: times.end.or(times.start).unwrap_or(i64::MAX),
    }
}

impl Object {
    /// The instances that overlap a range, by their begin. Dates and floating times are of the default zone.
    ///
    /// # Errors
    /// [`Error::Limit`] when there are more than the limit, or when a rule takes too much work.
    pub fn occurrences(
        &self,
        default: &Zone,
        range: Range,
        limit: usize,
    ) -> Result<Vec<Occurrence<'_>>> {
        let series = Series::of(self, default)?;
        let mut found = Vec::new();
        let flow = series.visit(range, &mut |occurrence| {
            if found.len() >= limit {
                return ControlFlow::Break(());
            }
            found.push(occurrence);
            ControlFlow::Continue(())
        })?;
        if flow.is_break() {
            return Err(Error::Limit {
                name: "occurrences",
                most: limit,
            });
        }
        found.sort_by_key(|occurrence| (occurrence.start, occurrence.end));
        Ok(found)
    }

    /// Whether any instance overlaps a range.
    ///
    /// # Errors
    /// [`Error::Limit`] when a rule takes too much work.
    pub fn overlaps(&self, default: &Zone, range: Range) -> Result<bool> {
        let flow = Series::of(self, default)?.visit(range, &mut |_| ControlFlow::Break(()))?;
        Ok(flow.is_break())
    }
}

#[cfg(test)]
mod tests;
