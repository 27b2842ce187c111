//! Who executes commands: the same for a running server and for a CLI on its own.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use waxwing_directory::Directory;
use waxwing_exmdb::{MailboxGuid, Store};
use waxwing_runtime::Runtime;

use crate::{
    Error, Result, commands,
    protocol::{Progress, Request, Response},
};

/// Told how far a long command is.
pub(crate) type ProgressSink<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// Executes commands. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) runtime: Option<Runtime>,
    importing: Arc<Mutex<HashSet<MailboxGuid>>>,
}

impl Admin {
    /// Without a runtime no server runs, and the commands that need one say so.
    pub fn new(store: Store, directory: Directory, runtime: Option<Runtime>) -> Admin {
        Admin {
            store,
            directory,
            runtime,
            importing: Arc::default(),
        }
    }

    /// Executes one command; [`Request::Import`] is a conversation and has its own way ([`crate::Connection::import`]).
    ///
    /// # Errors
    /// Whatever the directory, the store or the runtime says, in words for the operator.
    pub async fn execute(&self, request: Request, progress: ProgressSink<'_>) -> Result<Response> {
        match request {
            Request::Domain(command) => commands::domains::execute(self, command).await,
            Request::User(command) => commands::users::execute(self, command).await,
            Request::Alias(command) => commands::aliases::execute(self, command).await,
            Request::Group(command) => commands::groups::execute(self, command).await,
            Request::AppPassword(command) => commands::app_passwords::execute(self, command).await,
            Request::Mailbox(command) => {
                commands::mailboxes::execute(self, command, progress).await
            }
            Request::Plugin(command) => commands::plugins::execute(self, command).await,
            Request::Import(_) => Err(Error::Channel("an import needs its messages".into())),
        }
    }

    /// The right to import into a mailbox: two imports at once would not know what the other has done.
    pub(crate) fn claim_import(&self, mailbox: MailboxGuid) -> Result<ImportClaim> {
        let mut importing = self
            .importing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !importing.insert(mailbox) {
            return Err(Error::Failed(
                "another import into this mailbox is running; wait for it".into(),
            ));
        }
        Ok(ImportClaim {
            importing: self.importing.clone(),
            mailbox,
        })
    }
}

/// Given back when dropped.
pub(crate) struct ImportClaim {
    importing: Arc<Mutex<HashSet<MailboxGuid>>>,
    mailbox: MailboxGuid,
}

impl Drop for ImportClaim {
    fn drop(&mut self) {
        self.importing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.mailbox);
    }
}
