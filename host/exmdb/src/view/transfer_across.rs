//! COPY and MOVE into another mailbox: two databases, so two commits. The copies are durable before anything is taken away; what fails
//! in between leaves messages in both places and none in no place. The copies are one append, all or nothing, under the rights and
//! the quota of the mailbox that gets them.

use futures_util::FutureExt;

use super::{View, spans};
use crate::{
    Body, Error, FlagMode, FlagUpdate, FolderId, ItemFlags, ItemId, Mailbox, NewMail, Result,
    Rights, Selection, Span, Transfer, Uid, index::IndexRow,
};

/// Messages of one copy: their bodies are open at the same time.
const MAX_ACROSS: usize = 10_000;
/// Octets of theirs: the small ones are in memory.
const MAX_OCTETS: u64 = 256 << 20;

impl View {
    /// Copies into a folder of another mailbox, with flags, keywords and internal dates; durable when it returns. With `remove`, the
    /// originals go for ever once the copies are there; the view tells the expunges at its next sync.
    ///
    /// # Errors
    /// `NotFound` without the target, `Denied` without the right to create in it or, with `remove`, to delete here; `Limit` for more
    /// than 10,000 messages or 256 MiB.
    pub async fn copy_across(
        &self,
        selection: Selection,
        (target, folder): (&Mailbox, FolderId),
        remove: bool,
    ) -> Result<Transfer> {
        let state = self.readable().await?;
        if remove {
            self.demand_writable()?;
            let rights = Rights::DELETE_ANY | Rights::DELETE_OWNED;
            state.demand(&self.record.actor, self.record.folder, rights)?;
        }
        let keywords = state.keywords.clone();
        let rows = self.rows_across(&selection).await?;
        if rows.len() > MAX_ACROSS {
            return Err(Error::Limit(format!(
                "at most {MAX_ACROSS} messages are copied into another mailbox at a time"
            )));
        }
        let octets: u64 = rows.iter().map(|row| row.size).sum();
        if octets > MAX_OCTETS {
            return Err(Error::Limit(format!(
                "at most {MAX_OCTETS} octets of messages are copied into another mailbox at a time"
            )));
        }
        let uid_validity = target.folder(folder).await?.uid_validity;
        if rows.is_empty() {
            return Ok(Transfer {
                uid_validity,
                source: Vec::new(),
                target: Vec::new(),
            });
        }
        let items: Vec<_> = rows.iter().map(|row| row.item).collect();
        if remove {
            // Before anything is copied: who may not take them away would copy them with each try.
            self.demand_removable(items.clone()).await?;
        }
        let bodies = self.open_bodies(&items).await;
        let messages = rows.iter().zip(bodies);
        let messages: Vec<NewMail> = messages
            .map(|(row, body)| Ok(mail(row, body?, &keywords)))
            .collect::<Result<_>>()?;
        let appended = target.append(folder, messages).await?;
        let source: Vec<Span> = spans(rows.iter().map(|row| row.uid));
        if remove {
            self.remove(source.clone()).await?;
        }
        Ok(Transfer {
            uid_validity: appended.uid_validity,
            source,
            target: spans(appended.uids.iter().map(|Uid(uid)| *uid)),
        })
    }

    async fn rows_across(&self, selection: &Selection) -> Result<Vec<IndexRow>> {
        let uids = self.shown().uid_spans(selection);
        let index = self.core.index(self.record.folder).await?;
        let columns = index.read();
        let shown = self.shown();
        let rows = shown
            .selected(&uids, &columns)
            .filter_map(|(_, place)| columns.row(place));
        Ok(rows.collect())
    }

    async fn demand_removable(&self, items: Vec<ItemId>) -> Result<()> {
        let record = self.record.clone();
        let rights = (Rights::DELETE_ANY, Rights::DELETE_OWNED);
        self.core
            .write_unfolded(move |work| {
                async move {
                    work.demand_for_items(&record.actor, record.folder, rights, &items)
                        .await
                }
                .boxed()
            })
            .await
    }

    async fn remove(&self, uids: Vec<Span>) -> Result<()> {
        let selection = || Selection::Uids(uids.clone());
        let update = FlagUpdate {
            selection: selection(),
            mode: FlagMode::Add,
            flags: ItemFlags(ItemFlags::DELETED),
            keywords: Vec::new(),
            unchanged_since: None,
        };
        self.set_flags(update).await?;
        self.expunge(Some(selection())).await?;
        Ok(())
    }
}

fn mail(row: &IndexRow, body: Body, keywords: &[String]) -> NewMail {
    let names = row
        .keywords
        .iter()
        .filter_map(|number| keywords.get(usize::from(*number)));
    NewMail {
        message: body,
        flags: ItemFlags(row.flags.0 & ItemFlags::SETTABLE),
        keywords: names.cloned().collect(),
        internal_date: Some(row.internal_date),
    }
}
