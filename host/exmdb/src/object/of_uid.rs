//! Finding the copies of a meeting, wherever in the mailbox they are.

use sqlx::Row;

use super::{
    Object,
    row::{object, select_objects},
};
use crate::{FolderId, Mailbox, Result, Rights};

/// Copies of one answer. There is one, unless somebody made more by hand.
const MOST: i64 = 64;

impl Mailbox {
    /// The objects of a UID in all folders that the actor may read, the oldest first.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn objects_of_uid(&self, uid: &str) -> Result<Vec<(FolderId, Object)>> {
        let mut reader = self.core.read_unfolded().await?;
        let select = select_objects!(", i.folder", "", "AND o.uid = ? ORDER BY i.id LIMIT ?");
        let rows = sqlx::query(select)
            .bind(uid)
            .bind(MOST)
            .fetch_all(reader.conn()?)
            .await?;
        let state = reader.state()?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let folder = FolderId(row.try_get::<i64, _>("folder")?.cast_unsigned());
            if state.rights(&self.actor, folder).contains(Rights::READ_ANY) {
                found.push((folder, object(row)?));
            }
        }
        Ok(found)
    }
}
