//! `waxwing mailbox backup`: one mailbox after the other into one folder; with all of them, the directory of users too.
//!
//! A mailbox that cannot be backed up is named and stops no other. The run's own manifest is written when all are
//! through, so that a restoration of everything never takes half a run for a whole one.

use std::path::Path;

use waxwing_backup::{Generation, Key, Manifest, Repository, RunMailbox, Written, back_up};
use waxwing_exmdb::MailboxGuid;

use super::mailboxes::{Owners, named, owners};
use crate::{
    Admin, Error, Result,
    admin::{ProgressSink, Task},
    protocol::{
        BackedUpMailbox, BackupProgress, BackupScope, BackupStart, BackupSummary, Progress,
        Response,
    },
};

pub(super) async fn execute(
    admin: &Admin,
    start: BackupStart,
    progress: ProgressSink<'_>,
) -> Result<Response> {
    let to = start.to.clone();
    let repository = blocking(move || Repository::to_write(&to)).await?;
    let generation = Generation::now();
    let all = start.of == BackupScope::All;
    // Before the mailboxes are listed: a user of this copy has a mailbox then.
    let directory = match all {
        true => {
            let draft = repository.directory_draft()?;
            let copy = draft.path().join("directory.sqlite");
            admin.directory.copy_to(&copy).await?;
            Some((draft, copy))
        }
        false => None,
    };
    let owners = owners(admin).await?;
    let guids = scope(admin, &start.of).await?;
    let mut run = Run {
        admin,
        owners: &owners,
        generation: &generation,
        keep: start.keep,
        step: BackupProgress {
            mailbox: String::new(),
            done: 0,
            total: guids.len() as u64,
            messages: 0,
            messages_total: 0,
            copied_octets: 0,
        },
        progress,
    };
    let mut mailboxes = Vec::with_capacity(guids.len());
    for guid in guids {
        mailboxes.extend(run.mailbox(&repository, guid, all).await);
    }
    if let Some((_draft, copy)) = directory {
        let held = mailboxes.iter().map(run_mailbox).collect::<Result<_>>()?;
        blocking(move || {
            repository.finish_run(&generation, &copy, held)?;
            match start.keep {
                Some(keep) => repository.prune_runs(keep as usize),
                None => Ok(()),
            }
        })
        .await?;
    }
    Ok(Response::BackedUp(BackupSummary {
        directory: all,
        mailboxes,
    }))
}

async fn scope(admin: &Admin, scope: &BackupScope) -> Result<Vec<MailboxGuid>> {
    match scope {
        BackupScope::All => Ok(admin.store.list().await?),
        BackupScope::Domain(domain) => {
            let users = admin.directory.users(Some(domain)).await?;
            let guids = users.iter().map(|user| Ok(user.mailbox.parse()?));
            guids.collect()
        }
        BackupScope::Mailboxes(names) => {
            let mut guids = Vec::new();
            for name in names {
                guids.extend(named(admin, Some(name)).await?);
            }
            Ok(guids)
        }
    }
}

fn run_mailbox(row: &BackedUpMailbox) -> Result<RunMailbox> {
    let generation = row.generation.as_deref().map(str::parse).transpose()?;
    Ok(RunMailbox {
        mailbox: row.mailbox.clone(),
        owner: row.owner.clone().unwrap_or_default(),
        generation,
    })
}

struct Run<'a> {
    admin: &'a Admin,
    owners: &'a Owners,
    generation: &'a Generation,
    keep: Option<u32>,
    step: BackupProgress,
    progress: ProgressSink<'a>,
}

impl Run<'_> {
    /// None: it was removed before its turn came.
    async fn mailbox(
        &mut self,
        repository: &Repository,
        guid: MailboxGuid,
        may_be_gone: bool,
    ) -> Option<BackedUpMailbox> {
        let owner = self.owners.get(&guid.to_string()).cloned();
        self.step.mailbox = owner.clone().unwrap_or_else(|| guid.to_string());
        let made = self.make(repository, guid, owner.as_deref()).await;
        self.step.done += 1;
        let row = BackedUpMailbox {
            mailbox: guid.to_string(),
            owner,
            ..BackedUpMailbox::default()
        };
        match made {
            Ok((manifest, error)) => Some(BackedUpMailbox {
                error,
                generation: Some(manifest.generation.to_string()),
                change_number: manifest.change_number,
                items: manifest.items,
                octets: manifest.octets,
                copied_octets: manifest.copied_octets,
                missing: manifest.missing.len() as u64,
                ..row
            }),
            Err(Error::Store(waxwing_exmdb::Error::NotFound(_))) if may_be_gone => None,
            Err(error) => {
                tracing::error!(mailbox = %guid, %error, "not backed up");
                Some(BackedUpMailbox {
                    error: Some(error.to_string()),
                    ..row
                })
            }
        }
    }

    /// What was made, and why old generations stay when they should not.
    async fn make(
        &mut self,
        repository: &Repository,
        guid: MailboxGuid,
        owner: Option<&str>,
    ) -> Result<(Manifest, Option<String>)> {
        let _claim = self.admin.claim(guid, Task::Backup)?;
        let mailbox = self.admin.store.mailbox(guid).await?;
        let target = repository.mailbox(guid);
        let before = self.step.copied_octets;
        let (step, progress) = (&mut self.step, &mut *self.progress);
        let mut tell = |written: Written| {
            step.messages = written.blobs;
            step.messages_total = written.blobs_total;
            step.copied_octets = before + written.copied_octets;
            if written.blobs.is_multiple_of(100) || written.blobs == written.blobs_total {
                progress(Progress::Backup(step.clone()));
            }
        };
        let owner = owner.unwrap_or_default();
        let manifest = back_up(&mailbox, owner, &target, self.generation, &mut tell).await?;
        let Some(keep) = self.keep else {
            return Ok((manifest, None));
        };
        let pruned = blocking(move || target.prune(keep as usize)).await;
        let stays = |error: Error| format!("old generations are not removed: {error}");
        Ok((manifest, pruned.err().map(stays)))
    }
}

/// Runs work on the files of a backup where it may wait.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> waxwing_backup::Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(Error::Failed(error.to_string())),
    }
}

/// Where the copy of a directory is, to be taken from: a copy of its own, since taking it upgrades it in place.
pub(super) fn own_copy(
    repository: &Repository,
    digest: &Key,
    folder: &Path,
) -> std::io::Result<std::path::PathBuf> {
    let copy = folder.join("directory.sqlite");
    std::fs::copy(repository.directory(digest), &copy)?;
    Ok(copy)
}
