//! THREAD of a view.

use waxwing_formats_mapi::Restriction;

use super::View;
use crate::{
    Result, Uid,
    index::relations,
    thread::{self, ThreadAlgorithm},
};

/// A message in a thread, or what holds several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadNode {
    /// Nodes above it; 0 for the first of a thread.
    pub depth: u32,
    /// Position and UID of the message; none: it is no message.
    pub message: Option<(u32, Uid)>,
}

impl View {
    /// Items that fit, in threads: parents before their children, siblings in their order (RFC 5256 section 3).
    ///
    /// # Errors
    /// As [`View::search`].
    pub async fn thread(
        &self,
        restriction: &Restriction,
        algorithm: ThreadAlgorithm,
    ) -> Result<Vec<ThreadNode>> {
        let keywords = self.readable().await?.keywords.clone();
        let subjects = self.subjects(restriction).await?;
        let found = self.find(restriction, &keywords, &subjects).await?;
        let index = self.core.index(self.record.folder).await?;
        let relations = relations::of_folder(&self.core, self.record.folder, &index)
            .await
            .map_err(|error| error.of(self.core.guid))?;
        let messages: Vec<_> = found
            .iter()
            .filter_map(|candidate| {
                let (row, position) = (&candidate.row, candidate.position?);
                relations.threaded(row.item, row.sent_date, position)
            })
            .collect();
        let threads = thread::thread(&messages, algorithm);
        let shown = self.shown();
        let nodes = threads.depths.iter().zip(&threads.positions);
        let node = |(depth, position): (&u32, &u32)| ThreadNode {
            depth: *depth,
            message: shown
                .positions
                .uid(*position)
                .map(|uid| (*position, Uid(uid))),
        };
        Ok(nodes.map(node).collect())
    }
}
