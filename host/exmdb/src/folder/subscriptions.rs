//! IMAP subscriptions (RFC 9051 6.3.7): names, which may outlive their folders.

use futures_util::FutureExt;

use crate::{Error, Mailbox, Result};

/// Octets of a subscribed name: a whole path.
const MAX_NAME: usize = 4096;

impl Mailbox {
    /// In order of their octets.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn subscriptions(&self) -> Result<Vec<String>> {
        let mut reader = self.core.read().await?;
        Ok(
            sqlx::query_scalar("SELECT name FROM subscriptions ORDER BY name")
                .fetch_all(reader.conn()?)
                .await?,
        )
    }

    /// # Errors
    /// `Limit` for a name of more than 4 KiB.
    pub async fn subscribe(&self, name: &str, on: bool) -> Result<()> {
        if name.len() > MAX_NAME {
            return Err(Error::Limit(format!(
                "a subscribed name has at most {MAX_NAME} octets"
            )));
        }
        let name = name.to_owned();
        let change = if on {
            "INSERT INTO subscriptions (name) VALUES (?) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM subscriptions WHERE name = ?"
        };
        let write = self.core.write(move |work| {
            async move {
                sqlx::query(change).bind(name).execute(work.conn()?).await?;
                Ok(())
            }
            .boxed()
        });
        write.await
    }
}
