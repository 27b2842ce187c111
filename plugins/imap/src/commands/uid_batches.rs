//! UIDBATCHES (draft-ietf-mailmaint-imap-uidbatches): ranges of UIDs that part a mailbox into batches of one size, the newest first.
//! The last goes down to 1, so that together they are all messages.

use waxwing_sdk::store::RestrictionNode;

use super::search::pairs;
use crate::session::{Answer, Completion, Imap, Output, Refusal};

/// The draft has clients ask for no smaller batches; so an answer is short.
const SMALLEST: u32 = 500;

pub(super) fn run(
    session: &mut Imap,
    tag: &str,
    size: u32,
    wanted: Option<(u32, u32)>,
    out: &mut Output,
) -> Answer {
    if size < SMALLEST {
        return Err(Refusal::no(
            "[CLIENTBUG] A batch has 500 messages at the least",
        ));
    }
    let found = session.view()?.search(&[RestrictionNode::Always(true)])?;
    let all = batches(&pairs(&found.uids), size);
    let (first, last) = wanted.unwrap_or((1, u32::MAX));
    let shown = (1u32..)
        .zip(all)
        .filter(|(number, _)| (first..=last).contains(number))
        .map(|(_, (high, low))| format!("{high}:{low}"));
    let shown: Vec<String> = shown.collect();
    let line = format!("* UIDBATCHES (TAG \"{tag}\") {}", shown.join(","));
    out.line(line.trim_end());
    Ok(Completion::text("UIDBATCHES completed"))
}

/// Highest and lowest UID of each batch of the messages in these ascending ranges.
fn batches(uids: &[(u32, u32)], size: u32) -> Vec<(u32, u32)> {
    let mut highs = Vec::new();
    let mut left = 0u32;
    for &(first, last) in uids.iter().rev() {
        let mut high = last;
        loop {
            // A range goes on where the last batch ended.
            let there = high - first + 1;
            if left == 0 {
                highs.push(high);
                left = size;
            }
            let taken = there.min(left);
            left -= taken;
            if taken == there {
                break;
            }
            high -= taken;
        }
    }
    let lows = highs.iter().skip(1).map(|high| high + 1).chain([1]);
    highs.iter().copied().zip(lows).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn batches_follow_each_other_down_to_the_first_uid() {
        assert_eq!(batches(&[(5, 9), (20, 23)], 3), [(23, 21), (20, 8), (7, 1)]);
        assert_eq!(batches(&[(5, 9)], 100), [(9, 1)]);
        assert!(batches(&[], 3).is_empty());
    }

    proptest! {
        #[test]
        fn every_batch_but_the_last_is_full(mut uids in prop::collection::btree_set(1u32..500, 0..200), size in 1u32..50) {
            let spans: Vec<_> = uids.iter().map(|&uid| (uid, uid)).collect();
            let all = batches(&spans, size);
            for (at, (high, low)) in all.iter().enumerate() {
                let inside = uids.range(low..=high).count() as u32;
                let least = if at + 1 < all.len() { size } else { 1 };
                prop_assert!((least..=size).contains(&inside));
                uids.retain(|uid| !(low..=high).contains(&uid));
            }
            prop_assert!(uids.is_empty());
        }
    }
}
