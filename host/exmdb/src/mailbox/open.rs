//! Opening the database of a mailbox: with its settings, at the current schema, and with what a crash left put in order.

use std::{path::Path, time::Duration};

use sqlx::{
    ConnectOptions, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{Error, Result, body::blocking, schema};

/// Pages of the write-ahead log after which it is copied to the database and begins anew. While the log grows, a sync has to
/// write the file's new size too, which takes two to three times as long as one that writes over old frames: it shall not grow
/// for long. Less would copy hot pages more often than they are worth.
const WAL_PAGES: &str = "1000";
/// Statements kept prepared per connection.
const STATEMENTS: usize = 128;

/// The database's file in the mailbox's folder.
pub(crate) const DATABASE: &str = "mailbox.sqlite";

/// Opens the file of a mailbox that may have been left in the middle: by a crash, a power cut, or a commit that failed.
///
/// Whoever closes a database takes its write-ahead log away, so a log that is there says so. Then
///
/// - what the log holds goes into the file, and the file is synced, before anything is written after it. When a sync
///   failed, Linux forgot which pages were not written: a later commit would be synced behind a hole, and a power cut would
///   cut the log there, with the later commit.
/// - blob files that no row names are removed: their append never came to its commit, or their rows went in one whose files
///   were about to go.
pub(super) async fn reopen(folder: &Path) -> Result<SqliteConnection> {
    let log = folder.join(format!("{DATABASE}-wal"));
    let left_open = blocking(move || Ok(log.try_exists()?)).await?;
    let mut conn = connect(folder, false).await?;
    if left_open {
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut conn)
            .await?;
        if busy != 0 {
            return Err(Error::Unavailable(
                "its last connection still closes".into(),
            ));
        }
        for file in crate::blob::files_without_row(&mut conn, folder).await? {
            tracing::info!(file = %file.display(), "a blob file of an unfinished commit is removed");
            blocking(move || Ok(std::fs::remove_file(file)?)).await?;
        }
    }
    Ok(conn)
}

/// Opens the file, or makes it, and brings it to the current schema.
pub(crate) async fn connect(folder: &Path, create: bool) -> Result<SqliteConnection> {
    let mut conn = SqliteConnectOptions::new()
        .filename(folder.join(DATABASE))
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(1024)
        .pragma("cache_size", "-4096")
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", WAL_PAGES)
        .disable_statement_logging()
        .connect()
        .await?;
    schema::migrate(&mut conn).await?;
    Ok(conn)
}
