//! VEVENT as IPM.Appointment (MS-OXCICAL 2.1.3.1.1.20).

use super::item::Item;
use super::words::{self, BUSY, CLASS, PARTICIPATION};
use super::{pattern, people, zone};
use crate::contentline::Component;
use crate::moment::seconds;
use crate::object::sequence;
use crate::overlap::{Times, Timing};
use crate::rule::{Instances, Rule};
use crate::series::until;
use crate::{Duration, Kind, Moment, Object, Result, Zone, Zones};
use waxwing_formats_mapi::appointment::{
    AppointmentRecurrence, End, Exception, GlobalObjectId, RecurrencePattern,
};
use waxwing_formats_mapi::{ItemProperties, Value, lids, sets, tags};

/// Instances that are counted to find the last one; a series that has more is written as one without end.
const MAX_INSTANCES: u32 = 20_000;
/// PidLidClipEnd of a series without end: 4500-08-31 23:59.
const CLIP_NEVER: i64 = 79_870_661_940;
/// PidLidAppointmentStateFlags.
const MEETING: i32 = 1;
const RECEIVED: i32 = 2;
const CANCELLED: i32 = 4;

pub(super) fn item(object: &Object, default: &Zone, mine: &[String]) -> Result<Item> {
    let zones = Zones::of(object.component(), default);
    let main = object.main();
    let timing = Timing::of(main, Kind::Event, &zones)?;
    let mut properties = describe(main);
    properties.set_text(tags::MESSAGE_CLASS, "IPM.Appointment");
    when(&timing, timing.own(), &mut properties);
    remind(main, &zones, timing.own(), &mut properties)?;
    who(main, mine, &mut properties);
    let id = GlobalObjectId::of_uid(object.uid()).encode();
    properties.set_lid(lids::GLOBAL_OBJECT_ID, Value::Binary(id.clone()));
    properties.set_lid(lids::CLEAN_GLOBAL_OBJECT_ID, Value::Binary(id));
    let mut item = Item {
        properties,
        recipients: people::rows(main),
        exceptions: Vec::new(),
    };
    let recurs = match (object.master(), timing.anchor()) {
        (Some(master), Some(anchor)) => {
            recurrence(object, (master, &timing, anchor), &zones, &mut item)?
        }
        _ => false,
    };
    item.properties
        .set_lid(lids::RECURRING, Value::Boolean(recurs));
    item.properties
        .set_lid(lids::IS_RECURRING, Value::Boolean(recurs));
    Ok(item)
}

/// What a component says besides its times and its people.
pub(super) fn describe(component: &Component) -> ItemProperties {
    let mut out = ItemProperties::default();
    let text = |name: &str| {
        component
            .line(name)
            .map(|line| line.as_text())
            .unwrap_or_default()
    };
    out.set(tags::SUBJECT, Value::Text(text("SUMMARY")));
    out.set(tags::NORMALIZED_SUBJECT, Value::Text(text("SUMMARY")));
    out.set_text(tags::BODY, text("DESCRIPTION"));
    out.set_lid_text(lids::LOCATION, text("LOCATION"));
    if let Some(html) = component
        .lines_of("X-ALT-DESC")
        .find(|line| line.has_parameter("FMTTYPE", "text/html"))
    {
        out.set(tags::HTML, Value::Binary(html.as_text().into_bytes()));
    }
    let class = words::number(&CLASS, &text("CLASS")).unwrap_or(0);
    out.set(tags::SENSITIVITY, int(class));
    out.set_lid(lids::PRIVATE, Value::Boolean(class >= 2));
    out.set(tags::IMPORTANCE, int(importance(&text("PRIORITY"))));
    let keywords: Vec<String> = component
        .lines_of("CATEGORIES")
        .flat_map(|line| crate::contentline::text::list(&line.value))
        .collect();
    if !keywords.is_empty() {
        out.set_name(sets::PUBLIC_STRINGS, "Keywords", Value::MultiText(keywords));
    }
    if !component.is("VTODO") {
        out.set_lid(lids::BUSY_STATUS, int(busy(component)));
        out.set_lid(lids::APPOINTMENT_SEQUENCE, int(sequence(component)));
    }
    if let Some(stamp) = component
        .line("DTSTAMP")
        .and_then(|line| Moment::of_line(line).ok()?.as_utc())
    {
        out.set_lid(lids::OWNER_CRITICAL_CHANGE, Value::time(stamp));
    }
    out
}

pub(super) fn int(number: i64) -> Value {
    Value::Int32(i32::try_from(number).unwrap_or(0))
}

/// 1 to 4 are high, 6 to 9 low.
fn importance(priority: &str) -> i64 {
    match priority.trim().parse() {
        Ok(1..=4) => 2,
        Ok(6..=9) => 0,
        _ => 1,
    }
}

fn busy(component: &Component) -> i64 {
    let word = |name: &str| {
        component
            .value(name)
            .unwrap_or_default()
            .trim()
            .to_ascii_uppercase()
    };
    let said = words::number(&BUSY, &word("X-MICROSOFT-CDO-BUSYSTATUS"));
    let transparent = word("TRANSP") == "TRANSPARENT";
    match said {
        // The standard's property wins where the two cannot both be true.
        Some(said) if (said == 0) == transparent => said,
        _ if transparent => 0,
        _ if word("STATUS") == "TENTATIVE" => 1,
        _ => 2,
    }
}

fn when(timing: &Timing, times: Times, out: &mut ItemProperties) {
    let start = times.start.unwrap_or(0);
    let end = times.end.unwrap_or(start);
    for (lid, at) in [
        (lids::APPOINTMENT_START_WHOLE, start),
        (lids::APPOINTMENT_END_WHOLE, end),
        (lids::COMMON_START, start),
        (lids::COMMON_END, end),
    ] {
        out.set_lid(lid, Value::time(at));
    }
    out.set(tags::START_DATE, Value::time(start));
    out.set(tags::END_DATE, Value::time(end));
    out.set_lid(lids::APPOINTMENT_DURATION, int((end - start) / 60));
    out.set_lid(
        lids::APPOINTMENT_SUB_TYPE,
        Value::Boolean(timing.anchor().is_some_and(Moment::is_date)),
    );
    let definition = zone::definition(timing.zone(), start).encode();
    out.set_lid(
        lids::TIME_ZONE_START_DISPLAY,
        Value::Binary(definition.clone()),
    );
    out.set_lid(lids::TIME_ZONE_END_DISPLAY, Value::Binary(definition));
}

/// The first alarm with a time.
fn remind(
    component: &Component,
    zones: &Zones,
    times: Times,
    out: &mut ItemProperties,
) -> Result<()> {
    let (start, end) = (times.start.unwrap_or(0), times.end.unwrap_or(0));
    let alarms = component
        .components_of("VALARM")
        .filter_map(|alarm| alarm.line("TRIGGER"));
    let mut set = None;
    for trigger in alarms {
        if let Ok(offset) = Duration::parse("TRIGGER", &trigger.value) {
            let from = if trigger.has_parameter("RELATED", "END") {
                end
            } else {
                start
            };
            set = Some(from + offset.days * 86_400 + offset.seconds);
        } else if let Ok(moment) = Moment::of_line(trigger) {
            set = Some(zones.to_utc(&moment));
        }
        if set.is_some() {
            break;
        }
    }
    out.set_lid(lids::REMINDER_SET, Value::Boolean(set.is_some()));
    if let Some(at) = set {
        out.set_lid(lids::REMINDER_DELTA, int((start - at) / 60));
        out.set_lid(lids::REMINDER_TIME, Value::time(start));
        out.set_lid(lids::REMINDER_SIGNAL_TIME, Value::time(at));
    }
    Ok(())
}

fn who(component: &Component, mine: &[String], out: &mut ItemProperties) {
    let is_me = |address: &str| {
        mine.iter()
            .any(|own| own.trim().eq_ignore_ascii_case(address.trim()))
    };
    let organizer = component.line("ORGANIZER");
    let own = component
        .lines_of("ATTENDEE")
        .find(|line| is_me(&line.value));
    let is_meeting = component.line("ATTENDEE").is_some();
    let organizes = organizer.is_none_or(|line| is_me(&line.value));
    let answer = own
        .and_then(|line| line.parameter("PARTSTAT"))
        .and_then(|word| words::number(&PARTICIPATION, word));
    let response = match (is_meeting, organizes) {
        (false, _) => 0,
        (true, true) => 1,
        (true, false) => answer.unwrap_or(5),
    };
    out.set_lid(lids::RESPONSE_STATUS, int(response));
    let cancelled = component
        .value("STATUS")
        .is_some_and(|status| status.trim().eq_ignore_ascii_case("CANCELLED"));
    let flags = [
        (is_meeting, MEETING),
        (is_meeting && !organizes, RECEIVED),
        (cancelled, CANCELLED),
    ];
    let state = flags
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, flag)| flag)
        .sum();
    out.set_lid(lids::APPOINTMENT_STATE_FLAGS, Value::Int32(state));
    if let Some((address, name)) = organizer.map(people::address_and_name) {
        out.set_text(tags::SENT_REPRESENTING_ADDRESS_TYPE, "SMTP");
        out.set_text(tags::SENT_REPRESENTING_EMAIL_ADDRESS, address);
        out.set_text(tags::SENT_REPRESENTING_NAME, name);
    }
}

/// Whether the series could be said.
fn recurrence(
    object: &Object,
    (master, timing, anchor): (&Component, &Timing, &Moment),
    zones: &Zones,
    item: &mut Item,
) -> Result<bool> {
    let Some(mut pattern) = series(master, timing, anchor)? else {
        return Ok(false);
    };
    let own = timing.own();
    let start_offset =
        pattern::minutes(anchor.civil) - pattern::minutes(anchor.civil.date().into());
    let length = own.end.unwrap_or(0) - own.start.unwrap_or(0);
    let end_offset = start_offset.saturating_add(u32::try_from(length / 60).unwrap_or(0));
    let mut exceptions = Vec::new();
    for line in master.lines_of("EXDATE") {
        for date in Moment::list_of_line(line)? {
            // By another time of that day no instance goes; the pattern would take the day's.
            let gone = on_clock(&date, timing, zones);
            if gone.time() == anchor.civil.time() {
                pattern.deleted.push(day(&gone));
            }
        }
    }
    for component in object.components() {
        let Some(id) = component
            .line("RECURRENCE-ID")
            .map(Moment::of_line)
            .transpose()?
        else {
            continue;
        };
        let original = on_clock(&id, timing, zones);
        pattern.deleted.push(day(&original));
        if component
            .value("STATUS")
            .is_some_and(|status| status.trim().eq_ignore_ascii_case("CANCELLED"))
        {
            continue;
        }
        let (exception, properties) = exception(component, (master, timing), &original, zones)?;
        pattern
            .modified
            .push(exception.start - exception.start % 1_440);
        exceptions.push((exception, properties));
    }
    pattern.deleted.sort_unstable();
    pattern.deleted.dedup();
    pattern.modified.sort_unstable();
    exceptions.sort_by_key(|(exception, _)| exception.start);
    let (exceptions, properties): (Vec<_>, Vec<_>) = exceptions.into_iter().unzip();
    item.exceptions = properties;
    set_series(
        pattern,
        (start_offset, end_offset),
        exceptions,
        timing,
        &mut item.properties,
    );
    Ok(true)
}

fn set_series(
    pattern: RecurrencePattern,
    (start_offset, end_offset): (u32, u32),
    exceptions: Vec<Exception>,
    timing: &Timing,
    out: &mut ItemProperties,
) {
    let start = timing.own().start.unwrap_or(0);
    let instant = |minutes: u32| timing.zone().to_utc(pattern::civil(minutes));
    let ends = pattern.end != End::Never;
    out.set_lid(lids::CLIP_START, Value::time(instant(pattern.start_date)));
    out.set_lid(
        lids::CLIP_END,
        Value::time(if ends {
            instant(pattern.end_date)
        } else {
            CLIP_NEVER
        }),
    );
    out.set_lid(
        lids::RECURRENCE_TYPE,
        Value::Int32(pattern.frequency as i32 + 1),
    );
    out.set_lid(
        lids::TIME_ZONE_RECUR,
        Value::Binary(zone::definition(timing.zone(), start).encode()),
    );
    out.set_lid(
        lids::TIME_ZONE_STRUCT,
        Value::Binary(zone::rule(timing.zone(), start).encode_struct()),
    );
    out.set_lid_text(
        lids::TIME_ZONE_DESCRIPTION,
        zone::windows_name(timing.zone()),
    );
    let series = AppointmentRecurrence {
        pattern,
        writer_version: 0x3009,
        start_offset,
        end_offset,
        exceptions,
        reserved_1: Vec::new(),
        reserved_2: Vec::new(),
    };
    out.set_lid(lids::APPOINTMENT_RECUR, Value::Binary(series.encode()));
}

/// The pattern with its end; `None` when there is no rule, or none that a pattern can say.
pub(super) fn series(
    master: &Component,
    timing: &Timing,
    anchor: &Moment,
) -> Result<Option<RecurrencePattern>> {
    let mut rules = master.lines_of("RRULE");
    let (Some(line), None, None) = (rules.next(), rules.next(), master.line("RDATE")) else {
        return Ok(None);
    };
    let rule = Rule::parse(&line.value)?;
    let Some(mut pattern) = pattern::of_rule(&rule, anchor.civil) else {
        return Ok(None);
    };
    let mut instances = Instances::new(&rule, anchor.civil, until(&rule, timing.zone()));
    // A start that the rule does not give would be lost.
    if instances.peek()? != Some(anchor.civil) {
        return Ok(None);
    }
    if rule.count.is_none() && rule.until.is_none() {
        return Ok(Some(pattern));
    }
    let (mut count, mut last) = (0, anchor.civil);
    while let Some(next) = instances.next()? {
        count += 1;
        last = next;
        if count > MAX_INSTANCES {
            return Ok(Some(pattern));
        }
    }
    pattern.end = if rule.count.is_some() {
        End::Count
    } else {
        End::Date
    };
    pattern.occurrence_count = count;
    pattern.end_date = pattern::minutes(last.date().into());
    Ok(Some(pattern))
}

/// A moment on the clock of the series; of a date only the day counts.
fn on_clock(moment: &Moment, timing: &Timing, zones: &Zones) -> jiff::civil::DateTime {
    let is_date = timing.anchor().is_some_and(Moment::is_date);
    if is_date || moment.is_date() {
        let time = timing
            .anchor()
            .map_or(moment.civil, |anchor| anchor.civil)
            .time();
        return moment.civil.date().to_datetime(time);
    }
    timing.zone().to_civil(zones.to_utc(moment))
}

fn day(civil: &jiff::civil::DateTime) -> u32 {
    pattern::minutes(civil.date().into())
}

fn exception(
    component: &Component,
    (master, series): (&Component, &Timing),
    original: &jiff::civil::DateTime,
    zones: &Zones,
) -> Result<(Exception, ItemProperties)> {
    let timing = Timing::of(component, Kind::Event, zones)?;
    let times = timing.own();
    let local = |at: Option<i64>| pattern::minutes(series.zone().to_civil(at.unwrap_or(0)));
    let differs = |name: &str| {
        component.line(name).map(|line| line.as_text())
            != master.line(name).map(|line| line.as_text())
    };
    let text = |name: &str| {
        differs(name).then(|| {
            component
                .line(name)
                .map(|line| line.as_text())
                .unwrap_or_default()
        })
    };
    let mut properties = describe(component);
    when(&timing, times, &mut properties);
    remind(component, zones, times, &mut properties)?;
    properties.set_text(
        tags::MESSAGE_CLASS,
        "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}",
    );
    let replaces = series.zone().to_utc(*original);
    properties.set_lid(lids::EXCEPTION_REPLACE_TIME, Value::time(replaces));
    let whole_day = timing.anchor().is_some_and(Moment::is_date);
    let was_whole_day = series.anchor().is_some_and(Moment::is_date);
    let number = |lid| {
        properties
            .lid_integer(lid)
            .and_then(|number| u32::try_from(number).ok())
    };
    let exception = Exception {
        start: local(times.start),
        end: local(times.end),
        original_start: pattern::minutes(*original),
        subject: text("SUMMARY"),
        location: text("LOCATION"),
        busy_status: if busy(component) == busy(master) {
            None
        } else {
            number(lids::BUSY_STATUS)
        },
        reminder_delta: number(lids::REMINDER_DELTA),
        reminder_set: number(lids::REMINDER_SET),
        sub_type: (whole_day != was_whole_day).then_some(u32::from(whole_day)),
        has_body: differs("DESCRIPTION"),
        change_highlight: vec![0; 4],
        ..Exception::default()
    };
    Ok((exception, properties))
}

/// Seconds since 1970 of a day's midnight as if clocks showed UTC: dates of tasks.
pub(super) fn as_if_utc(moment: &Moment) -> i64 {
    seconds(moment.civil.date().into())
}
