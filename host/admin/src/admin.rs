//! Who executes commands: the same for a running server and for a CLI on its own.

use std::sync::{Arc, Mutex, PoisonError};

use waxwing_directory::Directory;
use waxwing_exmdb::{MailboxGuid, Store};
use waxwing_runtime::{CurrentSite, Runtime};
use waxwing_transport::{Delivery, Outbound};

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
    pub(crate) outbound: Outbound,
    pub(crate) delivery: Delivery,
    pub(crate) site: CurrentSite,
    running: Arc<Mutex<Vec<(MailboxGuid, Task)>>>,
}

impl Admin {
    /// Without a runtime no server runs, and the commands that need one say so.
    pub fn new(
        store: Store,
        directory: Directory,
        outbound: Outbound,
        runtime: Option<Runtime>,
    ) -> Admin {
        let queue = outbound.queue.clone();
        Admin {
            delivery: Delivery::new(store.clone(), directory.clone(), queue, String::new()),
            store,
            directory,
            outbound,
            runtime,
            site: CurrentSite::default(),
            running: Arc::default(),
        }
    }

    /// With what others may know of this server.
    pub fn at(self, site: CurrentSite) -> Admin {
        Admin { site, ..self }
    }

    /// With the mail flow of a server, and its quarantine.
    pub fn delivering_with(self, delivery: Delivery) -> Admin {
        Admin { delivery, ..self }
    }

    /// Executes one command; [`Request::Import`] and [`Request::Export`] are conversations and have their own ways
    /// ([`crate::Connection::import`], [`crate::Connection::export`]).
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
            Request::Session(command) => commands::sessions::execute(self, command).await,
            Request::Queue(command) => commands::queue::execute(self, command).await,
            Request::Transport(command) => commands::transport::execute(self, command).await,
            Request::Quota(command) => commands::quotas::execute(self, command).await,
            Request::Share(command) => commands::shares::execute(self, command).await,
            Request::Folder(command) => commands::folders::execute(self, command).await,
            Request::Import(_) => Err(Error::Channel("an import needs its messages".into())),
            Request::Export(_) => Err(Error::Channel("an export needs a taker".into())),
        }
    }

    /// The right to do something to a mailbox that goes on for long.
    pub(crate) fn claim(&self, mailbox: MailboxGuid, task: Task) -> Result<Claim> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let of_mailbox = running.iter().filter(|(other, _)| *other == mailbox);
        if let Some((_, other)) = of_mailbox.copied().find(|(_, other)| other.excludes(task)) {
            return Err(Error::Failed(format!(
                "{} this mailbox is running; wait for it",
                other.name()
            )));
        }
        running.push((mailbox, task));
        Ok(Claim {
            running: self.running.clone(),
            mailbox,
            task,
        })
    }
}

/// What goes on for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Two at once would not know what the other has done.
    Import,
    Backup,
    /// Takes the mailbox away under whatever else is going on.
    Restore,
    /// May put a new file in its place.
    Repair,
}

impl Task {
    fn excludes(self, other: Task) -> bool {
        let alone = |task| matches!(task, Task::Restore | Task::Repair);
        self == other || alone(self) || alone(other)
    }

    fn name(self) -> &'static str {
        match self {
            Task::Import => "an import into",
            Task::Backup => "a backup of",
            Task::Restore => "a restoration of",
            Task::Repair => "a repair of",
        }
    }
}

/// Given back when dropped.
pub(crate) struct Claim {
    running: Arc<Mutex<Vec<(MailboxGuid, Task)>>>,
    mailbox: MailboxGuid,
    task: Task,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let claimed = (self.mailbox, self.task);
        running.retain(|other| *other != claimed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[tokio::test]
    async fn a_restoration_is_alone_and_a_backup_may_run_beside_an_import() {
        let fixture = Fixture::with_users(&[]).await;
        let (here, there) = (MailboxGuid([1; 16]), MailboxGuid([2; 16]));
        let claim = |guid, task| fixture.admin.claim(guid, task);
        let import = claim(here, Task::Import).unwrap();
        let backup = claim(here, Task::Backup).unwrap();
        assert!(claim(here, Task::Import).is_err());
        let refused = claim(here, Task::Restore).err().unwrap().to_string();
        assert!(refused.contains("wait for it"), "{refused}");
        claim(there, Task::Restore).unwrap();
        drop((import, backup));
        let _restore = claim(here, Task::Restore).unwrap();
        assert!(claim(here, Task::Backup).is_err());
    }
}
