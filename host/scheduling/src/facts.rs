//! What the store has to know of a meeting: [`waxwing_formats_ical::facts`], in its words.

use waxwing_exmdb::{ObjectFacts, ObjectKind, Occurrences, SchedulingState};
use waxwing_formats_ical::facts::listed;
use waxwing_formats_ical::{Kind, Object};

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
    let facts = object.facts(now);
    let spans = facts.index.spans.iter();
    ObjectFacts {
        kind: kind(object.kind()),
        uid: object.uid().to_owned(),
        properties: facts.properties,
        occurrences: Occurrences {
            ranges: spans.map(|span| (span.start, span.end)).collect(),
            horizon: facts.index.complete_until,
        },
        scheduling,
    }
}

/// Of a message in the inbox, of which there may be several about one meeting: its name stands for the UID.
pub(crate) fn of_message(kind: ObjectKind, name: &str, summary: Option<&str>) -> ObjectFacts {
    ObjectFacts {
        kind,
        uid: name.to_owned(),
        properties: listed("IPM.Schedule.Meeting.Request", summary),
        occurrences: Occurrences::default(),
        scheduling: SchedulingState::Not,
    }
}
