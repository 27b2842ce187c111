use crate::contentline::Component;
use crate::series::Series;
use crate::{Duration, Moment, Range, Result};
use std::ops::ControlFlow;

/// Repetitions of one alarm that are looked at.
const MAX_REPEAT: i64 = 1_000;

/// Whether an alarm of a component goes off in a range, in any instance that the component describes (RFC 4791 section 9.9).
pub(super) fn in_range(
    series: &Series<'_>,
    parent: &Component,
    alarm: &Component,
    range: Range,
) -> Result<bool> {
    let Some(trigger) = alarm.line("TRIGGER") else {
        return Ok(false);
    };
    let repeats = repeats(alarm)?;
    let rings = |first: i64| {
        repeats
            .iter()
            .any(|later| range.contains(first.saturating_add(*later)))
    };
    if trigger.has_parameter("VALUE", "DATE-TIME") || !trigger.value.contains(['P', 'p']) {
        return Ok(rings(series.zones().to_utc(&Moment::of_line(trigger)?)));
    }
    let before = Duration::parse("TRIGGER", &trigger.value)?;
    let offset = before.days * 86_400 + before.seconds;
    let of_end = trigger.has_parameter("RELATED", "END");
    let last = repeats.last().copied().unwrap_or(0);
    let reach = offset
        .saturating_abs()
        .saturating_add(last)
        .saturating_add(1);
    let wide = Range::new(
        range.start.saturating_sub(reach),
        range.end.saturating_add(reach),
    );
    let flow = series.visit(wide, &mut |occurrence| {
        let from = if of_end {
            occurrence.end
        } else {
            occurrence.start
        };
        let own = std::ptr::eq(occurrence.component, parent);
        if own && from != i64::MIN && from != i64::MAX && rings(from.saturating_add(offset)) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    Ok(flow.is_break())
}

/// Seconds after the first ring of every ring, the first among them.
fn repeats(alarm: &Component) -> Result<Vec<i64>> {
    let count = alarm
        .value("REPEAT")
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0_i64);
    let every = match alarm.value("DURATION") {
        Some(value) => {
            let every = Duration::parse("DURATION", value)?;
            every.days * 86_400 + every.seconds
        }
        None => return Ok(vec![0]),
    };
    Ok((0..=count.clamp(0, MAX_REPEAT))
        .map(|time| time.saturating_mul(every))
        .collect())
}
