//! What the store has to know of a meeting.

use waxwing_exmdb::{ObjectFacts, ObjectKind, Occurrences, SchedulingState};
use waxwing_formats_ical::{Index, Kind, Object, Zone};
use waxwing_formats_mapi::{Property, PropertyTag, Value, tags};

/// Occurrences of one object in the store's index.
const MAX_INDEXED: usize = 2_000;
/// How far ahead of now the index reaches, in seconds.
const HORIZON: i64 = 2 * 366 * 86_400;
/// Octets of a text that other protocols see.
const MAX_TEXT: usize = 4096;
/// PidTagStartDate ([MS-OXOCAL] 2.2.1.30).
const START_DATE: PropertyTag = PropertyTag(0x0060_0040);
/// PidTagEndDate ([MS-OXOCAL] 2.2.1.31).
const END_DATE: PropertyTag = PropertyTag(0x0061_0040);

pub(crate) fn kind(kind: Kind) -> ObjectKind {
    match kind {
        Kind::Event => ObjectKind::Event,
        Kind::Todo => ObjectKind::ToDo,
        Kind::Journal => ObjectKind::Journal,
        Kind::FreeBusy => ObjectKind::FreeBusy,
        Kind::Availability => ObjectKind::Availability,
    }
}

/// Of a copy in a calendar.
pub(crate) fn of_copy(object: &Object, now: i64, scheduling: SchedulingState) -> ObjectFacts {
    let class = match object.kind() {
        Kind::Todo => "IPM.Task",
        Kind::Journal => "IPM.Activity",
        _ => "IPM.Appointment",
    };
    let occurrences = occurrences(object, now.saturating_add(HORIZON));
    let mut properties = listed(class, object.summary());
    let ranges = &occurrences.ranges;
    if let Some((first, _)) = ranges.first().filter(|range| range.0 > i64::MIN) {
        properties.push(time(START_DATE, *first));
    }
    if let Some((_, last)) = ranges.last().filter(|range| range.1 < i64::MAX) {
        properties.push(time(END_DATE, *last));
    }
    ObjectFacts {
        kind: kind(object.kind()),
        uid: object.uid().to_owned(),
        properties,
        occurrences,
        scheduling,
    }
}

/// Of a message in the inbox, of which there may be several about one meeting: its name stands for the UID.
pub(crate) fn of_message(kind: ObjectKind, name: &str, summary: Option<String>) -> ObjectFacts {
    ObjectFacts {
        kind,
        uid: name.to_owned(),
        properties: listed("IPM.Schedule.Meeting.Request", summary),
        occurrences: Occurrences::default(),
        scheduling: SchedulingState::Not,
    }
}

fn listed(class: &str, summary: Option<String>) -> Vec<Property> {
    let mut properties = vec![text(tags::MESSAGE_CLASS, class.to_owned())];
    properties.extend(summary.map(|summary| text(tags::SUBJECT, summary)));
    properties
}

fn text(tag: PropertyTag, mut text: String) -> Property {
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    Property {
        tag,
        value: Value::Text(text),
    }
}

/// PtypTime of seconds since 1970.
fn time(tag: PropertyTag, seconds: i64) -> Property {
    const BETWEEN_1601_AND_1970: i64 = 11_644_473_600;
    let since_1601 = seconds.saturating_add(BETWEEN_1601_AND_1970).max(0);
    Property {
        tag,
        value: Value::Time(since_1601.cast_unsigned().saturating_mul(10_000_000)),
    }
}

/// A rule that costs too much to follow may be at any time.
fn occurrences(object: &Object, horizon: i64) -> Occurrences {
    let Ok(Index {
        spans,
        complete_until,
    }) = object.index(&Zone::UTC, horizon, MAX_INDEXED)
    else {
        return Occurrences {
            ranges: vec![(i64::MIN, i64::MAX)],
            horizon: None,
        };
    };
    Occurrences {
        ranges: spans.iter().map(|span| (span.start, span.end)).collect(),
        horizon: complete_until,
    }
}
