//! Telling a client what happened: RFC 9051 7.5.1 wants expunges only where the protocol allows them, new items at any time.

use super::{View, spans};
use crate::{Result, ViewChanges};

impl View {
    /// What happened since the view was last told. Without `allow_expunge`, vanished items keep their positions.
    ///
    /// # Errors
    /// `NotFound` when the folder was deleted.
    pub async fn sync(&self, allow_expunge: bool) -> Result<ViewChanges> {
        let folder = self.readable().await?.folder(self.record.folder)?.clone();
        let index = self.core.index(self.record.folder).await?;
        let columns = index.read();
        let mut shown = self.shown();
        let last = shown.positions.last_uid();
        let mut gone = Vec::new();
        if allow_expunge && columns.removed_modseq > shown.expunges {
            gone = shown
                .positions
                .uids()
                .filter(|uid| columns.find(*uid).is_none())
                .collect();
            shown.expunges = columns.removed_modseq;
        }
        let mut expunged = shown.positions.remove(&gone);
        expunged.reverse();
        let arrived = columns
            .hot()
            .get(columns.lower_bound(last + 1)..)
            .unwrap_or_default();
        shown.positions.extend(arrived.iter().map(|hot| hot.uid));
        if shown.positions.last_uid() > last {
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
        shown.own.clear();
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
