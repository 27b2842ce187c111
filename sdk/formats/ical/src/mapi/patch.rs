//! An object after its item was edited.
//!
//! Three ways: what the item said before (read off the stored object, and made an object again), what it says now, and what is stored. A property
//! that says the same before and now stays as it was written, with all its parameters; one that differs is taken from now. So do people,
//! one by one, and alarms.

use super::item::Item;
use crate::contentline::{Component, Line};
use crate::series::Series;
use crate::{Calendar, Limits, Moment, Object, Result, Zone};
use std::collections::{BTreeMap, BTreeSet};

/// The stored object with what was changed in its item.
///
/// # Errors
/// As [`Item::of`] and [`Item::to_object`].
pub fn patched(
    stored: &Object,
    edited: &Item,
    default: &Zone,
    mine: &[String],
    now: i64,
) -> Result<Object> {
    let before = Item::of(stored, default, mine)?.to_object(default, stored.uid(), now)?;
    let after = edited.to_object(default, stored.uid(), now)?;
    let (mut base, mut wanted) = (parts(&before)?, parts(&after)?);
    let mut result = parts(stored)?;
    if stored.master().is_none() {
        // Somebody who is invited to single instances: the item is of the first of them, the others are not in it.
        let first = result
            .first_key_value()
            .map(|(id, _)| id.clone())
            .unwrap_or_default();
        for parts in [&mut base, &mut wanted] {
            let main = parts.remove("");
            *parts = main.into_iter().map(|main| (first.clone(), main)).collect();
        }
    }
    let (own_series, base_series) = (Series::of(stored, default)?, Series::of(&before, default)?);
    for (id, new) in &wanted {
        let own = match result.get(id) {
            Some(own) => Some(own.clone()),
            None => instance(&own_series, new)?,
        };
        let old = match base.get(id) {
            Some(old) => Some(old.clone()),
            None => instance(&base_series, new)?,
        };
        let merged = match (own, old) {
            (Some(own), Some(old)) => merge(own, &old, new),
            _ => new.clone(),
        };
        result.insert(id.clone(), renamed(merged, stored.uid()));
    }
    for id in base.keys().filter(|id| !wanted.contains_key(*id)) {
        result.remove(id);
    }
    let mut tree = stored.component().clone();
    tree.components
        .retain(|component| component.is("VTIMEZONE"));
    add_zones(&mut tree, &after, &result);
    // In the order they stood, then what is new.
    for (id, _) in identified(stored)? {
        tree.components.extend(result.remove(&id));
    }
    tree.components.extend(result.into_values());
    Object::of_calendar(Calendar { tree }, &Limits::default())
}

/// The components by the identity of their instance, in order.
fn identified(object: &Object) -> Result<Vec<(String, Component)>> {
    let series = Series::of(object, &Zone::UTC)?;
    let one = |component: &Component| Ok((identity(&series, component)?, component.clone()));
    object.components().map(one).collect()
}

fn parts(object: &Object) -> Result<BTreeMap<String, Component>> {
    Ok(identified(object)?.into_iter().collect())
}

/// The master has none.
fn identity(series: &Series<'_>, component: &Component) -> Result<String> {
    match component.line("RECURRENCE-ID") {
        Some(line) => Ok(series.identity(&Moment::of_line(line)?)),
        None => Ok(String::new()),
    }
}

fn instance(series: &Series<'_>, like: &Component) -> Result<Option<Component>> {
    match like.line("RECURRENCE-ID") {
        Some(line) => series.instance(&Moment::of_line(line)?),
        None => Ok(None),
    }
}

fn renamed(mut component: Component, uid: &str) -> Component {
    if component.value("UID").map(str::trim) != Some(uid) {
        component.set(Line::new("UID", uid));
    }
    component
}

fn merge(mut own: Component, old: &Component, new: &Component) -> Component {
    let names: BTreeSet<String> = old
        .lines
        .iter()
        .chain(&new.lines)
        .map(|line| line.name.to_ascii_uppercase())
        .collect();
    for name in names {
        if ["UID", "DTSTAMP", "ATTENDEE", "ORGANIZER", "RECURRENCE-ID"].contains(&name.as_str()) {
            continue;
        }
        let (before, after): (Vec<&Line>, Vec<&Line>) =
            (old.lines_of(&name).collect(), new.lines_of(&name).collect());
        if before != after {
            replace(&mut own, &name, &after);
        }
    }
    organizer(&mut own, old, new);
    attendees(&mut own, old, new);
    alarms(&mut own, old, new);
    own
}

/// Puts lines where those of their name stood. An end takes the place of a duration, and the new words for busy that of the old.
fn replace(own: &mut Component, name: &str, lines: &[&Line]) {
    let also = if name == "DTEND" { "DURATION" } else { name };
    let place = own
        .lines
        .iter()
        .position(|line| line.is(name) || line.is(also))
        .unwrap_or(own.lines.len());
    own.lines.retain(|line| !(line.is(name) || line.is(also)));
    let place = place.min(own.lines.len());
    own.lines
        .splice(place..place, lines.iter().map(|line| (*line).clone()));
}

fn same_person(one: &Line, other: &Line) -> bool {
    one.value.trim().eq_ignore_ascii_case(other.value.trim())
}

fn organizer(own: &mut Component, old: &Component, new: &Component) {
    let (old, new) = (old.line("ORGANIZER"), new.line("ORGANIZER"));
    let same = match (old, new) {
        (Some(old), Some(new)) => same_person(old, new),
        (None, None) => true,
        _ => false,
    };
    if !same {
        own.remove("ORGANIZER");
        own.lines.extend(new.cloned());
    }
}

/// Parameters that an item says.
const SAID: [&str; 5] = ["CN", "ROLE", "CUTYPE", "PARTSTAT", "RSVP"];

fn attendees(own: &mut Component, old: &Component, new: &Component) {
    for line in old.lines_of("ATTENDEE") {
        if !new
            .lines_of("ATTENDEE")
            .any(|other| same_person(line, other))
        {
            own.lines
                .retain(|other| !(other.is("ATTENDEE") && same_person(other, line)));
        }
    }
    for line in new.lines_of("ATTENDEE") {
        let before = old
            .lines_of("ATTENDEE")
            .find(|other| same_person(line, other));
        let Some(kept) = own
            .lines
            .iter_mut()
            .find(|other| other.is("ATTENDEE") && same_person(other, line))
        else {
            // One who was there before stands there in other words.
            if before.is_none() {
                own.lines.push(line.clone());
            }
            continue;
        };
        for name in SAID {
            let (said, says) = (
                before.and_then(|line| line.parameter(name)),
                line.parameter(name),
            );
            match says {
                _ if said == says => {}
                Some(value) => kept.set_parameter(name, value),
                None => kept.remove_parameter(name),
            }
        }
    }
}

fn alarms(own: &mut Component, old: &Component, new: &Component) {
    let trigger = |component: &Component| {
        component
            .components_of("VALARM")
            .next()
            .and_then(|alarm| alarm.line("TRIGGER"))
            .cloned()
    };
    let (before, after) = (trigger(old), trigger(new));
    if before == after {
        return;
    }
    let first = own.components.iter().position(|inner| inner.is("VALARM"));
    match (after, first) {
        (Some(after), Some(first)) => {
            if let Some(alarm) = own.components.get_mut(first) {
                alarm.set(after);
            }
        }
        (Some(_), None) => own.components.extend(new.components_of("VALARM").cloned()),
        (None, Some(first)) => {
            own.components.remove(first);
        }
        (None, None) => {}
    }
}

/// Zones that the result names and the stored object does not define.
fn add_zones(tree: &mut Component, after: &Object, result: &BTreeMap<String, Component>) {
    let named: BTreeSet<&str> = result
        .values()
        .flat_map(|one| &one.lines)
        .filter_map(|line| line.parameter("TZID"))
        .collect();
    for zone in after.component().components_of("VTIMEZONE") {
        let name = zone.value("TZID").unwrap_or_default();
        let known = tree
            .components_of("VTIMEZONE")
            .any(|one| one.value("TZID") == Some(name));
        if named.contains(name) && !known {
            tree.components.push(zone.clone());
        }
    }
}
