//! SEARCH and SORT of a view: the restriction meets the folder index first; the database is read for what that cannot decide.

use waxwing_formats_mapi::{Restriction, SortKey};

use super::{View, spans};
use crate::{
    Found, ItemFlags, Result, Uid,
    item::{candidate::Candidate, search},
};

impl View {
    /// Items that fit, of those the view shows.
    ///
    /// # Errors
    /// `Limit` when the restriction is too deep or too large.
    pub async fn search(&self, restriction: &Restriction) -> Result<Found> {
        let keywords = self.readable().await?.keywords.clone();
        let found = self.find(restriction, &keywords).await?;
        Ok(Found {
            count: u32::try_from(found.len()).unwrap_or(u32::MAX),
            highest_modseq: found
                .iter()
                .map(|candidate| candidate.row.modseq)
                .max()
                .unwrap_or(0),
            positions: spans(found.iter().filter_map(|candidate| candidate.position)),
            uids: spans(found.iter().map(|candidate| candidate.row.uid)),
        })
    }

    /// Positions and UIDs of items that fit, sorted; equal ones by position (RFC 5256 3).
    ///
    /// # Errors
    /// As [`View::search`].
    pub async fn sort(
        &self,
        restriction: &Restriction,
        keys: &[SortKey],
    ) -> Result<Vec<(u32, Uid)>> {
        let keywords = self.readable().await?.keywords.clone();
        let found = self.find(restriction, &keywords).await?;
        let sorted = search::order(&self.core, found, keys).await?;
        Ok(sorted
            .iter()
            .filter_map(|candidate| Some((candidate.position?, Uid(candidate.row.uid))))
            .collect())
    }

    async fn find<'a>(
        &self,
        restriction: &Restriction,
        keywords: &'a [String],
    ) -> Result<Vec<Candidate<'a>>> {
        search::check(restriction)?;
        let index = self.core.index(self.record.folder).await?;
        let first_pass = {
            let (columns, shown) = (index.read(), self.shown());
            let rows = columns.hot().iter().enumerate().filter_map(|(place, hot)| {
                let position = shown.positions.position(hot.uid)?;
                let recent = if shown.is_recent(hot.uid) {
                    ItemFlags::RECENT
                } else {
                    0
                };
                Some(Candidate::new(
                    columns.row(place)?,
                    Some(position),
                    recent,
                    keywords,
                ))
            });
            search::FirstPass::new(rows, restriction)
        };
        first_pass.finish(&self.core, restriction).await
    }
}
