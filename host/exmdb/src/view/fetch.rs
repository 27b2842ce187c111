//! Pages of a view. Flags, dates and sizes come from the folder index alone; structures, headers and properties are read
//! from the database in batches, one statement each for many rows.

use super::View;
use crate::{
    Columns, ItemId, Page, Query, Result, Row,
    item::{derive, load},
};

/// Octets of a page; a page has one row at least.
const PAGE: usize = 256 * 1024;
/// What a row without structure, header and properties counts.
const ROW: usize = 96;
/// Rows of one batch: their structures and headers are about as large as a page.
const BATCH: usize = 64;
/// The same without headers and properties. Structures are small, and each batch is a wait for the database's thread.
const BATCH_OF_STRUCTURES: usize = 256;

impl View {
    /// Rows of the selection behind `after`, in order of position. Items that others expunged are left out, though they hold
    /// their positions until the next sync that may tell it.
    ///
    /// # Errors
    /// `NotFound` when the folder was deleted, `Unavailable` when the disk cannot be read.
    pub async fn fetch(&self, query: Query) -> Result<Page> {
        let wanted = query.columns;
        let mut page = self.select(&query).await?;
        let all = Columns::STRUCTURE | Columns::HEADER | Columns::PROPERTIES;
        if wanted.0 & all == 0 || page.rows.is_empty() {
            return Ok(page);
        }
        let mut octets = 0;
        let mut filled = 0;
        let batch = match wanted.0 & all {
            Columns::STRUCTURE => BATCH_OF_STRUCTURES,
            _ => BATCH,
        };
        for rows in page.rows.chunks_mut(batch) {
            self.fill(rows, &query)
                .await
                .map_err(|error| error.of(self.core.guid))?;
            for row in rows {
                octets += ROW + row.structure.len() + row.header.len() + properties_octets(row);
                if octets > PAGE && filled > 0 {
                    break;
                }
                filled += 1;
            }
            if octets > PAGE {
                break;
            }
        }
        if filled < page.rows.len() {
            page.rows.truncate(filled);
            page.next = page.rows.last().map(|row| row.position);
        }
        Ok(page)
    }

    async fn select(&self, query: &Query) -> Result<Page> {
        self.readable().await?;
        let index = self.core.index(self.record.folder).await?;
        let columns = index.read();
        let shown = self.shown();
        let mut spans = shown.uid_spans(&query.selection);
        shown.positions.skip(&mut spans, query.after);
        let limit = usize::try_from(query.limit)
            .unwrap_or(usize::MAX)
            .clamp(1, PAGE / ROW);
        let since = query.changed_since.unwrap_or(0);
        let mut rows = Vec::new();
        let mut next = None;
        let changed = |place: usize| {
            columns
                .hot()
                .get(place)
                .is_some_and(|hot| hot.modseq > since)
        };
        for (position, place) in shown.selected(&spans, &columns) {
            // Most of a large folder is passed over here when a client resynchronises.
            let Some(row) = changed(place).then(|| columns.row(place)).flatten() else {
                continue;
            };
            if rows.len() == limit {
                next = rows.last().map(|row: &Row| row.position);
                break;
            }
            rows.push(shown.row(position, row));
        }
        Ok(Page { rows, next })
    }

    async fn fill(&self, rows: &mut [Row], query: &Query) -> Result<()> {
        let ids: Vec<ItemId> = rows.iter().map(|row| row.item).collect();
        if query.columns.has(Columns::PROPERTIES) {
            derive::ensure_for(&self.core, &ids, &query.tags).await?;
        }
        // Structures and headers are those of the blob.
        let mut reader = match query.columns.has(Columns::PROPERTIES) {
            true => self.core.read().await?,
            false => self.core.read_unfolded().await?,
        };
        if query.columns.has(Columns::STRUCTURE) {
            let mut structures = load::structures(&mut reader, &ids).await?;
            rows.iter_mut()
                .for_each(|row| row.structure = structures.remove(&row.item).unwrap_or_default());
        }
        if query.columns.has(Columns::HEADER) {
            let mut headers = load::headers(&mut reader, &ids).await?;
            rows.iter_mut()
                .for_each(|row| row.header = headers.remove(&row.item).unwrap_or_default());
        }
        if query.columns.has(Columns::PROPERTIES) {
            let mut properties = load::properties(&mut reader, &ids, &query.tags).await?;
            rows.iter_mut()
                .for_each(|row| row.properties = properties.remove(&row.item).unwrap_or_default());
        }
        Ok(())
    }
}

fn properties_octets(row: &Row) -> usize {
    row.properties
        .iter()
        .map(|property| 8 + usize::try_from(property.value.size()).unwrap_or(usize::MAX / 4))
        .sum()
}
