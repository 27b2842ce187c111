//! An item as an object (MS-OXCICAL 2.1.3.1, in the other direction).

use super::item::Item;
use super::words::{self, BUSY, CLASS, TASK};
use super::{pattern, people, zone};
use crate::contentline::{Component, Line, text};
use crate::{
    Calendar, Duration, Error, Form, Limits, Moment, Object, Precondition, Range, Result, Zone,
};
use jiff::civil::DateTime;
use waxwing_formats_mapi::appointment::{
    AppointmentRecurrence, End, Exception, GlobalObjectId, RecurrencePattern,
};
use waxwing_formats_mapi::item::Lid;
use waxwing_formats_mapi::{ItemProperties, Value, lids, sets, tags};

const YEAR: i64 = 366 * 86_400;

pub(super) fn object(item: &Item, default: &Zone, uid: &str, now: i64) -> Result<Object> {
    let mut calendar = Calendar::new();
    if item.is_task() {
        calendar.tree.components.push(task(item, default, uid, now));
    } else {
        let place = Place::of(&item.properties, default);
        calendar.tree.components.extend(place.component.clone());
        calendar
            .tree
            .components
            .extend(events(item, &place, uid, now)?);
    }
    Object::of_calendar(calendar, &Limits::default())
}

/// Where the clock of an appointment hangs.
struct Place {
    zone: Zone,
    form: Form,
    component: Option<Component>,
    whole_day: bool,
}

impl Place {
    fn of(properties: &ItemProperties, default: &Zone) -> Place {
        let binary = |lid| properties.lid_binary(lid);
        let zone = binary(lids::TIME_ZONE_RECUR)
            .and_then(zone::of_definition)
            .or_else(|| binary(lids::TIME_ZONE_START_DISPLAY).and_then(zone::of_definition))
            .or_else(|| binary(lids::TIME_ZONE_STRUCT).and_then(zone::of_struct))
            .unwrap_or_else(|| default.clone());
        let whole_day = properties.lid_integer(lids::APPOINTMENT_SUB_TYPE) == Some(1);
        let start = time(
            properties,
            lids::APPOINTMENT_START_WHOLE,
            lids::COMMON_START,
        )
        .unwrap_or(0);
        let range = Range::new(start.saturating_sub(YEAR), start.saturating_add(10 * YEAR));
        let (form, component) = match zone.name() {
            _ if whole_day => (Form::Date, None),
            Some("UTC") => (Form::Utc, None),
            Some(name) => (
                Form::Zoned(name.to_owned()),
                Some(zone.to_component(name, range)),
            ),
            None => (Form::Zoned("Custom".to_owned()), zone.definition("Custom")),
        };
        Place {
            zone,
            form,
            component,
            whole_day,
        }
    }

    fn moment(&self, civil: DateTime) -> Moment {
        let civil = if self.whole_day {
            civil.date().into()
        } else {
            civil
        };
        Moment {
            civil,
            form: self.form.clone(),
        }
    }
}

fn time(properties: &ItemProperties, lid: Lid, other: Lid) -> Option<i64> {
    properties
        .lid_time(lid)
        .or_else(|| properties.lid_time(other))
}

fn events(item: &Item, place: &Place, uid: &str, now: i64) -> Result<Vec<Component>> {
    let properties = &item.properties;
    let missing = || {
        Error::object(
            Precondition::ValidCalendarData,
            "the appointment does not say when it begins",
        )
    };
    let start = time(
        properties,
        lids::APPOINTMENT_START_WHOLE,
        lids::COMMON_START,
    )
    .ok_or_else(missing)?;
    let end = time(properties, lids::APPOINTMENT_END_WHOLE, lids::COMMON_END)
        .unwrap_or(start)
        .max(start);
    let series = properties
        .lid_binary(lids::APPOINTMENT_RECUR)
        .and_then(|octets| AppointmentRecurrence::decode(octets).ok());
    let (organizer, attendees) = people::lines(&item.recipients);
    let organizer = organizer.or_else(|| represented(properties).filter(|_| !attendees.is_empty()));
    let mut event = identified("VEVENT", properties, uid, now);
    put_times(
        &mut event,
        place,
        place.zone.to_civil(start),
        place.zone.to_civil(end),
    );
    let mut people: Vec<Line> = organizer.into_iter().collect();
    people.extend(attendees);
    let said = series
        .as_ref()
        .and_then(|series| Some((series, rule(&series.pattern, place, series.start_offset)?)));
    let mut exceptions = Vec::new();
    if let Some((series, rule)) = said {
        event.lines.push(Line::new("RRULE", rule));
        event.lines.extend(exception_dates(series, place));
        for exception in &series.exceptions {
            let mut component = identified("VEVENT", properties, uid, now);
            override_of(&mut component, exception, place);
            let own = item
                .exceptions
                .iter()
                .find(|own| replaces(own, exception, place));
            component
                .lines
                .extend(exception_texts(exception, own, properties));
            component.lines.extend(people.iter().cloned());
            component
                .components
                .extend(alarm(&with_reminder(exception, properties), true));
            exceptions.push(component);
        }
    }
    event.lines.extend(texts(properties));
    event.lines.extend(people);
    event.components.extend(alarm(properties, true));
    Ok(std::iter::once(event).chain(exceptions).collect())
}

/// A component with UID and DTSTAMP.
fn identified(name: &str, properties: &ItemProperties, uid: &str, now: i64) -> Component {
    let id = properties
        .lid_binary(lids::CLEAN_GLOBAL_OBJECT_ID)
        .or_else(|| properties.lid_binary(lids::GLOBAL_OBJECT_ID));
    let own = id
        .and_then(|octets| GlobalObjectId::decode(octets).ok())
        .map(|id| id.uid())
        .filter(|uid| !uid.trim().is_empty());
    let mut component = Component::new(name);
    component
        .lines
        .push(Line::new("UID", own.as_deref().unwrap_or(uid)));
    let stamp = properties
        .lid_time(lids::OWNER_CRITICAL_CHANGE)
        .unwrap_or(now);
    component.lines.push(Moment::utc(stamp).to_line("DTSTAMP"));
    component
}

fn put_times(component: &mut Component, place: &Place, start: DateTime, end: DateTime) {
    let start = place.moment(start);
    let mut end = place.moment(end);
    if place.whole_day && end.civil <= start.civil {
        end.civil = Duration {
            days: 1,
            seconds: 0,
        }
        .after_days(start.civil);
    }
    component.set(start.to_line("DTSTART"));
    component.set(end.to_line("DTEND"));
}

fn represented(properties: &ItemProperties) -> Option<Line> {
    let address = properties
        .text(tags::SENT_REPRESENTING_EMAIL_ADDRESS)
        .filter(|address| address.contains('@'))?;
    let name = properties
        .text(tags::SENT_REPRESENTING_NAME)
        .filter(|name| *name != address);
    Some(people::named(
        "ORGANIZER",
        format!("mailto:{address}"),
        name,
    ))
}

fn rule(pattern: &RecurrencePattern, place: &Place, start_offset: u32) -> Option<String> {
    let rule = pattern::to_rule(pattern)?;
    Some(match pattern.end {
        End::Never => rule,
        End::Count => format!("{rule};COUNT={}", pattern.occurrence_count.max(1)),
        End::Date => {
            let last = place.moment(pattern::civil(
                pattern.end_date.saturating_add(start_offset),
            ));
            let until = if place.whole_day {
                last
            } else {
                Moment::utc(place.zone.to_utc(last.civil))
            };
            format!("{rule};UNTIL={}", until.to_value())
        }
    })
}

/// Days that were taken out and not changed.
fn exception_dates(series: &AppointmentRecurrence, place: &Place) -> Vec<Line> {
    let changed = |day: u32| {
        series
            .exceptions
            .iter()
            .any(|one| one.original_start - one.original_start % 1_440 == day)
    };
    let gone = series.pattern.deleted.iter().filter(|day| !changed(**day));
    gone.map(|day| {
        place
            .moment(pattern::civil(day.saturating_add(series.start_offset)))
            .to_line("EXDATE")
    })
    .collect()
}

fn replaces(own: &ItemProperties, exception: &Exception, place: &Place) -> bool {
    let original = place.zone.to_utc(pattern::civil(exception.original_start));
    own.lid_time(lids::EXCEPTION_REPLACE_TIME) == Some(original)
}

fn override_of(component: &mut Component, exception: &Exception, place: &Place) {
    let id = place.moment(pattern::civil(exception.original_start));
    component.lines.push(id.to_line("RECURRENCE-ID"));
    let whole_day = exception
        .sub_type
        .map_or(place.whole_day, |sub_type| sub_type == 1);
    let form = match (whole_day, place.zone.name()) {
        (true, _) => Form::Date,
        (false, _) if !place.whole_day => place.form.clone(),
        (false, _) => Form::Utc,
    };
    let civil = |minutes: u32| {
        let local = pattern::civil(minutes);
        if form == Form::Utc && place.whole_day {
            crate::moment::from_seconds(place.zone.to_utc(local))
        } else {
            local
        }
    };
    let own = Place {
        zone: place.zone.clone(),
        form: form.clone(),
        component: None,
        whole_day,
    };
    put_times(
        component,
        &own,
        civil(exception.start),
        civil(exception.end.max(exception.start)),
    );
}

/// The texts of an exception: its own item where there is one, its two texts in the pattern, else those of the series.
fn exception_texts(
    exception: &Exception,
    own: Option<&ItemProperties>,
    series: &ItemProperties,
) -> Vec<Line> {
    let mut properties = own.unwrap_or(series).clone();
    if own.is_none() || !exception.has_body {
        for tag in [tags::BODY, tags::HTML] {
            properties.tagged.retain(|one| one.tag != tag);
            if let Some(value) = series.get(tag) {
                properties.set(tag, value.clone());
            }
        }
    }
    let series_text = |tag| series.text(tag).unwrap_or_default().to_owned();
    properties.set(
        tags::SUBJECT,
        Value::Text(
            exception
                .subject
                .clone()
                .unwrap_or_else(|| series_text(tags::SUBJECT)),
        ),
    );
    let location = exception
        .location
        .clone()
        .or_else(|| series.lid_text(lids::LOCATION).map(str::to_owned));
    properties.set_lid(lids::LOCATION, Value::Text(location.unwrap_or_default()));
    let busy = exception
        .busy_status
        .map(i64::from)
        .or_else(|| series.lid_integer(lids::BUSY_STATUS));
    if let Some(busy) = busy.and_then(|busy| i32::try_from(busy).ok()) {
        properties.set_lid(lids::BUSY_STATUS, Value::Int32(busy));
    }
    for lid in [lids::APPOINTMENT_SEQUENCE, lids::APPOINTMENT_STATE_FLAGS] {
        if let (None, Some(value)) = (properties.get_lid(lid), series.get_lid(lid)) {
            properties.set_lid(lid, value.clone());
        }
    }
    texts(&properties)
}

fn with_reminder(exception: &Exception, series: &ItemProperties) -> ItemProperties {
    let mut properties = series.clone();
    if let Some(set) = exception.reminder_set {
        properties.set_lid(lids::REMINDER_SET, Value::Boolean(set != 0));
    }
    if let Some(delta) = exception
        .reminder_delta
        .and_then(|delta| i32::try_from(delta).ok())
    {
        properties.set_lid(lids::REMINDER_DELTA, Value::Int32(delta));
    }
    properties
}

/// What an item says besides its times and its people.
fn texts(properties: &ItemProperties) -> Vec<Line> {
    let mut lines = Vec::new();
    let integer = |tag| properties.get(tag).and_then(Value::as_integer);
    let subject = properties
        .text(tags::SUBJECT)
        .or_else(|| properties.text(tags::NORMALIZED_SUBJECT));
    let plain = [
        ("SUMMARY", subject),
        ("DESCRIPTION", properties.text(tags::BODY)),
        ("LOCATION", properties.lid_text(lids::LOCATION)),
    ];
    lines.extend(
        plain
            .into_iter()
            .filter_map(|(name, text)| Some(Line::text(name, text?))),
    );
    if let Some(Value::Binary(html)) = properties.get(tags::HTML) {
        let html = String::from_utf8_lossy(html);
        lines.push(Line::text("X-ALT-DESC", &html).with("FMTTYPE", "text/html"));
    }
    if let Some(class) = words::word(&CLASS, integer(tags::SENSITIVITY).unwrap_or(0))
        .filter(|class| *class != "PUBLIC")
    {
        lines.push(Line::new("CLASS", class));
    }
    match integer(tags::IMPORTANCE) {
        Some(2) => lines.push(Line::new("PRIORITY", "1")),
        Some(0) => lines.push(Line::new("PRIORITY", "9")),
        _ => {}
    }
    if let Some(Value::MultiText(keywords)) = properties.get_name(sets::PUBLIC_STRINGS, "Keywords")
    {
        let escaped: Vec<String> = keywords
            .iter()
            .map(|keyword| text::escape(keyword))
            .collect();
        lines.push(Line::new("CATEGORIES", escaped.join(",")));
    }
    lines.extend(state(properties));
    lines
}

/// Whether it takes time, whether it is off, and how often it was changed.
fn state(properties: &ItemProperties) -> Vec<Line> {
    let mut lines = Vec::new();
    let busy = properties.lid_integer(lids::BUSY_STATUS);
    if let Some(busy) = busy {
        lines.push(Line::new(
            "TRANSP",
            if busy == 0 { "TRANSPARENT" } else { "OPAQUE" },
        ));
        lines.extend(
            words::word(&BUSY, busy).map(|word| Line::new("X-MICROSOFT-CDO-BUSYSTATUS", word)),
        );
    }
    let state = properties
        .lid_integer(lids::APPOINTMENT_STATE_FLAGS)
        .unwrap_or(0);
    if state & 4 != 0 {
        lines.push(Line::new("STATUS", "CANCELLED"));
    } else if busy == Some(1) {
        lines.push(Line::new("STATUS", "TENTATIVE"));
    }
    if let Some(sequence) = properties
        .lid_integer(lids::APPOINTMENT_SEQUENCE)
        .filter(|sequence| *sequence > 0)
    {
        lines.push(Line::new("SEQUENCE", sequence.to_string()));
    }
    lines
}

/// The reminder; relative to the begin where that is known.
fn alarm(properties: &ItemProperties, relative: bool) -> Option<Component> {
    if properties.lid_integer(lids::REMINDER_SET) != Some(1) {
        return None;
    }
    let trigger = if relative {
        let delta = properties.lid_integer(lids::REMINDER_DELTA).unwrap_or(15);
        Line::new(
            "TRIGGER",
            Duration {
                days: 0,
                seconds: -delta * 60,
            }
            .to_value(),
        )
    } else {
        let at = time(properties, lids::REMINDER_SIGNAL_TIME, lids::REMINDER_TIME)?;
        Line::new("TRIGGER", Moment::utc(at).to_value()).with("VALUE", "DATE-TIME")
    };
    let mut alarm = Component::new("VALARM");
    alarm.lines = vec![
        Line::new("ACTION", "DISPLAY"),
        Line::new("DESCRIPTION", "Reminder"),
        trigger,
    ];
    Some(alarm)
}

fn task(item: &Item, default: &Zone, uid: &str, now: i64) -> Component {
    let properties = &item.properties;
    let mut task = identified("VTODO", properties, uid, now);
    let date = |lid| {
        properties.lid_time(lid).map(|at| Moment {
            civil: crate::moment::from_seconds(at).date().into(),
            form: Form::Date,
        })
    };
    task.lines
        .extend(date(lids::TASK_START_DATE).map(|start| start.to_line("DTSTART")));
    task.lines
        .extend(date(lids::TASK_DUE_DATE).map(|due| due.to_line("DUE")));
    let pattern = properties
        .lid_binary(lids::TASK_RECURRENCE)
        .and_then(|octets| RecurrencePattern::decode(octets).ok());
    let place = Place {
        zone: default.clone(),
        form: Form::Date,
        component: None,
        whole_day: true,
    };
    let dated = task.line("DTSTART").is_some() || task.line("DUE").is_some();
    let rule = pattern
        .filter(|_| dated)
        .and_then(|pattern| rule(&pattern, &place, 0));
    task.lines.extend(rule.map(|rule| Line::new("RRULE", rule)));
    task.lines.extend(texts(properties));
    let status = properties.lid_integer(lids::TASK_STATUS).unwrap_or(0);
    // Waiting has no word of its own.
    let word = words::word(&TASK, status).unwrap_or("IN-PROCESS");
    task.lines.push(Line::new("STATUS", word));
    if let Some(Value::Float64(part)) = properties.get_lid(lids::PERCENT_COMPLETE) {
        let percent = (part.clamp(0.0, 1.0) * 100.0).round() as u8;
        if percent > 0 {
            task.lines
                .push(Line::new("PERCENT-COMPLETE", percent.to_string()));
        }
    }
    if let Some(day) = date(lids::TASK_DATE_COMPLETED).filter(|_| status == 2) {
        task.lines
            .push(Moment::utc(crate::moment::seconds(day.civil)).to_line("COMPLETED"));
    }
    task.components.extend(alarm(properties, false));
    task
}
