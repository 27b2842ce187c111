//! Tables of items ([MS-OXCTABL]): a restriction and a sort order over the items of a folder, a page at a time.

use super::{candidate::Candidate, derive, load, search};
use crate::{
    ItemId, ItemProperties, Mailbox, Result, Rights, TablePage, TableQuery, index::row_of,
};

/// Rows of a page.
const MAX_ROWS: u32 = 4096;

impl Mailbox {
    /// A page of the folder's items that fit, in the order asked for.
    ///
    /// # Errors
    /// `NotFound` without the folder, `Limit` when the restriction is too deep or too large.
    pub async fn query_items(&self, query: &TableQuery) -> Result<TablePage> {
        search::check(&query.restriction)?;
        let state = self.core.state().await?;
        state.demand(&self.actor, query.folder, Rights::READ_ANY)?;
        let keywords = state.keywords.clone();
        let candidates = self.candidates(query, &keywords).await?;
        let first_pass = search::FirstPass::new(candidates.into_iter(), &query.restriction);
        let mut fitting = first_pass.finish(&self.core, &query.restriction).await?;
        if !query.sort.is_empty() {
            fitting = search::order(&self.core, fitting, &query.sort).await?;
        }
        let total = u32::try_from(fitting.len()).unwrap_or(u32::MAX);
        let skip = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let take = usize::try_from(query.limit.min(MAX_ROWS)).unwrap_or(usize::MAX);
        let page: Vec<ItemId> = fitting
            .iter()
            .skip(skip)
            .take(take)
            .map(|candidate| candidate.row.item)
            .collect();
        derive::ensure(&self.core, &page).await?;
        let mut reader = self.core.read().await?;
        let mut loaded = load::properties(&mut reader, &page, &query.tags).await?;
        let row = |item: &ItemId| {
            Some(ItemProperties {
                item: *item,
                properties: loaded.remove(item)?,
            })
        };
        Ok(TablePage {
            rows: page.iter().filter_map(row).collect(),
            total,
        })
    }

    async fn candidates<'a>(
        &self,
        query: &TableQuery,
        keywords: &'a [String],
    ) -> Result<Vec<Candidate<'a>>> {
        let select = "SELECT uid, id, modseq, flags, keywords, size, internal_date, save_date, sent_date, sent_day FROM items
            WHERE folder = ? AND (deleted_at IS NOT NULL) = ? AND (flags & 512 <> 0) = ? ORDER BY uid";
        let mut reader = self.core.read().await?;
        let rows = sqlx::query(select)
            .bind(query.folder.0.cast_signed())
            .bind(query.soft_deleted)
            .bind(query.associated);
        let rows = rows.fetch_all(reader.conn()?).await?;
        rows.iter()
            .map(|row| Ok(Candidate::new(row_of(row)?, None, 0, keywords)))
            .collect()
    }
}
