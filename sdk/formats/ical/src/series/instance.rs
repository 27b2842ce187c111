use super::{Key, Series, Set};
use crate::contentline::Component;
use crate::{Form, Moment, Object, Result, Zone};
use jiff::civil::DateTime;

impl Object {
    /// One instance written out as a component with RECURRENCE-ID: its override, or what master and rule say of it. `None` when there is no
    /// such instance, or an exception took it out.
    ///
    /// # Errors
    /// [`crate::Error::Limit`] when the rule takes too much work.
    pub fn instance(&self, id: &Moment, default: &Zone) -> Result<Option<Component>> {
        let series = Series::of(self, default)?;
        let own = series.identity(id);
        let written = series
            .overrides
            .iter()
            .find(|one| series.identity(&one.id) == own);
        match written {
            Some(one) => Ok(Some(one.part.component.clone())),
            None => series.of_master(id),
        }
    }
}

impl<'a> Series<'a> {
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
        let Some((master, anchor)) = self
            .master
            .as_ref()
            .and_then(|master| Some((master, master.timing.anchor()?)))
        else {
            return Ok(false);
        };
        let set = Set::of(master, anchor, self)?;
        let time = self.time(id);
        Ok(set.without.contains(&time) || set.without_days.contains(&time.date()))
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
        let mut set = Set::of(master, anchor, self)?;
        set.seek(time)?;
        if set.next()? != Some(time) {
            return Ok(None);
        }
        let (part, begin) = self.described_by(master, time);
        let times = part.timing.at(begin);
        let mut component = part.component.clone();
        for name in ["RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"] {
            component.remove(name);
        }
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
