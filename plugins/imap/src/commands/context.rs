//! CONTEXT=SEARCH and CONTEXT=SORT (RFC 5267): results that are kept up to date, and CANCELUPDATE.
//!
//! What the client knows is kept as UIDs. When the mailbox has changed, the search is done again and the difference told: messages
//! that are gone before their EXPUNGE, while their numbers hold; everything else behind EXISTS, with the numbers of now. A message
//! that another session has expunged, and that this one may not be told of yet, stays in the list until it may.
//!
//! Refused, with NOUPDATE, are searches that mean something else later (message numbers, `$`), more than eight, and results of too
//! many ranges: they live in the frozen state. The search itself is answered all the same.

use std::collections::{BTreeMap, BTreeSet};

use waxwing_sdk::store::{RestrictionNode, Span, ViewChanges};

use super::search::{nodes, pairs};
use super::sort::{self, runs};
use crate::render::spans;
use crate::session::{Answer, Completion, Imap, Kept, Output, Refusal};

/// Searches that one session keeps up to date.
const SEARCHES: usize = 8;
/// Ranges of one result.
const RANGES: usize = 1_024;

/// Keeps a result up to date from here on, or says why not.
pub(super) fn keep(session: &mut Imap, kept: Kept, out: &mut Output) {
    let attention = &mut session.state.attention;
    let reason = if !kept.key.lasts() {
        "Message numbers and $ are not kept up to date"
    } else if attention.kept.len() >= SEARCHES {
        "Eight searches are kept up to date already"
    } else if kept.uids.len() > RANGES {
        "The result has more than 1024 ranges"
    } else if attention.kept.iter().any(|other| other.tag == kept.tag) {
        "Another search has this tag"
    } else {
        attention.kept.push(kept);
        return;
    };
    out.line(&format!("* NO [NOUPDATE \"{}\"] {reason}", kept.tag));
}

pub(super) fn cancel(session: &mut Imap, tags: &[String]) -> Answer {
    let kept = &mut session.state.attention.kept;
    kept.retain(|kept| !tags.contains(&kept.tag));
    Ok(Completion::text("CANCELUPDATE completed"))
}

fn numbers(ranges: &[(u32, u32)]) -> impl Iterator<Item = u32> {
    ranges.iter().flat_map(|&(first, last)| first..=last)
}

/// Changes of one result, as they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Add,
    Remove,
}

/// A place in a sorted result, counted from 1 (0 where there is no order), and a message.
type Placed = (usize, u32);

/// `* ESEARCH (TAG "a") UID ADDTO (0 5:7)`
fn line(out: &mut Vec<u8>, kept: &Kept, kind: Kind, placed: &[Placed]) {
    if placed.is_empty() {
        return;
    }
    out.extend_from_slice(format!("* ESEARCH (TAG \"{}\")", kept.tag).as_bytes());
    if kept.uid {
        out.extend_from_slice(b" UID");
    }
    out.extend_from_slice(match kind {
        Kind::Add => b" ADDTO (",
        Kind::Remove => b" REMOVEFROM (",
    });
    if kept.criteria.is_empty() {
        out.extend_from_slice(b"0 ");
        let numbers: Vec<u32> = placed.iter().map(|(_, number)| *number).collect();
        spans::set(out, runs(&numbers));
    } else {
        let pairs = placed
            .iter()
            .map(|(place, number)| format!("{place} {number}"));
        out.extend_from_slice(pairs.collect::<Vec<_>>().join(" ").as_bytes());
    }
    out.extend_from_slice(b")\r\n");
}

/// Takes messages out of a list: from its end, so that each place holds when it is told. For a list without order, upwards.
fn take_out(list: &mut Vec<u32>, gone: &BTreeSet<u32>, sorted: bool) -> Vec<Placed> {
    let places = list.iter().enumerate();
    let mut taken: Vec<Placed> = places
        .filter(|(_, uid)| gone.contains(uid))
        .map(|(place, &uid)| (place + 1, uid))
        .collect();
    if sorted {
        taken.reverse();
    }
    list.retain(|uid| !gone.contains(uid));
    taken
}

/// Puts into a list what is new in `fresh`, each behind the one that stands before it there.
fn put_in(list: &mut Vec<u32>, fresh: &[u32]) -> Vec<Placed> {
    let known: BTreeSet<u32> = list.iter().copied().collect();
    let mut added = Vec::new();
    let mut place = 0;
    for &uid in fresh {
        if known.contains(&uid) {
            let behind = list.iter().skip(place).position(|&other| other == uid);
            place += behind.map_or(0, |at| at + 1);
        } else {
            list.insert(place, uid);
            place += 1;
            added.push((place, uid));
        }
    }
    added
}

/// Before the EXPUNGEs: what goes with them, by the numbers that still hold.
pub(crate) fn tell_expunged(session: &mut Imap, changes: &ViewChanges, out: &mut Output) {
    if session.state.attention.kept.is_empty() || changes.expunged_uids.is_empty() {
        return;
    }
    // UIDs upwards, and their positions downwards.
    let uids = numbers_of(&changes.expunged_uids);
    let positions = changes.expunged.iter().rev().copied();
    let old: BTreeMap<u32, u32> = uids.iter().copied().zip(positions).collect();
    let gone: BTreeSet<u32> = uids.into_iter().collect();
    for kept in &mut session.state.attention.kept {
        let mut list: Vec<u32> = numbers(&kept.uids).collect();
        let mut taken = take_out(&mut list, &gone, !kept.criteria.is_empty());
        if !kept.uid {
            for (_, uid) in &mut taken {
                *uid = old.get(uid).copied().unwrap_or_default();
            }
        }
        kept.uids = runs(&list);
        line(out.text(), kept, Kind::Remove, &taken);
    }
}

fn numbers_of(spans: &[Span]) -> Vec<u32> {
    numbers(&pairs(spans)).collect()
}

/// Behind the EXISTS: what fits now and did not, and the other way round.
pub(crate) fn tell_changed(
    session: &mut Imap,
    modseq: u64,
    out: &mut Output,
) -> Result<(), Refusal> {
    let attention = &mut session.state.attention;
    if attention.kept.is_empty() || attention.modseq == modseq {
        return Ok(());
    }
    attention.modseq = modseq;
    let mut all = std::mem::take(&mut attention.kept);
    let told = tell_all(session, &mut all, out);
    session.state.attention.kept = all;
    told
}

fn tell_all(session: &mut Imap, all: &mut Vec<Kept>, out: &mut Output) -> Result<(), Refusal> {
    for kept in all.iter_mut() {
        let fresh = evaluate(session, kept)?;
        let mut list: Vec<u32> = numbers(&kept.uids).collect();
        let fits: BTreeSet<u32> = fresh.iter().copied().collect();
        let gone: Vec<u32> = list
            .iter()
            .copied()
            .filter(|uid| !fits.contains(uid))
            .collect();
        // Those that are there still; of the others the EXPUNGE will tell.
        let gone = positions(session, &gone)?;
        let still = gone.keys().copied().collect();
        let mut taken = take_out(&mut list, &still, !kept.criteria.is_empty());
        let mut added = put_in(&mut list, &fresh);
        if !kept.uid {
            let new: Vec<u32> = added.iter().map(|(_, uid)| *uid).collect();
            let new = positions(session, &new)?;
            for (_, uid) in &mut taken {
                *uid = gone.get(uid).copied().unwrap_or_default();
            }
            for (_, uid) in &mut added {
                *uid = new.get(uid).copied().unwrap_or_default();
            }
        }
        kept.uids = runs(&list);
        line(out.text(), kept, Kind::Remove, &taken);
        line(out.text(), kept, Kind::Add, &added);
    }
    all.retain(|kept| {
        let fits = kept.uids.len() <= RANGES;
        if !fits {
            let tag = &kept.tag;
            out.line(&format!(
                "* NO [NOUPDATE \"{tag}\"] The result has more than 1024 ranges now"
            ));
        }
        fits
    });
    Ok(())
}

/// The UIDs that fit now, in the order of the result.
fn evaluate(session: &mut Imap, kept: &Kept) -> Result<Vec<u32>, Refusal> {
    let nodes = nodes(session, &kept.key)?;
    if kept.criteria.is_empty() {
        return Ok(numbers_of(&session.view()?.search(&nodes)?.uids));
    }
    let keys: Vec<_> = kept.criteria.iter().map(sort::key).collect();
    Ok(session.view()?.sort(&nodes, &keys)?.uids)
}

/// Numbers of the messages of these UIDs that are there.
fn positions(session: &mut Imap, uids: &[u32]) -> Result<BTreeMap<u32, u32>, Refusal> {
    if uids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut uids = uids.to_vec();
    uids.sort_unstable();
    let span = |(first, last)| Span { first, last };
    let spans = runs(&uids).into_iter().map(span).collect();
    let found = session.view()?.search(&[RestrictionNode::Uids(spans)])?;
    let positions = numbers_of(&found.positions);
    Ok(numbers_of(&found.uids).into_iter().zip(positions).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{SearchKey, SortCriterion, SortKeyName};

    fn kept(sorted: bool) -> Kept {
        let criterion = SortCriterion {
            key: SortKeyName::Date,
            reverse: false,
        };
        Kept {
            tag: "a".into(),
            uid: true,
            key: SearchKey::All,
            criteria: sorted.then_some(criterion).into_iter().collect(),
            uids: Vec::new(),
        }
    }

    #[test]
    fn places_hold_one_after_the_other() {
        let mut list = vec![5, 3, 9, 1];
        let gone = [3, 1].into_iter().collect();
        assert_eq!(take_out(&mut list, &gone, true), [(4, 1), (2, 3)]);
        assert_eq!(list, [5, 9]);
        assert_eq!(
            put_in(&mut list, &[7, 5, 8, 9, 2]),
            [(1, 7), (3, 8), (5, 2)]
        );
        assert_eq!(list, [7, 5, 8, 9, 2]);
    }

    #[test]
    fn what_may_not_be_told_yet_keeps_its_place() {
        let mut list = vec![5, 3, 9];
        assert_eq!(put_in(&mut list, &[5, 9, 4]), [(4, 4)]);
        assert_eq!(list, [5, 3, 9, 4]);
    }

    #[test]
    fn a_result_without_order_has_no_places() {
        let mut out = Vec::new();
        line(&mut out, &kept(false), Kind::Add, &[(1, 5), (2, 6), (3, 9)]);
        line(&mut out, &kept(true), Kind::Remove, &[(4, 5), (2, 6)]);
        line(&mut out, &kept(true), Kind::Add, &[]);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "* ESEARCH (TAG \"a\") UID ADDTO (0 5:6,9)\r\n* ESEARCH (TAG \"a\") UID REMOVEFROM (4 5 2 6)\r\n"
        );
    }
}
