use crate::Moment;
use crate::contentline::Component;
use crate::moment::{from_seconds, seconds};
use crate::rule::{Instances, Rule, Until};
use std::cell::Cell;

/// Observances of one VTIMEZONE that are read.
const MAX_OBSERVANCES: usize = 256;
/// Changes of the clock that one VTIMEZONE may have in the years that are looked at.
const MAX_CHANGES: usize = 4_096;
/// Steps that all rules of one VTIMEZONE may take.
const MAX_WORK: usize = 200_000;
/// Rules are followed from 1968 on, so that the offset of 1970 is known, to 2200.
const FROM: i64 = -63_158_400;
const TO: i64 = 7_258_118_400;

/// What a VTIMEZONE says: every change of its clock. What is broken in it is left out; hostile rules are cut at the bounds above.
#[derive(Debug)]
pub(super) struct Definition {
    /// By time.
    changes: Vec<Change>,
    #[cfg(feature = "mapi")]
    component: Component,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    /// Seconds since 1970.
    at: i64,
    before: i64,
    after: i64,
}

impl Definition {
    pub(super) fn of(component: &Component) -> Definition {
        let mut changes = Vec::new();
        let work = Cell::new(MAX_WORK);
        let observances = component
            .components
            .iter()
            .filter(|inner| inner.is("STANDARD") || inner.is("DAYLIGHT"));
        for observance in observances.take(MAX_OBSERVANCES) {
            observe(observance, &work, &mut changes);
        }
        changes.sort_unstable();
        changes.dedup_by_key(|change| change.at);
        Definition {
            changes,
            #[cfg(feature = "mapi")]
            component: component.clone(),
        }
    }

    /// What it was read from.
    #[cfg(feature = "mapi")]
    pub(super) fn to_component(&self, name: &str) -> Component {
        let mut component = self.component.clone();
        component.set(crate::contentline::Line::new("TZID", name));
        component
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// `local` is what the clock shows, as if it were UTC.
    pub(super) fn to_utc(&self, local: i64) -> i64 {
        // A gap ends and a fold begins to be over when the later of both clocks shows the time of the change.
        let passed = self.changes.partition_point(|change| {
            change.at.saturating_add(change.before.max(change.after)) <= local
        });
        local.saturating_sub(self.offset_after(passed))
    }

    pub(super) fn offset_at(&self, instant: i64) -> i64 {
        self.offset_after(self.changes.partition_point(|change| change.at <= instant))
    }

    fn offset_after(&self, passed: usize) -> i64 {
        let last = passed
            .checked_sub(1)
            .and_then(|last| self.changes.get(last));
        last.map(|change| change.after)
            .or_else(|| self.changes.first().map(|change| change.before))
            .unwrap_or(0)
    }
}

/// One STANDARD or DAYLIGHT: its onsets, on the clock before the change.
fn observe(observance: &Component, work: &Cell<usize>, changes: &mut Vec<Change>) {
    let offset = |name| observance.value(name).and_then(offset);
    let start = observance
        .line("DTSTART")
        .and_then(|line| Moment::of_line(line).ok());
    let (Some(before), Some(after), Some(start)) =
        (offset("TZOFFSETFROM"), offset("TZOFFSETTO"), start)
    else {
        return;
    };
    let mut add = |local: i64| {
        if changes.len() < MAX_CHANGES {
            changes.push(Change {
                at: local.saturating_sub(before),
                before,
                after,
            });
        }
    };
    add(seconds(start.civil));
    for line in observance.lines_of("RDATE") {
        for onset in Moment::list_of_line(line).unwrap_or_default() {
            add(seconds(onset.civil));
        }
    }
    for rule in observance.lines_of("RRULE").take(4) {
        let Ok(rule) = Rule::parse(&rule.value) else {
            continue;
        };
        let until = match rule.until {
            Some(Until::Utc(instant)) => Some(from_seconds(instant.saturating_add(before))),
            Some(Until::Local(local)) => Some(local),
            Some(Until::Date(date)) => Some(date.at(23, 59, 59, 0)),
            None => None,
        };
        let mut instances = Instances::new(&rule, start.civil, until).within(work.get());
        if instances.seek(from_seconds(FROM)).is_err() {
            work.set(0);
            continue;
        }
        let mut onsets = 0;
        while let Ok(Some(onset)) = instances.next() {
            if seconds(onset) > TO || onsets >= MAX_CHANGES {
                break;
            }
            onsets += 1;
            add(seconds(onset));
        }
        work.set(instances.work_left());
    }
}

/// `-0500`, `+013000` (RFC 5545 section 3.3.14), in seconds.
fn offset(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => (1, text),
    };
    let part = |from: usize| {
        digits
            .get(from..from + 2)?
            .parse::<u8>()
            .ok()
            .map(i64::from)
    };
    let second = if digits.len() == 6 { part(4)? } else { 0 };
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(sign * (part(0)? * 3_600 + part(2)? * 60 + second)).filter(|offset| offset.abs() <= 86_400)
}
