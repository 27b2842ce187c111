//! What occurs in a range of time.

use futures_util::FutureExt;
use sqlx::Row;

use super::{
    Occurrences, Occurring,
    occurrences::{Packed, hits},
    row::{object, select_objects},
};
use crate::{ChangeNumber, FolderId, ItemId, Mailbox, Result, Rights};

impl Mailbox {
    /// The objects of a folder that occur between two times, in seconds since 1970 and with both ends included, or may: those
    /// whose list ends before.
    ///
    /// # Errors
    /// `NotFound` without the folder, `Denied` without the right to read it.
    pub async fn objects_occurring(
        &self,
        folder: FolderId,
        from: i64,
        until: i64,
    ) -> Result<Vec<Occurring>> {
        let mut reader = self.read_objects(folder).await?;
        let select = select_objects!(
            ", o.horizon, o.occurrences",
            "",
            "AND i.folder = ?1 AND o.first <= ?3 AND (o.last >= ?2 OR o.horizon <= ?3) ORDER BY i.uid"
        );
        let rows = sqlx::query(select)
            .bind(folder.0.cast_signed())
            .bind(from)
            .bind(until)
            .fetch_all(reader.conn()?)
            .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let horizon: Option<i64> = row.try_get("horizon")?;
            let certain = hits(row.try_get("occurrences")?, from, until);
            if certain || horizon.is_some_and(|horizon| horizon <= until) {
                found.push(Occurring {
                    object: object(&row)?,
                    certain,
                });
            }
        }
        Ok(found)
    }

    /// Longer lists for objects that are still of these change numbers. No client sees a change.
    ///
    /// # Errors
    /// As [`Mailbox::objects_occurring`].
    pub async fn set_occurrences(
        &self,
        folder: FolderId,
        lists: Vec<(ItemId, ChangeNumber, Occurrences)>,
    ) -> Result<()> {
        let mut packed = Vec::with_capacity(lists.len());
        for (item, number, occurrences) in lists {
            packed.push((item, number, Packed::of(&occurrences)?));
        }
        let actor = self.actor.clone();
        let write = self.core.write_unfolded(move |work| {
            async move {
                // Who may read an object may say what it says.
                work.state.demand(&actor, folder, Rights::READ_ANY)?;
                let update =
                    "UPDATE objects SET first = ?4, last = ?5, horizon = ?6, occurrences = ?7
                    WHERE item = (SELECT id FROM items WHERE id = ?1 AND folder = ?2 AND cn = ?3)";
                for (item, number, list) in packed {
                    sqlx::query(update)
                        .bind(item.0.cast_signed())
                        .bind(folder.0.cast_signed())
                        .bind(number.0.cast_signed())
                        .bind(list.first)
                        .bind(list.last)
                        .bind(list.horizon)
                        .bind(list.octets)
                        .execute(work.conn()?)
                        .await?;
                }
                Ok(())
            }
            .boxed()
        });
        write.await
    }
}
