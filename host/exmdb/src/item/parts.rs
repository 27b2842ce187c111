//! Changing recipients and attachments of items that were made from properties. Those of a mail belong to its source.

use futures_util::FutureExt;
use waxwing_formats_mapi::Property;

use super::{
    bag,
    stored::StoredItem,
    write::{EDIT, MAX_BAG, save},
};
use crate::{
    Body, Error, ItemId, Mailbox, Result, Saved,
    append::prepare_content,
    mailbox::{Actor, commit::Work},
};

/// Attachments of one item.
const MAX_ATTACHMENTS: u32 = 10_000;

impl Mailbox {
    /// Replaces the recipients.
    ///
    /// # Errors
    /// `Invalid` for a mail, `Limit` when they are too large.
    pub async fn set_recipients(
        &self,
        item: ItemId,
        recipients: Vec<Vec<Property>>,
    ) -> Result<Saved> {
        let actor = self.actor.clone();
        let write = self.core.write(move |work| {
            async move {
                let stored = editable(work, &actor, item).await?;
                let packed = bag::pack_lists(&recipients);
                if packed.len() > MAX_BAG {
                    return Err(Error::Limit(format!(
                        "the recipients of an item have at most {MAX_BAG} octets"
                    )));
                }
                sqlx::query("UPDATE bags SET recipients = ? WHERE item = ?")
                    .bind(packed)
                    .bind(item.0.cast_signed())
                    .execute(work.conn()?)
                    .await?;
                saved(work, &stored).await
            }
            .boxed()
        });
        write.await
    }

    /// Adds an attachment; its number.
    ///
    /// # Errors
    /// `Invalid` for a mail, `Limit` when there are too many.
    pub async fn add_attachment(
        &self,
        item: ItemId,
        properties: Vec<Property>,
        content: Body,
    ) -> Result<u32> {
        let (actor, spool) = (self.actor.clone(), self.core.commons.spool.clone());
        let blob = prepare_content(content, spool).await?;
        let write = self.core.write(move |work| {
            async move {
                let stored = editable(work, &actor, item).await?;
                let id = item.0.cast_signed();
                let next = sqlx::query_scalar(
                    "SELECT coalesce(max(number) + 1, 0) FROM attachments WHERE item = ?",
                )
                .bind(id);
                let number: u32 = next.fetch_one(work.conn()?).await?;
                if number >= MAX_ATTACHMENTS {
                    return Err(Error::Limit(format!(
                        "an item has at most {MAX_ATTACHMENTS} attachments"
                    )));
                }
                let blob = work.store_blob(blob).await?;
                sqlx::query(
                    "INSERT INTO attachments (item, number, properties, blob) VALUES (?, ?, ?, ?)",
                )
                .bind(id)
                .bind(number)
                .bind(bag::pack(&properties))
                .bind(blob)
                .execute(work.conn()?)
                .await?;
                saved(work, &stored).await?;
                Ok(number)
            }
            .boxed()
        });
        write.await
    }

    /// Removes an attachment; the numbers of others stay.
    ///
    /// # Errors
    /// `Invalid` for a mail, `NotFound` when there is no such attachment.
    pub async fn delete_attachment(&self, item: ItemId, number: u32) -> Result<Saved> {
        let actor = self.actor.clone();
        let write = self.core.write(move |work| {
            async move {
                let stored = editable(work, &actor, item).await?;
                let remove = "DELETE FROM attachments WHERE item = ? AND number = ? RETURNING blob";
                let removed: Option<Option<i64>> = sqlx::query_scalar(remove)
                    .bind(item.0.cast_signed())
                    .bind(number)
                    .fetch_optional(work.conn()?)
                    .await?;
                let blob = removed.ok_or_else(|| {
                    Error::NotFound(format!("attachment {number} of item {item}"))
                })?;
                work.drop_unused_blobs(&blob.into_iter().collect::<Vec<_>>())
                    .await?;
                saved(work, &stored).await
            }
            .boxed()
        });
        write.await
    }
}

async fn editable(work: &mut Work, actor: &Actor, item: ItemId) -> Result<StoredItem> {
    let stored = work.items_to_change(actor, EDIT, &[item]).await?.pop();
    let stored = stored.ok_or_else(|| Error::NotFound(format!("item {item}")))?;
    if stored.sourced {
        let why = format!(
            "recipients and attachments of item {item} come from its message, which is not rendered anew"
        );
        return Err(Error::Invalid(why));
    }
    Ok(stored)
}

async fn saved(work: &mut Work, stored: &StoredItem) -> Result<Saved> {
    let packed: Vec<u8> = sqlx::query_scalar("SELECT properties FROM bags WHERE item = ?")
        .bind(stored.id().0.cast_signed())
        .fetch_one(work.conn()?)
        .await?;
    let before = stored.is_live_and_normal().then_some(&stored.columns.index);
    save(work, stored, (before, &bag::unpack(&packed)?)).await
}
