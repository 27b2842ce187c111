//! What an attendee who was invited before and still is has to be told.

use super::compare::{Shape, content};
use super::request::{cancel, request};
use super::view::View;
use super::{Context, Message};
use crate::contentline::{Component, Line};
use crate::object::sequence;
use crate::series::Series;
use crate::{Moment, Object, Result, Zone, Zones};
use std::collections::BTreeMap;

/// A meeting before and after, as one attendee knows it.
pub(super) struct Difference<'a> {
    old: &'a Object,
    new: &'a Object,
    before: View,
    after: View,
    old_zones: Zones,
    new_zones: Zones,
}

impl<'a> Difference<'a> {
    pub(super) fn of((old, before): (&'a Object, View), (new, after): (&'a Object, View)) -> Self {
        let (old_zones, new_zones) = (
            Zones::of(old.component(), &Zone::UTC),
            Zones::of(new.component(), &Zone::UTC),
        );
        Difference {
            old,
            new,
            before,
            after,
            old_zones,
            new_zones,
        }
    }

    /// The whole when the master changed; else the overrides that changed, and a CANCEL of the instances that went.
    /// `next` is the SEQUENCE of a CANCEL.
    pub(super) fn message(
        self,
        address: &str,
        next: i64,
        context: &Context<'_>,
    ) -> Result<Vec<Message>> {
        if self.before.master.is_some() && self.after.master.is_none() {
            return Ok(self.reduced(address, next, context));
        }
        let gone = self.gone()?;
        let (changed, answers_only) = self.changed_overrides()?;
        let quiet = answers_only && gone.is_empty();
        // An override that went while its instance stays says again what the master says.
        let reverted = self
            .before
            .overrides
            .keys()
            .any(|id| !self.after.overrides.contains_key(id) && !gone.contains_key(id));
        if reverted || !self.same_master(true)? {
            let minor = quiet && !reverted && self.same_master(false)?;
            let message = request(self.new, address, self.after.into_components(), context);
            return Ok(vec![Message { minor, ..message }]);
        }
        let mut messages = Vec::new();
        if !gone.is_empty() {
            let components = gone.into_values().collect();
            messages.push(cancel(self.old, address, components, next, context));
        }
        if !changed.is_empty() {
            let message = request(self.new, address, changed, context);
            messages.push(Message {
                minor: quiet,
                ..message
            });
        }
        Ok(messages)
    }

    /// From the series he is invited to single instances: the series is off for him, then he is asked for those, with a SEQUENCE that is
    /// not older than that of the CANCEL.
    fn reduced(self, address: &str, next: i64, context: &Context<'_>) -> Vec<Message> {
        let mut components = self.after.into_components();
        for component in components.iter_mut().filter(|one| sequence(one) < next) {
            component.set(Line::new("SEQUENCE", next.to_string()));
        }
        let off = cancel(
            self.old,
            address,
            self.before.into_components(),
            next,
            context,
        );
        vec![off, request(self.new, address, components, context)]
    }

    fn old_content(&self, component: &Component, answers: bool) -> Result<Shape> {
        content(component, self.old.kind(), &self.old_zones, answers)
    }

    fn new_content(&self, component: &Component, answers: bool) -> Result<Shape> {
        content(component, self.new.kind(), &self.new_zones, answers)
    }

    /// More exceptions do not count: the instances they take out are cancelled. One that went away brings an instance back, which is worth
    /// the whole.
    fn same_master(&self, answers: bool) -> Result<bool> {
        let old = self
            .before
            .master
            .as_ref()
            .map(|one| self.old_content(one, answers))
            .transpose()?;
        let new = self
            .after
            .master
            .as_ref()
            .map(|one| self.new_content(one, answers))
            .transpose()?;
        let (Some(old), Some(new)) = (&old, &new) else {
            return Ok(old.is_none() && new.is_none());
        };
        let only_exceptions = |mut rest: std::collections::btree_set::Difference<'_, String>| {
            rest.all(|one| one.starts_with("EXDATE "))
        };
        Ok(old.is_subset(new) && only_exceptions(new.difference(old)))
    }

    /// Overrides that say something new, and whether that is only who comes.
    fn changed_overrides(&self) -> Result<(Vec<Component>, bool)> {
        let series = Series::of(self.old, &Zone::UTC)?;
        let (mut changed, mut answers_only) = (Vec::new(), true);
        for (id, component) in &self.after.overrides {
            let old = match (
                self.before.overrides.get(id),
                component.line("RECURRENCE-ID"),
            ) {
                (Some(old), _) => Some(old.clone()),
                (None, Some(line)) => series.instance(&Moment::of_line(line)?)?,
                (None, None) => None,
            };
            let differs = |answers| -> Result<bool> {
                let old = old
                    .as_ref()
                    .map(|old| self.old_content(old, answers))
                    .transpose()?;
                Ok(old.as_ref() != Some(&self.new_content(component, answers)?))
            };
            if differs(true)? {
                answers_only &= !differs(false)?;
                changed.push(component.clone());
            }
        }
        Ok((changed, answers_only))
    }

    /// Instances that the attendee was invited to and no longer is.
    fn gone(&self) -> Result<BTreeMap<String, Component>> {
        let (old, new) = (
            Series::of(self.old, &Zone::UTC)?,
            Series::of(self.new, &Zone::UTC)?,
        );
        let before = exceptions(&self.before, &old)?;
        let mut gone = BTreeMap::new();
        for (id, moment) in exceptions(&self.after, &new)? {
            if !before.contains_key(&id)
                && let Some(component) = old.instance(&moment)?
            {
                gone.insert(id, component);
            }
        }
        if self.after.master.is_none() {
            let left = self
                .before
                .overrides
                .iter()
                .filter(|(id, _)| !self.after.overrides.contains_key(*id));
            gone.extend(left.map(|(id, component)| (id.clone(), component.clone())));
        }
        Ok(gone)
    }
}

fn exceptions(view: &View, series: &Series<'_>) -> Result<BTreeMap<String, Moment>> {
    let lines = view
        .master
        .iter()
        .flat_map(|master| master.lines_of("EXDATE"));
    let moments: Vec<Vec<Moment>> = lines
        .map(|line: &Line| Moment::list_of_line(line))
        .collect::<Result<_>>()?;
    Ok(moments
        .into_iter()
        .flatten()
        .map(|moment| (series.identity(&moment), moment))
        .collect())
}
