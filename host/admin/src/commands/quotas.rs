//! `waxwing quota …`, and the way of the limits from the directory, which keeps them, to the store, which holds to them.

use waxwing_directory::{LimitsChange, UserQuota};
use waxwing_exmdb::{MailboxGuid, Quota};

use crate::{
    Admin, Result,
    protocol::{QuotaCommand, QuotaRow, Response},
};

pub(crate) async fn execute(admin: &Admin, command: QuotaCommand) -> Result<Response> {
    match command {
        QuotaCommand::List { target } => list(admin, target).await,
        QuotaCommand::Set { target, change } => set(admin, &target, change).await,
    }
}

async fn list(admin: &Admin, target: Option<String>) -> Result<Response> {
    let quotas = match target {
        Some(target) if !is_domain(admin, &target).await? => {
            vec![admin.directory.quota(&target).await?]
        }
        domain => admin.directory.quotas(domain.as_deref()).await?,
    };
    let mut rows = Vec::with_capacity(quotas.len());
    for quota in quotas {
        let guid: MailboxGuid = quota.mailbox.parse()?;
        let held = async { admin.store.mailbox(guid).await?.holding().await };
        let held = held
            .await
            .inspect_err(
                |error| tracing::warn!(mailbox = %guid, %error, "it cannot be told what it holds"),
            )
            .ok();
        rows.push(QuotaRow {
            address: quota.address,
            storage_used: held.map(|held| held.storage),
            storage_limit: quota.storage,
            messages_used: held.map(|held| held.messages),
            messages_limit: quota.messages,
            own: quota.own,
        });
    }
    Ok(Response::Quotas(rows))
}

async fn set(admin: &Admin, target: &str, change: LimitsChange) -> Result<Response> {
    if is_domain(admin, target).await? {
        admin.directory.set_domain_quota(target, change).await?;
        admin.tell_quotas().await?;
        return Ok(Response::Done(format!(
            "changed the quota of the users of {target}"
        )));
    }
    admin.directory.set_user_quota(target, change).await?;
    admin.tell_quota(target).await?;
    Ok(Response::Done(format!("changed the quota of {target}")))
}

/// A name without @ can be a domain, or a user of the default domain: the domain wins.
async fn is_domain(admin: &Admin, target: &str) -> Result<bool> {
    if target.contains('@') {
        return Ok(false);
    }
    match admin.directory.domain_quota(target).await {
        Ok(_) => Ok(true),
        Err(waxwing_directory::Error::NotFound(_) | waxwing_directory::Error::Invalid(_)) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

impl Admin {
    /// Tells the store what the directory says of all mailboxes: at the start, and when a change may touch many.
    ///
    /// # Errors
    /// What the directory says.
    pub async fn tell_quotas(&self) -> Result<()> {
        let quotas = self.directory.quotas(None).await?;
        let quotas: Result<Vec<_>> = quotas.iter().map(of_mailbox).collect();
        self.store.set_quotas(quotas?);
        Ok(())
    }

    /// The same of one user.
    pub(crate) async fn tell_quota(&self, address: &str) -> Result<()> {
        let (mailbox, quota) = of_mailbox(&self.directory.quota(address).await?)?;
        self.store.set_quota(mailbox, quota);
        Ok(())
    }
}

fn of_mailbox(user: &UserQuota) -> Result<(MailboxGuid, Quota)> {
    let quota = Quota {
        storage: user.storage,
        messages: user.messages,
    };
    Ok((user.mailbox.parse()?, quota))
}

#[cfg(test)]
mod tests {
    use crate::{protocol::*, testing::Fixture};

    fn set(target: &str, storage: Limit) -> Request {
        Request::Quota(QuotaCommand::Set {
            target: target.into(),
            change: LimitsChange {
                storage: Some(storage),
                messages: None,
            },
        })
    }

    async fn limits(fixture: &Fixture) -> Vec<Option<u64>> {
        let list = Request::Quota(QuotaCommand::List { target: None });
        let Response::Quotas(rows) = fixture.done(list).await else {
            panic!()
        };
        rows.iter().map(|row| row.storage_limit).collect()
    }

    #[tokio::test]
    async fn the_store_holds_to_what_is_said_of_a_domain_and_of_its_new_users() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        fixture.done(set("example.org", Limit::AtMost(10))).await;
        let add = UserCommand::Add {
            address: "bert@example.org".into(),
            display_name: String::new(),
            password: Secret::new("secret"),
        };
        fixture.done(Request::User(add)).await;
        for user in fixture.admin.directory.users(None).await.unwrap() {
            let guid = user.mailbox.parse().unwrap();
            let mailbox = fixture.admin.store.mailbox(guid).await.unwrap();
            assert_eq!(mailbox.quota().storage, Some(10));
        }
    }

    #[tokio::test]
    async fn a_user_can_have_another_quota_than_the_domain() {
        let users = ["anna@example.org", "bert@example.org"];
        let fixture = Fixture::with_users(&users).await;
        fixture.done(set("example.org", Limit::AtMost(10))).await;
        fixture
            .done(set("bert@example.org", Limit::Unlimited))
            .await;
        assert_eq!(limits(&fixture).await, [Some(10), None]);
        let refusal = fixture
            .refused(set("nobody@example.org", Limit::Unlimited))
            .await;
        assert!(refusal.contains("does not exist"), "{refusal}");
    }
}
