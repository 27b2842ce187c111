//! The database file and its versions.
//!
//! One SQLite file in WAL mode, `PRAGMA user_version` counts the migrations it has seen. A migration is SQL that runs
//! once, in one transaction with the new version number, so a crash in the middle leaves the old version whole. A file
//! from a newer server is refused, not guessed at. Migrations are only ever appended.

use std::{path::Path, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, Result};

/// Each brings a file from its index to the next version.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
];

/// Threads: sqlx keeps one per connection. Answers come from the cache, so few are enough.
const CONNECTIONS: u32 = 3;

/// Opens the file, creates it when absent, and brings it to the newest version.
pub(crate) async fn open(path: &Path) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A change that was answered is on disk after a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10));
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect_with(options)
        .await?;
    migrate(&pool, MIGRATIONS).await?;
    Ok(pool)
}

async fn migrate(pool: &SqlitePool, migrations: &[&'static str]) -> Result<()> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(pool)
        .await?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(missing) = migrations.get(done..) else {
        return Err(Error::Invalid(format!(
            "the directory has format {version}, this server knows up to {}: use a newer server",
            migrations.len()
        )));
    };
    for (number, migration) in (done + 1..).zip(missing) {
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "PRAGMA user_version = {number}"
        )))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        tracing::info!(format = number, "directory database migrated");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn version(pool: &SqlitePool) -> i64 {
        sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(pool)
            .await
            .unwrap()
    }

    /// All there are, and one more.
    fn with(migration: &'static str) -> Vec<&'static str> {
        MIGRATIONS.iter().copied().chain([migration]).collect()
    }

    #[tokio::test]
    async fn a_file_is_brought_to_the_newest_version_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.sqlite");
        for _ in 0..2 {
            let pool = open(&path).await.unwrap();
            assert_eq!(version(&pool).await, MIGRATIONS.len() as i64);
            pool.close().await;
        }
    }

    #[tokio::test]
    async fn a_later_migration_keeps_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let pool = open(&folder.path().join("directory.sqlite")).await.unwrap();
        sqlx::raw_sql("INSERT INTO domains (name) VALUES ('example.org')")
            .execute(&pool)
            .await
            .unwrap();
        let later = with("ALTER TABLE domains ADD COLUMN note TEXT NOT NULL DEFAULT ''");
        migrate(&pool, &later).await.unwrap();
        assert_eq!(version(&pool).await, MIGRATIONS.len() as i64 + 1);
        let name: String = sqlx::query_scalar("SELECT name FROM domains WHERE note = ''")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(name, "example.org");
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_the_old_version() {
        let folder = tempfile::tempdir().unwrap();
        let pool = open(&folder.path().join("directory.sqlite")).await.unwrap();
        let broken = with("CREATE TABLE new (x); SELECT * FROM nowhere");
        assert!(migrate(&pool, &broken).await.is_err());
        assert_eq!(version(&pool).await, MIGRATIONS.len() as i64);
        let tables: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'new'")
                .fetch_one(&pool)
                .await
                .unwrap();
        assert_eq!(tables, 0);
    }

    #[tokio::test]
    async fn a_file_of_a_newer_server_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.sqlite");
        let pool = open(&path).await.unwrap();
        sqlx::raw_sql("PRAGMA user_version = 99")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
        assert!(matches!(open(&path).await, Err(Error::Invalid(text)) if text.contains("99")));
    }
}
