//! `waxwing mailbox …`: mailboxes as files, with or without a user.

use std::collections::HashMap;

use waxwing_exmdb::{CheckReport, Mailbox, MailboxGuid};
use waxwing_runtime::sharing;

use super::{backup, restore};
use crate::{
    Admin, Error, Result,
    admin::{ProgressSink, Task},
    protocol::{CheckedMailbox, Finding, MailboxCommand, MailboxRow, Progress, Response},
};

/// Addresses of users by mailbox.
pub(super) type Owners = HashMap<String, String>;

pub(crate) async fn execute(
    admin: &Admin,
    command: MailboxCommand,
    progress: ProgressSink<'_>,
) -> Result<Response> {
    let owners = owners(admin).await?;
    match command {
        MailboxCommand::List => {
            let mut rows: Vec<_> = admin
                .store
                .list()
                .await?
                .into_iter()
                .map(|guid| row(guid, &owners))
                .collect();
            rows.sort_by(|one, other| {
                (&one.owner, &one.mailbox).cmp(&(&other.owner, &other.mailbox))
            });
            Ok(Response::Mailboxes(rows))
        }
        MailboxCommand::Size { mailbox } => {
            let mut rows = Vec::new();
            for guid in named(admin, mailbox.as_deref()).await? {
                let size = admin.store.mailbox(guid).await?.size().await?;
                rows.push(MailboxRow {
                    items: Some(size.items),
                    bytes: Some(size.bytes),
                    bytes_on_disk: Some(size.bytes_on_disk),
                    folders: Some(size.folders),
                    ..row(guid, &owners)
                });
            }
            rows.sort_by(|one, other| {
                (&one.owner, &one.mailbox).cmp(&(&other.owner, &other.mailbox))
            });
            Ok(Response::Mailboxes(rows))
        }
        MailboxCommand::Check { mailbox, repair } => {
            let guids = named(admin, mailbox.as_deref()).await?;
            let (mut checked, total) = (Vec::new(), guids.len() as u64);
            for (done, guid) in (1..).zip(guids) {
                checked.push(check(admin, guid, repair, &owners).await);
                progress(Progress::Mailboxes { done, total });
            }
            Ok(Response::Checked(checked))
        }
        MailboxCommand::Backup(start) => backup::execute(admin, start, progress).await,
        MailboxCommand::Restore(start) => restore::execute(admin, start, progress).await,
    }
}

/// One mailbox that cannot be read must not hide what is wrong with the next.
async fn check(admin: &Admin, guid: MailboxGuid, repair: bool, owners: &Owners) -> CheckedMailbox {
    let (mailbox, owner) = (guid.to_string(), owners.get(&guid.to_string()).cloned());
    let report = async {
        let mailbox = admin.store.mailbox(guid).await?;
        let report = if repair {
            let _claim = admin.claim(guid, Task::Repair)?;
            mailbox.repair(owner.as_deref()).await?
        } else {
            mailbox.check(false).await?
        };
        let shares = match &owner {
            Some(_) => check_shares(admin, &mailbox, repair).await?,
            // Of nobody's mailbox the directory knows nothing.
            None => None,
        };
        Ok::<_, Error>((report, shares))
    };
    match report.await {
        Ok((report, shares)) => CheckedMailbox {
            mailbox,
            owner,
            items: report.items,
            folders: report.folders,
            blobs: report.blobs,
            salvage: report.salvage.clone(),
            findings: findings(report).into_iter().chain(shares).collect(),
            error: None,
        },
        Err(error) => CheckedMailbox {
            mailbox,
            owner,
            items: 0,
            folders: 0,
            blobs: 0,
            findings: Vec::new(),
            salvage: None,
            error: Some(error.to_string()),
        },
    }
}

/// Whether the directory knows everybody with whom a mailbox is shared.
async fn check_shares(admin: &Admin, mailbox: &Mailbox, repair: bool) -> Result<Option<Finding>> {
    let unknown = sharing::unknown_members(&admin.directory, mailbox).await?;
    if repair {
        sharing::refresh(&admin.directory, mailbox).await?;
    }
    Ok((!unknown.is_empty()).then(|| Finding {
        invariant: "shares".to_owned(),
        what: format!(
            "the directory does not know that something is shared with {}",
            unknown.join(", ")
        ),
        repaired: repair.then(|| "told the directory".to_owned()),
    }))
}

pub(super) fn findings(report: CheckReport) -> Vec<Finding> {
    let findings = report.findings.into_iter();
    findings
        .map(|finding| Finding {
            invariant: finding.invariant.to_owned(),
            what: finding.what,
            repaired: finding.repaired,
        })
        .collect()
}

/// The mailbox of an address or of 32 hex digits, or all.
pub(crate) async fn named(admin: &Admin, name: Option<&str>) -> Result<Vec<MailboxGuid>> {
    let Some(name) = name else {
        return Ok(admin.store.list().await?);
    };
    if !name.contains('@')
        && let Ok(guid) = name.parse::<MailboxGuid>()
    {
        return match admin.store.list().await?.contains(&guid) {
            true => Ok(vec![guid]),
            false => Err(Error::Failed(format!(
                "mailbox {guid} does not exist; `waxwing mailbox list` shows all"
            ))),
        };
    }
    Ok(vec![admin.directory.user(name).await?.mailbox.parse()?])
}

pub(super) async fn owners(admin: &Admin) -> Result<Owners> {
    let users = admin.directory.users(None).await?;
    Ok(users
        .into_iter()
        .map(|user| (user.mailbox, user.address))
        .collect())
}

fn row(guid: MailboxGuid, owners: &Owners) -> MailboxRow {
    let mailbox = guid.to_string();
    let owner = owners.get(&mailbox).cloned();
    MailboxRow {
        mailbox,
        owner,
        items: None,
        bytes: None,
        bytes_on_disk: None,
        folders: None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{protocol::*, testing::Fixture};

    fn check(mailbox: Option<&str>) -> Request {
        Request::Mailbox(MailboxCommand::Check {
            mailbox: mailbox.map(Into::into),
            repair: false,
        })
    }

    #[tokio::test]
    async fn a_mailbox_is_named_by_address_or_digits() {
        let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        let Response::Checked(all) = fixture.done(check(None)).await else {
            panic!()
        };
        assert_eq!(all.len(), 2);
        for name in [
            "anna@example.org",
            "anna",
            &fixture.guid("anna@example.org").await.to_string(),
        ] {
            let Response::Checked(one) = fixture.done(check(Some(name))).await else {
                panic!()
            };
            assert_eq!(one[0].owner.as_deref(), Some("anna@example.org"));
            assert_eq!((one[0].error.clone(), one[0].findings.len()), (None, 0));
        }
        assert!(
            fixture
                .refused(check(Some(&"0".repeat(32))))
                .await
                .contains("waxwing mailbox list")
        );
    }

    #[tokio::test]
    async fn size_tells_items_and_octets() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        fixture
            .import(
                "anna@example.org",
                &[("INBOX", "Subject: x\r\n\r\nbody\r\n")],
            )
            .await;
        let Response::Mailboxes(rows) = fixture
            .done(Request::Mailbox(MailboxCommand::Size { mailbox: None }))
            .await
        else {
            panic!()
        };
        assert_eq!((rows[0].items, rows[0].bytes), (Some(1), Some(20)));
    }
}
