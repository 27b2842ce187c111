//! COPY and MOVE within a mailbox: all or nothing, one statement per table for any number of items. A copy is a new item
//! that shares the blob; a moved item keeps its id and gets a new UID, and leaves a tombstone behind.

use futures_util::FutureExt;

use super::{View, ViewRecord, spans};
use crate::{
    Error, FolderId, ItemId, Result, Rights, Selection, Span, TombstoneKind, Transfer,
    index::IndexRow,
    mailbox::{commit::Work, now},
};

impl View {
    /// Copies with flags and internal date (RFC 9051 6.4.7); all or nothing, durable when it returns.
    ///
    /// # Errors
    /// `NotFound` without the target, `Denied` without the right to create in it.
    pub async fn copy(&self, selection: Selection, target: FolderId) -> Result<Transfer> {
        let (record, uids) = (self.record.clone(), self.shown().uid_spans(&selection));
        self.core
            .write(move |work| async move { copy(work, &record, &uids, target).await }.boxed())
            .await
    }

    /// Moves (RFC 6851); all or nothing, durable when it returns. The view tells the expunges at its next sync.
    ///
    /// # Errors
    /// As [`View::copy`], and `Denied` without the right to delete from the source or in a read-only view.
    pub async fn move_to(&self, selection: Selection, target: FolderId) -> Result<Transfer> {
        self.demand_writable()?;
        let (record, uids) = (self.record.clone(), self.shown().uid_spans(&selection));
        self.core
            .write(move |work| async move { move_to(work, &record, &uids, target).await }.boxed())
            .await
    }
}

/// An item before and after.
struct Pair {
    source: IndexRow,
    target: IndexRow,
}

impl Pair {
    fn json(&self) -> String {
        format!(
            "[{},{},{},{}]",
            self.source.item, self.target.item, self.target.uid, self.target.modseq
        )
    }
}

async fn selected(work: &mut Work, record: &ViewRecord, uids: &[Span]) -> Result<Vec<IndexRow>> {
    record.demand_current(&work.state)?;
    let index = work.index(record.folder).await?;
    let columns = index.read();
    let shown = record.shown();
    Ok(shown
        .selected(uids, &columns)
        .filter_map(|(_, place)| columns.row(place))
        .collect())
}

fn pair_up(
    work: &mut Work,
    rows: Vec<IndexRow>,
    target: FolderId,
    keep_ids: bool,
) -> Result<Vec<Pair>> {
    let save_date = now();
    let mut pairs = Vec::with_capacity(rows.len());
    for source in rows {
        let item = if keep_ids {
            source.item
        } else {
            ItemId(work.next_number()?)
        };
        let target = IndexRow {
            uid: work.next_uid(target)?,
            item,
            modseq: work.next_number()?,
            save_date,
            ..source.clone()
        };
        pairs.push(Pair { source, target });
    }
    Ok(pairs)
}

fn transfer(work: &Work, pairs: &[Pair], target: FolderId) -> Result<Transfer> {
    Ok(Transfer {
        uid_validity: work.state.folder(target)?.uid_validity,
        source: spans(pairs.iter().map(|pair| pair.source.uid)),
        target: spans(pairs.iter().map(|pair| pair.target.uid)),
    })
}

fn json(pairs: &[Pair]) -> String {
    let rows: Vec<_> = pairs.iter().map(Pair::json).collect();
    format!("[{}]", rows.join(","))
}

async fn copy(
    work: &mut Work,
    record: &ViewRecord,
    uids: &[Span],
    target: FolderId,
) -> Result<Transfer> {
    work.state
        .demand(&record.actor, record.folder, Rights::READ_ANY)?;
    work.state.demand(&record.actor, target, Rights::CREATE)?;
    let rows = selected(work, record, uids).await?;
    let pairs = pair_up(work, rows, target, false)?;
    let creator = record.actor.creator().map(str::to_owned);
    let list = json(&pairs);
    sqlx::query(
        "INSERT INTO items (id, folder, uid, modseq, cn, read_cn, flag_cn, flags, size, internal_date, save_date, sent_date,
            sent_day, blob, keywords, class, subject, base_subject, sender, first_from, first_to, first_cc, message_id,
            parents, creator)
            SELECT j.value->>1, ?1, j.value->>2, j.value->>3, j.value->>3, j.value->>3, j.value->>3, flags, size, internal_date,
            ?2, sent_date, sent_day, blob, keywords, class, subject, base_subject, sender, first_from, first_to, first_cc,
            message_id, parents, ?3 FROM json_each(?4) j JOIN items i ON i.id = j.value->>0",
    )
    .bind(target.0.cast_signed())
    .bind(now())
    .bind(creator)
    .bind(&list)
    .execute(work.conn()?)
    .await?;
    for rest in [
        "INSERT INTO bags (item, properties, recipients, converter, derived)
            SELECT j.value->>1, properties, recipients, converter, derived FROM json_each(?) j JOIN bags b ON b.item = j.value->>0",
        "INSERT INTO attachments (item, number, properties, blob, embedded)
            SELECT j.value->>1, a.number, properties, blob, embedded FROM json_each(?) j JOIN attachments a ON a.item = j.value->>0",
    ] {
        sqlx::query(rest).bind(&list).execute(work.conn()?).await?;
    }
    let transfer = transfer(work, &pairs, target)?;
    for pair in pairs {
        work.came(target, pair.target)?;
    }
    Ok(transfer)
}

async fn move_to(
    work: &mut Work,
    record: &ViewRecord,
    uids: &[Span],
    target: FolderId,
) -> Result<Transfer> {
    // What is moved can be read where it comes to.
    work.state
        .demand(&record.actor, record.folder, Rights::READ_ANY)?;
    work.state.demand(&record.actor, target, Rights::CREATE)?;
    let rows = selected(work, record, uids).await?;
    let items: Vec<ItemId> = rows.iter().map(|row| row.item).collect();
    work.demand_for_items(
        &record.actor,
        record.folder,
        (Rights::DELETE_ANY, Rights::DELETE_OWNED),
        &items,
    )
    .await?;
    let pairs = pair_up(work, rows, target, true)?;
    let buried: Vec<_> = pairs
        .iter()
        .map(|pair| (pair.source.item, pair.target.modseq))
        .collect();
    work.bury(record.folder, &buried, TombstoneKind::Moved)
        .await?;
    let moved = sqlx::query(
        "UPDATE items SET folder = ?1, uid = j.value->>2, modseq = j.value->>3, cn = j.value->>3, read_cn = j.value->>3,
            flag_cn = j.value->>3, save_date = ?2, outside_name = NULL
            FROM json_each(?3) j WHERE items.id = j.value->>0",
    )
    .bind(target.0.cast_signed())
    .bind(now())
    .bind(json(&pairs))
    .execute(work.conn()?)
    .await?;
    if moved.rows_affected() != pairs.len() as u64 {
        return Err(Error::Corrupt(
            "the folder index names items that the database does not have".into(),
        ));
    }
    let transfer = transfer(work, &pairs, target)?;
    for pair in pairs {
        work.left(record.folder, &pair.source, pair.target.modseq)?;
        work.came(target, pair.target)?;
    }
    Ok(transfer)
}
