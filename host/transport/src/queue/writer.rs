//! The one writer of the queue, and its group commit.
//!
//! Works that come while a commit is synced share the next one: a hundred clients that submit at the same time cost a few syncs, not a
//! hundred. Each work stands in a savepoint of its own, so that one that fails takes no other with it; when the commit itself
//! fails, nobody is told that it is done. After such a failure the file is opened anew ([`super::schema::open`]).

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use super::schema;
use crate::{Error, Result};

/// Works in one commit.
const GROUP: usize = 128;
/// Works that wait; more wait to be allowed to wait.
const WAITING: usize = 1024;

/// What is done inside the transaction; the number is the work's own answer.
pub(super) type Work =
    Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<i64>> + Send>;

struct Job {
    work: Work,
    answer: oneshot::Sender<Result<i64>>,
}

#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Job>);

impl Writer {
    /// Ends when the last [`Writer`] is gone.
    pub(super) fn start(path: PathBuf, connection: SqliteConnection) -> Writer {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(run(path, connection, receiver));
        Writer(sender)
    }

    /// Returns when the work is on disk.
    pub(super) async fn write(&self, work: Work) -> Result<i64> {
        let (answer, answered) = oneshot::channel();
        self.0
            .send(Job { work, answer })
            .await
            .map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

async fn run(path: PathBuf, connection: SqliteConnection, mut jobs: mpsc::Receiver<Job>) {
    use sqlx::Connection as _;
    let mut open = Some(connection);
    let mut group = Vec::new();
    while jobs.recv_many(&mut group, GROUP).await > 0 {
        let connection = match open.take() {
            Some(connection) => Ok(connection),
            None => schema::open(&path).await,
        };
        let mut connection = match connection {
            Ok(connection) => connection,
            Err(error) => {
                tracing::error!(%error, "the queue's database cannot be opened");
                for job in group.drain(..) {
                    let _ = job.answer.send(Err(Error::Closed));
                }
                continue;
            }
        };
        if commit(&mut connection, group.drain(..)).await {
            open = Some(connection);
        } else {
            let _ = connection.close().await;
        }
    }
    if let Some(connection) = open {
        let _ = connection.close().await;
    }
}

/// False when the connection is not to be trusted any more.
async fn commit(connection: &mut SqliteConnection, jobs: impl Iterator<Item = Job>) -> bool {
    let mut done = Vec::new();
    let mut failed = execute(connection, "BEGIN IMMEDIATE").await.err();
    for job in jobs {
        let answer = match &failed {
            None => in_savepoint(connection, job.work).await,
            Some(_) => Err(Error::Closed),
        };
        match answer {
            Ok(Ok(number)) => done.push((job.answer, number)),
            Ok(Err(error)) | Err(error) => {
                if failed.is_none() && !matches!(error, Error::NotFound(_)) {
                    tracing::warn!(%error, "the queue could not be written");
                }
                let _ = job.answer.send(Err(error));
            }
        }
    }
    if failed.is_none() {
        failed = execute(connection, "COMMIT").await.err();
    }
    let Some(error) = failed else {
        for (answer, number) in done {
            // Whoever asked may be gone; it is done all the same.
            let _ = answer.send(Ok(number));
        }
        return true;
    };
    tracing::error!(%error, "the queue could not be written");
    for (answer, _) in done {
        let _ = answer.send(Err(Error::Commit {
            full: error.is_full(),
            text: error.to_string(),
        }));
    }
    let _ = execute(connection, "ROLLBACK").await;
    false
}

/// The outer error is that of the savepoint itself.
async fn in_savepoint(connection: &mut SqliteConnection, work: Work) -> Result<Result<i64>> {
    execute(connection, "SAVEPOINT work").await?;
    let answer = work(connection).await;
    if answer.is_err() {
        execute(connection, "ROLLBACK TO work").await?;
    }
    execute(connection, "RELEASE work").await?;
    Ok(answer)
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<()> {
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}
