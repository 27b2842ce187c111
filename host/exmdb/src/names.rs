//! Named properties ([MS-OXCPRPT] 3.1.5.2): a mailbox maps (property set, name) to an id from 0x8000, for ever.

use futures_util::FutureExt;
use waxwing_formats_mapi::{NamedProperty, PropertyName};

use crate::{Error, Mailbox, Result, mailbox::commit::Work};

const FIRST: u16 = 0x8000;
/// 0xFFFF is not given ([MS-OXCPRPT] 3.1.5.2).
const LAST: u16 = 0xFFFE;
/// Characters of a name ([MS-OXCDATA] 2.6.1: 254 octets of UTF-16 with its end).
const MAX_NAME: usize = 126;

type Row = (i64, Vec<u8>, Option<i64>, Option<String>);

impl Mailbox {
    /// Ids in order; 0 for unknown ones unless they are to be created.
    ///
    /// # Errors
    /// `Limit` when the ids are used up, `Invalid` for a name that is too long.
    pub async fn names_to_ids(&self, names: &[NamedProperty], create: bool) -> Result<Vec<u16>> {
        let names = names.to_vec();
        let known = {
            let mut reader = self.core.read().await?;
            let mut ids = Vec::with_capacity(names.len());
            for name in &names {
                ids.push(find(reader.conn()?, name).await?.unwrap_or(0));
            }
            ids
        };
        if !create || known.iter().all(|id| *id != 0) {
            return Ok(known);
        }
        let write = self.core.write(move |work| {
            async move {
                let mut ids = Vec::with_capacity(names.len());
                for name in &names {
                    ids.push(match find(work.conn()?, name).await? {
                        Some(id) => id,
                        None => add(work, name).await?,
                    });
                }
                Ok(ids)
            }
            .boxed()
        });
        write.await
    }

    /// The names of ids; none for unknown ones.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn names_from_ids(&self, ids: &[u16]) -> Result<Vec<Option<NamedProperty>>> {
        let mut reader = self.core.read().await?;
        let list = crate::blob::json_numbers(ids.iter().map(|id| i64::from(*id)));
        let select =
            "SELECT id, guid, lid, name FROM names WHERE id IN (SELECT value FROM json_each(?))";
        let rows: Vec<Row> = sqlx::query_as(select)
            .bind(list)
            .fetch_all(reader.conn()?)
            .await?;
        let mut known = std::collections::HashMap::new();
        for (id, set, lid, text) in rows {
            let set = set
                .try_into()
                .map_err(|_| Error::Corrupt("a property set of a name has not 16 octets".into()))?;
            let lid = lid
                .and_then(|lid| u32::try_from(lid).ok())
                .map(PropertyName::Lid);
            let name = lid
                .or(text.map(PropertyName::Text))
                .ok_or_else(|| Error::Corrupt(format!("name {id}")))?;
            known.insert(id, NamedProperty { set, name });
        }
        Ok(ids
            .iter()
            .map(|id| known.get(&i64::from(*id)).cloned())
            .collect())
    }
}

async fn find(conn: &mut sqlx::SqliteConnection, name: &NamedProperty) -> Result<Option<u16>> {
    let query = match &name.name {
        PropertyName::Lid(lid) => {
            sqlx::query_scalar("SELECT id FROM names WHERE guid = ? AND lid = ?")
                .bind(&name.set[..])
                .bind(*lid)
        }
        PropertyName::Text(text) => {
            sqlx::query_scalar("SELECT id FROM names WHERE guid = ? AND name = ?")
                .bind(&name.set[..])
                .bind(text)
        }
    };
    Ok(query.fetch_optional(conn).await?)
}

async fn add(work: &mut Work, name: &NamedProperty) -> Result<u16> {
    let (lid, text) = match &name.name {
        PropertyName::Lid(lid) => (Some(*lid), None),
        PropertyName::Text(text) if text.is_empty() || text.chars().count() > MAX_NAME => {
            return Err(Error::Invalid(format!(
                "a property name has 1 to {MAX_NAME} characters"
            )));
        }
        PropertyName::Text(text) => (None, Some(text.as_str())),
    };
    let last: Option<u16> = sqlx::query_scalar("SELECT max(id) FROM names")
        .fetch_one(work.conn()?)
        .await?;
    let id = last
        .map_or(Some(FIRST), |last| last.checked_add(1))
        .filter(|id| *id <= LAST);
    let id = id
        .ok_or_else(|| Error::Limit("the mailbox's ids for named properties are used up".into()))?;
    sqlx::query("INSERT INTO names (id, guid, lid, name) VALUES (?, ?, ?, ?)")
        .bind(id)
        .bind(&name.set[..])
        .bind(lid)
        .bind(text)
        .execute(work.conn()?)
        .await?;
    Ok(id)
}
