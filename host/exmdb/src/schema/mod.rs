//! The schema of a mailbox file and its migrations. `PRAGMA user_version` says which version a file has; a file is brought
//! to the current version when it is opened, one migration after the other in one transaction, so that a crash leaves the
//! old version. A file newer than this program is refused: guessing would harm it.
//!
//! To change the schema, add `v<n>_<what>.sql` and a line to [`MIGRATIONS`]; never edit a migration that was released.

use sqlx::{Connection, Row, SqliteConnection};

use crate::{Error, Result};

const MIGRATIONS: &[&str] = &[
    include_str!("v1_folders_and_items.sql"),
    include_str!("v2_deleted_items.sql"),
    include_str!("v3_flag_log.sql"),
    include_str!("v4_signatures.sql"),
    include_str!("v5_objects.sql"),
    include_str!("v6_schedule_tags.sql"),
];

/// Brings the database to the current version.
///
/// # Errors
/// `Invalid` when the database is newer than this program.
pub(crate) async fn migrate(conn: &mut SqliteConnection) -> Result<()> {
    upgrade(conn, MIGRATIONS).await
}

/// The version of a new database.
pub(crate) fn current() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Brings a new database to an old version, for rows that are as old.
///
/// # Errors
/// `Invalid` when the version is newer than this program.
pub(crate) async fn migrate_to(conn: &mut SqliteConnection, version: u32) -> Result<()> {
    let migrations = usize::try_from(version)
        .ok()
        .and_then(|version| MIGRATIONS.get(..version));
    upgrade(conn, migrations.ok_or_else(|| too_new(u64::from(version)))?).await
}

fn too_new(version: u64) -> Error {
    let known = MIGRATIONS.len();
    Error::Invalid(format!(
        "its schema has version {version}, this program knows versions up to {known}; use a newer program"
    ))
}

async fn upgrade(conn: &mut SqliteConnection, migrations: &[&'static str]) -> Result<()> {
    let version: i64 = sqlx::query("PRAGMA user_version")
        .fetch_one(&mut *conn)
        .await?
        .try_get(0)?;
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    let pending = migrations
        .get(version..)
        .ok_or_else(|| too_new(version as u64))?;
    if pending.is_empty() {
        return Ok(());
    }
    let mut transaction = conn.begin_with("BEGIN IMMEDIATE").await?;
    for migration in pending {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
    }
    let stamp = format!("PRAGMA user_version = {}", migrations.len());
    sqlx::raw_sql(sqlx::AssertSqlSafe(stamp))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn memory() -> SqliteConnection {
        SqliteConnection::connect("sqlite::memory:").await.unwrap()
    }

    async fn tables(conn: &mut SqliteConnection) -> Vec<String> {
        let rows = sqlx::query("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .fetch_all(conn)
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    #[tokio::test]
    async fn every_old_version_upgrades_to_the_schema_of_a_new_file() {
        let mut new = memory().await;
        migrate(&mut new).await.unwrap();
        let expected = tables(&mut new).await;
        assert!(expected.len() > 10);
        for version in 1..=MIGRATIONS.len() {
            let mut old = memory().await;
            for migration in &MIGRATIONS[..version] {
                sqlx::raw_sql(*migration).execute(&mut old).await.unwrap();
            }
            let stamp = format!("PRAGMA user_version = {version}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(stamp))
                .execute(&mut old)
                .await
                .unwrap();
            migrate(&mut old).await.unwrap();
            assert_eq!(tables(&mut old).await, expected);
        }
    }

    #[tokio::test]
    async fn a_newer_file_is_refused_with_both_versions_named() {
        let mut conn = memory().await;
        sqlx::raw_sql("PRAGMA user_version = 99")
            .execute(&mut conn)
            .await
            .unwrap();
        let error = migrate(&mut conn).await.unwrap_err();
        assert!(
            matches!(&error, Error::Invalid(text) if text.contains("99")),
            "{error}"
        );
    }
}
