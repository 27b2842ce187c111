//! Reading items: properties, recipients, attachments and what is embedded in them.

use sqlx::Row;
use waxwing_formats_mapi::{Property, PropertyTag, tags};
use waxwing_formats_mime::{
    Structure,
    mapi::{self, Content},
};

use super::{bag, derive, load, stored};
use crate::{
    Attachment, Body, Error, ItemId, ItemProperties, Mailbox, Result, blob::body_of, body::blocking,
};

/// attached message ([MS-OXCMSG] 2.2.2.9, afEmbeddedMessage).
const EMBEDDED_MESSAGE: i64 = 5;
/// Items read in one call.
const MAX_ITEMS: usize = 4096;

impl Mailbox {
    /// Values in the order of the tags; absent ones are left out. No tags: all.
    ///
    /// # Errors
    /// `NotFound` when an item does not exist, `Limit` for more than 4,096 items.
    pub async fn item_properties(
        &self,
        items: &[ItemId],
        tags: &[PropertyTag],
    ) -> Result<Vec<ItemProperties>> {
        if items.len() > MAX_ITEMS {
            return Err(Error::Limit(format!(
                "at most {MAX_ITEMS} items are read in one call"
            )));
        }
        {
            let mut reader = self.core.read().await?;
            let stored = stored::load(reader.conn()?, self.core.guid, items).await?;
            stored::demand_readable(&*reader.state()?, &self.actor, &stored)?;
        }
        derive::ensure_for(&self.core, items, tags).await?;
        let mut reader = self.core.read().await?;
        let mut loaded = load::properties(&mut reader, items, tags).await?;
        let one = |item: &ItemId| {
            let properties = loaded
                .remove(item)
                .ok_or_else(|| Error::NotFound(format!("item {item}")))?;
            Ok(ItemProperties {
                item: *item,
                properties,
            })
        };
        items.iter().map(one).collect()
    }

    /// The recipients, each a property list.
    ///
    /// # Errors
    /// `NotFound` when the item does not exist.
    pub async fn recipients(&self, item: ItemId) -> Result<Vec<Vec<Property>>> {
        self.demand_readable_item(item).await?;
        let mut reader = self.core.read().await?;
        Ok(load::recipients(&mut reader, &[item])
            .await?
            .remove(&item)
            .unwrap_or_default())
    }

    /// The attachments, by number.
    ///
    /// # Errors
    /// `NotFound` when the item does not exist.
    pub async fn attachments(&self, item: ItemId) -> Result<Vec<Attachment>> {
        self.demand_readable_item(item).await?;
        let mut reader = self.core.read().await?;
        let select = "SELECT number, properties, embedded IS NOT NULL FROM attachments WHERE item = ? ORDER BY number";
        let rows: Vec<(u32, Vec<u8>, bool)> = sqlx::query_as(select)
            .bind(item.0.cast_signed())
            .fetch_all(reader.conn()?)
            .await?;
        let attachment = |(number, packed, embedded): (u32, Vec<u8>, bool)| {
            let properties = bag::unpack(&packed)?;
            let method = bag::find(&properties, tags::ATTACH_METHOD)
                .and_then(|method| method.value.as_integer());
            Ok(Attachment {
                number,
                is_message: embedded || method == Some(EMBEDDED_MESSAGE),
                properties,
            })
        };
        rows.into_iter().map(attachment).collect()
    }

    /// The content of an attachment; of an embedded mail its source.
    ///
    /// # Errors
    /// `NotFound` when there is no such attachment.
    pub async fn attachment_body(&self, item: ItemId, number: u32) -> Result<Body> {
        self.demand_readable_item(item).await?;
        let missing = move || Error::NotFound(format!("attachment {number} of item {item}"));
        {
            let mut reader = self.core.read().await?;
            let select =
                "SELECT b.digest, b.frames, b.data, b.id IS NOT NULL AS stored FROM attachments a
                LEFT JOIN blobs b ON b.id = a.blob WHERE a.item = ? AND a.number = ?";
            let row = sqlx::query(select)
                .bind(item.0.cast_signed())
                .bind(number)
                .fetch_optional(reader.conn()?)
                .await?;
            let row = row.ok_or_else(missing)?;
            if row.try_get("stored")? {
                return body_of(&self.core.folder, &row).await;
            }
        }
        let source = self.source(item).await?.ok_or_else(missing)?;
        let content = blocking(move || {
            let attachments = mapi::attachments(&source.0, &source.1);
            let attachment = attachments
                .get(usize::try_from(number).unwrap_or(usize::MAX))
                .ok_or_else(missing)?;
            Ok(attachment.content.read(&source.0))
        });
        Ok(Body::from_bytes(content.await?.into()))
    }

    /// The properties of a message embedded in an attachment.
    ///
    /// # Errors
    /// `NotFound` when the attachment does not exist or is no message.
    pub async fn embedded(&self, item: ItemId, number: u32) -> Result<Vec<Property>> {
        self.demand_readable_item(item).await?;
        let missing =
            move || Error::NotFound(format!("a message in attachment {number} of item {item}"));
        let stored: Option<Option<Vec<u8>>> = {
            let mut reader = self.core.read().await?;
            let select = "SELECT embedded FROM attachments WHERE item = ? AND number = ?";
            sqlx::query_scalar(select)
                .bind(item.0.cast_signed())
                .bind(number)
                .fetch_optional(reader.conn()?)
                .await?
        };
        if let Some(packed) = stored.ok_or_else(missing)? {
            return bag::unpack(&packed);
        }
        let source = self.source(item).await?.ok_or_else(missing)?;
        let properties = blocking(move || {
            let attachments = mapi::attachments(&source.0, &source.1);
            match attachments
                .get(usize::try_from(number).unwrap_or(usize::MAX))
                .map(|attachment| &attachment.content)
            {
                Some(Content::Message(inner)) => Ok(mapi::properties(&source.0, inner)),
                _ => Err(missing()),
            }
        });
        properties.await
    }

    async fn demand_readable_item(&self, item: ItemId) -> Result<()> {
        {
            let mut reader = self.core.read().await?;
            let stored = stored::load(reader.conn()?, self.core.guid, &[item]).await?;
            stored::demand_readable(&*reader.state()?, &self.actor, &stored)?;
        }
        derive::ensure(&self.core, &[item]).await
    }

    /// The message and its structure, of an item that has a source.
    async fn source(&self, item: ItemId) -> Result<Option<(bytes::Bytes, Structure)>> {
        let (structure, body) = {
            let mut reader = self.core.read().await?;
            let structure = load::structures(&mut reader, &[item]).await?.remove(&item);
            (
                structure,
                load::bodies(&mut reader, &[item]).await?.remove(&item),
            )
        };
        let structure = structure.and_then(|bytes| Structure::decode(&bytes));
        match (structure, body) {
            (Some(structure), Some(body)) => Ok(Some((body?.read_all().await?, structure))),
            _ => Ok(None),
        }
    }
}
