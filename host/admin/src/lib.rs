//! The administrator's commands, and the channel between the CLI and a running server.
//!
//! While a server runs it alone opens the databases: the CLI sends its [`Request`] over a Unix socket that only the
//! server's own user may open. When none runs, the CLI opens the databases itself and executes the very same request.
//! [`connect_or_offline`] decides which; a caller sees a [`Connection`] either way.
#![allow(unused_variables, clippy::todo)]

mod data_dir;
pub mod protocol;

use std::path::Path;

pub use data_dir::DataDir;
use protocol::{ImportMessage, ImportStart, ImportSummary, Progress, Request, Response};
use tokio::sync::mpsc;
use waxwing_directory::Directory;
use waxwing_exmdb::Store;
use waxwing_runtime::Runtime;

/// Why a command could not be done. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command was understood and refused, or failed.
    #[error("{0}")]
    Failed(String),
    /// The server went away, or speaks otherwise.
    #[error("admin socket: {0}")]
    Channel(String),
    /// Reading or writing the socket.
    #[error("admin socket: {0}")]
    Io(#[from] std::io::Error),
}

/// This crate's results.
pub type Result<T> = std::result::Result<T, Error>;

/// Executes commands. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    /// All mailboxes.
    pub store: Store,
    /// All people.
    pub directory: Directory,
    /// Absent when no server runs: plugin commands then say so.
    pub runtime: Option<Runtime>,
}

/// Answers administrators on `socket` until dropped or aborted; removes a stale socket file first.
pub async fn serve(socket: &Path, admin: Admin) -> Result<()> {
    todo!()
}

/// A way to have commands executed: by the running server, or here.
pub struct Connection(());

/// The running server if there is one, else the databases themselves (without a server to disturb).
pub async fn connect_or_offline(
    data: &DataDir,
    default_domain: Option<String>,
) -> Result<Connection> {
    todo!()
}

impl Connection {
    /// Whether a running server executes the commands.
    pub fn is_online(&self) -> bool {
        todo!()
    }

    /// Executes one command (not `Import`).
    pub async fn call(
        &mut self,
        request: Request,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Response> {
        todo!()
    }

    /// Imports what comes out of `messages` until its sender is dropped. Send on it from a blocking thread: it holds back
    /// when the server is slower.
    pub async fn import(
        &mut self,
        start: ImportStart,
        messages: mpsc::Receiver<ImportMessage>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<ImportSummary> {
        todo!()
    }

    /// Closes what was opened. Offline, this is where the mailboxes are flushed.
    pub async fn close(self) {
        todo!()
    }
}
