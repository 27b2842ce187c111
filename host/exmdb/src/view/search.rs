//! SEARCH and SORT of a view: the restriction meets the folder index first; the database is read for what that cannot decide.

use std::sync::Arc;

use waxwing_formats_mapi::{Restriction, SortKey};

use super::{View, spans};
use crate::{
    Found, ItemFlags, Result, Uid,
    index::subjects::{self, Subjects},
    item::{candidate::Candidate, search},
};

impl View {
    /// Items that fit, of those the view shows.
    ///
    /// # Errors
    /// `Limit` when the restriction is too deep or too large.
    pub async fn search(&self, restriction: &Restriction) -> Result<Found> {
        let keywords = self.readable().await?.keywords.clone();
        let subjects = self.subjects(restriction).await?;
        let found = self.find(restriction, &keywords, &subjects).await?;
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
        let subjects = self.subjects(restriction).await?;
        let found = self.find(restriction, &keywords, &subjects).await?;
        let sorted = search::order(&self.core, found, keys).await?;
        Ok(sorted
            .iter()
            .filter_map(|candidate| Some((candidate.position?, Uid(candidate.row.uid))))
            .collect())
    }

    /// Subjects, when the restriction asks for them.
    pub(super) async fn subjects(&self, restriction: &Restriction) -> Result<Arc<Subjects>> {
        if !restriction.asks_for_header("subject") {
            return Ok(Arc::default());
        }
        let index = self.core.index(self.record.folder).await?;
        subjects::of_folder(&self.core, self.record.folder, &index)
            .await
            .map_err(|error| error.of(self.core.guid))
    }

    pub(super) async fn find<'a>(
        &self,
        restriction: &Restriction,
        keywords: &'a [String],
        subjects: &'a Subjects,
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
                let row = columns.row(place)?;
                let subject = subjects.of(row.item);
                let candidate = Candidate::new(row, Some(position), recent, keywords);
                Some(candidate.with_subject(subject))
            });
            search::FirstPass::new(rows, restriction)
        };
        first_pass.finish(&self.core, restriction).await
    }
}
