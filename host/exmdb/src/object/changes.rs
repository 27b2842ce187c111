//! The change log of a folder, as DAV tells it: objects by name.

use std::collections::{HashMap, HashSet};

use super::{
    Object, ObjectChanges,
    row::{object, select_objects},
};
use crate::{ChangeNumber, FolderId, ItemChange, Mailbox, Result, blob::json_numbers};

impl Mailbox {
    /// Changes of a folder's objects with numbers above `since`, oldest first, at most `limit`. Changes of the read state or of
    /// flags are none. From 0 on, nothing is told of what is gone.
    ///
    /// # Errors
    /// `Expired` when tombstones that old are gone.
    pub async fn changes_of_objects(
        &self,
        folder: FolderId,
        since: ChangeNumber,
        limit: u32,
    ) -> Result<ObjectChanges> {
        let delta = self.changes_of_folder(folder, since, limit).await?;
        let changed: Vec<&ItemChange> = delta
            .changed
            .iter()
            .filter(|change| change.cn > since)
            .collect();
        let mut objects = self.objects_of(folder, &changed).await?;
        let changed: Vec<Object> = changed
            .iter()
            .filter_map(|change| objects.remove(&change.item.0))
            .collect();
        let live: HashSet<&str> = changed.iter().map(|object| object.name.as_str()).collect();
        let gone = delta
            .deleted
            .into_iter()
            .filter(|_| since.0 != 0)
            .filter_map(|tombstone| tombstone.outside_name);
        let mut told = HashSet::new();
        let deleted = gone
            .filter(|name| !live.contains(name.as_str()) && told.insert(name.clone()))
            .collect();
        Ok(ObjectChanges {
            deleted,
            changed,
            until: delta.until,
            more: delta.more,
        })
    }

    async fn objects_of(
        &self,
        folder: FolderId,
        items: &[&ItemChange],
    ) -> Result<HashMap<u64, Object>> {
        if items.is_empty() {
            return Ok(HashMap::new());
        }
        let mut reader = self.read_objects(folder).await?;
        // By their ids, and not by all that is in the folder.
        let select =
            select_objects!("AND +i.folder = ? AND i.id IN (SELECT value FROM json_each(?))");
        let rows = sqlx::query(select)
            .bind(folder.0.cast_signed())
            .bind(json_numbers(
                items.iter().map(|change| change.item.0.cast_signed()),
            ))
            .fetch_all(reader.conn()?)
            .await?;
        rows.iter()
            .map(|row| object(row).map(|object| (object.item.0, object)))
            .collect()
    }
}
