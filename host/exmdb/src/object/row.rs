//! Objects as their rows hold them.

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{ETag, Object, ObjectKind};
use crate::{ChangeNumber, Error, FolderId, ItemId, Result};

/// Live objects, as [`object`] reads them; what is added goes on behind the first condition.
macro_rules! select_objects {
    ($rest:literal) => { crate::object::row::select_objects!("", "", $rest) };
    ($columns:literal, $joins:literal, $rest:literal) => { concat!(
        "SELECT i.id, i.outside_name, o.uid AS object_uid, o.kind, o.etag, o.schedule_tag, i.size, i.internal_date, i.save_date, i.cn, i.uid",
        $columns, " FROM items i JOIN objects o ON o.item = i.id ", $joins,
        " WHERE i.deleted_at IS NULL AND i.outside_name IS NOT NULL ", $rest
    ) };
}
pub(super) use select_objects;

pub(super) fn object(row: &SqliteRow) -> Result<Object> {
    let number =
        |column: &str| -> Result<u64> { Ok(row.try_get::<i64, _>(column)?.cast_unsigned()) };
    let kind: u32 = row.try_get("kind")?;
    let tag = |octets: Vec<u8>| {
        let octets = octets
            .try_into()
            .map_err(|_| Error::Corrupt("an entity tag has not 16 octets".into()));
        octets.map(ETag)
    };
    let schedule_tag: Option<Vec<u8>> = row.try_get("schedule_tag")?;
    Ok(Object {
        item: ItemId(number("id")?),
        name: row.try_get("outside_name")?,
        uid: row.try_get("object_uid")?,
        kind: ObjectKind::from_code(kind)
            .ok_or_else(|| Error::Corrupt(format!("object of kind {kind}")))?,
        etag: tag(row.try_get("etag")?)?,
        schedule_tag: schedule_tag.map(tag).transpose()?,
        size: number("size")?,
        created: row.try_get("internal_date")?,
        modified: row.try_get("save_date")?,
        change_number: ChangeNumber(number("cn")?),
    })
}

/// The object of a name.
pub(super) async fn named(
    conn: &mut SqliteConnection,
    folder: FolderId,
    name: &str,
) -> Result<Option<Object>> {
    let select = select_objects!("AND i.folder = ? AND i.outside_name = ?");
    let row = sqlx::query(select)
        .bind(folder.0.cast_signed())
        .bind(name)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(object).transpose()
}

/// The object of a UID in a folder, but for one item.
pub(super) async fn of_uid(
    conn: &mut SqliteConnection,
    folder: FolderId,
    uid: &str,
    but: Option<ItemId>,
) -> Result<Option<Object>> {
    let select = select_objects!("AND i.folder = ? AND o.uid = ? AND i.id IS NOT ?");
    let row = sqlx::query(select)
        .bind(folder.0.cast_signed())
        .bind(uid)
        .bind(but.map(|item| item.0.cast_signed()))
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(object).transpose()
}
