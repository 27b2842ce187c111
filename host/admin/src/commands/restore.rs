//! `waxwing mailbox restore`: a mailbox out of a backup; in the place of the one that is there, into a folder of it, or with all
//! others onto an empty machine.
//!
//! However it ends up, the mailbox is made and checked apart first. All of them: the directory of users comes last, so a run
//! that was broken off is started again, and goes on with the mailboxes that are not there yet.

use waxwing_backup::{Generation, MailboxBackup, Manifest, Repository, RunManifest};
use waxwing_exmdb::{Error as StoreError, MailboxGuid, RestoredMailbox};
use waxwing_runtime::sharing;

use super::{
    backup::{blocking, own_copy},
    mailboxes::{findings, owners},
    restore_into::copy_into,
};
use crate::{
    Admin, Error, Result,
    admin::{ProgressSink, Task},
    protocol::{
        Finding, Progress, Response, RestoreProgress, RestoreScope, RestoreStart, RestoreSummary,
        RestoreWay, RestoredRow,
    },
};

pub(super) async fn execute(
    admin: &Admin,
    start: RestoreStart,
    progress: ProgressSink<'_>,
) -> Result<Response> {
    let from = start.from.clone();
    let mut restore = Restore {
        admin,
        repository: blocking(move || Repository::to_read(&from)).await?,
        generation: start.generation.as_deref().map(str::parse).transpose()?,
        step: RestoreProgress {
            mailbox: String::new(),
            done: 0,
            total: 1,
            messages: 0,
            messages_total: 0,
        },
        progress,
    };
    let summary = match start.what {
        RestoreScope::All => restore.all().await?,
        RestoreScope::Mailbox {
            mailbox,
            to_user,
            way,
        } => {
            let to_user = to_user.unwrap_or_else(|| mailbox.clone());
            RestoreSummary {
                users: None,
                mailboxes: vec![restore.one(&mailbox, &to_user, way).await?],
            }
        }
    };
    Ok(Response::Restored(summary))
}

struct Restore<'a> {
    admin: &'a Admin,
    repository: Repository,
    generation: Option<Generation>,
    step: RestoreProgress,
    progress: ProgressSink<'a>,
}

/// A mailbox in its spool, and what is to be said of it.
struct Made {
    restored: RestoredMailbox,
    missing: u64,
    findings: Vec<Finding>,
    items: u64,
}

impl Restore<'_> {
    async fn one(&mut self, name: &str, to_user: &str, way: RestoreWay) -> Result<RestoredRow> {
        let backup = self.find(name).await?;
        let manifest = self.manifest(&backup, self.generation.clone())?;
        let (guid, owner) = self.target(to_user).await?;
        let _claim = self.admin.claim(guid, Task::Restore)?;
        if way == RestoreWay::Empty && self.items(guid).await? > 0 {
            return Err(Error::Failed(format!(
                "the mailbox of {to_user} is not empty: --replace replaces it, --into FOLDER adds a folder to it"
            )));
        }
        let made = self.make(&backup, &manifest, guid, &owner).await?;
        let row = RestoredRow {
            mailbox: guid.to_string(),
            owner: (!owner.is_empty()).then_some(owner),
            generation: Some(manifest.generation.to_string()),
            items: made.items,
            missing: made.missing,
            findings: made.findings,
            error: None,
        };
        let RestoreWay::Into { folder, only } = way else {
            self.admin.store.install(made.restored, guid).await?;
            let installed = self.admin.store.mailbox(guid).await?;
            sharing::refresh(&self.admin.directory, &installed).await?;
            return Ok(row);
        };
        let target = self.admin.store.mailbox(guid).await?;
        let source = made.restored.mailbox();
        let copied = copy_into(&source, only.as_deref(), &target, &folder).await?;
        Ok(RestoredRow {
            items: copied.items,
            missing: copied.failed,
            ..row
        })
    }

    async fn all(&mut self) -> Result<RestoreSummary> {
        if let Some(domain) = self.admin.directory.domains().await?.first() {
            return Err(Error::Failed(format!(
                "everything is restored into an empty data directory only; this one has the domain {} (a single mailbox: `waxwing mailbox restore ADDRESS`)",
                domain.name
            )));
        }
        let run = self.run()?;
        self.step.total = run.mailboxes.len() as u64;
        let mut mailboxes = Vec::new();
        for held in &run.mailboxes {
            let guid: MailboxGuid = held.mailbox.parse()?;
            self.step.mailbox = match held.owner.as_str() {
                "" => held.mailbox.clone(),
                owner => owner.to_owned(),
            };
            let row = RestoredRow {
                mailbox: held.mailbox.clone(),
                owner: (!held.owner.is_empty()).then(|| held.owner.clone()),
                ..RestoredRow::default()
            };
            mailboxes.push(
                match self.whole(guid, held.generation.clone(), &held.owner).await {
                    Ok(restored) => RestoredRow {
                        mailbox: row.mailbox,
                        owner: row.owner,
                        ..restored
                    },
                    Err(error) => RestoredRow {
                        error: Some(error.to_string()),
                        ..row
                    },
                },
            );
            self.step.done += 1;
        }
        Ok(RestoreSummary {
            users: Some(self.directory(&run).await?),
            mailboxes,
        })
    }

    /// The run that is asked for, or the newest, when the directory of users in it is what was written.
    fn run(&mut self) -> Result<RunManifest> {
        let names = self.repository.run_names()?;
        let name = match self.generation.take() {
            Some(generation) => names.contains(&generation).then_some(generation),
            None => names.last().cloned(),
        };
        let name = name.ok_or_else(|| {
            Error::Failed(
                "the backup has no such run of `waxwing mailbox backup --all` that came to its end"
                    .into(),
            )
        })?;
        let run = self.repository.run(&name)?;
        self.repository.verify_directory(&run)?;
        Ok(run)
    }

    /// Fills the directory of users, and gives a mailbox to those who have none: it could not be backed up.
    async fn directory(&mut self, run: &RunManifest) -> Result<u64> {
        let folder = tempfile::tempdir()?;
        let copy = own_copy(&self.repository, &run.directory, folder.path())?;
        self.admin.directory.take_from(&copy).await?;
        self.admin.tell_quotas().await?;
        let users = self.admin.directory.users(None).await?;
        for user in &users {
            match self
                .admin
                .store
                .create(user.mailbox.parse()?, &user.address)
                .await
            {
                Ok(_) | Err(StoreError::AlreadyExists(_)) => {}
                Err(error) => return Err(error.into()),
            }
            let mailbox = self.admin.store.mailbox(user.mailbox.parse()?).await?;
            sharing::refresh(&self.admin.directory, &mailbox).await?;
        }
        Ok(users.len() as u64)
    }

    /// One of all. One that has items is there already, whole, by a run that was broken off.
    async fn whole(
        &mut self,
        guid: MailboxGuid,
        generation: Option<Generation>,
        owner: &str,
    ) -> Result<RestoredRow> {
        let _claim = self.admin.claim(guid, Task::Restore)?;
        let backup = self.repository.mailbox(guid);
        let manifest = match generation {
            Some(name) if backup.generations()?.contains(&name) => {
                self.manifest(&backup, Some(name))?
            }
            _ => self.manifest(&backup, None)?,
        };
        let there = self.items(guid).await?;
        let row = RestoredRow {
            generation: Some(manifest.generation.to_string()),
            items: there,
            ..RestoredRow::default()
        };
        if there > 0 {
            return Ok(row);
        }
        let made = self.make(&backup, &manifest, guid, owner).await?;
        self.admin.store.install(made.restored, guid).await?;
        Ok(RestoredRow {
            items: made.items,
            missing: made.missing,
            findings: made.findings,
            ..row
        })
    }

    async fn make(
        &mut self,
        backup: &MailboxBackup,
        manifest: &Manifest,
        guid: MailboxGuid,
        owner: &str,
    ) -> Result<Made> {
        self.step.mailbox = match owner {
            "" => guid.to_string(),
            owner => owner.to_owned(),
        };
        self.step.messages_total = manifest.items;
        let (step, progress) = (&mut self.step, &mut *self.progress);
        let mut tell = |messages: u64| {
            step.messages = messages;
            if messages.is_multiple_of(100) {
                progress(Progress::Restore(step.clone()));
            }
        };
        let store = &self.admin.store;
        let (restored, missing) = backup
            .restore(manifest, store, (guid, owner), &mut tell)
            .await?;
        let report = restored.check().await?;
        Ok(Made {
            restored,
            missing,
            items: report.items,
            findings: findings(report),
        })
    }

    /// What the backup has of an address or of 32 hex digits. An address is that of the user's mailbox now or, when there is
    /// none of it, of the newest mailbox that was the user's then.
    async fn find(&mut self, name: &str) -> Result<MailboxBackup> {
        let there_is = |guid: MailboxGuid| {
            let backup = self.repository.mailbox(guid);
            let any = backup.generations().is_ok_and(|names| !names.is_empty());
            any.then_some(backup)
        };
        let by_name = match name.parse::<MailboxGuid>() {
            Ok(guid) if !name.contains('@') => there_is(guid),
            _ => match self.admin.directory.user(name).await {
                Ok(user) => there_is(user.mailbox.parse()?),
                Err(_) => None,
            },
        };
        if let Some(backup) = by_name {
            return Ok(backup);
        }
        let mut newest: Option<(Generation, MailboxBackup)> = None;
        for backup in self.repository.mailboxes()? {
            for generation in backup.generations()? {
                let is_newer = newest.as_ref().is_none_or(|(other, _)| generation > *other);
                let was_theirs = || {
                    let manifest = backup.manifest(&generation);
                    manifest.is_ok_and(|manifest| manifest.owner.eq_ignore_ascii_case(name))
                };
                if is_newer && was_theirs() {
                    newest = Some((generation, backup.clone()));
                }
            }
        }
        newest.map(|(_, backup)| backup).ok_or_else(|| {
            Error::Failed(format!(
                "the backup has nothing of {name}; `waxwing mailbox backup list` shows what it has"
            ))
        })
    }

    fn manifest(&self, backup: &MailboxBackup, generation: Option<Generation>) -> Result<Manifest> {
        let names = backup.generations()?;
        let name = match &generation {
            Some(name) => names.iter().find(|other| *other == name),
            None => names.last(),
        };
        let name = name.ok_or_else(|| {
            let all: Vec<_> = names.iter().map(ToString::to_string).collect();
            Error::Failed(format!(
                "the backup of this mailbox has no such generation; it has {}",
                all.join(", ")
            ))
        })?;
        Ok(backup.manifest(name)?)
    }

    /// Guid and address of whose it shall be.
    async fn target(&mut self, name: &str) -> Result<(MailboxGuid, String)> {
        match name.parse::<MailboxGuid>() {
            Ok(guid) if !name.contains('@') => {
                let owner = owners(self.admin).await?.remove(&guid.to_string());
                Ok((guid, owner.unwrap_or_default()))
            }
            _ => {
                let user = self.admin.directory.user(name).await?;
                Ok((user.mailbox.parse()?, user.address))
            }
        }
    }

    /// Items of the mailbox that is there; none, when there is none or it cannot be read.
    async fn items(&mut self, guid: MailboxGuid) -> Result<u64> {
        match self.admin.store.mailbox(guid).await {
            Ok(mailbox) => Ok(mailbox.size().await?.items),
            Err(StoreError::NotFound(_)) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        protocol::{BackupScope, BackupStart, MailboxCommand, Request, UserCommand},
        testing::Fixture,
    };

    const ANNA: &str = "anna@example.org";
    const BOB: &str = "bob@example.org";

    fn backup(of: BackupScope, to: &Path) -> Request {
        Request::Mailbox(MailboxCommand::Backup(BackupStart {
            of,
            to: to.to_owned(),
            keep: None,
        }))
    }

    fn restore(from: &Path, what: RestoreScope) -> Request {
        Request::Mailbox(MailboxCommand::Restore(RestoreStart {
            from: from.to_owned(),
            generation: None,
            what,
        }))
    }

    fn one(mailbox: &str, to_user: Option<&str>, way: RestoreWay) -> RestoreScope {
        RestoreScope::Mailbox {
            mailbox: mailbox.into(),
            to_user: to_user.map(Into::into),
            way,
        }
    }

    #[tokio::test]
    async fn the_mailbox_of_a_user_who_is_gone_is_found_by_address_and_given_to_another() {
        let fixture = Fixture::with_users(&[ANNA, BOB]).await;
        let to = tempfile::tempdir().unwrap();
        let mail = [
            ("INBOX", "Subject: 1\n\nx\n"),
            ("Work/Old", "Subject: 2\n\nx\n"),
        ];
        fixture.import(ANNA, &mail).await;
        let Response::BackedUp(made) = fixture
            .done(backup(BackupScope::Mailboxes(vec![ANNA.into()]), to.path()))
            .await
        else {
            panic!()
        };
        assert_eq!((made.mailboxes[0].items, made.directory), (2, false));
        let (address, keep_mail) = (ANNA.into(), false);
        fixture
            .done(Request::User(UserCommand::Remove { address, keep_mail }))
            .await;
        let whole = one(ANNA, Some(BOB), RestoreWay::Empty);
        fixture.done(restore(to.path(), whole.clone())).await;
        assert_eq!(fixture.count(BOB, "Work/Old").await, 1);
        let refused = fixture.refused(restore(to.path(), whole)).await;
        assert!(refused.contains("--replace"), "{refused}");
        let only = RestoreWay::Into {
            folder: vec!["Back".into()],
            only: Some(vec!["work".into()]),
        };
        let refused = fixture
            .refused(restore(to.path(), one(ANNA, Some(BOB), only)))
            .await;
        assert!(
            refused.contains("Work/Old"),
            "names what there is: {refused}"
        );
        let only = RestoreWay::Into {
            folder: vec!["Back".into()],
            only: Some(vec!["Work".into()]),
        };
        fixture
            .done(restore(to.path(), one(ANNA, Some(BOB), only)))
            .await;
        assert_eq!(fixture.count(BOB, "Back/Work/Old").await, 1);
        assert_eq!(fixture.count(BOB, "INBOX").await, 1);
    }

    #[tokio::test]
    async fn everything_goes_onto_an_empty_machine_and_nowhere_else() {
        let fixture = Fixture::with_users(&[ANNA, BOB]).await;
        let to = tempfile::tempdir().unwrap();
        fixture
            .import(ANNA, &[("INBOX", "Subject: 1\n\nx\n")])
            .await;
        fixture.done(backup(BackupScope::All, to.path())).await;
        let refused = fixture.refused(restore(to.path(), RestoreScope::All)).await;
        assert!(refused.contains("empty data directory"), "{refused}");
        let empty = Fixture::empty().await;
        let Response::Restored(summary) = empty.done(restore(to.path(), RestoreScope::All)).await
        else {
            panic!()
        };
        assert_eq!((summary.users, summary.mailboxes.len()), (Some(2), 2));
        assert_eq!(empty.count(ANNA, "INBOX").await, 1);
        assert_eq!(empty.guid(BOB).await, fixture.guid(BOB).await);
    }

    #[tokio::test]
    async fn a_backup_of_single_mailboxes_is_no_backup_of_everything() {
        let fixture = Fixture::with_users(&[ANNA]).await;
        let to = tempfile::tempdir().unwrap();
        fixture
            .done(backup(BackupScope::Domain("example.org".into()), to.path()))
            .await;
        let empty = Fixture::empty().await;
        let refused = empty.refused(restore(to.path(), RestoreScope::All)).await;
        assert!(refused.contains("--all"), "{refused}");
    }
}
