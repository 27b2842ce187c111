//! Which UIDs a view shows, and at which position: runs of consecutive UIDs with the position of the first of each. A folder
//! that was never expunged is one run, whatever its size; positions and UIDs are found by binary search.

use crate::{Span, index::IndexColumns};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// Position of the first UID, from 1.
    position: u32,
    first: u32,
    last: u32,
}

impl Run {
    fn length(self) -> u32 {
        self.last - self.first + 1
    }
}

/// The positions of a view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Positions(Vec<Run>);

impl Positions {
    /// Of all that a folder index holds.
    pub(crate) fn of_index(columns: &IndexColumns) -> Positions {
        let hot = columns.hot();
        Positions::of_ascending(hot.len(), |place| Some(hot.get(place)?.uid))
    }

    /// From ascending UIDs without one twice, of which there are `len`. Costs by runs, not by UIDs: from the distance of two UIDs
    /// it is known whether all between them are there.
    pub(crate) fn of_ascending(len: usize, uid: impl Fn(usize) -> Option<u32>) -> Positions {
        let mut positions = Positions::default();
        let mut start = 0;
        while let Some(first) = uid(start).filter(|_| start < len) {
            let in_run = |place: usize| {
                let distance = u32::try_from(place - start).ok();
                place < len && distance.is_some() && uid(place).map(|uid| uid - first) == distance
            };
            let mut beyond = 1;
            while in_run(start + beyond) {
                beyond *= 2;
            }
            let (mut within, mut beyond) = (start + beyond / 2, start + beyond);
            while beyond - within > 1 {
                let middle = within.midpoint(beyond);
                if in_run(middle) {
                    within = middle;
                } else {
                    beyond = middle;
                }
            }
            positions.0.push(Run {
                position: positions.len() + 1,
                first,
                last: uid(within).unwrap_or(first),
            });
            start = beyond;
        }
        positions
    }

    /// How many.
    pub(crate) fn len(&self) -> u32 {
        self.0
            .last()
            .map_or(0, |run| run.position + run.length() - 1)
    }

    /// The highest UID shown; 0 when there is none.
    pub(crate) fn last_uid(&self) -> u32 {
        self.0.last().map_or(0, |run| run.last)
    }

    /// Adds UIDs at the end, ascending and above all that are there.
    pub(crate) fn extend(&mut self, uids: impl IntoIterator<Item = u32>) {
        for uid in uids {
            if let Some(run) = self.0.last_mut()
                && run.last + 1 == uid
            {
                run.last = uid;
                continue;
            }
            self.0.push(Run {
                position: self.len() + 1,
                first: uid,
                last: uid,
            });
        }
    }

    /// The position of a UID.
    pub(crate) fn position(&self, uid: u32) -> Option<u32> {
        let run = self.0.get(
            self.0
                .partition_point(|run| run.first <= uid)
                .checked_sub(1)?,
        )?;
        (uid <= run.last).then(|| run.position + (uid - run.first))
    }

    /// The UID at a position.
    pub(crate) fn uid(&self, position: u32) -> Option<u32> {
        let run = self.0.get(
            self.0
                .partition_point(|run| run.position <= position)
                .checked_sub(1)?,
        )?;
        let after = position - run.position;
        (after < run.length()).then(|| run.first + after)
    }

    /// All UIDs shown, ascending.
    pub(crate) fn uids(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|run| run.first..=run.last)
    }

    /// The UIDs of positions, both ends included, as spans.
    pub(crate) fn uid_spans(&self, positions: Span) -> Vec<Span> {
        let (first, last) = (
            (*positions.start()).max(1),
            (*positions.end()).min(self.len()),
        );
        let from = self
            .0
            .partition_point(|run| run.position + run.length() <= first);
        let runs = self
            .0
            .iter()
            .skip(from)
            .take_while(|run| run.position <= last);
        runs.filter(|_| first <= last)
            .map(|run| {
                let skip = first.saturating_sub(run.position);
                run.first + skip..=run.last.min(run.first + (last - run.position))
            })
            .collect()
    }

    /// Takes from ascending spans of UIDs what stands at positions up to `after`, so that a page costs nothing for those before it.
    pub(crate) fn skip(&self, spans: &mut Vec<Span>, after: u32) {
        if after == 0 {
            return;
        }
        let Some(run) = self.0.get(self.0.partition_point(|run| {
            // The last position of the run; positions never pass u32.
            run.position + (run.length() - 1) <= after
        })) else {
            spans.clear();
            return;
        };
        let first = run.first + (after + 1).saturating_sub(run.position);
        spans.retain(|span| *span.end() >= first);
        if let Some(span) = spans.first_mut() {
            *span = (*span.start()).max(first)..=*span.end();
        }
    }

    /// Removes UIDs (ascending); answers the positions they had, ascending.
    pub(crate) fn remove(&mut self, uids: &[u32]) -> Vec<u32> {
        let gone: Vec<u32> = uids.iter().filter_map(|uid| self.position(*uid)).collect();
        let mut rest = uids.iter().copied().peekable();
        let mut kept: Vec<Run> = Vec::with_capacity(self.0.len());
        let mut position = 1;
        let mut keep = |first: u32, last: u32| {
            match kept.last_mut() {
                Some(run) if run.last + 1 == first => run.last = last,
                _ => kept.push(Run {
                    position,
                    first,
                    last,
                }),
            }
            position += last - first + 1;
        };
        for run in &self.0 {
            let mut first = run.first;
            while let Some(uid) = rest.next_if(|uid| *uid <= run.last) {
                if uid > first {
                    keep(first, uid - 1);
                }
                if uid >= first {
                    first = uid + 1;
                }
            }
            if first <= run.last {
                keep(first, run.last);
            }
        }
        self.0 = kept;
        gone
    }
}

/// Ascending numbers as spans.
pub(crate) fn spans(numbers: impl IntoIterator<Item = u32>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some(span) if span.end().checked_add(1) == Some(number) => {
                *span = *span.start()..=number
            }
            _ => spans.push(number..=number),
        }
    }
    spans
}

/// Spans in any order, ends in any order, `*` for the highest, as ascending spans that do not overlap.
pub(crate) fn resolve(spans: &[Span], highest: u32) -> Vec<Span> {
    let star = |number: u32| if number == u32::MAX { highest } else { number };
    let mut ordered: Vec<(u32, u32)> = spans
        .iter()
        .map(|span| (star(*span.start()), star(*span.end())))
        .map(|(first, last)| (first.min(last), first.max(last)))
        .collect();
    ordered.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(ordered.len());
    for (first, last) in ordered {
        match merged.last_mut() {
            Some(span) if first <= span.end().saturating_add(1) => {
                *span = *span.start()..=last.max(*span.end())
            }
            _ => merged.push(first..=last),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn agrees(positions: &Positions, model: &[u32]) {
        assert_eq!(positions.uids().collect::<Vec<_>>(), model);
        assert_eq!(positions.len() as usize, model.len());
        assert_eq!(positions.last_uid(), model.last().copied().unwrap_or(0));
        for (place, uid) in (1..).zip(model) {
            assert_eq!(positions.uid_spans(place..=place), [*uid..=*uid]);
            assert_eq!(positions.position(*uid), Some(place));
        }
        for after in 0..=model.len() {
            let (mut single, mut wide) =
                (model.iter().map(|uid| *uid..=*uid).collect(), vec![1..=99]);
            positions.skip(&mut single, after as u32);
            positions.skip(&mut wide, after as u32);
            assert_eq!(single.len(), model.len() - after);
            let first = model.get(after).copied().filter(|_| after > 0);
            let expected = first.or(Some(1).filter(|_| after == 0));
            assert_eq!(wide.first().map(|span| *span.start()), expected);
        }
        let beyond = model.len() as u32 + 1;
        assert_eq!(positions.uid_spans(beyond..=beyond), []);
        for uid in 0..70 {
            assert_eq!(positions.position(uid).is_some(), model.contains(&uid));
        }
    }

    proptest! {
        #[test]
        fn positions_agree_with_a_list_through_arrivals_and_expunges(
            start in prop::collection::btree_set(1u32..30, 0..30),
            arrivals in prop::collection::btree_set(30u32..60, 0..20),
            expunges in prop::collection::vec(prop::collection::btree_set(0u32..65, 0..20), 0..4),
        ) {
            let mut model: Vec<u32> = start.iter().copied().collect();
            let mut positions = Positions::default();
            positions.extend(start);
            agrees(&positions, &model);
            model.extend(&arrivals);
            positions.extend(arrivals);
            agrees(&positions, &model);
            for expunge in expunges {
                let uids: Vec<u32> = expunge.iter().copied().collect();
                let expected: Vec<u32> = (1..).zip(&model).filter(|(_, uid)| expunge.contains(uid)).map(|(place, _)| place).collect();
                prop_assert_eq!(positions.remove(&uids), expected);
                model.retain(|uid| !expunge.contains(uid));
                agrees(&positions, &model);
            }
        }

        #[test]
        fn spans_of_positions_name_the_uids_at_them(
            uids in prop::collection::btree_set(1u32..40, 0..30), first in 0u32..35, last in 0u32..35,
        ) {
            let model: Vec<u32> = uids.iter().copied().collect();
            let positions = Positions::of_ascending(model.len(), |place| model.get(place).copied());
            let mut one_by_one = Positions::default();
            one_by_one.extend(uids);
            prop_assert_eq!(&positions, &one_by_one);
            let got: Vec<u32> = positions.uid_spans(first..=last).into_iter().flatten().collect();
            let expected: Vec<u32> = (1..).zip(model).filter(|(place, _)| (first..=last).contains(place)).map(|(_, uid)| uid).collect();
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn resolved_spans_hold_the_same_numbers_in_order(given in prop::collection::vec((1u32..40, 1u32..40), 0..8)) {
            let wild: Vec<Span> = given.iter().map(|(a, b)| *a..=*b).collect();
            let expected: BTreeSet<u32> = given.iter().flat_map(|(a, b)| *a.min(b)..=*a.max(b)).collect();
            let got: Vec<u32> = resolve(&wild, 99).into_iter().flatten().collect();
            prop_assert_eq!(got, expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_span_to_the_star_always_holds_the_last() {
        assert_eq!(resolve(&[559..=u32::MAX], 500), vec![500..=559]);
    }
}
