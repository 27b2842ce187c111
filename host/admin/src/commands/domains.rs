//! `waxwing domain …`

use super::{
    dkim, shares,
    users::{self, remove_mailbox},
};
use crate::{
    Admin, Result,
    protocol::{DomainCommand, DomainRow, RemovedUser, Response},
};

pub(crate) async fn execute(admin: &Admin, command: DomainCommand) -> Result<Response> {
    let directory = &admin.directory;
    match command {
        DomainCommand::Add { name } => {
            directory.add_domain(&name).await?;
            Ok(Response::Done(format!("added domain {name}")))
        }
        DomainCommand::List => {
            let domains = directory.domains().await?;
            Ok(Response::Domains(
                domains
                    .into_iter()
                    .map(|domain| DomainRow {
                        name: domain.name,
                        users: domain.users,
                        catch_all: domain.catch_all,
                    })
                    .collect(),
            ))
        }
        DomainCommand::CatchAll { domain, address } => {
            directory.set_catch_all(&domain, address.as_deref()).await?;
            Ok(Response::Done(match address {
                Some(address) => {
                    format!("mail to addresses of {domain} that do not exist goes to {address}")
                }
                None => format!("mail to addresses of {domain} that do not exist is refused"),
            }))
        }
        DomainCommand::Public { domain, account } => public(admin, &domain, account).await,
        DomainCommand::Dkim { domain, command } => dkim::execute(admin, &domain, command).await,
        DomainCommand::Dns { domain, check } => {
            let records = dkim::records_of(admin, &domain, check).await?;
            Ok(Response::DnsRecords(records))
        }
        DomainCommand::Remove {
            name,
            with_users: false,
            ..
        } => {
            directory.remove_domain(&name).await?;
            Ok(Response::Done(format!("removed domain {name}")))
        }
        DomainCommand::Remove {
            name,
            with_users: true,
            keep_mail,
        } => Ok(Response::UsersRemoved(
            remove_with_users(admin, &name, keep_mail).await?,
        )),
    }
}

/// What cannot be removed does not keep the others; the last failure is told at the end.
async fn remove_with_users(
    admin: &Admin,
    domain: &str,
    keep_mail: bool,
) -> Result<Vec<RemovedUser>> {
    let directory = &admin.directory;
    let groups = directory.groups(Some(domain)).await?;
    let mut removed = Vec::new();
    let mut failed = Ok(());
    for user in directory.remove_domain_with_users(domain).await? {
        match remove_mailbox(admin, user, keep_mail).await {
            Ok(row) => removed.push(row),
            Err(error) => failed = Err(error),
        }
    }
    for group in groups {
        failed = failed.and(shares::forget(admin, &group.address).await);
    }
    failed?;
    Ok(removed)
}

/// An account that is made for it is nobody's to log in with.
async fn public(admin: &Admin, domain: &str, account: Option<String>) -> Result<Response> {
    let directory = &admin.directory;
    let Some(account) = account else {
        directory.set_public_account(domain, None).await?;
        return Ok(Response::Done(format!("{domain} has no public folders")));
    };
    let account = directory.canonical(&account).await?;
    match directory.user(&account).await {
        Ok(_) => {}
        Err(waxwing_directory::Error::NotFound(_)) => {
            users::add_locked(admin, &account, "Public folders").await?;
        }
        Err(error) => return Err(error.into()),
    }
    directory.set_public_account(domain, Some(&account)).await?;
    Ok(Response::Done(format!(
        "the folders of {account} are the public folders of {domain}"
    )))
}

#[cfg(test)]
mod tests {
    use crate::{protocol::*, testing::Fixture};

    #[tokio::test]
    async fn a_domain_with_users_goes_with_their_mail_when_asked() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        let remove = |with_users| {
            Request::Domain(DomainCommand::Remove {
                name: "example.org".into(),
                with_users,
                keep_mail: false,
            })
        };
        let refusal = fixture.refused(remove(false)).await;
        assert!(refusal.contains("--with-users"), "{refusal}");
        let Response::UsersRemoved(removed) = fixture.done(remove(true)).await else {
            panic!()
        };
        assert_eq!(removed[0].address, "anna@example.org");
        assert!(fixture.admin.store.list().await.unwrap().is_empty());
        assert_eq!(
            fixture.done(Request::Domain(DomainCommand::List)).await,
            Response::Domains(Vec::new())
        );
    }
}
