//! Telling a client what happened: RFC 9051 7.5.1 wants expunges only where the protocol allows them, new items at any time.

use std::sync::Arc;

use super::{Shown, View, spans};
use crate::{Result, ViewChanges, index::IndexColumns};

impl View {
    /// What happened since the view was last told. Without `allow_expunge`, vanished items keep their positions. The call
    /// belongs to the turn in which it is made, not to the one in which it is first polled.
    ///
    /// # Errors
    /// `NotFound` when the folder was deleted, `Expired` when the view was rolled back meanwhile.
    pub fn sync(
        &self,
        allow_expunge: bool,
    ) -> impl Future<Output = Result<ViewChanges>> + Send + use<> {
        let (view, generation) = (self.clone(), self.shown().generation);
        async move { view.tell(allow_expunge, generation).await }
    }

    async fn tell(&self, allow_expunge: bool, generation: u64) -> Result<ViewChanges> {
        let folder = self.readable().await?.folder(self.record.folder)?.clone();
        let index = self.core.index(self.record.folder).await?;
        let columns = index.read();
        let mut shown = self.shown_since(generation)?;
        let last = shown.positions.last_uid();
        let gone = match allow_expunge {
            true => shown.vanished(&columns),
            false => Vec::new(),
        };
        let expunged = shown.remove(&gone);
        let arrived = columns
            .hot()
            .get(columns.lower_bound(last + 1)..)
            .unwrap_or_default();
        if !arrived.is_empty() {
            Arc::make_mut(&mut shown.positions).extend(arrived.iter().map(|hot| hot.uid));
            let claimed = self
                .core
                .claim_recent(&folder, columns.uid_next, self.record.read_only);
            let fresh = claimed
                .into_iter()
                .map(|span| (*span.start()).max(last + 1)..=*span.end());
            shown.recent.extend(fresh.filter(|span| !span.is_empty()));
        }
        let changed = columns
            .hot()
            .iter()
            .enumerate()
            .take_while(|(_, hot)| hot.uid <= last);
        let changed = changed
            .filter(|(_, hot)| {
                hot.modseq > shown.modseq && shown.own.get(&hot.uid) != Some(&hot.modseq)
            })
            .filter_map(|(place, hot)| {
                Some(shown.row(shown.positions.position(hot.uid)?, columns.row(place)?))
            })
            .collect();
        shown.modseq = columns.highest_modseq;
        shown.uid_next = columns.uid_next;
        if !shown.own.is_empty() {
            shown.own = Arc::default();
        }
        Ok(ViewChanges {
            expunged,
            expunged_uids: spans(gone),
            exists: shown.positions.len(),
            recent: shown.recent_count(),
            changed,
            highest_modseq: shown.modseq,
        })
    }
}

impl Shown {
    /// UIDs shown whose items are gone; counts them as told.
    fn vanished(&mut self, columns: &IndexColumns) -> Vec<u32> {
        if columns.removed_modseq <= self.expunges {
            return Vec::new();
        }
        self.expunges = columns.removed_modseq;
        let uids = self.positions.uids();
        uids.filter(|uid| columns.find(*uid).is_none()).collect()
    }

    /// Removes UIDs; their positions, highest first.
    fn remove(&mut self, gone: &[u32]) -> Vec<u32> {
        if gone.is_empty() {
            return Vec::new();
        }
        let mut expunged = Arc::make_mut(&mut self.positions).remove(gone);
        expunged.reverse();
        expunged
    }
}
