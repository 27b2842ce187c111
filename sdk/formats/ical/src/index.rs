use crate::series::Series;
use crate::{Object, Range, Result, Zone};
use std::ops::ControlFlow;

/// What a store keeps of an object so that a time-range query does not expand it.
///
/// A range that overlaps no span does not overlap the object, as long as it ends before `complete_until`; one that does may still not, and
/// is asked with [`Object::overlaps`]. Spans are in UTC and hold for every default zone: those of dates and floating times are wider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Sorted, none touches the next.
    pub spans: Vec<Range>,
    /// Instances that begin at or after this second are not in the spans; `None` when all are.
    pub complete_until: Option<i64>,
}

impl Index {
    /// Whether the object may overlap a range.
    pub fn may_overlap(&self, range: Range) -> bool {
        let first = self.spans.partition_point(|span| span.end <= range.start);
        let in_span = self
            .spans
            .get(first)
            .is_some_and(|span| span.start < range.end);
        in_span || self.complete_until.is_some_and(|until| range.end > until)
    }
}

/// Spans of instances reach so far from where the instance was to begin: a moved one, and the clocks.
const SLACK: i64 = 3 * 86_400;

impl Object {
    /// The spans of all instances that begin before the horizon, at most `limit` of them.
    ///
    /// # Errors
    /// [`crate::Error::Limit`] when a rule takes too much work before its first instances.
    pub fn index(&self, default: &Zone, horizon: i64, limit: usize) -> Result<Index> {
        let series = Series::of(self, default)?;
        let mut spans = Vec::new();
        let mut complete_until = None;
        let _ = series.visit(Range::ALL, &mut |occurrence| {
            let full = spans.len() >= limit && occurrence.recurrence_id.is_some();
            let beyond = occurrence.start >= horizon && occurrence.recurrence_id.is_some();
            let described_itself = occurrence.component.line("RECURRENCE-ID").is_some();
            if (full || beyond) && !described_itself {
                complete_until = Some(occurrence.start.saturating_sub(SLACK));
                return ControlFlow::Break(());
            }
            spans.push(series.cover(&occurrence));
            ControlFlow::Continue(())
        })?;
        Ok(Index {
            spans: merged(spans),
            complete_until,
        })
    }
}

/// Spans in order, those that touch made one.
pub(crate) fn merged(mut spans: Vec<Range>) -> Vec<Range> {
    spans.sort_unstable();
    let mut out: Vec<Range> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => out.push(span),
        }
    }
    out
}
