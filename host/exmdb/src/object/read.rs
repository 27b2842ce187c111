//! Reading objects, many in one call.

use std::collections::HashMap;

use bytes::Bytes;
use sqlx::Row;

use super::{
    Object, ObjectPage,
    row::{named, object, select_objects},
};
use crate::{Body, Error, FolderId, Mailbox, Result, Rights, blob::body_of, mailbox::Reader};

/// Objects of one page.
const MAX_PAGE: u32 = 10_000;
/// Octets of the sources of one answer, unless the first alone has more.
const MAX_OCTETS: u64 = 1024 * 1024;

impl Mailbox {
    /// The objects of these names, in their order; none where there is none.
    ///
    /// # Errors
    /// `NotFound` without the folder, `Denied` without the right to read it.
    pub async fn objects_named(
        &self,
        folder: FolderId,
        names: &[String],
    ) -> Result<Vec<Option<Object>>> {
        let mut reader = self.read_objects(folder).await?;
        if let [name] = names {
            return Ok(vec![named(reader.conn()?, folder, name).await?]);
        }
        let select = select_objects!(
            "AND i.folder = ? AND i.outside_name IN (SELECT value FROM json_each(?))"
        );
        let rows = sqlx::query(select)
            .bind(folder.0.cast_signed())
            .bind(json_texts(names))
            .fetch_all(reader.conn()?)
            .await?;
        let objects = rows.iter().map(object).collect::<Result<Vec<_>>>()?;
        let found: HashMap<&str, &Object> = objects
            .iter()
            .map(|object| (object.name.as_str(), object))
            .collect();
        Ok(names
            .iter()
            .map(|name| found.get(name.as_str()).copied().cloned())
            .collect())
    }

    /// The objects of a folder, at most `limit` behind `after` (0 begins).
    ///
    /// # Errors
    /// As [`Mailbox::objects_named`].
    pub async fn objects(&self, folder: FolderId, after: u32, limit: u32) -> Result<ObjectPage> {
        let mut reader = self.read_objects(folder).await?;
        let limit = limit.clamp(1, MAX_PAGE);
        let select = select_objects!("AND i.folder = ? AND i.uid > ? ORDER BY i.uid LIMIT ?");
        let rows = sqlx::query(select)
            .bind(folder.0.cast_signed())
            .bind(after)
            .bind(limit)
            .fetch_all(reader.conn()?)
            .await?;
        let full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let last = rows.last().filter(|_| full);
        Ok(ObjectPage {
            next: last.map(|row| row.try_get("uid")).transpose()?,
            objects: rows.iter().map(object).collect::<Result<_>>()?,
        })
    }

    /// The objects of these names with their sources, in their order; none where there is none. The answer has at least one entry
    /// and may have fewer than there are names: ask for the rest.
    ///
    /// # Errors
    /// As [`Mailbox::objects_named`]; `Corrupt` when the source of the first is lost.
    pub async fn read_objects_named(
        &self,
        folder: FolderId,
        names: &[String],
    ) -> Result<Vec<Option<(Object, Bytes)>>> {
        let mut reader = self.read_objects(folder).await?;
        let mut answer = Vec::with_capacity(names.len());
        let mut octets = 0;
        // What fits is not known before the sizes are; sources are read by as many statements as there are pages of them.
        for some in names.chunks(256) {
            let mut found = sourced(&mut reader, folder, some).await?;
            for name in some {
                let entry = match found.remove(name.as_str()) {
                    None => None,
                    Some((object, _)) if octets > 0 && octets + object.size > MAX_OCTETS => {
                        return Ok(answer);
                    }
                    Some((object, body)) => match body {
                        Ok(body) => {
                            octets += object.size;
                            Some((object, body.read_all().await?))
                        }
                        Err(error) if answer.is_empty() => return Err(error),
                        // One whose octets are lost must not hide the others.
                        Err(error) => {
                            tracing::error!(%error, name, "an object is left out");
                            None
                        }
                    },
                };
                answer.push(entry);
            }
        }
        Ok(answer)
    }

    /// An object and its source.
    ///
    /// # Errors
    /// As [`Mailbox::objects_named`]; `NotFound` when there is none of the name.
    pub async fn open_object(&self, folder: FolderId, name: &str) -> Result<(Object, Body)> {
        let mut reader = self.read_objects(folder).await?;
        let names = [name.to_owned()];
        let (object, body) = sourced(&mut reader, folder, &names)
            .await?
            .remove(name)
            .ok_or_else(|| Error::NotFound(format!("the object {name:?}")))?;
        Ok((object, body?))
    }

    pub(super) async fn read_objects(&self, folder: FolderId) -> Result<Reader> {
        // Flags and keywords of mail are no matter here: the flag log may stay as it is.
        let reader = self.core.read_unfolded().await?;
        reader
            .state()?
            .demand(&self.actor, folder, Rights::READ_ANY)?;
        Ok(reader)
    }
}

async fn sourced(
    reader: &mut Reader,
    folder: FolderId,
    names: &[String],
) -> Result<HashMap<String, (Object, Result<Body>)>> {
    let select = select_objects!(
        ", b.digest, b.frames, b.data, b.id IS NOT NULL AS stored",
        "LEFT JOIN blobs b ON b.id = i.blob",
        "AND i.folder = ? AND i.outside_name IN (SELECT value FROM json_each(?))"
    );
    let rows = sqlx::query(select)
        .bind(folder.0.cast_signed())
        .bind(json_texts(names))
        .fetch_all(reader.conn()?)
        .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let object = object(&row)?;
        let body = if row.try_get("stored")? {
            body_of(&reader.core().folder, &row).await
        } else {
            Err(Error::Corrupt(format!(
                "the source of the object {:?} is lost",
                object.name
            )))
        };
        let body = body.map_err(|error| error.of(reader.core().guid));
        found.insert(object.name.clone(), (object, body));
    }
    Ok(found)
}

/// A JSON array, for `json_each`.
pub(super) fn json_texts(texts: &[String]) -> String {
    serde_json::Value::from(texts.to_vec()).to_string()
}
