//! Free-busy time: what is taken of a range (RFC 4791 section 7.10), and the VFREEBUSY that says so.

mod availability;

use crate::contentline::{Component, Line};
use crate::series::Series;
use crate::{Duration, Error, Kind, Moment, Object, Range, Result, Zone};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// FBTYPE. A later one covers an earlier one where both are true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Busy {
    /// BUSY-TENTATIVE.
    Tentative,
    /// BUSY-UNAVAILABLE.
    Unavailable,
    /// BUSY.
    Busy,
}

impl Busy {
    /// The value of FBTYPE.
    pub const fn name(self) -> &'static str {
        match self {
            Busy::Tentative => "BUSY-TENTATIVE",
            Busy::Unavailable => "BUSY-UNAVAILABLE",
            Busy::Busy => "BUSY",
        }
    }

    /// What a FREEBUSY property says; `None` for FREE. A type nobody knows is busy (RFC 5545 section 3.2.9).
    fn of(line: &Line) -> Option<Busy> {
        match line
            .parameter("FBTYPE")
            .map(str::to_ascii_uppercase)
            .as_deref()
        {
            Some("FREE") => None,
            Some("BUSY-TENTATIVE") => Some(Busy::Tentative),
            Some("BUSY-UNAVAILABLE") => Some(Busy::Unavailable),
            _ => Some(Busy::Busy),
        }
    }
}

/// What is taken of a range. Give it objects, then ask.
#[derive(Debug, Clone)]
pub struct FreeBusy {
    range: Range,
    taken: BTreeMap<Busy, Vec<Range>>,
    left: usize,
    limit: usize,
}

impl FreeBusy {
    /// Nothing is taken yet. At most `limit` instances are looked at.
    pub fn new(range: Range, limit: usize) -> Self {
        FreeBusy {
            range,
            taken: BTreeMap::new(),
            left: limit,
            limit,
        }
    }

    /// Adds what an object takes: a VEVENT that is neither transparent nor cancelled, tentatively when it is TENTATIVE, and a VFREEBUSY as
    /// it says. Other kinds take no time.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub fn add(&mut self, object: &Object, default: &Zone) -> Result<()> {
        match object.kind() {
            Kind::Event => self.add_events(object, default),
            Kind::FreeBusy => self.add_free_busy(object),
            _ => Ok(()),
        }
    }

    fn add_events(&mut self, object: &Object, default: &Zone) -> Result<()> {
        let range = self.range;
        let mut left = self.left;
        let flow = Series::of(object, default)?.visit(range, &mut |occurrence| {
            let Some(busy) = takes(occurrence.component) else {
                return ControlFlow::Continue(());
            };
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= 1;
            self.take(busy, Range::new(occurrence.start, occurrence.end));
            ControlFlow::Continue(())
        })?;
        self.left = left;
        if flow.is_break() {
            return Err(Error::Limit {
                name: "occurrences",
                most: self.limit,
            });
        }
        Ok(())
    }

    fn add_free_busy(&mut self, object: &Object) -> Result<()> {
        for line in object
            .components()
            .flat_map(|component| component.lines_of("FREEBUSY"))
        {
            if let Some(busy) = Busy::of(line) {
                for period in periods(line)? {
                    self.take(busy, period);
                }
            }
        }
        Ok(())
    }

    /// Adds a span of time.
    pub fn take(&mut self, busy: Busy, span: Range) {
        if let Some(span) = self.range.clip(span) {
            self.taken.entry(busy).or_default().push(span);
        }
    }

    /// What is taken, by time, none overlapping another: where two are true, the stronger counts.
    pub fn spans(&self) -> Vec<(Busy, Range)> {
        let mut covered: Vec<Range> = Vec::new();
        let mut out = Vec::new();
        for (busy, spans) in self.taken.iter().rev() {
            for span in crate::index::merged(spans.clone()) {
                out.extend(
                    without(span, &covered)
                        .into_iter()
                        .map(|rest| (*busy, rest)),
                );
            }
            covered.extend(spans);
            covered = crate::index::merged(covered);
        }
        out.sort_unstable_by_key(|(_, span)| *span);
        out
    }

    /// A VFREEBUSY of the range. `stamp` is the time now.
    pub fn to_component(&self, stamp: i64) -> Component {
        let mut component = Component::new("VFREEBUSY");
        component.lines.push(Moment::utc(stamp).to_line("DTSTAMP"));
        component
            .lines
            .push(Moment::utc(self.range.start).to_line("DTSTART"));
        component
            .lines
            .push(Moment::utc(self.range.end).to_line("DTEND"));
        for (busy, span) in self.spans() {
            let value = format!(
                "{}/{}",
                Moment::utc(span.start).to_value(),
                Moment::utc(span.end).to_value()
            );
            component
                .lines
                .push(Line::new("FREEBUSY", value).with("FBTYPE", busy.name()));
        }
        component
    }
}

/// What an instance takes (RFC 4791 section 7.10).
fn takes(component: &Component) -> Option<Busy> {
    let value = |name| {
        component
            .value(name)
            .map(|value| value.trim().to_ascii_uppercase())
    };
    if value("TRANSP").as_deref() == Some("TRANSPARENT") {
        return None;
    }
    match value("STATUS").as_deref() {
        Some("CANCELLED") => None,
        Some("TENTATIVE") => Some(Busy::Tentative),
        _ => Some(Busy::Busy),
    }
}

/// What of a span no other covers; the others are sorted and apart.
fn without(span: Range, covered: &[Range]) -> Vec<Range> {
    let mut rest = Vec::new();
    let mut from = span.start;
    let first = covered.partition_point(|other| other.end <= span.start);
    for other in covered
        .iter()
        .skip(first)
        .take_while(|other| other.start < span.end)
    {
        if from < other.start {
            rest.push(Range::new(from, other.start));
        }
        from = from.max(other.end);
    }
    if from < span.end {
        rest.push(Range::new(from, span.end));
    }
    rest
}

/// The periods of a FREEBUSY property, in UTC.
///
/// # Errors
/// [`Error::Value`].
pub(crate) fn periods(line: &Line) -> Result<Vec<Range>> {
    let period = |value: &str| -> Option<Range> {
        let (start, end) = value.trim().split_once('/')?;
        let start = Moment::parse(start, None).ok()?.as_utc()?;
        let end = match Moment::parse(end, None) {
            Ok(end) => end.as_utc()?,
            Err(()) => {
                let duration = Duration::parse(&line.name, end).ok()?;
                start + duration.days * 86_400 + duration.seconds
            }
        };
        Some(Range::new(start, end.max(start)))
    };
    line.value
        .split(',')
        .filter(|value| !value.trim().is_empty())
        .map(|value| {
            period(value).ok_or_else(|| Error::value(&line.name, "not a period in UTC", value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rfc4791::{eastern, object, objects, range};
    use proptest::prelude::*;

    fn lines(free_busy: &FreeBusy) -> Vec<String> {
        let text = free_busy.to_component(0).to_text();
        text.lines()
            .filter(|line| line.starts_with("FREEBUSY"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_calendar_of_rfc_4791_is_busy_when_its_events_are() {
        let mut free_busy = FreeBusy::new(range("20060104T140000Z", "20060105T220000Z"), 100);
        for object in objects().iter().take(7) {
            free_busy.add(object, &eastern()).unwrap();
        }
        assert_eq!(
            lines(&free_busy),
            [
                "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20060104T150000Z/20060104T160000Z",
                "FREEBUSY;FBTYPE=BUSY:20060104T190000Z/20060104T200000Z",
                "FREEBUSY;FBTYPE=BUSY:20060105T170000Z/20060105T180000Z",
            ]
        );
    }

    #[test]
    fn transparent_and_cancelled_events_take_no_time_and_overlaps_are_one() {
        let mut free_busy = FreeBusy::new(range("20240101T000000Z", "20240102T000000Z"), 100);
        let mut add = |hours: &str, more: &str| {
            let (from, to) = hours.split_once('-').unwrap();
            let event = format!(
                "BEGIN:VEVENT\nUID:1\nDTSTART:20240101T{from}0000Z\nDTEND:20240101T{to}0000Z\n{more}END:VEVENT\n"
            );
            free_busy.add(&object(&event), &Zone::UTC).unwrap();
        };
        add("08-09", "TRANSP:TRANSPARENT\n");
        add("08-09", "STATUS:CANCELLED\n");
        add("10-12", "");
        add("11-13", "");
        add("09-14", "STATUS:TENTATIVE\n");
        let shown: Vec<String> = lines(&free_busy)
            .iter()
            .map(|line| line.replace("20240101T", "").replace("0000Z", ""))
            .collect();
        assert_eq!(
            shown,
            [
                "FREEBUSY;FBTYPE=BUSY-TENTATIVE:09/10",
                "FREEBUSY;FBTYPE=BUSY:10/13",
                "FREEBUSY;FBTYPE=BUSY-TENTATIVE:13/14"
            ]
        );
    }

    #[test]
    fn a_limit_is_an_error() {
        let mut free_busy = FreeBusy::new(range("20240101T000000Z", "20250101T000000Z"), 3);
        let daily =
            object("BEGIN:VEVENT\nUID:1\nDTSTART:20240101T100000Z\nRRULE:FREQ=DAILY\nEND:VEVENT\n");
        assert_eq!(
            free_busy.add(&daily, &Zone::UTC),
            Err(Error::Limit {
                name: "occurrences",
                most: 3
            })
        );
    }

    proptest! {
        #[test]
        fn spans_are_apart_and_say_of_every_second_the_strongest(given in prop::collection::vec((0..3_u8, 0..50_i64, 0..20_i64), 0..12)) {
            let kinds = [Busy::Tentative, Busy::Unavailable, Busy::Busy];
            let mut free_busy = FreeBusy::new(Range::new(5, 55), 0);
            for (kind, start, length) in &given {
                free_busy.take(kinds[usize::from(*kind)], Range::new(*start, start + length));
            }
            let spans = free_busy.spans();
            prop_assert!(spans.windows(2).all(|two| two[0].1.end <= two[1].1.start));
            for second in 5..55 {
                let truth = given.iter().filter(|(_, start, length)| (*start..start + length).contains(&second)).map(|(kind, ..)| kinds[usize::from(*kind)]).max();
                let said = spans.iter().find(|(_, span)| span.contains(second)).map(|(busy, _)| *busy);
                prop_assert_eq!(said, truth);
            }
        }
    }
}
