use super::Context;
use super::Message;
use super::address::{by_server, forces, me, participation};
use super::compare::{Shape, content};
use super::reply::reply;
use crate::contentline::Component;
use crate::series::Series;
use crate::{Calendar, Error, Kind, Limits, Moment, Object, Precondition, Result, Zone, Zones};
use std::collections::BTreeSet;

/// What comes of an attendee's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attended {
    /// What is to be stored; `None` after a deletion.
    pub object: Option<Object>,
    /// Whether it differs from what the client put.
    pub changed: bool,
    /// The answer to the organiser, if there is one to give.
    pub reply: Option<Message>,
}

/// An attendee's client stored `new` in the place of `old`, or deleted `old`. For a deletion with `Schedule-Reply: F` (RFC 6638 section 8.1)
/// the caller throws the reply away.
///
/// # Errors
/// [`Error::Object`] with `allowed-attendee-scheduling-object-change`: he changed what is not his.
pub fn attendee_changed(
    old: Option<&Object>,
    new: Option<&Object>,
    context: &Context<'_>,
) -> Result<Attended> {
    let Some(new) = new else {
        let reply = old.map(|old| declined(old, context)).transpose()?.flatten();
        return Ok(Attended {
            object: None,
            changed: false,
            reply,
        });
    };
    if let Some(old) = old {
        check(old, new, context)?;
    }
    let series = old.map(|old| Series::of(old, &Zone::UTC)).transpose()?;
    let mut answers = Vec::new();
    for component in new.components() {
        let Some(line) = me(component, context) else {
            continue;
        };
        let before = old
            .zip(series.as_ref())
            .map(|pair| counterpart(pair, component))
            .transpose()?
            .flatten();
        let was = before
            .as_ref()
            .and_then(|before| me(before, context))
            .map_or_else(|| "NEEDS-ACTION".to_owned(), participation);
        let forced = component
            .line("ORGANIZER")
            .is_some_and(|organizer| forces(organizer, "REPLY"));
        if forced || was != participation(line) {
            answers.push(component.clone());
        }
    }
    if let Some(old) = old {
        for instance in left_out(old, new)? {
            answers.extend(declining(instance, context));
        }
    }
    let reply = reply(new, &answers, context).filter(|_| new.organizer().is_some_and(by_server));
    let mut tree = new.component().clone();
    for line in tree
        .components
        .iter_mut()
        .flat_map(|one| one.lines.iter_mut())
        .filter(|line| line.is("ORGANIZER"))
    {
        line.remove_parameter("SCHEDULE-FORCE-SEND");
    }
    let object = Object::of_calendar(Calendar { tree }, &Limits::default())?;
    Ok(Attended {
        changed: &object != new,
        object: Some(object),
        reply,
    })
}

/// Whoever deletes a meeting does not come. Nobody is told again, and nobody of a meeting that is off.
fn declined(old: &Object, context: &Context<'_>) -> Result<Option<Message>> {
    let is_off = |component: &Component| {
        component
            .value("STATUS")
            .is_some_and(|status| status.trim().eq_ignore_ascii_case("CANCELLED"))
    };
    let comes = |component: &Component| {
        me(component, context).is_some_and(|line| participation(line) != "DECLINED")
    };
    let components: Vec<Component> = old
        .components()
        .filter(|one| comes(one) && !is_off(one))
        .filter_map(|one| declining(one.clone(), context))
        .collect();
    Ok(reply(old, &components, context).filter(|_| old.organizer().is_some_and(by_server)))
}

fn declining(mut component: Component, context: &Context<'_>) -> Option<Component> {
    super::address::me_mut(&mut component, context)?.set_parameter("PARTSTAT", "DECLINED");
    Some(component)
}

fn counterpart(
    (old, series): (&Object, &Series<'_>),
    component: &Component,
) -> Result<Option<Component>> {
    match component.line("RECURRENCE-ID") {
        Some(line) => series.instance(&Moment::of_line(line)?),
        None => Ok(old.master().cloned()),
    }
}

/// Instances that the attendee took out of his copy.
fn left_out(old: &Object, new: &Object) -> Result<Vec<Component>> {
    let (before, after) = (Series::of(old, &Zone::UTC)?, Series::of(new, &Zone::UTC)?);
    let ids = |object: &Object, series: &Series<'_>| -> Result<Vec<(String, Moment)>> {
        let mut ids = Vec::new();
        for line in object
            .master()
            .into_iter()
            .flat_map(|master| master.lines_of("EXDATE"))
        {
            ids.extend(
                Moment::list_of_line(line)?
                    .into_iter()
                    .map(|moment| (series.identity(&moment), moment)),
            );
        }
        Ok(ids)
    };
    let known: BTreeSet<String> = ids(old, &before)?.into_iter().map(|(id, _)| id).collect();
    let mut out = Vec::new();
    for (id, moment) in ids(new, &after)? {
        if !known.contains(&id) {
            out.extend(before.instance(&moment)?);
        }
    }
    Ok(out)
}

/// RFC 6638 section 3.2.2.1, and what its list leaves to the server: notes, categories and colours of one's own hurt nobody.
fn check(old: &Object, new: &Object, context: &Context<'_>) -> Result<()> {
    let refused = |what: String| {
        Err(Error::object(
            Precondition::AllowedAttendeeSchedulingObjectChange,
            what,
        ))
    };
    if old.uid() != new.uid() || old.master().is_some() != new.master().is_some() {
        return refused("an attendee may not make another meeting of one".to_owned());
    }
    let zones = (
        Zones::of(old.component(), &Zone::UTC),
        Zones::of(new.component(), &Zone::UTC),
    );
    let before = Series::of(old, &Zone::UTC)?;
    for component in new.components() {
        let Some(before) = counterpart((old, &before), component)? else {
            return refused("an attendee may not add an instance".to_owned());
        };
        let (before, after) = (
            his(&before, old.kind(), &zones.0, context)?,
            his(component, new.kind(), &zones.1, context)?,
        );
        let lost = before
            .difference(&after)
            .find(|one| !one.starts_with("EXDATE "));
        let exception_lost = before
            .difference(&after)
            .find(|one| one.starts_with("EXDATE "));
        let won = after
            .difference(&before)
            .find(|one| !one.starts_with("EXDATE "));
        if let Some(statement) = lost.or(won).or(exception_lost) {
            let name = statement.split([';', ' ', ':']).next().unwrap_or_default();
            return refused(format!("an attendee may not change {name}"));
        }
    }
    let series = Series::of(new, &Zone::UTC)?;
    for line in old.components().filter_map(|one| one.line("RECURRENCE-ID")) {
        let id = series.identity(&Moment::of_line(line)?);
        let kept = new
            .components()
            .filter_map(|one| one.line("RECURRENCE-ID"))
            .filter_map(|line| Moment::of_line(line).ok())
            .any(|moment| series.identity(&moment) == id);
        if !kept && !series.excludes(&Moment::of_line(line)?)? {
            return refused(
                "an attendee may not take an instance out without an exception date".to_owned(),
            );
        }
    }
    Ok(())
}

const HIS: [&str; 11] = [
    "COMMENT",
    "CATEGORIES",
    "COLOR",
    "CLASS",
    "PRIORITY",
    "PERCENT-COMPLETE",
    "COMPLETED",
    "ATTACH",
    "RELATED-TO",
    "CONFERENCE",
    "NAME",
];

/// What is not the attendee's to change.
fn his(component: &Component, kind: Kind, zones: &Zones, context: &Context<'_>) -> Result<Shape> {
    let mut component = component.clone();
    component.lines.retain(|line| {
        let own = HIS.iter().any(|name| line.is(name))
            || (line.is("ATTENDEE") && context.is_me(&line.value));
        let task = kind == Kind::Todo && line.is("STATUS");
        !(own || task)
    });
    content(&component, kind, zones, false)
}
