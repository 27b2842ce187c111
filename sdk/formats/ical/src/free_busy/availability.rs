//! VAVAILABILITY (RFC 7953): when somebody can be asked for at all.

use super::{Busy, FreeBusy, without};
use crate::contentline::{Component, Line};
use crate::{Calendar, Duration, Error, Limits, Moment, Range, Result, Zone, Zones};

impl FreeBusy {
    /// Adds what the VAVAILABILITY components of calendars leave no time for: of the span of each, what none of its AVAILABLE covers. Where
    /// spans overlap, that of the higher PRIORITY says it (section 4), whichever calendar it is in. Times without a zone are in the one that
    /// is given with their calendar.
    ///
    /// # Errors
    /// A value that cannot be read; [`Error::Limit`].
    pub fn add_availability(&mut self, calendars: &[(Calendar, Zone)]) -> Result<()> {
        let passed_over = self.add_readable_availability(calendars)?;
        passed_over.into_iter().next().map_or(Ok(()), Err)
    }

    /// As [`FreeBusy::add_availability`], but a VAVAILABILITY that cannot be read takes no time; what is wrong with those is the answer.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub fn add_readable_availability(
        &mut self,
        calendars: &[(Calendar, Zone)],
    ) -> Result<Vec<Error>> {
        let mut passed_over = Vec::new();
        let mut all: Vec<One<'_>> = calendars
            .iter()
            .flat_map(|(calendar, default)| components(calendar, default))
            .collect();
        all.sort_by_key(|one| rank(one.component));
        let mut decided: Vec<Range> = Vec::new();
        for one in all {
            let (span, free) = match self.read(&one) {
                Ok(Some(read)) => read,
                Ok(None) => continue,
                Err(error @ Error::Limit { .. }) => return Err(error),
                Err(error) => {
                    passed_over.push(error);
                    continue;
                }
            };
            let busy = busy_type(one.component);
            for piece in without(span, &decided) {
                for taken in without(piece, &free) {
                    self.take(busy, taken);
                }
            }
            decided.push(span);
            decided = crate::index::merged(decided);
        }
        Ok(passed_over)
    }

    /// What of the range it is about, and what of that it leaves; none when it is about another time, but it is read all the same.
    fn read(&mut self, one: &One<'_>) -> Result<Option<(Range, Vec<Range>)>> {
        let zones = Zones::of(one.calendar.component(), one.default);
        let span = self.range.clip(span(one.component, &zones)?);
        let start = self.range.start;
        let free = self.available(one, span.unwrap_or(Range::new(start, start)))?;
        Ok(span.map(|span| (span, crate::index::merged(free))))
    }

    /// When the AVAILABLE components are in a range: they recur as events do.
    fn available(&mut self, one: &One<'_>, range: Range) -> Result<Vec<Range>> {
        let whole = one.calendar.component();
        let mut tree = Component::new("VCALENDAR");
        tree.lines.clone_from(&whole.lines);
        let zones = whole.components_of("VTIMEZONE");
        tree.components.extend(zones.cloned());
        for (number, available) in one.component.components_of("AVAILABLE").enumerate() {
            let mut event = available.clone();
            "VEVENT".clone_into(&mut event.name);
            if event.line("UID").is_none() {
                event
                    .lines
                    .push(Line::new("UID", format!("available-{number}")));
            }
            tree.components.push(event);
        }
        let mut times = Vec::new();
        for object in (Calendar { tree }).split(&Limits::default())? {
            let found = object.occurrences(one.default, range, self.left);
            let found = found.map_err(|error| self.named(error))?;
            self.left = self.left.saturating_sub(found.len());
            times.extend(found.iter().map(|found| Range::new(found.start, found.end)));
        }
        Ok(times)
    }

    /// What is left is no limit that anybody knows.
    fn named(&self, error: Error) -> Error {
        match error {
            Error::Limit {
                name: "occurrences",
                ..
            } => Error::Limit {
                name: "occurrences",
                most: self.limit,
            },
            other => other,
        }
    }
}

/// A VAVAILABILITY where it stands.
struct One<'a> {
    calendar: &'a Calendar,
    default: &'a Zone,
    component: &'a Component,
}

fn components<'a>(calendar: &'a Calendar, default: &'a Zone) -> impl Iterator<Item = One<'a>> {
    let all = calendar.component().components_of("VAVAILABILITY");
    all.map(move |component| One {
        calendar,
        default,
        component,
    })
}

/// The highest priority first; none is the lowest.
fn rank(one: &Component) -> u8 {
    let value = one.value("PRIORITY").unwrap_or_default();
    let priority: u8 = value.trim().parse().unwrap_or(0);
    // 0 is what has none.
    if (1..=9).contains(&priority) {
        priority
    } else {
        10
    }
}

/// Without a begin or an end it has none.
fn span(one: &Component, zones: &Zones) -> Result<Range> {
    let instant = |name: &str| -> Result<Option<i64>> {
        let moment = one.line(name).map(Moment::of_line).transpose()?;
        Ok(moment.map(|moment| zones.to_utc(&moment)))
    };
    let start = instant("DTSTART")?;
    let end = match (instant("DTEND")?, start, one.value("DURATION")) {
        (Some(end), ..) => Some(end),
        (None, Some(start), Some(duration)) => {
            let duration = Duration::parse("DURATION", duration)?;
            let days = duration.days.saturating_mul(86_400);
            Some(start.saturating_add(days).saturating_add(duration.seconds))
        }
        _ => None,
    };
    Ok(Range::new(
        start.unwrap_or(i64::MIN),
        end.unwrap_or(i64::MAX),
    ))
}

/// BUSYTYPE (section 3.2).
fn busy_type(one: &Component) -> Busy {
    let value = one.value("BUSYTYPE").unwrap_or_default();
    match value.trim().to_ascii_uppercase().as_str() {
        "BUSY" => Busy::Busy,
        "BUSY-TENTATIVE" => Busy::Tentative,
        _ => Busy::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rfc4791::range;

    fn calendar(components: &str) -> (Calendar, Zone) {
        let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{components}END:VCALENDAR\n");
        let limits = Limits::default().text;
        let calendar = Calendar::parse(text.as_bytes(), &limits).unwrap();
        (calendar, Zone::UTC)
    }

    /// Monday and Tuesday.
    fn two_days(limit: usize) -> FreeBusy {
        FreeBusy::new(range("20240101T000000Z", "20240103T000000Z"), limit)
    }

    fn spans(components: &str) -> Vec<(Busy, String)> {
        let mut busy = two_days(100);
        busy.add_availability(&[calendar(components)]).unwrap();
        shown(&busy)
    }

    fn shown(busy: &FreeBusy) -> Vec<(Busy, String)> {
        let hour = |second: i64| (second - 1_704_067_200) / 3600;
        let spans = busy.spans().into_iter();
        spans
            .map(|(busy, span)| (busy, format!("{}-{}", hour(span.start), hour(span.end))))
            .collect()
    }

    const OFFICE: &str = "BEGIN:VAVAILABILITY\nUID:a\nDTSTAMP:20240101T000000Z\nBEGIN:AVAILABLE\nUID:1\nDTSTAMP:20240101T000000Z\n\
        DTSTART:20231204T090000Z\nDTEND:20231204T170000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU\nEND:AVAILABLE\nEND:VAVAILABILITY\n";

    #[test]
    fn what_is_not_available_is_unavailable() {
        let unavailable = |span: &str| (Busy::Unavailable, span.to_owned());
        let expected = ["0-9", "17-33", "41-48"].map(unavailable);
        assert_eq!(spans(OFFICE), expected);
        assert_eq!(spans(""), []);
    }

    #[test]
    fn what_cannot_be_read_takes_no_time_and_is_told() {
        let undated = OFFICE.replace("DTSTART:20231204T090000Z\n", "");
        let (_, available) = OFFICE.split_once("DTSTAMP:20240101T000000Z\n").unwrap();
        let (available, _) = available.split_once("END:VAVAILABILITY").unwrap();
        let twice = OFFICE.replace(available, &available.repeat(2));
        // Also where it is about another time.
        let elsewhere = undated.replace("UID:a\n", "UID:a\nDTSTART:20300101T000000Z\n");
        for broken in [undated, twice, elsewhere] {
            let mut busy = two_days(100);
            assert!(
                busy.add_availability(&[calendar(&broken)]).is_err(),
                "{broken}"
            );
            let all = [calendar(&broken), calendar(OFFICE)];
            let mut busy = two_days(100);
            let passed_over = busy.add_readable_availability(&all).unwrap();
            assert_eq!((passed_over.len(), shown(&busy)), (1, spans(OFFICE)));
        }
    }

    #[test]
    fn the_limit_is_that_of_all_together() {
        let all: Vec<(Calendar, Zone)> = (0..3).map(|_| calendar(OFFICE)).collect();
        // Each is there twice in two days.
        assert!(two_days(6).add_availability(&all).is_ok());
        let error = two_days(5).add_readable_availability(&all).unwrap_err();
        let name = "occurrences";
        assert_eq!(error, Error::Limit { name, most: 5 });
    }

    #[test]
    fn the_higher_priority_counts_in_its_span() {
        let away = "BEGIN:VAVAILABILITY\nUID:b\nDTSTAMP:20240101T000000Z\nPRIORITY:1\nBUSYTYPE:BUSY\nDTSTART:20240102T000000Z\n\
            DURATION:P1D\nBEGIN:AVAILABLE\nUID:2\nDTSTAMP:20240101T000000Z\nDTSTART:20240102T200000Z\nDTEND:20240102T210000Z\nEND:AVAILABLE\n\
            END:VAVAILABILITY\n";
        let expected = [
            (Busy::Unavailable, "0-9".to_owned()),
            (Busy::Unavailable, "17-24".to_owned()),
            (Busy::Busy, "24-44".to_owned()),
            (Busy::Busy, "45-48".to_owned()),
        ];
        assert_eq!(spans(&format!("{OFFICE}{away}")), expected);
    }
}
