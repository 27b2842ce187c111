//! Reading columns and bags of many items with one statement each.

use std::collections::HashMap;

use bytes::Bytes;
use sqlx::Row;
use waxwing_formats_mapi::{Bag, Property, PropertyTag, Value, columns as store_columns};

use super::{
    bag,
    columns::{ItemColumns, is_store_column, select_columns},
    preview,
};
use crate::{
    Body, Error, ItemId, Result,
    blob::{body_of, json_numbers},
    mailbox::Reader,
};

pub(crate) fn ids(items: &[ItemId]) -> String {
    json_numbers(items.iter().map(|item| item.0.cast_signed()))
}

/// The columns of items, in no order.
pub(crate) async fn columns(
    reader: &mut Reader,
    items: &[ItemId],
) -> Result<HashMap<ItemId, ItemColumns>> {
    let select = select_columns!("FROM items WHERE id IN (SELECT value FROM json_each(?))");
    let mailbox = reader.core().guid;
    let rows = sqlx::query(select)
        .bind(ids(items))
        .fetch_all(reader.conn()?)
        .await?;
    let columns = rows.iter().map(|row| ItemColumns::of(row, mailbox));
    columns
        .map(|columns| columns.map(|columns| (columns.item(), columns)))
        .collect()
}

/// The packed bags of items that have one.
pub(crate) async fn bags(
    reader: &mut Reader,
    items: &[ItemId],
) -> Result<HashMap<ItemId, Vec<u8>>> {
    let select = "SELECT item, properties FROM bags WHERE item IN (SELECT value FROM json_each(?))";
    let rows = sqlx::query(select)
        .bind(ids(items))
        .fetch_all(reader.conn()?)
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                ItemId(row.try_get::<i64, _>(0)?.cast_unsigned()),
                row.try_get(1)?,
            ))
        })
        .collect()
}

/// Properties of items: columns first, then the bag. No tags: all that there is.
pub(crate) async fn properties(
    reader: &mut Reader,
    items: &[ItemId],
    wanted: &[PropertyTag],
) -> Result<HashMap<ItemId, Vec<Property>>> {
    let columns = columns(reader, items).await?;
    let is_column =
        |columns: &ItemColumns, tag| is_store_column(tag) || columns.value(tag).is_some();
    let all_columns = columns
        .values()
        .all(|columns| wanted.iter().all(|tag| is_column(columns, *tag)));
    let bags = if all_columns && !wanted.is_empty() {
        HashMap::new()
    } else {
        bags(reader, items).await?
    };
    let mut properties = HashMap::with_capacity(columns.len());
    for (item, columns) in columns {
        let packed = bags.get(&item).map_or(&[][..], Vec::as_slice);
        properties.insert(item, merge(&columns, packed, wanted)?);
    }
    if wanted.contains(&store_columns::PREVIEW) {
        for (item, text) in preview::of_items(reader, items).await? {
            let preview = Property {
                tag: store_columns::PREVIEW,
                value: Value::Text(text),
            };
            properties.entry(item).or_default().push(preview);
        }
    }
    Ok(properties)
}

fn merge(columns: &ItemColumns, packed: &[u8], wanted: &[PropertyTag]) -> Result<Vec<Property>> {
    let corrupt = |error: waxwing_formats_mapi::MapiError| {
        Error::Corrupt(format!("item {}: {error}", columns.item()))
    };
    let bag = if packed.is_empty() {
        None
    } else {
        Some(Bag::open(packed).map_err(corrupt)?)
    };
    let tags: Vec<PropertyTag> = match wanted {
        [] => super::columns::COLUMN_TAGS
            .iter()
            .copied()
            .chain(bag.iter().flat_map(Bag::tags))
            .collect(),
        _ => wanted.to_vec(),
    };
    let mut merged: Vec<Property> = Vec::with_capacity(tags.len());
    for tag in tags {
        let value = match (columns.value(tag), &bag) {
            (Some(value), _) => Some(value),
            (None, Some(bag)) => bag.get(tag).map_err(corrupt)?,
            (None, None) => None,
        };
        if wanted.is_empty() && merged.iter().any(|known| known.tag == tag) {
            continue;
        }
        merged.extend(value.map(|value| Property { tag, value }));
    }
    Ok(merged)
}

fn item_id(number: i64) -> ItemId {
    ItemId(number.cast_unsigned())
}

pub(crate) async fn structures(
    reader: &mut Reader,
    items: &[ItemId],
) -> Result<HashMap<ItemId, Bytes>> {
    let select = "SELECT i.id, b.structure FROM json_each(?) j JOIN items i ON i.id = j.value JOIN blobs b ON b.id = i.blob
        WHERE b.structure IS NOT NULL";
    let ids = ids(items);
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(select)
        .bind(ids)
        .fetch_all(reader.conn()?)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(item, structure)| (item_id(item), structure.into()))
        .collect())
}

/// Header blocks; of a blob in the database only the frames of the header leave it.
pub(crate) async fn headers(
    reader: &mut Reader,
    items: &[ItemId],
) -> Result<HashMap<ItemId, Bytes>> {
    let select =
        "SELECT i.id, b.header_size, b.digest, b.frames, substr(b.data, 1, b.header_packed) AS data
        FROM json_each(?) j JOIN items i ON i.id = j.value JOIN blobs b ON b.id = i.blob";
    let ids = ids(items);
    let rows = sqlx::query(select)
        .bind(ids)
        .fetch_all(reader.conn()?)
        .await?;
    let mut headers = HashMap::with_capacity(rows.len());
    for row in rows {
        let size: i64 = row.try_get("header_size")?;
        let size =
            usize::try_from(size).map_err(|_| Error::Corrupt("header size of a blob".into()))?;
        let header = async {
            let body = body_of(&reader.core().folder, &row).await?;
            body.read(0, size).await
        };
        match header.await {
            Ok(header) => drop(headers.insert(item_id(row.try_get(0)?), header)),
            // One message without its file must not hide the others.
            Err(error @ (Error::Corrupt(_) | Error::Io(_))) => {
                let error = error.of(reader.core().guid);
                tracing::error!(%error, "a message is shown without its header");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(headers)
}

/// The RFC 5322 form of items that have one, in no order.
pub(crate) async fn bodies(
    reader: &mut Reader,
    items: &[ItemId],
) -> Result<HashMap<ItemId, Result<Body>>> {
    let select =
        "SELECT i.id, b.digest, b.frames, b.data FROM json_each(?) j JOIN items i ON i.id = j.value
        JOIN blobs b ON b.id = i.blob";
    let ids = ids(items);
    let rows = sqlx::query(select)
        .bind(ids)
        .fetch_all(reader.conn()?)
        .await?;
    let mut bodies = HashMap::with_capacity(rows.len());
    for row in rows {
        let body = body_of(&reader.core().folder, &row)
            .await
            .map_err(|error| error.of(reader.core().guid));
        bodies.insert(item_id(row.try_get(0)?), body);
    }
    Ok(bodies)
}

/// The recipients of items that have a bag.
pub(crate) async fn recipients(
    reader: &mut Reader,
    items: &[ItemId],
) -> Result<HashMap<ItemId, Vec<Vec<Property>>>> {
    let select = "SELECT item, recipients FROM bags WHERE item IN (SELECT value FROM json_each(?))";
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(select)
        .bind(ids(items))
        .fetch_all(reader.conn()?)
        .await?;
    rows.into_iter()
        .map(|(item, packed)| Ok((item_id(item), bag::unpack_lists(&packed)?)))
        .collect()
}

/// The properties of the attachments of items that have a bag.
pub(crate) async fn attachments(
    reader: &mut Reader,
    items: &[ItemId],
) -> Result<HashMap<ItemId, Vec<Vec<Property>>>> {
    let select = "SELECT item, properties FROM attachments WHERE item IN (SELECT value FROM json_each(?)) ORDER BY item, number";
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(select)
        .bind(ids(items))
        .fetch_all(reader.conn()?)
        .await?;
    let mut attachments: HashMap<ItemId, Vec<Vec<Property>>> = HashMap::new();
    for (item, packed) in rows {
        attachments
            .entry(item_id(item))
            .or_default()
            .push(bag::unpack(&packed)?);
    }
    Ok(attachments)
}
