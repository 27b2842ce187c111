use crate::contentline::{Component, Line};
use crate::{Form, Moment, Object, Occurrence, Range, Result, Zone, Zones};

/// Every instance in a range as a component of its own (RFC 4791 section 9.6.5). Times with a zone become UTC; dates and floating times stay,
/// because they are of no zone.
pub(super) fn expand(
    object: &Object,
    default: &Zone,
    range: Range,
    limit: usize,
) -> Result<Component> {
    let zones = Zones::of(object.component(), default);
    let mut tree = Component::new("VCALENDAR");
    tree.lines = object.component().lines.clone();
    for occurrence in object.occurrences(default, range, limit)? {
        tree.components.push(instance(&occurrence, &zones));
    }
    Ok(tree)
}

fn instance(occurrence: &Occurrence<'_>, zones: &Zones) -> Component {
    let mut component = occurrence.component.clone();
    for name in ["RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"] {
        component.remove(name);
    }
    if let Some(start) = &occurrence.start_moment {
        put(&mut component, "DTSTART", start, zones);
    }
    let end_name = if component.line("DUE").is_some() {
        "DUE"
    } else {
        "DTEND"
    };
    if let Some(own) = component
        .line(end_name)
        .and_then(|line| Moment::of_line(line).ok())
    {
        let end = match own.form {
            Form::Date | Form::Floating => own.at(zones.default_zone().to_civil(occurrence.end)),
            Form::Utc | Form::Zoned(_) => Moment::utc(occurrence.end),
        };
        put(&mut component, end_name, &end, zones);
    }
    if let Some(id) = &occurrence.recurrence_id {
        let place = component
            .lines
            .iter()
            .position(|line| line.is("DTSTART"))
            .map_or(0, |at| at + 1);
        component
            .lines
            .insert(place, in_utc(id, zones).to_line("RECURRENCE-ID"));
    }
    component
}

fn put(component: &mut Component, name: &str, moment: &Moment, zones: &Zones) {
    let moment = in_utc(moment, zones);
    match component.line_mut(name) {
        Some(line) => moment.put(line),
        None => {
            let line: Line = moment.to_line(name);
            component.lines.push(line);
        }
    }
}

fn in_utc(moment: &Moment, zones: &Zones) -> Moment {
    match moment.form {
        Form::Zoned(_) => Moment::utc(zones.to_utc(moment)),
        _ => moment.clone(),
    }
}
