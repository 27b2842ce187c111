//! VAVAILABILITY (RFC 7953): when somebody can be asked for at all.

use super::{Busy, FreeBusy, without};
use crate::contentline::{Component, Line};
use crate::{Calendar, Duration, Limits, Moment, Range, Result, Zone, Zones};

impl FreeBusy {
    /// Adds what the VAVAILABILITY components of calendars leave no time for: of the span of each, what none of its AVAILABLE covers. Where
    /// spans overlap, that of the higher PRIORITY says it (section 4), whichever calendar it is in. Times without a zone are in the one that
    /// is given with their calendar.
    ///
    /// # Errors
    /// A value that cannot be read; [`crate::Error::Limit`].
    pub fn add_availability(&mut self, calendars: &[(Calendar, Zone)]) -> Result<()> {
        let mut all: Vec<One<'_>> = calendars
            .iter()
            .flat_map(|(calendar, default)| components(calendar, default))
            .collect();
        all.sort_by_key(|one| rank(one.component));
        let mut decided: Vec<Range> = Vec::new();
        for one in all {
            let zones = Zones::of(one.calendar.component(), one.default);
            let Some(span) = self.range.clip(span(one.component, &zones)?) else {
                continue;
            };
            let free = crate::index::merged(self.available(&one)?);
            let busy = busy_type(one.component);
            for piece in without(span, &decided) {
                for taken in without(piece, &free) {
                    self.take(busy, taken);
                }
            }
            decided.push(span);
            decided = crate::index::merged(decided);
        }
        Ok(())
    }

    /// When the AVAILABLE components are: they recur as events do.
    fn available(&self, one: &One<'_>) -> Result<Vec<Range>> {
        let mut tree = one.calendar.component().clone();
        tree.components.retain(|inner| inner.is("VTIMEZONE"));
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
            let found = object.occurrences(one.default, self.range, self.left)?;
            times.extend(found.iter().map(|found| Range::new(found.start, found.end)));
        }
        Ok(times)
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

    fn spans(components: &str) -> Vec<(Busy, String)> {
        let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{components}END:VCALENDAR\n");
        let limits = Limits::default().text;
        let calendar = Calendar::parse(text.as_bytes(), &limits).unwrap();
        // Monday and Tuesday.
        let mut busy = FreeBusy::new(range("20240101T000000Z", "20240103T000000Z"), 100);
        busy.add_availability(&[(calendar, Zone::UTC)]).unwrap();
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
