//! The outbound queue: messages that this server has taken and that others do not have yet.
//!
//! **Owns** one SQLite file, `queue.sqlite`. **Promises** that what [`Queue::add`] answered for is on disk after a power cut, octets
//! and envelope together, and stays there until every recipient is settled in a transaction of its own; that a report about a
//! recipient enters the queue in the very transaction in which that recipient leaves it, so that nobody is forgotten between
//! the two. **Bounds**: one writer with a group commit ([`writer`]); few readers; a message's octets are read in pieces of 256 KiB.
//!
//! Octets stand in the database and not in files beside it: one sync makes all of a message durable, and a crash leaves no file without a
//! row and no row without its file. What that costs is one more copy of a large message at the checkpoint.
//!
//! Who carries the messages away is [`crate::courier`]; without it (the command line on its own) they can be looked at, held and
//! deleted.

mod model;
mod read;
mod schema;
mod write;
mod writer;

use std::{path::Path, sync::Arc};

use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};
use tokio::sync::Notify as Bell;
use waxwing_exmdb::{Body, BodyWriter};

pub use model::{LastAttempt, QueueFilter, QueueId, QueuedMessage, QueuedRecipient};
pub(crate) use model::{Settled, Settlement, now};
pub(crate) use read::Due;
use writer::Writer;

use crate::{Envelope, Error, Result};

/// Threads: sqlx keeps one per connection.
const READERS: u32 = 2;

/// A report that enters the queue while another message is settled.
pub(crate) struct NewReport {
    pub(crate) envelope: Envelope,
    pub(crate) message: Body,
}

/// The queue. Cheap to clone.
#[derive(Clone)]
pub struct Queue(Arc<Inner>);

struct Inner {
    readers: SqlitePool,
    writer: Writer,
    /// Rung after every change that may make something due.
    changed: Bell,
}

impl Queue {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the file of a newer server, [`Error::Database`].
    pub async fn open(path: &Path) -> Result<Queue> {
        let connection = schema::open(path).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(schema::options(path))
            .await?;
        Ok(Queue(Arc::new(Inner {
            readers,
            writer: Writer::start(path.to_owned(), connection),
            changed: Bell::new(),
        })))
    }

    /// Closes the file; later calls fail.
    pub async fn close(&self) {
        self.0.readers.close().await;
    }

    /// Takes a message for the recipients of its envelope, to be tried first at `due` (milliseconds since 1970; none: now). It is on
    /// disk when this returns.
    ///
    /// # Errors
    /// [`Error::Database`], or [`Error::Message`] when it cannot be read; it is not in the queue then.
    pub(crate) async fn add(
        &self,
        envelope: Envelope,
        message: Body,
        due: Option<i64>,
    ) -> Result<QueueId> {
        let now = now();
        let due = due.unwrap_or(now);
        let id = self
            .0
            .writer
            .write(Box::new(move |connection| {
                Box::pin(
                    async move { write::add(connection, &envelope, &message, (now, due)).await },
                )
            }))
            .await?;
        self.ring();
        Ok(QueueId(id))
    }

    /// Settles recipients of a message, and takes the reports about them, in one transaction.
    pub(crate) async fn settle(
        &self,
        message: QueueId,
        settlements: Arc<[Settlement]>,
        reports: Arc<[NewReport]>,
    ) -> Result<()> {
        let now = now();
        let ring = !reports.is_empty();
        self.0
            .writer
            .write(Box::new(move |connection| {
                Box::pin(async move {
                    for report in &*reports {
                        write::add(connection, &report.envelope, &report.message, (now, now))
                            .await?;
                    }
                    write::settle(connection, message, &settlements).await?;
                    Ok(0)
                })
            }))
            .await?;
        if ring {
            self.ring();
        }
        Ok(())
    }

    /// Messages after a number, in the order of their numbers.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn messages(
        &self,
        filter: &QueueFilter,
        after: QueueId,
        limit: u32,
    ) -> Result<Vec<QueuedMessage>> {
        read::messages(&self.0.readers, filter, after, limit).await
    }

    /// One message.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn message(&self, id: QueueId) -> Result<QueuedMessage> {
        let filter = QueueFilter {
            ids: vec![id],
            ..QueueFilter::default()
        };
        let found = self.messages(&filter, QueueId(0), 1).await?;
        found.into_iter().next().ok_or(Error::NotFound(id))
    }

    /// How many messages and how many recipients are queued.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn length(&self) -> Result<(u64, u64)> {
        read::length(&self.0.readers).await
    }

    /// Makes all recipients of a message due now.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn retry(&self, id: QueueId) -> Result<()> {
        let now = now();
        self.change(id, "UPDATE recipients SET due = ?2 WHERE message = ?1", now)
            .await
    }

    /// Keeps a message back until it is released.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn hold(&self, id: QueueId) -> Result<()> {
        self.change(id, "UPDATE messages SET held = ?2 WHERE id = ?1", 1)
            .await
    }

    /// Lets a held message go on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn release(&self, id: QueueId) -> Result<()> {
        self.change(id, "UPDATE messages SET held = ?2 WHERE id = ?1", 0)
            .await
    }

    /// Throws a message away; nobody is told.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn delete(&self, id: QueueId) -> Result<()> {
        self.change(id, "DELETE FROM messages WHERE id = ?1 AND ?2 = 0", 0)
            .await
    }

    async fn change(&self, id: QueueId, sql: &'static str, value: i64) -> Result<()> {
        let changed = self
            .0
            .writer
            .write(Box::new(move |connection| {
                Box::pin(async move {
                    let done = sqlx::query(sql)
                        .bind(id.0)
                        .bind(value)
                        .execute(connection)
                        .await?;
                    match done.rows_affected() {
                        0 => Err(Error::NotFound(id)),
                        _ => Ok(0),
                    }
                })
            }))
            .await;
        self.ring();
        changed.map(drop)
    }

    pub(crate) async fn due(&self, now: i64, after: (i64, i64), limit: u32) -> Result<Vec<Due>> {
        read::due(&self.0.readers, now, after, limit).await
    }

    pub(crate) async fn next_due(&self, now: i64) -> Result<Option<i64>> {
        read::next_due(&self.0.readers, now).await
    }

    /// Something may have become due.
    pub(crate) fn ring(&self) {
        self.0.changed.notify_one();
    }

    /// Returns when something may have become due.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// A piece of a message's octets; none behind its end.
    pub(crate) async fn chunk(&self, id: QueueId, number: i64) -> Result<Option<Vec<u8>>> {
        read::chunk(&self.0.readers, id, number).await
    }

    /// All octets of a message.
    pub(crate) async fn body(&self, id: QueueId, mut spool: BodyWriter) -> Result<Body> {
        let mut number = 0;
        while let Some(chunk) = self.chunk(id, number).await? {
            spool.write(&chunk).await?;
            number += 1;
        }
        Ok(spool.finish().await?)
    }
}

#[cfg(test)]
mod tests;
