//! What plugins keep in a mailbox for themselves: keys and values, parted by the owner's name. No rows of items are touched, so the flag
//! log stays as it is.

use futures_util::FutureExt;

use super::Mailbox;
use crate::{Error, Result};

/// Octets of a value.
const MAX_VALUE: usize = 1024 * 1024;
/// Octets of a key.
const MAX_KEY: usize = 512;

impl Mailbox {
    /// # Errors
    /// As every call that reads.
    pub async fn kv_get(&self, owner: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let mut reader = self.core.read_unfolded().await?;
        let query = sqlx::query_scalar("SELECT value FROM kv WHERE owner = ? AND key = ?")
            .bind(owner)
            .bind(key);
        Ok(query.fetch_optional(reader.conn()?).await?)
    }

    /// # Errors
    /// `Limit` when key or value are too long.
    pub async fn kv_put(&self, owner: &str, key: &str, value: &[u8]) -> Result<()> {
        if key.len() > MAX_KEY || value.len() > MAX_VALUE {
            return Err(Error::Limit(format!(
                "keys have at most {MAX_KEY} octets, values {MAX_VALUE}"
            )));
        }
        let (owner, key, value) = (owner.to_owned(), key.to_owned(), value.to_owned());
        let put = "INSERT INTO kv (owner, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
        let write = self.core.write_unfolded(move |work| {
            async move {
                sqlx::query(put)
                    .bind(owner)
                    .bind(key)
                    .bind(value)
                    .execute(work.conn()?)
                    .await?;
                Ok(())
            }
            .boxed()
        });
        write.await
    }

    /// # Errors
    /// As every call that writes; a key that is not there is no error.
    pub async fn kv_delete(&self, owner: &str, key: &str) -> Result<()> {
        let (owner, key) = (owner.to_owned(), key.to_owned());
        let write = self.core.write_unfolded(move |work| {
            async move {
                sqlx::query("DELETE FROM kv WHERE owner = ? AND key = ?")
                    .bind(owner)
                    .bind(key)
                    .execute(work.conn()?)
                    .await?;
                Ok(())
            }
            .boxed()
        });
        write.await
    }

    /// Keys that begin with `prefix`, in order, behind `after`.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn kv_list(
        &self,
        owner: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>> {
        let mut reader = self.core.read_unfolded().await?;
        let list = "SELECT key FROM kv WHERE owner = ?1 AND key > ?2 AND key >= ?3 AND substr(key, 1, length(?3)) = ?3
            ORDER BY key LIMIT ?4";
        let query = sqlx::query_scalar(list)
            .bind(owner)
            .bind(after.unwrap_or_default())
            .bind(prefix)
            .bind(limit);
        Ok(query.fetch_all(reader.conn()?).await?)
    }
}
