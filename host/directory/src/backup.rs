//! The directory in a backup: a copy of its file as it is at one moment, and the way back into an empty directory.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection};

use crate::{Directory, Error, Result, schema};

/// Parents before the rows that name them.
const TABLES: [&str; 15] = [
    "domains",
    "addresses",
    "users",
    "features_off",
    "app_passwords",
    "aliases",
    "group_members",
    "forwards",
    "scram_decoys",
    "dkim_keys",
    "catch_alls",
    "group_policies",
    "group_senders",
    "shares",
    "public_accounts",
];

impl Directory {
    /// Writes a copy to a file that is not there yet: one moment of it, while it goes on.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn copy_to(&self, file: &Path) -> Result<()> {
        sqlx::query("VACUUM INTO ?")
            .bind(file.to_string_lossy())
            .execute(&self.0.pool)
            .await?;
        Ok(())
    }

    /// Takes everything from a copy into this directory, which must be empty; all or nothing. A copy of an older format is
    /// brought to the current one first, in place.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is a domain, or for a copy of a newer server; [`Error::Database`].
    pub async fn take_from(&self, copy: &Path) -> Result<()> {
        if let Some(domain) = self.domains().await?.first() {
            return Err(Error::Invalid(format!(
                "the directory of users is not empty, it has the domain {}",
                domain.name
            )));
        }
        schema::open(copy).await?.close().await;
        let mut connection = self.0.pool.acquire().await?;
        sqlx::query("ATTACH ? AS copy")
            .bind(copy.to_string_lossy())
            .execute(&mut *connection)
            .await?;
        let taken = take(&mut connection).await;
        let detached = sqlx::query("DETACH copy").execute(&mut *connection).await;
        self.0.cache.changed();
        taken.and(Ok(detached.map(drop)?))
    }
}

async fn take(connection: &mut sqlx::SqliteConnection) -> Result<()> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let count: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut *transaction)
        .await?;
    if usize::try_from(count) != Ok(TABLES.len()) {
        return Err(Error::Invalid(
            "the directory has a table that backups do not know".into(),
        ));
    }
    // The one row that an empty directory has.
    sqlx::query("DELETE FROM main.scram_decoys")
        .execute(&mut *transaction)
        .await?;
    for table in TABLES {
        let copy = format!("INSERT INTO main.{table} SELECT * FROM copy.{table}");
        sqlx::query(AssertSqlSafe(copy))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DirectoryConfig, DkimAlgorithm, Posting, PostingChange, testing::Fixture};

    #[tokio::test]
    async fn a_copy_holds_everything_and_fills_an_empty_directory() {
        let fixture = Fixture::with_users(&["anna", "bob"]).await;
        let old = &fixture.directory;
        let anna = "anna@example.org";
        old.set_feature(anna, "imap.idle", false).await.unwrap();
        old.add_app_password(anna, "phone").await.unwrap();
        old.add_alias("info@example.org", anna).await.unwrap();
        old.add_group("all@example.org", &[anna.into(), "x@example.net".into()])
            .await
            .unwrap();
        old.set_catch_all("example.org", Some(anna)).await.unwrap();
        old.set_public_account("example.org", Some(anna))
            .await
            .unwrap();
        let change = PostingChange {
            who: Some(Posting::Listed),
            allow: vec!["x@example.net".into()],
            ..PostingChange::default()
        };
        old.change_posting("all@example.org", &change)
            .await
            .unwrap();
        let made = old.create_dkim_key("example.org", None, DkimAlgorithm::Ed25519);
        let key = made.await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.sqlite");
        old.copy_to(&copy).await.unwrap();
        let new = DirectoryConfig::new(folder.path().join("new.sqlite"));
        let new = Directory::open(new).await.unwrap();
        new.take_from(&copy).await.unwrap();
        assert_eq!(
            new.users(None).await.unwrap(),
            old.users(None).await.unwrap()
        );
        assert_eq!(
            new.aliases(None).await.unwrap(),
            old.aliases(None).await.unwrap()
        );
        assert_eq!(
            new.groups(None).await.unwrap(),
            old.groups(None).await.unwrap()
        );
        assert_eq!(new.app_passwords(anna).await.unwrap().len(), 1);
        assert_eq!(new.dkim_keys("example.org").await.unwrap(), [key]);
        assert_eq!(
            new.catch_all("example.org").await.unwrap().as_deref(),
            Some(anna)
        );
        assert_eq!(
            new.public_account("example.org").await.unwrap().as_deref(),
            Some(anna)
        );
        let again = new.take_from(&copy).await.unwrap_err();
        assert!(again.to_string().contains("not empty"), "{again}");
    }
}
