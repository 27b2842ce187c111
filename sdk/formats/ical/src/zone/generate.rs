use super::{Inner, Zone};
use crate::contentline::{Component, Line};
use crate::moment::from_seconds;
use crate::{Moment, Range};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Changes of the clock that are written out: two hundred years of two a year.
const MAX_CHANGES: usize = 400;

impl Zone {
    /// A VTIMEZONE that is right for a range of time, each change written out as an observance of its own (RFC 5545 section 3.6.5). A zone
    /// that came from a VTIMEZONE gives the offset at the begin of the range: its definition is to be copied instead.
    pub fn to_component(&self, name: &str, range: Range) -> Component {
        let mut component = Component::new("VTIMEZONE");
        component.lines.push(Line::new("TZID", name));
        let first = from_seconds(range.start.max(0));
        let offset = self.offset(range.start.max(0));
        let begin = Moment {
            civil: first,
            form: crate::Form::Floating,
        };
        component
            .components
            .push(observance("STANDARD", &begin, (offset, offset)));
        if let Inner::Named(zone) = &self.0 {
            changes(zone, range, &mut component);
        }
        component
    }

    fn offset(&self, instant: i64) -> i64 {
        crate::moment::seconds(self.to_civil(instant)) - instant
    }
}

fn changes(zone: &TimeZone, range: Range, component: &mut Component) {
    let start = Timestamp::from_second(range.start.max(0)).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut before = i64::from(zone.to_offset(start).seconds());
    for change in zone.following(start).take(MAX_CHANGES) {
        let at = change.timestamp().as_second();
        if at >= range.end {
            break;
        }
        let after = i64::from(change.offset().seconds());
        let kind = if change.dst().is_dst() {
            "DAYLIGHT"
        } else {
            "STANDARD"
        };
        let onset = Moment {
            civil: from_seconds(at + before),
            form: crate::Form::Floating,
        };
        let mut one = observance(kind, &onset, (before, after));
        one.lines.push(Line::text("TZNAME", change.abbreviation()));
        component.components.push(one);
        before = after;
    }
}

fn observance(kind: &str, onset: &Moment, (before, after): (i64, i64)) -> Component {
    let mut component = Component::new(kind);
    component.lines.push(onset.to_line("DTSTART"));
    component
        .lines
        .push(Line::new("TZOFFSETFROM", offset(before)));
    component.lines.push(Line::new("TZOFFSETTO", offset(after)));
    component
}

fn offset(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.unsigned_abs();
    let (hours, minutes, rest) = (all / 3_600, all / 60 % 60, all % 60);
    if rest == 0 {
        format!("{sign}{hours:02}{minutes:02}")
    } else {
        format!("{sign}{hours:02}{minutes:02}{rest:02}")
    }
}
