//! Reading a folder index from the database, and the one mapping between item rows and index rows.

use futures_util::TryStreamExt;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{IndexColumns, IndexRow};
use crate::{ItemFlags, ItemId, Result, mailbox::state::FolderState};

pub(super) async fn load(
    conn: &mut SqliteConnection,
    folder: &FolderState,
) -> Result<IndexColumns> {
    let select = "SELECT uid, id, modseq, flags, keywords, size, internal_date, save_date, sent_date, sent_day FROM items
        WHERE folder = ? AND deleted_at IS NULL AND flags & 512 = 0 AND blob IS NOT NULL AND outside_name IS NULL ORDER BY uid";
    let mut columns = IndexColumns::new(folder.highest_modseq, folder.uid_next);
    let mut rows = sqlx::query(select)
        .bind(folder.id.0.cast_signed())
        .fetch(conn);
    while let Some(row) = rows.try_next().await? {
        columns.put(&row_of(&row)?);
    }
    Ok(columns)
}

/// The ten columns of [`load`]'s select, first in a row.
pub(crate) fn row_of(row: &SqliteRow) -> Result<IndexRow> {
    Ok(IndexRow {
        uid: row.try_get(0)?,
        item: ItemId(row.try_get::<i64, _>(1)?.cast_unsigned()),
        modseq: row.try_get::<i64, _>(2)?.cast_unsigned(),
        flags: ItemFlags(row.try_get(3)?),
        keywords: parse_keywords(row.try_get(4)?),
        size: row.try_get::<i64, _>(5)?.cast_unsigned(),
        internal_date: row.try_get(6)?,
        save_date: row.try_get(7)?,
        sent_date: row.try_get(8)?,
        sent_day: row.try_get(9)?,
    })
}

/// Keyword numbers as `items.keywords` holds them.
pub(crate) fn parse_keywords(text: &str) -> Vec<u16> {
    text.split(',')
        .filter_map(|number| number.parse().ok())
        .collect()
}

pub(crate) fn print_keywords(numbers: &[u16]) -> String {
    let texts: Vec<_> = numbers.iter().map(u16::to_string).collect();
    texts.join(",")
}
