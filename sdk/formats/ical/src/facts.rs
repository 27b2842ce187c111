//! What a store and other protocols keep of an object beside its source. One place for it, so that it is the same whoever put the object.

use crate::{Index, Kind, Object, Range, Zone};
use waxwing_formats_mapi::{Property, Value, tags};

/// Spans of one object in a store's index.
pub const MAX_INDEXED: usize = 2_000;
/// How far ahead of now the index reaches when an object is put, in seconds.
pub const HORIZON: i64 = 2 * 366 * 86_400;
/// Octets of a text that other protocols see.
const MAX_TEXT: usize = 4096;

/// What there is to know of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The message class ([MS-OXCMSG] 2.2.1.3), the subject, and when it begins and ends.
    pub properties: Vec<Property>,
    /// When it occurs.
    pub index: Index,
}

impl Object {
    /// What there is to know of it at a time, in seconds since 1970.
    pub fn facts(&self, now: i64) -> Facts {
        let index = self.spans_until(now.saturating_add(HORIZON));
        let mut properties = listed(message_class(self.kind()), self.summary().as_deref());
        let time = |tag, second| Property::new(tag, Value::time(second));
        let first = index.spans.first().map(|span| span.start);
        let last = index.spans.last().map(|span| span.end);
        if let Some(first) = first.filter(|first| *first > i64::MIN) {
            properties.push(time(tags::START_DATE, first));
        }
        if let Some(last) = last.filter(|last| *last < i64::MAX) {
            properties.push(time(tags::END_DATE, last));
        }
        Facts { properties, index }
    }

    /// When it occurs up to a second. A rule that costs too much to follow may be at any time.
    pub fn spans_until(&self, horizon: i64) -> Index {
        self.index(&Zone::UTC, horizon, MAX_INDEXED)
            .unwrap_or_else(|_| Index {
                spans: vec![Range::ALL],
                complete_until: None,
            })
    }
}

fn message_class(kind: Kind) -> &'static str {
    match kind {
        Kind::Todo => "IPM.Task",
        Kind::Journal => "IPM.Activity",
        Kind::Event | Kind::FreeBusy | Kind::Availability => "IPM.Appointment",
    }
}

/// A message class and a subject, as lists of items show them.
pub fn listed(class: &str, subject: Option<&str>) -> Vec<Property> {
    let mut properties = vec![Property::text(tags::MESSAGE_CLASS, class)];
    let subject = subject.map(|text| {
        text.get(..text.floor_char_boundary(MAX_TEXT))
            .unwrap_or(text)
    });
    properties.extend(subject.map(|subject| Property::text(tags::SUBJECT, subject)));
    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(lines: &str) -> Facts {
        let text = format!(
            "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20240101T000000Z\n{lines}END:VEVENT\nEND:VCALENDAR\n"
        );
        Object::parse(text.as_bytes()).unwrap().facts(1_704_067_200)
    }

    fn value(facts: &Facts, tag: waxwing_formats_mapi::PropertyTag) -> Option<&Value> {
        let found = facts.properties.iter().find(|one| one.tag == tag);
        found.map(|one| &one.value)
    }

    #[test]
    fn an_event_has_a_class_a_subject_a_begin_and_an_end() {
        let facts = facts("DTSTART:20240102T100000Z\nDTEND:20240102T110000Z\nSUMMARY:a\\, b\n");
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(
            value(&facts, tags::MESSAGE_CLASS),
            Some(&text("IPM.Appointment"))
        );
        assert_eq!(value(&facts, tags::SUBJECT), Some(&text("a, b")));
        for (tag, second) in [
            (tags::START_DATE, 1_704_189_600),
            (tags::END_DATE, 1_704_193_200),
        ] {
            let found = value(&facts, tag).and_then(Value::unix_seconds).unwrap();
            // The spans of the index are wider by a second.
            assert!((found - second).abs() <= 1, "{found}");
        }
        assert_eq!(facts.index.complete_until, None);
    }

    #[test]
    fn what_goes_on_for_ever_is_known_for_two_years() {
        let facts = facts("DTSTART:20240102T100000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\n");
        let until = facts.index.complete_until.unwrap();
        assert!(
            (until - 1_704_067_200 - HORIZON).abs() < 8 * 86_400,
            "{until}"
        );
        assert!((104..=106).contains(&facts.index.spans.len()));
    }
}
