//! The organiser's object as it is stored: SEQUENCE counted on, answers taken back where the time changed, and what was only an order to
//! the server taken out.
//!
//! One number counts for the whole object: whatever is changed so that others must know gets one more than any component had, and so does
//! every CANCEL. No later message can be older than one that was sent, also for an instance that comes back.

use super::address::forces;
use super::compare::timing;
use super::message::ANSWERED;
use super::{Context, same_address};
use crate::contentline::{Component, Line};
use crate::object::sequence;
use crate::series::Series;
use crate::{Calendar, Kind, Limits, Moment, Object, Result, Zone, Zones};

/// The SEQUENCE of what comes after an object.
pub(super) fn next_sequence(old: &Object) -> i64 {
    old.components()
        .map(sequence)
        .max()
        .unwrap_or(0)
        .saturating_add(1)
}

pub(super) fn prepared(
    old: Option<&Object>,
    new: &Object,
    context: &Context<'_>,
    forced: &mut Vec<String>,
) -> Result<Object> {
    let mut tree = new.component().clone();
    let before = old.map(Before::of).transpose()?;
    let zones = Zones::of(&tree, &Zone::UTC);
    let fewer = before
        .as_ref()
        .map(|before| before.has_more_instances_than(new))
        .transpose()?;
    for component in tree
        .components
        .iter_mut()
        .filter(|one| one.is(new.kind().name()))
    {
        forced.extend(taken_orders(component));
        let Some(before) = &before else { continue };
        let step = before.step(component, (new.kind(), &zones))?;
        let is_master = component.line("RECURRENCE-ID").is_none();
        let counts = step.counts || (is_master && fewer == Some(true));
        let least = if counts { before.next } else { step.sequence };
        if sequence(component) < least {
            component.set(Line::new("SEQUENCE", least.to_string()));
        }
        if step.moved {
            ask_again(component, context);
        }
    }
    Object::of_calendar(Calendar { tree }, &Limits::default())
}

/// Takes SCHEDULE-FORCE-SEND out and gives those to whom a REQUEST is to be sent.
fn taken_orders(component: &mut Component) -> Vec<String> {
    let mut forced = Vec::new();
    for line in component
        .lines
        .iter_mut()
        .filter(|line| line.is("ATTENDEE"))
    {
        if forces(line, "REQUEST") {
            forced.push(line.value.clone());
        }
        line.remove_parameter("SCHEDULE-FORCE-SEND");
    }
    forced
}

struct Before<'a> {
    object: &'a Object,
    series: Series<'a>,
    next: i64,
}

/// From a component to what it became.
struct Step {
    /// The SEQUENCE it had.
    sequence: i64,
    /// Whether its time changed.
    moved: bool,
    /// Whether SEQUENCE counts on (RFC 5546 section 2.1.4).
    counts: bool,
}

impl<'a> Before<'a> {
    fn of(object: &'a Object) -> Result<Before<'a>> {
        Ok(Before {
            object,
            series: Series::of(object, &Zone::UTC)?,
            next: next_sequence(object),
        })
    }

    fn step(&self, component: &Component, (kind, zones): (Kind, &Zones)) -> Result<Step> {
        let counterpart = match component.line("RECURRENCE-ID") {
            Some(line) => self.series.instance(&Moment::of_line(line)?)?,
            None => self.object.master().cloned(),
        };
        let Some(before) = counterpart else {
            return Ok(Step {
                sequence: self.next,
                moved: false,
                counts: true,
            });
        };
        let moved = timing(&before, kind, self.series.zones())? != timing(component, kind, zones)?;
        let uninvited = before
            .lines_of("ATTENDEE")
            .any(|line| super::address::attendee(component, &line.value).is_none());
        let counts = moved || uninvited || is_off(&before) != is_off(component);
        Ok(Step {
            sequence: sequence(&before),
            moved,
            counts,
        })
    }

    /// Whether an exception was added or taken back, or an override is gone.
    fn has_more_instances_than(&self, new: &Object) -> Result<bool> {
        let after = Series::of(new, &Zone::UTC)?;
        let overridden = |object: &Object, series: &Series<'_>| -> Result<Vec<String>> {
            let ids = object
                .components()
                .filter_map(|one| one.line("RECURRENCE-ID"));
            ids.map(|line| Ok(series.identity(&Moment::of_line(line)?)))
                .collect()
        };
        let now = overridden(new, &after)?;
        let gone = overridden(self.object, &self.series)?
            .iter()
            .any(|id| !now.contains(id));
        Ok(gone || exceptions(self.object, &self.series)? != exceptions(new, &after)?)
    }
}

fn exceptions(object: &Object, series: &Series<'_>) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for line in object
        .master()
        .into_iter()
        .flat_map(|master| master.lines_of("EXDATE"))
    {
        ids.extend(
            Moment::list_of_line(line)?
                .iter()
                .map(|moment| series.identity(moment)),
        );
    }
    ids.sort();
    Ok(ids)
}

fn is_off(component: &Component) -> bool {
    component
        .value("STATUS")
        .is_some_and(|status| status.trim().eq_ignore_ascii_case("CANCELLED"))
}

/// RFC 6638 section 3.2.8: nobody has answered for the new time.
fn ask_again(component: &mut Component, context: &Context<'_>) {
    let organizer = component.value("ORGANIZER").unwrap_or_default().to_owned();
    for line in component
        .lines
        .iter_mut()
        .filter(|line| line.is("ATTENDEE"))
    {
        let is_organizer = context.is_me(&line.value) || same_address(&line.value, &organizer);
        if is_organizer {
            continue;
        }
        line.remove_parameter(ANSWERED);
        if line.parameter("PARTSTAT").is_some() {
            line.set_parameter("PARTSTAT", "NEEDS-ACTION");
            line.set_parameter("RSVP", "TRUE");
        }
    }
}
