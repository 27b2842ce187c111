//! Read state, deletion and recovery. A soft-deleted item keeps its row and leaves a tombstone; it comes back with a new UID,
//! because its old one was told as gone (RFC 9051 2.3.1.1).

use futures_util::FutureExt;

use super::write::EDIT;
use crate::{
    ChangeNumber, Error, ItemFlags, ItemId, Mailbox, Result, Rights, TombstoneKind,
    index::IndexRow,
    mailbox::{Actor, commit::Work, now},
};

/// Who may delete an item.
pub(crate) const DELETE: (Rights, Rights) = (Rights::DELETE_ANY, Rights::DELETE_OWNED);

impl Mailbox {
    /// Read state only: `read_cn` moves, `cn` does not.
    ///
    /// # Errors
    /// `NotFound` when an item does not exist, `Denied` without the right to edit it.
    pub async fn set_read(&self, items: &[ItemId], read: bool) -> Result<ChangeNumber> {
        let (actor, items) = (self.actor.clone(), items.to_vec());
        self.core
            .write(move |work| async move { set_read(work, &actor, &items, read).await }.boxed())
            .await
    }

    /// Soft deletes keep the items recoverable.
    ///
    /// # Errors
    /// `NotFound` when an item does not exist, `Denied` without the right to delete it.
    pub async fn delete_items(&self, items: &[ItemId], soft: bool) -> Result<ChangeNumber> {
        let (actor, items) = (self.actor.clone(), items.to_vec());
        self.core
            .write(move |work| async move { delete(work, &actor, &items, soft).await }.boxed())
            .await
    }

    /// Brings soft-deleted items back to their folders.
    ///
    /// # Errors
    /// `NotFound` when an item does not exist, `Invalid` when it is not soft-deleted.
    pub async fn restore_items(&self, items: &[ItemId]) -> Result<ChangeNumber> {
        let (actor, items) = (self.actor.clone(), items.to_vec());
        self.core
            .write(move |work| async move { restore(work, &actor, &items).await }.boxed())
            .await
    }
}

async fn set_read(
    work: &mut Work,
    actor: &Actor,
    items: &[ItemId],
    read: bool,
) -> Result<ChangeNumber> {
    let mut written = Vec::new();
    for item in work.items_to_change(actor, EDIT, items).await? {
        let before = &item.columns.index;
        if before.flags.has(ItemFlags::SEEN) == read {
            continue;
        }
        let flags = ItemFlags(before.flags.0 ^ ItemFlags::SEEN);
        let after = IndexRow {
            flags,
            modseq: work.next_number()?,
            ..before.clone()
        };
        written.push(format!(
            "[{},{},{}]",
            after.item, after.flags.0, after.modseq
        ));
        let (number, counts) = (after.modseq, item.is_live_and_normal());
        work.account(
            (item.folder, item.shown),
            counts.then_some(before),
            counts.then_some(after),
            number,
        )?;
    }
    sqlx::query(
        "UPDATE items SET flags = j.value->>1, modseq = j.value->>2, read_cn = j.value->>2
            FROM json_each(?) j WHERE items.id = j.value->>0",
    )
    .bind(format!("[{}]", written.join(",")))
    .execute(work.conn()?)
    .await?;
    Ok(ChangeNumber(work.state.counter))
}

async fn delete(
    work: &mut Work,
    actor: &Actor,
    items: &[ItemId],
    soft: bool,
) -> Result<ChangeNumber> {
    let kind = if soft {
        TombstoneKind::Soft
    } else {
        TombstoneKind::Hard
    };
    for item in work.items_to_change(actor, DELETE, items).await? {
        if item.soft_deleted && soft {
            continue;
        }
        let number = work.next_number()?;
        work.bury(item.folder, &[(item.id(), number)], kind).await?;
        let before = item.is_live_and_normal().then_some(&item.columns.index);
        work.account((item.folder, item.shown), before, None, number)?;
        if soft {
            let mark =
                sqlx::query("UPDATE items SET deleted_at = ?1, cn = ?2, modseq = ?2 WHERE id = ?3");
            let mark = mark
                .bind(now())
                .bind(number.cast_signed())
                .bind(item.id().0.cast_signed());
            mark.execute(work.conn()?).await?;
        }
    }
    if !soft {
        work.destroy(items).await?;
    }
    Ok(ChangeNumber(work.state.counter))
}

async fn restore(work: &mut Work, actor: &Actor, items: &[ItemId]) -> Result<ChangeNumber> {
    for mut item in work.items_to_change(actor, DELETE, items).await? {
        if !item.soft_deleted {
            return Err(Error::Invalid(format!("item {} is not deleted", item.id())));
        }
        work.state.demand(actor, item.folder, Rights::CREATE)?;
        demand_free(work, item.id()).await?;
        item.soft_deleted = false;
        let row = IndexRow {
            uid: work.next_uid(item.folder)?,
            modseq: work.next_number()?,
            save_date: now(),
            ..item.columns.index.clone()
        };
        sqlx::query(
            "UPDATE items SET deleted_at = NULL, uid = ?1, modseq = ?2, cn = ?2, read_cn = ?2, flag_cn = ?2, save_date = ?3
                WHERE id = ?4",
        )
        .bind(row.uid)
        .bind(row.modseq.cast_signed())
        .bind(row.save_date)
        .bind(row.item.0.cast_signed())
        .execute(work.conn()?)
        .await?;
        let number = row.modseq;
        work.account(
            (item.folder, item.shown),
            None,
            item.is_live_and_normal().then_some(row),
            number,
        )?;
    }
    Ok(ChangeNumber(work.state.counter))
}

/// Refuses when an object took the name or the UID meanwhile.
async fn demand_free(work: &mut Work, item: ItemId) -> Result<()> {
    let select = "SELECT other.outside_name FROM items gone JOIN objects o ON o.item = gone.id
        JOIN items other ON other.folder = gone.folder AND other.deleted_at IS NULL
        JOIN objects p ON p.item = other.id AND (p.uid = o.uid OR other.outside_name = gone.outside_name) WHERE gone.id = ?";
    let taken: Option<String> = sqlx::query_scalar(select)
        .bind(item.0.cast_signed())
        .fetch_optional(work.conn()?)
        .await?;
    match taken {
        None => Ok(()),
        Some(name) => Err(Error::AlreadyExists(format!("the object {name:?}"))),
    }
}
