//! STORE: flags of many items in one statement. What changed decides which version moves: `\Seen` the read state's,
//! `\Deleted`, `$MDNSent` and other keywords that MAPI does not know `flag_cn`, all others `cn`.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::FutureExt;

use super::{View, ViewRecord, spans};
use crate::{
    Error, FlagMode, FlagResult, FlagUpdate, ItemFlags, ItemId, Result, Rights, Span,
    blob::json_numbers,
    index::{IndexRow, print_keywords},
    mailbox::{Actor, commit::Work, keywords::imap_only},
};

/// Which versions an update moves.
const MOVES_CN: u8 = 1;
const MOVES_READ: u8 = 2;
const MOVES_FLAG: u8 = 4;

/// Flags that MAPI does not see.
const IMAP_ONLY: u32 = ItemFlags::DELETED | ItemFlags::MDN_SENT;

impl View {
    /// Changes flags, durable when it returns; items that have the flags already are not touched. The rows it answers count
    /// as told, unless the view is rolled back before it returns.
    ///
    /// # Errors
    /// `Denied` without the right to edit or in a read-only view, `Invalid` for a keyword that is none.
    pub fn set_flags(
        &self,
        update: FlagUpdate,
    ) -> impl Future<Output = Result<FlagResult>> + Send + use<> {
        let (view, generation) = (self.clone(), self.shown().generation);
        async move { view.change_flags(update, generation).await }
    }

    async fn change_flags(&self, update: FlagUpdate, generation: u64) -> Result<FlagResult> {
        self.demand_writable()?;
        let record = self.record.clone();
        let spans = self.shown().uid_spans(&update.selection);
        let result = self
            .core
            .write(move |work| async move { store(work, &record, &spans, &update).await }.boxed())
            .await?;
        let Ok(mut shown) = self.shown_since(generation) else {
            return Ok(result);
        };
        let told = shown.modseq;
        let newer: Vec<_> = result.rows.iter().filter(|row| row.modseq > told).collect();
        if !newer.is_empty() {
            let own = Arc::make_mut(&mut shown.own);
            own.extend(newer.iter().map(|row| (row.uid.0, row.modseq)));
        }
        Ok(result)
    }
}

/// What an item becomes; most updates make few different ones. Those that become the same are written with one statement, whose
/// list of ids is all that the database has to parse, and get consecutive change numbers.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    flags: u32,
    keywords: Vec<u16>,
    moves: u8,
}

/// An item that an update changes.
#[derive(Debug)]
struct Changed {
    /// Among the rows of the answer.
    place: usize,
    before: IndexRow,
}

async fn store(
    work: &mut Work,
    record: &ViewRecord,
    uids: &[Span],
    update: &FlagUpdate,
) -> Result<FlagResult> {
    work.state.demand(
        &record.actor,
        record.folder,
        Rights::EDIT_ANY | Rights::EDIT_OWNED,
    )?;
    record.demand_current(&work.state)?;
    let keywords = match update.mode {
        FlagMode::Remove => work.known_keyword_numbers(&update.keywords),
        FlagMode::Replace | FlagMode::Add => work.keyword_numbers(&update.keywords).await?,
    };
    let selected = select(work, record, uids).await?;
    let mut rows = Vec::with_capacity(selected.len());
    let mut refused = Vec::new();
    let mut changes: BTreeMap<Outcome, Vec<Changed>> = BTreeMap::new();
    for (position, before) in selected {
        if update
            .unchanged_since
            .is_some_and(|since| before.modseq > since)
        {
            refused.push(before.uid);
            continue;
        }
        let after = IndexRow {
            flags: flags(&before, update),
            keywords: keyword_set(&before, update, &keywords),
            ..before.clone()
        };
        let moves = moves(work, &before, &after);
        if moves != 0 {
            let outcome = Outcome {
                flags: after.flags.0,
                keywords: after.keywords.clone(),
                moves,
            };
            let place = rows.len();
            changes
                .entry(outcome)
                .or_default()
                .push(Changed { place, before });
        }
        rows.push((position, after));
    }
    carry_out(work, record, changes, &mut rows).await?;
    let shown = record.shown();
    Ok(FlagResult {
        rows: rows
            .into_iter()
            .map(|(position, row)| shown.row(position, row))
            .collect(),
        modified: spans(refused),
        highest_modseq: work.state.folder(record.folder)?.highest_modseq,
    })
}

/// Writes the changes; the rows get their change numbers.
async fn carry_out(
    work: &mut Work,
    record: &ViewRecord,
    changes: BTreeMap<Outcome, Vec<Changed>>,
    rows: &mut [(u32, IndexRow)],
) -> Result<()> {
    for (outcome, changed) in changes {
        let first = work.reserve_numbers(changed.len() as u64)?;
        write(work, &outcome, first, &changed).await?;
        for (modseq, Changed { place, before }) in (first..).zip(changed) {
            if let Some((_, after)) = rows.get_mut(place) {
                after.modseq = modseq;
                work.changed(record.folder, &before, after.clone())?;
            }
        }
    }
    Ok(())
}

async fn select(
    work: &mut Work,
    record: &ViewRecord,
    uids: &[Span],
) -> Result<Vec<(u32, IndexRow)>> {
    let index = work.index(record.folder).await?;
    let selected: Vec<(u32, IndexRow)> = {
        let (columns, shown) = (index.read(), record.shown());
        let rows = shown.selected(uids, &columns);
        rows.filter_map(|(position, place)| Some((position, columns.row(place)?)))
            .collect()
    };
    let items: Vec<ItemId> = selected.iter().map(|(_, row)| row.item).collect();
    let rights = (Rights::EDIT_ANY, Rights::EDIT_OWNED);
    work.demand_for_items(&record.actor, record.folder, rights, &items)
        .await?;
    Ok(selected)
}

fn flags(before: &IndexRow, update: &FlagUpdate) -> ItemFlags {
    let given = update.flags.0 & ItemFlags::SETTABLE;
    ItemFlags(match update.mode {
        FlagMode::Replace => before.flags.0 & !ItemFlags::SETTABLE | given,
        FlagMode::Add => before.flags.0 | given,
        FlagMode::Remove => before.flags.0 & !given,
    })
}

fn keyword_set(before: &IndexRow, update: &FlagUpdate, given: &[u16]) -> Vec<u16> {
    match update.mode {
        FlagMode::Replace => given.to_vec(),
        FlagMode::Remove => before
            .keywords
            .iter()
            .copied()
            .filter(|number| !given.contains(number))
            .collect(),
        FlagMode::Add => {
            let mut all = [&before.keywords, given].concat();
            all.sort_unstable();
            all.dedup();
            all
        }
    }
}

fn moves(work: &Work, before: &IndexRow, after: &IndexRow) -> u8 {
    let changed = before.flags.0 ^ after.flags.0;
    let mut moves = 0;
    if changed & ItemFlags::SEEN != 0 {
        moves |= MOVES_READ;
    }
    if changed & IMAP_ONLY != 0 {
        moves |= MOVES_FLAG;
    }
    if changed & !(ItemFlags::SEEN | IMAP_ONLY) != 0 {
        moves |= MOVES_CN;
    }
    let differs = |one: &[u16], other: &[u16]| {
        one.iter()
            .copied()
            .filter(|number| !other.contains(number))
            .collect::<Vec<_>>()
    };
    for number in differs(&before.keywords, &after.keywords)
        .into_iter()
        .chain(differs(&after.keywords, &before.keywords))
    {
        let name = work.state.keywords.get(usize::from(number));
        moves |= if name.is_some_and(|name| imap_only(name)) {
            MOVES_FLAG
        } else {
            MOVES_CN
        };
    }
    moves
}

async fn write(work: &mut Work, outcome: &Outcome, first: u64, changed: &[Changed]) -> Result<()> {
    let items = changed
        .iter()
        .map(|changed| changed.before.item.0.cast_signed());
    sqlx::query(
        "UPDATE items SET flags = ?1, keywords = ?2, modseq = ?3 + j.key,
            cn = iif(?4 & 1, ?3 + j.key, cn),
            read_cn = iif(?4 & 2, ?3 + j.key, read_cn),
            flag_cn = iif(?4 & 4, ?3 + j.key, flag_cn)
            FROM json_each(?5) j WHERE items.id = j.value",
    )
    .bind(outcome.flags)
    .bind(print_keywords(&outcome.keywords))
    .bind(first.cast_signed())
    .bind(outcome.moves)
    .bind(json_numbers(items))
    .execute(work.conn()?)
    .await?;
    Ok(())
}

impl Work {
    /// Refuses unless the actor has the first right, or the second and made all the items.
    pub(crate) async fn demand_for_items(
        &mut self,
        actor: &Actor,
        folder: crate::FolderId,
        (any, owned): (Rights, Rights),
        items: &[ItemId],
    ) -> Result<()> {
        self.state.demand(actor, folder, any | owned)?;
        let Actor::User(address) = actor else {
            return Ok(());
        };
        if items.is_empty() || self.state.rights(actor, folder).contains(any) {
            return Ok(());
        }
        let ids = json_numbers(items.iter().map(|item| item.0.cast_signed()));
        let count = "SELECT count(*) FROM items WHERE id IN (SELECT value FROM json_each(?)) AND creator IS NOT ?";
        let others: i64 = sqlx::query_scalar(count)
            .bind(ids)
            .bind(address)
            .fetch_one(self.conn()?)
            .await?;
        if others == 0 {
            Ok(())
        } else {
            Err(Error::Denied(
                "some of the items were made by others".into(),
            ))
        }
    }
}
