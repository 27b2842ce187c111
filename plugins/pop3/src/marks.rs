//! Which messages DELE has marked, as runs of numbers: most clients delete what they have fetched, from the first to the last,
//! and one run says so. It is part of a state that is written after every turn, so the number of runs is bounded.

use serde::{Deserialize, Serialize};

/// Runs; more would not fit a frozen session.
const MAX_RUNS: usize = 16_384;

/// A set of message numbers: runs in ascending order that do not touch, both ends included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marks(Vec<(u32, u32)>);

impl Marks {
    /// The first run that does not end before `number`.
    fn place(&self, number: u32) -> usize {
        self.0.partition_point(|(_, last)| *last < number)
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        self.0
            .get(self.place(number))
            .is_some_and(|(first, _)| *first <= number)
    }

    /// Adds a number that is not in the set; `false` when there is no room for another run.
    pub(crate) fn insert(&mut self, number: u32) -> bool {
        let at = self.place(number);
        let follows = at
            .checked_sub(1)
            .and_then(|before| self.0.get(before))
            .is_some_and(|(_, last)| last.checked_add(1) == Some(number));
        let precedes = self
            .0
            .get(at)
            .is_some_and(|(first, _)| number.checked_add(1) == Some(*first));
        match (follows, precedes) {
            (true, true) => {
                let (_, last) = self.0.remove(at);
                self.set_last(at - 1, last);
            }
            (true, false) => self.set_last(at - 1, number),
            (false, true) => {
                if let Some(run) = self.0.get_mut(at) {
                    run.0 = number;
                }
            }
            (false, false) if self.0.len() >= MAX_RUNS => return false,
            (false, false) => self.0.insert(at, (number, number)),
        }
        true
    }

    fn set_last(&mut self, at: usize, last: u32) {
        if let Some(run) = self.0.get_mut(at) {
            run.1 = last;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_deleted_in_order_are_one_run() {
        let mut marks = Marks::default();
        (1..=1_000).for_each(|number| assert!(marks.insert(number)));
        assert_eq!(marks.0, [(1, 1_000)]);
    }

    #[test]
    fn the_number_of_runs_is_bounded() {
        let mut marks = Marks::default();
        let odd = |index: usize| u32::try_from(2 * index + 1).unwrap();
        assert!((0..MAX_RUNS).all(|index| marks.insert(odd(index))));
        assert!(!marks.insert(odd(MAX_RUNS)));
        assert!(
            marks.insert(2),
            "a number that joins two runs needs no room"
        );
    }

    proptest! {
        #[test]
        fn marks_are_a_set(numbers in prop::collection::vec(1u32..40, 0..60)) {
            let (mut marks, mut model) = (Marks::default(), BTreeSet::new());
            for number in numbers {
                prop_assert_eq!(marks.contains(number), model.contains(&number));
                if model.insert(number) {
                    prop_assert!(marks.insert(number));
                }
            }
            let told: Vec<u32> = marks.runs().flat_map(|(first, last)| first..=last).collect();
            prop_assert_eq!(told, model.into_iter().collect::<Vec<_>>());
            prop_assert!(marks.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }
}
