use super::{Key, Series, Set};
use crate::contentline::Component;
use crate::{Error, Form, Moment, Object, Result, Zone};
use jiff::civil::DateTime;

impl Object {
    /// One instance written out as a component with RECURRENCE-ID: its override, or what master and rule say of it. `None` when there is no
    /// such instance, or an exception took it out.
    ///
    /// # Errors
    /// [`crate::Error::Limit`] when the rule takes too much work.
    pub fn instance(&self, id: &Moment, default: &Zone) -> Result<Option<Component>> {
        Series::of(self, default)?.instance(id)
    }
}

/// What all single instances that are asked of one series may cost together, in steps of its rules and octets of its components. An object
/// can have a thousand overrides, a rule that is walked from its begin, and an attachment of megabytes.
pub(super) const MAX_WORK: usize = 8 * crate::rule::MAX_WORK;

impl<'a> Series<'a> {
    /// See [`Object::instance`].
    pub(crate) fn instance(&self, id: &Moment) -> Result<Option<Component>> {
        let written = self
            .by_identity
            .get(&self.identity(id))
            .and_then(|at| self.overrides.get(*at));
        match written {
            Some(one) => Ok(Some(one.part.component.clone())),
            None => self.of_master(id),
        }
    }

    fn charge(&self, work: usize) -> Result<()> {
        let left = self.work.get().checked_sub(work);
        self.work.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or(Error::Limit {
            name: "work for single instances",
            most: MAX_WORK,
        })
    }

    fn time(&self, id: &Moment) -> DateTime {
        match self.key(id) {
            Key::Time(time) => time,
            // The instance of a day is the one at the time of day of the first.
            Key::Day(day) => {
                let anchor = self
                    .master
                    .as_ref()
                    .and_then(|master| master.timing.anchor());
                day.to_datetime(anchor.map_or(DateTime::ZERO, |anchor| anchor.civil).time())
            }
        }
    }

    /// The same text for the same instance, however its RECURRENCE-ID is written.
    pub(crate) fn identity(&self, id: &Moment) -> String {
        self.time(id).to_string()
    }

    /// Whether an exception takes the instance out.
    pub(crate) fn excludes(&self, id: &Moment) -> Result<bool> {
        let Some(master) = &self.master else {
            return Ok(false);
        };
        Ok(self.fixed(master)?.excludes(self.time(id)))
    }

    /// The same, unless the instance has an override.
    pub(crate) fn plain(&self, id: &Moment) -> Result<Option<Component>> {
        let time = self.time(id);
        if self.overridden.contains(&time) || self.overridden_days.contains(&time.date()) {
            return Ok(None);
        }
        self.of_master(id)
    }

    /// The instance as master and rule, or a change of all later ones, have it.
    pub(crate) fn of_master(&self, id: &Moment) -> Result<Option<Component>> {
        let Some((master, anchor)) = self
            .master
            .as_ref()
            .and_then(|master| Some((master, master.timing.anchor()?)))
        else {
            return Ok(None);
        };
        let time = self.time(id);
        let work = crate::rule::MAX_WORK.min(self.work.get());
        let mut set = Set::of(master, anchor, self, work)?;
        set.seek(time)?;
        let found = set.next()? == Some(time);
        self.charge(set.work_left().map_or(1, |left| work.saturating_sub(left)))?;
        if !found {
            return Ok(None);
        }
        let (part, begin) = self.described_by(master, time);
        let times = part.timing.at(begin);
        let mut component = plain(part.component);
        self.charge(
            component
                .lines
                .iter()
                .map(|line| line.value.len() / 8)
                .sum(),
        )?;
        for name in ["DTSTART", "DTEND", "DUE"] {
            let Some(line) = component.line_mut(name) else {
                continue;
            };
            let own = Moment::of_line(line)?;
            let at = if name == "DTSTART" {
                times.start
            } else {
                times.end
            };
            let civil = match (&own.form, at) {
                (_, None) => continue,
                // Days are counted by the calendar, not by the clock.
                (Form::Date, Some(at)) => self.zones.default_zone().to_civil(at),
                (form, Some(at)) => self.zones.of_form(form).to_civil(at),
            };
            own.at(civil).put(line);
        }
        let place = component
            .lines
            .iter()
            .position(|line| line.is("DTSTART"))
            .map_or(0, |at| at + 1);
        component
            .lines
            .insert(place, anchor.at(time).to_line("RECURRENCE-ID"));
        Ok(Some(component))
    }
}

/// A component without what makes it a series.
fn plain(component: &Component) -> Component {
    const SERIES: [&str; 5] = ["RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"];
    let lines = component
        .lines
        .iter()
        .filter(|line| !SERIES.iter().any(|name| line.is(name)));
    Component {
        name: component.name.clone(),
        lines: lines.cloned().collect(),
        components: component.components.clone(),
    }
}
