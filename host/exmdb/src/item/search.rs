//! The one search. A first pass decides what the folder index can decide. What is left is loaded in batches and in rounds:
//! first the hot columns, then what the restriction says it still misses; a mail's bag is derived only when a restriction
//! asks for something that no column holds. An item that vanishes meanwhile is not found.

use std::{collections::HashMap, sync::Arc};

use futures_util::FutureExt;
use waxwing_formats_mapi::{
    Needs, PropertyTag, Restriction, SortKey, Value, Verdict, columns, sort,
};
use waxwing_formats_mime::Structure;

use super::{
    candidate::{Candidate, DisplayNames, Loaded, Message},
    derive, load,
    signature::{self, Signature},
};
use crate::{
    Error, ItemId, Result,
    mailbox::{Core, Reader},
};

/// Items whose columns, bags or headers are loaded at once.
const BATCH: usize = 512;
/// Whole messages loaded at once.
const BODY_BATCH: usize = 8;

/// Refuses a restriction that is too deep or too large.
pub(crate) fn check(restriction: &Restriction) -> Result<()> {
    restriction
        .check()
        .map_err(|error| Error::Limit(error.to_string()))
}

/// What the index decided, and what it could not.
#[derive(Debug)]
pub(crate) struct FirstPass<'a> {
    fitting: Vec<(usize, Candidate<'a>)>,
    undecided: Vec<Undecided<'a>>,
}

#[derive(Debug)]
struct Undecided<'a> {
    place: usize,
    candidate: Candidate<'a>,
    needs: Needs,
}

impl<'a> FirstPass<'a> {
    /// Evaluates what the candidates know; nothing is read, so an index may be locked meanwhile.
    pub(crate) fn new(
        candidates: impl Iterator<Item = Candidate<'a>>,
        restriction: &Restriction,
    ) -> FirstPass<'a> {
        let mut pass = FirstPass {
            fitting: Vec::new(),
            undecided: Vec::new(),
        };
        for (place, candidate) in candidates.enumerate() {
            match restriction.evaluate(&candidate) {
                Verdict::Fits => pass.fitting.push((place, candidate)),
                Verdict::Differs => {}
                Verdict::NeedsMore(needs) => pass.undecided.push(Undecided {
                    place,
                    candidate,
                    needs,
                }),
            }
        }
        pass
    }

    /// Those of the candidates that fit, in their order. The mailbox is free for others between batches.
    pub(crate) async fn finish(
        self,
        core: &Arc<Core>,
        restriction: &Restriction,
    ) -> Result<Vec<Candidate<'a>>> {
        let FirstPass {
            mut fitting,
            undecided,
        } = self;
        let needs_body = |undecided: &Undecided<'_>| undecided.needs.contains(Needs::BODY);
        let bodies = undecided.iter().any(needs_body);
        let undecided = if bodies {
            by_signatures(core, undecided, restriction, &mut fitting).await?
        } else {
            undecided
        };
        let batch = if bodies { BODY_BATCH } else { BATCH };
        let mut learnt = Vec::new();
        let mut undecided = undecided.into_iter().peekable();
        while undecided.peek().is_some() {
            let mut some: Vec<_> = undecided.by_ref().take(batch).collect();
            while !some.is_empty() {
                load_needs(core, &mut some).await?;
                learnt.extend(some.iter().filter_map(|one| one.candidate.learnt()));
                some = decide(some, restriction, &mut fitting);
            }
            if learnt.len() >= BATCH {
                remember(core, std::mem::take(&mut learnt)).await;
            }
        }
        remember(core, learnt).await;
        fitting.sort_by_key(|(place, _)| *place);
        Ok(fitting
            .into_iter()
            .map(|(_, candidate)| candidate)
            .collect())
    }
}

/// What the signatures of the messages do not decide.
async fn by_signatures<'a>(
    core: &Arc<Core>,
    undecided: Vec<Undecided<'a>>,
    restriction: &Restriction,
    fitting: &mut Vec<(usize, Candidate<'a>)>,
) -> Result<Vec<Undecided<'a>>> {
    let mut still = Vec::new();
    let mut undecided = undecided.into_iter().peekable();
    while undecided.peek().is_some() {
        let some: Vec<_> = undecided.by_ref().take(BATCH).collect();
        let items = needing(&some, Needs::BODY);
        let mut signatures = signature::of_items(&mut core.read_unfolded().await?, &items).await?;
        for mut one in some {
            one.candidate.signature = signatures.remove(&one.candidate.item());
            match restriction.evaluate(&one.candidate) {
                Verdict::Fits => fitting.push((one.place, one.candidate)),
                Verdict::Differs => {}
                Verdict::NeedsMore(needs) => still.push(Undecided { needs, ..one }),
            }
        }
    }
    Ok(still)
}

/// Writes signatures that were missing, so that the next search is spared these messages. That it cannot be done is no reason not to find.
async fn remember(core: &Arc<Core>, learnt: Vec<(ItemId, Signature)>) {
    if learnt.is_empty() {
        return;
    }
    let written =
        core.write_unfolded(move |work| async move { work.sign_items(&learnt).await }.boxed());
    if let Err(error) = written.await {
        tracing::debug!(mailbox = %core.guid, %error, "signatures of messages are not kept");
    }
}

/// What is still undecided.
fn decide<'a>(
    some: Vec<Undecided<'a>>,
    restriction: &Restriction,
    fitting: &mut Vec<(usize, Candidate<'a>)>,
) -> Vec<Undecided<'a>> {
    let mut still = Vec::new();
    for Undecided {
        place,
        mut candidate,
        ..
    } in some
    {
        match restriction.evaluate(&candidate) {
            _ if candidate.loaded.is_none() => {}
            Verdict::Fits => {
                candidate.loaded = None;
                fitting.push((place, candidate));
            }
            Verdict::Differs => {}
            Verdict::NeedsMore(needs) => still.push(Undecided {
                place,
                candidate,
                needs,
            }),
        }
    }
    still
}

/// Loads the columns of items that have none yet, and of the others what they need: every round loads something.
async fn load_needs(core: &Arc<Core>, some: &mut [Undecided<'_>]) -> Result<()> {
    let first = some
        .iter()
        .any(|undecided| undecided.candidate.loaded.is_none());
    let bag = if first { Needs::empty() } else { Needs::BAG };
    derive::ensure(
        core,
        &needing(some, bag | Needs::RECIPIENTS | Needs::ATTACHMENTS),
    )
    .await?;
    let mut reader = core.read().await?;
    if first {
        let items = needing(some, Needs::all());
        let mut columns = load::columns(&mut reader, &items).await?;
        for Undecided { candidate, .. } in some.iter_mut() {
            candidate.loaded = columns
                .remove(&candidate.item())
                .map(|columns| Box::new(Loaded::new(columns)));
        }
    }
    if let items @ [_, ..] = &needing(some, bag)[..] {
        let mut bags = load::bags(&mut reader, items).await?;
        fill(some, Needs::BAG, |loaded, item| {
            loaded.bag = Some(bags.remove(&item).unwrap_or_default())
        });
    }
    if let items @ [_, ..] = &needing(some, Needs::HEADER)[..] {
        let mut headers = load::headers(&mut reader, items).await?;
        fill(some, Needs::HEADER, |loaded, item| {
            loaded.header = Some(headers.remove(&item).unwrap_or_default())
        });
    }
    if let items @ [_, ..] = &needing(some, Needs::BODY)[..] {
        load_messages(&mut reader, items, some).await?;
    }
    load_parts(&mut reader, some).await
}

async fn load_parts(reader: &mut Reader, some: &mut [Undecided<'_>]) -> Result<()> {
    if let items @ [_, ..] = &needing(some, Needs::RECIPIENTS)[..] {
        let mut all = load::recipients(reader, items).await?;
        fill(some, Needs::RECIPIENTS, |loaded, item| {
            loaded.recipients = Some(all.remove(&item).unwrap_or_default())
        });
    }
    if let items @ [_, ..] = &needing(some, Needs::ATTACHMENTS)[..] {
        let mut all = load::attachments(reader, items).await?;
        fill(some, Needs::ATTACHMENTS, |loaded, item| {
            loaded.attachments = Some(all.remove(&item).unwrap_or_default())
        });
    }
    Ok(())
}

/// The items that need some of it.
fn needing(some: &[Undecided<'_>], needs: Needs) -> Vec<ItemId> {
    let needing = some
        .iter()
        .filter(|undecided| undecided.needs.intersects(needs));
    needing
        .map(|undecided| undecided.candidate.item())
        .collect()
}

fn fill(some: &mut [Undecided<'_>], need: Needs, mut fill: impl FnMut(&mut Loaded, ItemId)) {
    for Undecided {
        candidate, needs, ..
    } in some
    {
        let item = candidate.item();
        if let Some(loaded) = candidate
            .loaded
            .as_deref_mut()
            .filter(|_| needs.contains(need))
        {
            fill(loaded, item);
        }
    }
}

async fn load_messages(
    reader: &mut Reader,
    items: &[ItemId],
    some: &mut [Undecided<'_>],
) -> Result<()> {
    let mut structures = load::structures(reader, items).await?;
    let mut messages = std::collections::HashMap::with_capacity(items.len());
    for (item, body) in load::bodies(reader, items).await? {
        let structure = structures
            .remove(&item)
            .and_then(|bytes| Structure::decode(&bytes));
        messages.insert(
            item,
            Message {
                bytes: body?.read_all().await?,
                structure,
            },
        );
    }
    fill(some, Needs::BODY, |loaded, item| {
        let none = || Message {
            bytes: bytes::Bytes::new(),
            structure: None,
        };
        loaded.message = Some(messages.remove(&item).unwrap_or_else(none));
    });
    Ok(())
}

/// Sorts by the keys; equal ones keep their order.
pub(crate) async fn order<'a>(
    core: &Arc<Core>,
    candidates: Vec<Candidate<'a>>,
    keys: &[SortKey],
) -> Result<Vec<Candidate<'a>>> {
    if let Some(numbers) = index_numbers(&candidates, keys) {
        return Ok(order_by_numbers(candidates, &numbers, keys.len()));
    }
    let mut keyed = Vec::with_capacity(candidates.len());
    let mut candidates = candidates.into_iter().peekable();
    while candidates.peek().is_some() {
        let mut some: Vec<_> = candidates.by_ref().take(BATCH).collect();
        if keys.iter().any(|key| {
            some.iter()
                .any(|candidate| candidate.row.value(key.tag).is_none())
        }) {
            load_keys(core, &mut some, keys).await?;
        }
        for mut candidate in some {
            let values: Vec<Value> = keys.iter().map(|key| candidate.known(key.tag)).collect();
            candidate.loaded = None;
            keyed.push((values, candidate));
        }
    }
    keyed.sort_by(|(left, _), (right, _)| sort::compare(keys, left, right));
    Ok(keyed.into_iter().map(|(_, candidate)| candidate).collect())
}

/// The keys of all candidates, one after the other, when the folder index holds each as a number: most orders that clients ask
/// for are of dates and sizes, and then neither is anything read nor a value made.
fn index_numbers(candidates: &[Candidate<'_>], keys: &[SortKey]) -> Option<Vec<i64>> {
    let mut numbers = Vec::with_capacity(candidates.len() * keys.len());
    for candidate in candidates {
        for key in keys {
            let number = match candidate.row.value(key.tag)? {
                Value::Int64(number) => number,
                Value::Int32(number) => i64::from(number),
                _ => return None,
            };
            // The order of complements is the reverse one, and has no number without a counterpart.
            numbers.push(if key.descending { !number } else { number });
        }
    }
    Some(numbers)
}

fn order_by_numbers<'a>(
    candidates: Vec<Candidate<'a>>,
    numbers: &[i64],
    keys: usize,
) -> Vec<Candidate<'a>> {
    if keys == 0 {
        return candidates;
    }
    let mut places: Vec<(&[i64], usize)> = numbers.chunks_exact(keys).zip(0..).collect();
    places.sort_unstable();
    let mut candidates: Vec<_> = candidates.into_iter().map(Some).collect();
    let in_order = places
        .into_iter()
        .filter_map(|(_, place)| candidates.get_mut(place)?.take());
    in_order.collect()
}

async fn load_keys(core: &Arc<Core>, some: &mut [Candidate<'_>], keys: &[SortKey]) -> Result<()> {
    let items: Vec<_> = some.iter().map(Candidate::item).collect();
    let tags: Vec<_> = keys.iter().map(|key| key.tag).collect();
    derive::ensure_for(core, &items, &tags).await?;
    let mut reader = core.read().await?;
    let mut loaded = load::columns(&mut reader, &items).await?;
    let mut bags = load::bags(&mut reader, &items).await?;
    let by_names = |tag: &PropertyTag| matches!(*tag, columns::DISPLAY_FROM | columns::DISPLAY_TO);
    let mut structures = match tags.iter().any(by_names) {
        true => load::structures(&mut reader, &items).await?,
        false => HashMap::new(),
    };
    for candidate in some {
        let item = candidate.item();
        candidate.loaded = loaded.remove(&item).map(|columns| {
            let bag = Some(bags.remove(&item).unwrap_or_default());
            let names = Some(DisplayNames::of(structures.remove(&item).as_ref()));
            Box::new(Loaded {
                bag,
                names,
                ..Loaded::new(columns)
            })
        });
    }
    Ok(())
}
