//! Views: a folder as one client sees it, with positions 1..n that change only when the client is told (RFC 9051 7.5.1).
//!
//! A view keeps the UIDs it shows as runs, the modseq it has shown, and nothing per item; rows come from the folder index.
//! Its record lives in the mailbox's registry under an id until it is closed, so a frozen session names it and finds it as it
//! was. One command is one call: what it selects is resolved, read and changed under one lock. What the client was told can be
//! taken back until it has really been told (`mark`).

mod bodies;
mod expunge;
mod fetch;
mod flags;
mod mark;
mod positions;
mod search;
mod sync;
mod table;
mod thread;
mod transfer;
mod transfer_across;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    Error, FolderId, ItemFlags, Mailbox, Result, Rights, Row, Selection, Span, Uid, UidValidity,
    ViewId, ViewInfo,
    index::{IndexColumns, IndexRow},
    mailbox::{Actor, Core, state::State},
};
use mark::Mark;
use positions::{Positions, resolve, spans};
pub use table::Table;
pub use thread::ThreadNode;

/// Views of one mailbox open at a time.
const MAX_VIEWS: usize = 100_000;

/// One client's view of a folder; lives until closed, named by its id meanwhile.
#[derive(Debug, Clone)]
pub struct View {
    core: Arc<Core>,
    record: Arc<ViewRecord>,
}

/// What the registry keeps of a view.
#[derive(Debug)]
pub(crate) struct ViewRecord {
    id: ViewId,
    pub(crate) folder: FolderId,
    uid_validity: UidValidity,
    read_only: bool,
    actor: Actor,
    rights: Rights,
    first_unseen: u32,
    shown: Mutex<Shown>,
}

/// What the client was told.
#[derive(Debug)]
struct Shown {
    /// Shared with the mark until one of the two changes.
    positions: Arc<Positions>,
    uid_next: u32,
    /// Flags up to this modseq.
    modseq: u64,
    /// Expunges up to this modseq.
    expunges: u64,
    /// Newer flags of single items, which the client was told in answer to its own command: UID to modseq.
    own: Arc<HashMap<u32, u64>>,
    /// UIDs that are `\Recent` here.
    recent: Vec<Span>,
    /// Where a roll-back leads.
    mark: Option<Mark>,
    /// Counts roll-backs: a call that began before one changes nothing after it.
    generation: u64,
}

impl Shown {
    fn is_recent(&self, uid: u32) -> bool {
        self.recent.iter().any(|span| span.contains(&uid))
    }

    fn recent_count(&self) -> u32 {
        let within = |span: &Span| {
            span.clone()
                .filter(|uid| self.positions.position(*uid).is_some())
                .count()
        };
        u32::try_from(self.recent.iter().map(within).sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// The selection as ascending UID spans.
    fn uid_spans(&self, selection: &Selection) -> Vec<Span> {
        match selection {
            Selection::Uids(spans) => resolve(spans, self.positions.last_uid()),
            Selection::Positions(spans) => {
                let spans = resolve(spans, self.positions.len());
                spans
                    .into_iter()
                    .flat_map(|span| self.positions.uid_spans(span))
                    .collect()
            }
        }
    }

    /// Items that are selected, shown, and still there: position and place in the index.
    fn selected<'a>(
        &'a self,
        spans: &'a [Span],
        columns: &'a IndexColumns,
    ) -> impl Iterator<Item = (u32, usize)> + 'a {
        spans.iter().flat_map(move |span| {
            let from = columns.lower_bound(*span.start());
            let hot = columns
                .hot()
                .iter()
                .enumerate()
                .skip(from)
                .take_while(|(_, hot)| hot.uid <= *span.end());
            hot.filter_map(|(place, hot)| Some((self.positions.position(hot.uid)?, place)))
        })
    }

    fn row(&self, position: u32, row: IndexRow) -> Row {
        let recent = if self.is_recent(row.uid) {
            ItemFlags::RECENT
        } else {
            0
        };
        Row {
            position,
            uid: Uid(row.uid),
            item: row.item,
            modseq: row.modseq,
            flags: ItemFlags(row.flags.0 | recent),
            keywords: row.keywords,
            internal_date: row.internal_date,
            save_date: row.save_date,
            size: row.size,
            structure: bytes::Bytes::new(),
            header: bytes::Bytes::new(),
            properties: Vec::new(),
        }
    }
}

impl ViewRecord {
    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses when the folder is another than the one that was opened: the mailbox was restored from a backup meanwhile.
    fn demand_current(&self, state: &State) -> Result<()> {
        if state.folder(self.folder)?.uid_validity == self.uid_validity {
            Ok(())
        } else {
            Err(Error::Expired(format!("view {}", self.id)))
        }
    }
}

impl Mailbox {
    /// Opens a view. A read-write one claims the `\Recent` items (RFC 3501 2.3.2).
    ///
    /// # Errors
    /// `NotFound` without the folder, `Denied` without the right to read it.
    pub async fn open_view(&self, folder: FolderId, read_only: bool) -> Result<View> {
        let state = self.core.state().await?;
        state.demand(&self.actor, folder, Rights::READ_ANY)?;
        let index = self.core.index(folder).await?;
        let (shown, first_unseen) = {
            let columns = index.read();
            let unseen = columns
                .hot()
                .iter()
                .position(|hot| !ItemFlags(hot.flags).has(ItemFlags::SEEN));
            let shown = Shown {
                positions: Arc::new(Positions::of_index(&columns)),
                uid_next: columns.uid_next,
                modseq: columns.highest_modseq,
                expunges: columns.removed_modseq,
                own: Arc::default(),
                recent: self
                    .core
                    .claim_recent(state.folder(folder)?, columns.uid_next, read_only),
                mark: None,
                generation: 0,
            };
            (
                shown,
                unseen
                    .and_then(|place| u32::try_from(place + 1).ok())
                    .unwrap_or(0),
            )
        };
        let record = Arc::new(ViewRecord {
            id: ViewId(rand::random()),
            folder,
            uid_validity: state.folder(folder)?.uid_validity,
            read_only,
            actor: self.actor.clone(),
            rights: state.rights(&self.actor, folder),
            first_unseen,
            shown: Mutex::new(shown),
        });
        let mut views = self.core.views();
        if views.len() >= MAX_VIEWS {
            return Err(Error::Limit(format!(
                "a mailbox has at most {MAX_VIEWS} open views"
            )));
        }
        views.insert(record.id, record.clone());
        Ok(View {
            core: self.core.clone(),
            record,
        })
    }

    /// The view of this id, as it was.
    ///
    /// # Errors
    /// `Expired` when it was closed, or belongs to another actor.
    pub async fn resume_view(&self, id: ViewId) -> Result<View> {
        let record = self
            .core
            .views()
            .get(&id)
            .filter(|record| record.actor == self.actor)
            .cloned();
        let record = record.ok_or_else(|| Error::Expired(format!("view {id}")))?;
        Ok(View {
            core: self.core.clone(),
            record,
        })
    }
}

impl View {
    /// Names it for [`Mailbox::resume_view`].
    #[must_use]
    pub fn id(&self) -> ViewId {
        self.record.id
    }

    /// The view as the client was last told: by its opening, then by each sync. `first_unseen` and `rights` stay as they were
    /// at the opening, which is when IMAP tells them.
    #[must_use]
    pub fn info(&self) -> ViewInfo {
        let shown = self.shown();
        ViewInfo {
            id: self.record.id,
            folder: self.record.folder,
            exists: shown.positions.len(),
            recent: shown.recent_count(),
            first_unseen: self.record.first_unseen,
            uid_validity: self.record.uid_validity,
            uid_next: Uid(shown.uid_next),
            highest_modseq: shown.modseq,
            read_only: self.record.read_only,
            rights: self.record.rights.bits(),
        }
    }

    /// Forgets the view.
    pub fn close(&self) {
        self.core.views().remove(&self.record.id);
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.record.shown()
    }

    /// The state, unless the right to read the folder was taken away, or the folder deleted or restored from a backup.
    async fn readable(&self) -> Result<Arc<State>> {
        let state = self.core.state().await?;
        state.demand(&self.record.actor, self.record.folder, Rights::READ_ANY)?;
        self.record.demand_current(&state)?;
        Ok(state)
    }

    /// Refuses a change through a view that was opened read-only.
    fn demand_writable(&self) -> Result<()> {
        if self.record.read_only {
            Err(Error::Denied("the folder was opened read-only".into()))
        } else {
            Ok(())
        }
    }
}
