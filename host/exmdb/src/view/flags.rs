//! STORE: flags of many items in one statement. What changed decides which version moves: `\Seen` the read state's,
//! `\Deleted`, `$MDNSent` and other keywords that MAPI does not know `flag_cn`, all others `cn`.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::FutureExt;

use super::{View, ViewRecord, spans};
use crate::{
    Error, FlagMode, FlagResult, FlagUpdate, ItemFlags, ItemId, Result, Rights, Span,
    blob::json_numbers,
    flag_log::{Outcome, moves},
    index::{IndexRow, Reflagged, print_keywords},
    mailbox::{Actor, commit::Work, keywords::imap_only},
};

/// An update of so many items goes into the flag log. To fold a row later costs about what writing it now does; what is won is
/// one row for many, not one for one.
const LOGGED: usize = 64;

/// Flags that MAPI does not see.
const IMAP_ONLY: u32 = ItemFlags::DELETED | ItemFlags::MDN_SENT;

impl View {
    /// Changes flags, durable when it returns; items that have the flags already are not touched. The rows it answers count
    /// as told, unless the view is rolled back before it returns.
    ///
    /// # Errors
    /// `Denied` without the right to edit (for `\\Deleted`: to delete) or in a read-only view, `Invalid` for a keyword that is none.
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
        // What they were is in the folder's index.
        let result = self
            .core
            .write_unfolded(move |work| {
                async move { store(work, &record, &spans, &update).await }.boxed()
            })
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

/// An item that an update changes.
#[derive(Debug)]
struct Changed {
    /// Among the rows of the answer.
    place: usize,
    before: ItemFlags,
}

async fn store(
    work: &mut Work,
    record: &ViewRecord,
    uids: &[Span],
    update: &FlagUpdate,
) -> Result<FlagResult> {
    let allowed = Allowed::of(work, record, update)?;
    record.demand_current(&work.state)?;
    let keywords = match update.mode {
        _ if !allowed.edit => Vec::new(),
        FlagMode::Remove => work.known_keyword_numbers(&update.keywords),
        FlagMode::Replace | FlagMode::Add => work.keyword_numbers(&update.keywords).await?,
    };
    let mut rows = select(work, record, &allowed, uids).await?;
    let mut refused = Vec::new();
    if let Some(since) = update.unchanged_since {
        rows.retain(|(_, row)| {
            let newer = row.modseq > since;
            refused.extend(newer.then_some(row.uid));
            !newer
        });
    }
    let mut changes: BTreeMap<Outcome, Vec<Changed>> = BTreeMap::new();
    for (place, (_, row)) in rows.iter_mut().enumerate() {
        let before = row.flags;
        let flags = flags(before, update, allowed.flags());
        let after = match allowed.edit {
            true => keyword_set(&row.keywords, update, &keywords),
            false => row.keywords.clone(),
        };
        let moves = moved(work, (before, flags), (&row.keywords, &after));
        if moves == 0 {
            continue;
        }
        (row.flags, row.keywords) = (flags, after);
        let outcome = Outcome {
            flags: flags.0,
            keywords: row.keywords.clone(),
            moves,
        };
        let changed = Changed { place, before };
        changes.entry(outcome).or_default().push(changed);
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
    let count: usize = changes.values().map(Vec::len).sum();
    if work.state.flag_log.is_full() {
        work.fold().await?;
    }
    // What is older must not be folded over what is written now.
    let logged = count >= LOGGED || !work.state.flag_log.is_empty();
    for (outcome, changed) in changes {
        let first = work.reserve_numbers(changed.len() as u64)?;
        let mut uids = Vec::with_capacity(changed.len());
        let mut items = Vec::with_capacity(changed.len());
        for (modseq, Changed { place, .. }) in (first..).zip(&changed) {
            if let Some((_, row)) = rows.get_mut(*place) {
                row.modseq = modseq;
                uids.push(row.uid);
                items.push(row.item);
            }
        }
        if logged {
            work.log_flags(record.folder, first, &outcome, &uids)
                .await?;
        } else {
            write(work, &outcome, first, &items).await?;
        }
        let after = Reflagged {
            first,
            flags: ItemFlags(outcome.flags),
            keywords: outcome.keywords,
            uids,
        };
        let before = changed.iter().map(|changed| changed.before);
        work.reflagged(record.folder, before, after)?;
    }
    Ok(())
}

/// What of an update the actor has rights for: `\Deleted` asks for those to delete, all else for those to edit. RFC 4314 section 4:
/// what there is no right for stays as it is, and an update of which nothing is left is refused.
struct Allowed {
    edit: bool,
    delete: bool,
}

impl Allowed {
    fn of(work: &Work, record: &ViewRecord, update: &FlagUpdate) -> Result<Allowed> {
        const EDIT: Rights = Rights::EDIT_ANY.union(Rights::EDIT_OWNED);
        const DELETE: Rights = Rights::DELETE_ANY.union(Rights::DELETE_OWNED);
        let rights = work.state.rights(&record.actor, record.folder);
        let replaces = update.mode == FlagMode::Replace;
        let deletes = replaces || update.flags.has(ItemFlags::DELETED);
        let edits = replaces
            || update.flags.0 & !ItemFlags::DELETED != 0
            || !update.keywords.is_empty()
            || !deletes;
        let allowed = Allowed {
            edit: edits && rights.intersects(EDIT),
            delete: deletes && rights.intersects(DELETE),
        };
        if !allowed.edit && !allowed.delete {
            let asked = if edits { EDIT } else { DELETE };
            work.state.demand(&record.actor, record.folder, asked)?;
        }
        Ok(allowed)
    }

    /// The flags that may change.
    fn flags(&self) -> u32 {
        let deleted = if self.delete { ItemFlags::DELETED } else { 0 };
        let others = if self.edit {
            ItemFlags::SETTABLE & !ItemFlags::DELETED
        } else {
            0
        };
        deleted | others
    }
}

async fn select(
    work: &mut Work,
    record: &ViewRecord,
    allowed: &Allowed,
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
    for (asked, rights) in [
        (allowed.edit, (Rights::EDIT_ANY, Rights::EDIT_OWNED)),
        (allowed.delete, (Rights::DELETE_ANY, Rights::DELETE_OWNED)),
    ] {
        if asked {
            work.demand_for_items(&record.actor, record.folder, rights, &items)
                .await?;
        }
    }
    Ok(selected)
}

fn flags(before: ItemFlags, update: &FlagUpdate, settable: u32) -> ItemFlags {
    let given = update.flags.0 & settable;
    ItemFlags(match update.mode {
        FlagMode::Replace => before.0 & !settable | given,
        FlagMode::Add => before.0 | given,
        FlagMode::Remove => before.0 & !given,
    })
}

fn keyword_set(before: &[u16], update: &FlagUpdate, given: &[u16]) -> Vec<u16> {
    match update.mode {
        FlagMode::Replace => given.to_vec(),
        FlagMode::Remove => before
            .iter()
            .copied()
            .filter(|number| !given.contains(number))
            .collect(),
        FlagMode::Add => {
            let mut all = [before, given].concat();
            all.sort_unstable();
            all.dedup();
            all
        }
    }
}

fn moved(work: &Work, flags: (ItemFlags, ItemFlags), keywords: (&[u16], &[u16])) -> u8 {
    let changed = flags.0.0 ^ flags.1.0;
    let mut moves = 0;
    if changed & ItemFlags::SEEN != 0 {
        moves |= moves::READ;
    }
    if changed & IMAP_ONLY != 0 {
        moves |= moves::FLAG;
    }
    if changed & !(ItemFlags::SEEN | IMAP_ONLY) != 0 {
        moves |= moves::CN;
    }
    let differs = |one: &[u16], other: &[u16]| {
        one.iter()
            .copied()
            .filter(|number| !other.contains(number))
            .collect::<Vec<_>>()
    };
    for number in differs(keywords.0, keywords.1)
        .into_iter()
        .chain(differs(keywords.1, keywords.0))
    {
        let name = work.state.keywords.get(usize::from(number));
        moves |= if name.is_some_and(|name| imap_only(name)) {
            moves::FLAG
        } else {
            moves::CN
        };
    }
    moves
}

async fn write(work: &mut Work, outcome: &Outcome, first: u64, items: &[ItemId]) -> Result<()> {
    let items = items.iter().map(|item| item.0.cast_signed());
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
        let Some(address) = actor.creator() else {
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
