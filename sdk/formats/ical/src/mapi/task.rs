//! VTODO as IPM.Task (MS-OXOTASK).

use super::appointment::{as_if_utc, describe, int, series};
use super::item::Item;
use super::words::{self, TASK};
use crate::contentline::{Component, Line};
use crate::overlap::Timing;
use crate::{Duration, Kind, Moment, Object, Result, Zone, Zones};
use waxwing_formats_mapi::{ItemProperties, Value, lids, tags};

pub(super) fn item(object: &Object, default: &Zone) -> Result<Item> {
    let zones = Zones::of(object.component(), default);
    let main = object.main();
    let timing = Timing::of(main, Kind::Todo, &zones)?;
    let mut out = describe(main);
    out.set_text(tags::MESSAGE_CLASS, "IPM.Task");
    for (name, lid, common) in [
        ("DTSTART", lids::TASK_START_DATE, lids::COMMON_START),
        ("DUE", lids::TASK_DUE_DATE, lids::COMMON_END),
    ] {
        if let Some(moment) = object
            .moment(name)
            .map(|moment| in_default(&moment, &zones))
        {
            out.set_lid(lid, Value::time(as_if_utc(&moment)));
            out.set_lid(common, Value::time(zones.to_utc(&moment)));
        }
    }
    progress(object, &zones, &mut out);
    let reminder = reminder(main, &timing, &zones);
    out.set_lid(lids::REMINDER_SET, Value::Boolean(reminder.is_some()));
    if let Some(at) = reminder {
        out.set_lid(lids::REMINDER_TIME, Value::time(at));
        out.set_lid(lids::REMINDER_SIGNAL_TIME, Value::time(at));
    }
    let pattern = timing
        .anchor()
        .map(|anchor| series(main, &timing, anchor))
        .transpose()?
        .flatten();
    out.set_lid(lids::TASK_F_RECURRING, Value::Boolean(pattern.is_some()));
    if let Some(pattern) = pattern {
        out.set_lid(lids::TASK_RECURRENCE, Value::Binary(pattern.encode()));
    }
    Ok(Item {
        properties: out,
        ..Item::default()
    })
}

fn progress(object: &Object, zones: &Zones, out: &mut ItemProperties) {
    let value = |name: &str| object.main().value(name);
    let status = value("STATUS").and_then(|word| words::number(&TASK, word));
    let percent = value("PERCENT-COMPLETE")
        .and_then(|value| value.trim().parse::<u8>().ok())
        .map(|percent| percent.min(100));
    let completed = object
        .moment("COMPLETED")
        .map(|moment| in_default(&moment, zones));
    let is_complete =
        status == Some(2) || (status.is_none() && (completed.is_some() || percent == Some(100)));
    let started = percent.is_some_and(|percent| percent > 0);
    let status = if is_complete {
        2
    } else {
        status.unwrap_or(i64::from(started))
    };
    out.set_lid(lids::TASK_STATUS, int(status));
    out.set_lid(lids::TASK_COMPLETE, Value::Boolean(is_complete));
    let percent = if is_complete {
        100
    } else {
        percent.unwrap_or(0)
    };
    out.set_lid(
        lids::PERCENT_COMPLETE,
        Value::Float64(f64::from(percent) / 100.0),
    );
    if let Some(completed) = completed {
        out.set_lid(
            lids::TASK_DATE_COMPLETED,
            Value::time(as_if_utc(&completed)),
        );
    }
}

/// When the first alarm with a time rings.
fn reminder(task: &Component, timing: &Timing, zones: &Zones) -> Option<i64> {
    let times = timing.own();
    let triggers = task
        .components_of("VALARM")
        .filter_map(|alarm| alarm.line("TRIGGER"));
    let rings = |trigger: &Line| match Duration::parse("TRIGGER", &trigger.value) {
        Ok(offset) => Some(times.start.or(times.end)? + offset.days * 86_400 + offset.seconds),
        Err(_) => Some(zones.to_utc(&Moment::of_line(trigger).ok()?)),
    };
    triggers.into_iter().find_map(rings)
}

/// On the clock of the owner, whose day counts.
fn in_default(moment: &Moment, zones: &Zones) -> Moment {
    if moment.is_date() {
        return moment.clone();
    }
    Moment {
        civil: zones.default_zone().to_civil(zones.to_utc(moment)),
        form: crate::Form::Floating,
    }
}
