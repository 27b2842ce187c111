//! The one search: candidates meet the restriction in rounds. Each round loads what the last one missed, in batches, and a
//! restriction misses less with every round, so there are at most as many rounds as kinds of needs.

use std::sync::Arc;

use waxwing_formats_mapi::{Needs, Restriction, SortKey, Value, Verdict, sort};
use waxwing_formats_mime::Structure;

use super::{
    candidate::{Candidate, Message},
    load,
};
use crate::{
    Error, ItemId, Result,
    mailbox::{Core, Reader},
};

/// Items whose columns or headers are loaded at once.
const BATCH: usize = 512;
/// Whole messages loaded at once.
const BODY_BATCH: usize = 16;

/// Refuses a restriction that is too deep or too large.
pub(crate) fn check(restriction: &Restriction) -> Result<()> {
    restriction
        .check()
        .map_err(|error| Error::Limit(error.to_string()))
}

/// Those of the candidates that fit, in their order. The mailbox is free for others between batches.
pub(crate) async fn filter<'a>(
    core: &Arc<Core>,
    candidates: Vec<Candidate<'a>>,
    restriction: &Restriction,
) -> Result<Vec<Candidate<'a>>> {
    let mut fitting = Vec::with_capacity(candidates.len());
    let mut undecided = Vec::new();
    for (place, candidate) in candidates.into_iter().enumerate() {
        match restriction.evaluate(&candidate) {
            Verdict::Fits => fitting.push((place, candidate)),
            Verdict::Differs => {}
            Verdict::NeedsMore(needs) => undecided.push((place, candidate, needs)),
        }
    }
    while !undecided.is_empty() {
        let bodies = undecided
            .iter()
            .any(|(_, _, needs)| needs.contains(Needs::BODY));
        let batch = undecided.len().min(if bodies { BODY_BATCH } else { BATCH });
        let mut some: Vec<_> = undecided.drain(..batch).collect();
        loop {
            load_needs(core, &mut some).await?;
            let mut still = Vec::new();
            for (place, mut candidate, loaded) in some {
                match restriction.evaluate(&candidate) {
                    Verdict::Fits => {
                        candidate.message = None;
                        fitting.push((place, candidate));
                    }
                    Verdict::Differs => {}
                    Verdict::NeedsMore(needs) if needs == loaded => {
                        return Err(Error::Corrupt(format!(
                            "item {} lacks what was loaded",
                            candidate.row.item
                        )));
                    }
                    Verdict::NeedsMore(needs) => still.push((place, candidate, needs)),
                }
            }
            if still.is_empty() {
                break;
            }
            some = still;
        }
    }
    fitting.sort_by_key(|(place, _)| *place);
    Ok(fitting
        .into_iter()
        .map(|(_, candidate)| candidate)
        .collect())
}

type Undecided<'a> = (usize, Candidate<'a>, Needs);

async fn load_needs(core: &Arc<Core>, some: &mut [Undecided<'_>]) -> Result<()> {
    let mut reader = core.read().await?;
    let of = |some: &[Undecided<'_>], need: Needs| -> Vec<ItemId> {
        some.iter()
            .filter(|(_, _, needs)| needs.contains(need))
            .map(|(_, candidate, _)| candidate.row.item)
            .collect()
    };
    let items = of(some, Needs::BAG);
    if !items.is_empty() {
        load_bags(
            &mut reader,
            &items,
            some.iter_mut()
                .filter(|(_, _, needs)| needs.contains(Needs::BAG)),
        )
        .await?;
    }
    let items = of(some, Needs::HEADER);
    if !items.is_empty() {
        let mut headers = load::headers(&mut reader, &items).await?;
        for (_, candidate, _) in some
            .iter_mut()
            .filter(|(_, _, needs)| needs.contains(Needs::HEADER))
        {
            candidate.header = Some(headers.remove(&candidate.row.item).unwrap_or_default());
        }
    }
    let items = of(some, Needs::BODY);
    if !items.is_empty() {
        load_messages(&mut reader, &items, some).await?;
    }
    let items = of(some, Needs::RECIPIENTS);
    if !items.is_empty() {
        let mut recipients = load::recipients(&mut reader, &items).await?;
        for (_, candidate, _) in some.iter_mut() {
            candidate.recipients = Some(recipients.remove(&candidate.row.item).unwrap_or_default());
        }
    }
    let items = of(some, Needs::ATTACHMENTS);
    if !items.is_empty() {
        let mut attachments = load::attachments(&mut reader, &items).await?;
        for (_, candidate, _) in some.iter_mut() {
            candidate.attachments =
                Some(attachments.remove(&candidate.row.item).unwrap_or_default());
        }
    }
    Ok(())
}

async fn load_bags<'s, 'a: 's>(
    reader: &mut Reader,
    items: &[ItemId],
    some: impl Iterator<Item = &'s mut Undecided<'a>>,
) -> Result<()> {
    let mut columns = load::columns(reader, items).await?;
    let mut bags = load::bags(reader, items).await?;
    for (_, candidate, _) in some {
        candidate.columns = columns.remove(&candidate.row.item);
        candidate.bag = Some(bags.remove(&candidate.row.item).unwrap_or_default());
    }
    Ok(())
}

async fn load_messages(
    reader: &mut Reader,
    items: &[ItemId],
    some: &mut [Undecided<'_>],
) -> Result<()> {
    let mut structures = load::structures(reader, items).await?;
    let mut bodies = load::bodies(reader, items).await?;
    for (_, candidate, _) in some
        .iter_mut()
        .filter(|(_, _, needs)| needs.contains(Needs::BODY))
    {
        let bytes = match bodies.remove(&candidate.row.item) {
            Some(body) => body?.read_all().await?,
            None => bytes::Bytes::new(),
        };
        let structure = structures
            .remove(&candidate.row.item)
            .and_then(|bytes| Structure::decode(&bytes));
        candidate.message = Some(Message { bytes, structure });
    }
    Ok(())
}

/// Sorts by the keys; equal ones keep their order.
pub(crate) async fn order(
    core: &Arc<Core>,
    candidates: &mut Vec<Candidate<'_>>,
    keys: &[SortKey],
) -> Result<()> {
    let in_index = keys.iter().all(|key| {
        candidates
            .iter()
            .all(|candidate| candidate.row.value(key.tag).is_some())
    });
    if !in_index {
        for some in candidates.chunks_mut(BATCH) {
            let mut reader = core.read().await?;
            let items: Vec<_> = some.iter().map(|candidate| candidate.row.item).collect();
            let mut columns = load::columns(&mut reader, &items).await?;
            let mut bags = load::bags(&mut reader, &items).await?;
            for candidate in some {
                candidate.columns = columns.remove(&candidate.row.item);
                candidate.bag = Some(bags.remove(&candidate.row.item).unwrap_or_default());
            }
        }
    }
    let taken = std::mem::take(candidates).into_iter();
    let mut keyed: Vec<(Vec<Value>, Candidate<'_>)> = taken
        .map(|candidate| {
            (
                keys.iter().map(|key| candidate.known(key.tag)).collect(),
                candidate,
            )
        })
        .collect();
    keyed.sort_by(|(left, _), (right, _)| sort::compare(keys, left, right));
    candidates.extend(keyed.into_iter().map(|(_, candidate)| candidate));
    Ok(())
}
