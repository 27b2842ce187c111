//! EXPUNGE, and what QRESYNC asks about it later.

use futures_util::FutureExt;

use super::{Positions, View, ViewRecord, resolve, spans};
use crate::{
    ItemFlags, ItemId, Result, Rights, Selection, Span, TombstoneKind,
    blob::{blobs_of, json_numbers},
    index::IndexRow,
    mailbox::commit::Work,
};

impl View {
    /// Removes items that carry `\Deleted`, of the selection or of all, for ever; durable when it returns. Their UIDs are
    /// answered, their positions go with the next sync.
    ///
    /// # Errors
    /// `Denied` without the right to delete or in a read-only view.
    pub async fn expunge(&self, selection: Option<Selection>) -> Result<Vec<Span>> {
        self.demand_writable()?;
        let uids = selection.map(|selection| self.shown().uid_spans(&selection));
        let record = self.record.clone();
        // What is removed was chosen from the index; rows that are gone need no flags.
        self.core
            .write_unfolded(move |work| async move { expunge(work, &record, uids).await }.boxed())
            .await
    }

    /// UIDs vanished since a modseq, for QRESYNC (RFC 7162 3.2.5.2): exact, or all of the selection that are gone when the
    /// log does not reach back. `*` stands for the highest UID ever given.
    ///
    /// # Errors
    /// `NotFound` when the folder was deleted.
    pub async fn vanished(&self, selection: Selection, since: u64) -> Result<Vec<Span>> {
        self.readable().await?;
        // Tombstones alone are read.
        let mut reader = self.core.read_unfolded().await?;
        self.record.demand_current(&*reader.state()?)?;
        let folder = reader.state()?.folder(self.record.folder)?.clone();
        let highest = folder.uid_next - 1;
        let wanted = match selection {
            Selection::Uids(spans) => resolve(&spans, highest),
            Selection::Positions(_) => self.shown().uid_spans(&selection),
        };
        if since < folder.tombstone_floor {
            drop(reader);
            let index = self.core.index(self.record.folder).await?;
            let columns = index.read();
            let live = Positions::of_index(&columns);
            let all = wanted
                .into_iter()
                .flat_map(|span| *span.start()..=(*span.end()).min(highest));
            return Ok(spans(all.filter(|uid| live.position(*uid).is_none())));
        }
        let scan = "SELECT uid FROM tombstones WHERE folder = ? AND cn > ? AND associated = 0";
        let scan = sqlx::query_scalar(scan)
            .bind(folder.id.0.cast_signed())
            .bind(since.cast_signed());
        let mut gone: Vec<u32> = scan.fetch_all(reader.conn()?).await?;
        gone.sort_unstable();
        gone.dedup();
        Ok(spans(gone.into_iter().filter(|uid| {
            wanted.iter().any(|span| span.contains(uid))
        })))
    }
}

async fn expunge(
    work: &mut Work,
    record: &ViewRecord,
    uids: Option<Vec<Span>>,
) -> Result<Vec<Span>> {
    work.state.demand(
        &record.actor,
        record.folder,
        Rights::DELETE_ANY | Rights::DELETE_OWNED,
    )?;
    record.demand_current(&work.state)?;
    let index = work.index(record.folder).await?;
    let rows: Vec<IndexRow> = {
        let columns = index.read();
        let within = |uid: u32| {
            uids.as_ref()
                .is_none_or(|spans| spans.iter().any(|span| span.contains(&uid)))
        };
        let hot = columns.hot().iter().enumerate();
        let marked =
            hot.filter(|(_, hot)| ItemFlags(hot.flags).has(ItemFlags::DELETED) && within(hot.uid));
        marked.filter_map(|(place, _)| columns.row(place)).collect()
    };
    let items: Vec<ItemId> = rows.iter().map(|row| row.item).collect();
    work.demand_for_items(
        &record.actor,
        record.folder,
        (Rights::DELETE_ANY, Rights::DELETE_OWNED),
        &items,
    )
    .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let gone = spans(rows.iter().map(|row| row.uid));
    let mut buried = Vec::with_capacity(rows.len());
    for row in &rows {
        let number = work.next_number()?;
        work.left(record.folder, row, number)?;
        buried.push((row.item, number));
    }
    work.bury(record.folder, &buried, TombstoneKind::Hard)
        .await?;
    work.destroy(&items).await?;
    Ok(gone)
}

impl Work {
    /// Writes tombstones of items that leave a folder; before their rows change.
    pub(crate) async fn bury(
        &mut self,
        folder: crate::FolderId,
        items: &[(ItemId, u64)],
        kind: TombstoneKind,
    ) -> Result<()> {
        let rows: Vec<_> = items
            .iter()
            .map(|(item, number)| format!("[{item},{number}]"))
            .collect();
        sqlx::query(
            "INSERT INTO tombstones (folder, cn, item, uid, outside_name, associated, kind, at)
                SELECT ?1, j.value->>1, i.id, i.uid, i.outside_name, (i.flags & 512) <> 0, ?2, ?3
                FROM json_each(?4) j JOIN items i ON i.id = j.value->>0",
        )
        .bind(folder.0.cast_signed())
        .bind(kind as u32)
        .bind(crate::mailbox::now())
        .bind(format!("[{}]", rows.join(",")))
        .execute(self.conn()?)
        .await?;
        Ok(())
    }

    /// Removes items with all they hold, and the blobs that nothing else names.
    pub(crate) async fn destroy(&mut self, items: &[ItemId]) -> Result<()> {
        let ids = json_numbers(items.iter().map(|item| item.0.cast_signed()));
        let blobs = blobs_of(self.conn()?, &ids).await?;
        sqlx::query("DELETE FROM items WHERE id IN (SELECT value FROM json_each(?))")
            .bind(ids)
            .execute(self.conn()?)
            .await?;
        self.drop_unused_blobs(&blobs).await
    }
}
