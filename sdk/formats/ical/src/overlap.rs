//! When one instance of a component is, and whether that overlaps a range: the tables of RFC 4791 section 9.9.

use crate::contentline::Component;
use crate::{Duration, Form, Kind, Moment, Range, Result, Zone, Zones};
use jiff::civil::DateTime;

/// How long an instance takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    /// It does not say.
    Unsaid,
    /// From DTSTART to DTEND or DUE: the same number of seconds in every instance (RFC 5545 section 3.8.5.3).
    Exact(i64),
    /// DURATION, and days between two dates.
    Nominal(Duration),
}

/// The properties of a component that say when it is.
#[derive(Debug, Clone)]
pub(crate) struct Timing {
    kind: Kind,
    /// DTSTART; without one DUE of a task, DTEND of an availability.
    anchor: Option<Moment>,
    zone: Zone,
    anchored_on_due: bool,
    by_duration: bool,
    length: Length,
    completed: Option<i64>,
    created: Option<i64>,
    busy: Vec<Range>,
}

/// One instance, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// DTSTART.
    pub(crate) start: Option<i64>,
    /// DTEND, DUE, or what DURATION or the day of a date give.
    pub(crate) end: Option<i64>,
}

impl Timing {
    pub(crate) fn of(component: &Component, kind: Kind, zones: &Zones) -> Result<Timing> {
        let moment = |name: &str| component.line(name).map(Moment::of_line).transpose();
        let start = moment("DTSTART")?;
        let end = if kind == Kind::Todo {
            moment("DUE")?
        } else {
            moment("DTEND")?
        };
        let anchored_on_due = start.is_none() && matches!(kind, Kind::Todo | Kind::Availability);
        let duration = component
            .value("DURATION")
            .map(|value| Duration::parse("DURATION", value))
            .transpose()?;
        let length = match (&start, &end, duration) {
            (Some(start), Some(end), _) => between(start, end, (kind, zones)),
            (_, None, Some(duration)) => Length::Nominal(duration),
            _ => Length::Unsaid,
        };
        let anchor = start.or_else(|| end.clone());
        let instant = |name| moment(name).map(|moment| moment.map(|moment| zones.to_utc(&moment)));
        Ok(Timing {
            kind,
            zone: zones.of_form(
                &anchor
                    .as_ref()
                    .map_or(Form::Utc, |anchor| anchor.form.clone()),
            ),
            anchored_on_due,
            by_duration: end.is_none() && duration.is_some(),
            length,
            completed: instant("COMPLETED")?,
            created: instant("CREATED")?,
            busy: busy(component, kind)?,
            anchor,
        })
    }

    pub(crate) fn anchor(&self) -> Option<&Moment> {
        self.anchor.as_ref()
    }

    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    fn is_date(&self) -> bool {
        self.anchor.as_ref().is_some_and(Moment::is_date)
    }

    /// At most so many seconds from begin to end.
    pub(crate) fn longest(&self) -> i64 {
        match self.length {
            Length::Unsaid => 86_400 * 2,
            Length::Exact(seconds) => seconds.max(0),
            Length::Nominal(duration) => duration.at_most().max(0),
        }
    }

    /// The instance whose anchor is at this time of its clock.
    pub(crate) fn at(&self, civil: DateTime) -> Times {
        let begin = self.zone.to_utc(civil);
        if self.anchored_on_due {
            return Times {
                start: None,
                end: Some(begin),
            };
        }
        let days_later = |days| {
            self.zone
                .to_utc(Duration { days, seconds: 0 }.after_days(civil))
        };
        let end = match self.length {
            Length::Exact(seconds) => Some(begin.saturating_add(seconds)),
            Length::Nominal(duration) => {
                Some(days_later(duration.days).saturating_add(duration.seconds))
            }
            Length::Unsaid if self.kind == Kind::Todo => None,
            Length::Unsaid if self.is_date() => Some(days_later(1)),
            Length::Unsaid => Some(begin),
        };
        Times {
            start: Some(begin),
            end: end.map(|end| end.max(begin)),
        }
    }

    /// A component without recurrence.
    pub(crate) fn own(&self) -> Times {
        match &self.anchor {
            Some(anchor) if self.kind == Kind::FreeBusy && self.length == Length::Unsaid => Times {
                end: None,
                ..self.at(anchor.civil)
            },
            // RFC 7953 section 5: what is not said has no bound.
            Some(anchor) if self.kind == Kind::Availability => {
                let times = self.at(anchor.civil);
                let unsaid = self.length == Length::Unsaid && !self.anchored_on_due;
                let end = if unsaid { Some(i64::MAX) } else { times.end };
                Times { end, ..times }
            }
            Some(anchor) => self.at(anchor.civil),
            None => Times {
                start: None,
                end: None,
            },
        }
    }

    pub(crate) fn overlaps(&self, times: Times, range: Range) -> bool {
        match self.kind {
            Kind::Event | Kind::Journal => match (times.start, times.end) {
                (Some(start), Some(end)) => spans(range, start, end),
                _ => false,
            },
            Kind::Todo => self.todo_overlaps(times, range),
            Kind::FreeBusy => match (times.start, times.end) {
                (Some(start), Some(end)) => range.start <= end && range.end > start,
                _ => self
                    .busy
                    .iter()
                    .any(|busy| range.overlaps(busy.start, busy.end)),
            },
            Kind::Availability => range.overlaps(
                times.start.unwrap_or(i64::MIN),
                times.end.unwrap_or(i64::MAX),
            ),
        }
    }

    fn todo_overlaps(&self, times: Times, range: Range) -> bool {
        let (from, to) = (range.start, range.end);
        match (times.start, times.end) {
            (Some(start), Some(end)) if self.by_duration => {
                from <= end && (to > start || to >= end)
            }
            (Some(start), Some(due)) => (from < due || from <= start) && (to > start || to >= due),
            (Some(start), None) => from <= start && to > start,
            (None, Some(due)) => from < due && to >= due,
            (None, None) => match (self.completed, self.created) {
                (Some(completed), Some(created)) => {
                    (from <= created || from <= completed) && (to >= created || to >= completed)
                }
                (Some(completed), None) => from <= completed && to >= completed,
                (None, Some(created)) => to > created,
                (None, None) => true,
            },
        }
    }

    /// A span that holds every range that [`Self::overlaps`] says yes to.
    pub(crate) fn cover(&self, times: Times) -> Range {
        let (first, last) = match (self.kind, times.start, times.end) {
            (Kind::Availability, start, end) => {
                (start.unwrap_or(i64::MIN), end.unwrap_or(i64::MAX))
            }
            (Kind::Todo, None, None) => match (self.completed, self.created) {
                (Some(completed), Some(created)) => {
                    (completed.min(created), completed.max(created))
                }
                (Some(completed), None) => (completed, completed),
                (None, Some(created)) => (created, i64::MAX),
                (None, None) => (i64::MIN, i64::MAX),
            },
            (Kind::FreeBusy, start, None) | (Kind::FreeBusy, start @ None, _) => {
                let first = self
                    .busy
                    .iter()
                    .map(|busy| busy.start)
                    .min()
                    .or(start)
                    .unwrap_or(0);
                (
                    first,
                    self.busy.iter().map(|busy| busy.end).max().unwrap_or(first),
                )
            }
            (_, start, end) => {
                let either = start.or(end).unwrap_or(0);
                (start.unwrap_or(either), end.unwrap_or(either))
            }
        };
        Range::new(first.saturating_sub(1), last.saturating_add(1))
    }
}

/// A span that may be empty: then it lies in a range that holds its instant.
pub(crate) fn spans(range: Range, start: i64, end: i64) -> bool {
    if start < end {
        range.overlaps(start, end)
    } else {
        range.contains(start)
    }
}

fn between(start: &Moment, end: &Moment, (kind, zones): (Kind, &Zones)) -> Length {
    if start.is_date() && end.is_date() {
        let days =
            (crate::moment::seconds(end.civil) - crate::moment::seconds(start.civil)) / 86_400;
        // An end on the day of the start is wrong, common, and means that day.
        let least = i64::from(kind == Kind::Event);
        let days = days.max(least);
        return Length::Nominal(Duration { days, seconds: 0 });
    }
    Length::Exact(zones.to_utc(end).saturating_sub(zones.to_utc(start)).max(0))
}

fn busy(component: &Component, kind: Kind) -> Result<Vec<Range>> {
    let mut busy = Vec::new();
    if kind == Kind::FreeBusy {
        for line in component.lines_of("FREEBUSY") {
            busy.extend(crate::free_busy::periods(line)?);
        }
    }
    Ok(busy)
}
