//! All addresses that are one person's own.

use sqlx::Row as _;

use crate::{Directory, Result, User, users::spelled};

/// Addresses of one answer.
const MOST: i64 = 256;

impl Directory {
    /// The own address of a user and all aliases of it; what [`Directory::is_identity`] says yes to, but for details.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn identities(&self, user: &User) -> Result<Vec<String>> {
        const SQL: &str = "WITH RECURSIVE own (id) AS (SELECT address FROM users WHERE mailbox = ?1 \
             UNION SELECT aliases.address FROM aliases JOIN own ON aliases.target = own.id) \
             SELECT a.local, d.name FROM own JOIN addresses a ON a.id = own.id JOIN domains d ON d.id = a.domain \
             ORDER BY a.id LIMIT ?2";
        let rows = sqlx::query(SQL)
            .bind(&user.mailbox)
            .bind(MOST)
            .fetch_all(&self.0.pool)
            .await?;
        let address = |row: &sqlx::sqlite::SqliteRow| -> Result<String> {
            let local: String = row.try_get(0)?;
            let domain: String = row.try_get(1)?;
            Ok(spelled(&local, &domain))
        };
        rows.iter().map(address).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[tokio::test]
    async fn the_aliases_of_somebody_are_his_own_addresses() {
        let fixture = Fixture::with_users(&["anna", "bob"]).await;
        let directory = &fixture.directory;
        for (alias, target) in [("info", "anna"), ("office", "info"), ("desk", "bob")] {
            directory
                .add_alias(
                    &format!("{alias}@example.org"),
                    &format!("{target}@example.org"),
                )
                .await
                .unwrap();
        }
        let anna = directory.user("anna@example.org").await.unwrap();
        assert_eq!(
            directory.identities(&anna).await.unwrap(),
            ["anna@example.org", "info@example.org", "office@example.org"]
        );
    }
}
