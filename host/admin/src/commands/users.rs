//! `waxwing user …`: a user and the mailbox that goes with it.
//!
//! The mailbox is made before the user and removed after, so that a crash in between leaves a mailbox of nobody, which
//! `mailbox list` shows, and never a user whose mail cannot arrive.

use waxwing_directory::User;
use waxwing_exmdb::MailboxGuid;

use crate::{
    Admin, Error, Result,
    protocol::{RemovedUser, Response, Secret, UserCommand, UserRow},
};

pub(crate) async fn execute(admin: &Admin, command: UserCommand) -> Result<Response> {
    let directory = &admin.directory;
    match command {
        UserCommand::Add {
            address,
            display_name,
            password,
        } => add(admin, &address, &display_name, &password).await,
        UserCommand::List { domain } => {
            let users = directory.users(domain.as_deref()).await?;
            Ok(Response::Users(users.into_iter().map(row).collect()))
        }
        UserCommand::Passwd { address, password } => {
            directory
                .set_password(&address, password.expose().into())
                .await?;
            Ok(Response::Done(format!("changed the password of {address}")))
        }
        UserCommand::Remove { address, keep_mail } => {
            let user = directory.remove_user(&address).await?;
            Ok(Response::UsersRemoved(vec![
                remove_mailbox(admin, user, keep_mail).await?,
            ]))
        }
        UserCommand::Enable { address, on } => {
            directory.set_enabled(&address, on).await?;
            Ok(Response::Done(format!(
                "{address} may {}log in",
                if on { "" } else { "no longer " }
            )))
        }
        UserCommand::Feature {
            address,
            feature,
            on,
        } => {
            directory.set_feature(&address, &feature, on).await?;
            Ok(Response::Done(format!(
                "{feature} is {} for {address}",
                if on { "on" } else { "off" }
            )))
        }
    }
}

async fn add(
    admin: &Admin,
    address: &str,
    display_name: &str,
    password: &Secret,
) -> Result<Response> {
    let owner = admin.directory.canonical(address).await?;
    let mailbox = MailboxGuid::random();
    admin.store.create(mailbox, &owner).await?;
    let added = admin
        .directory
        .add_user(
            &owner,
            display_name,
            password.expose().into(),
            &mailbox.to_string(),
        )
        .await;
    match added {
        Ok(user) => Ok(Response::UserAdded(row(user))),
        Err(error) => {
            admin.store.remove(mailbox).await?;
            Err(error.into())
        }
    }
}

/// The mailbox of a user who is gone.
pub(crate) async fn remove_mailbox(
    admin: &Admin,
    user: User,
    keep_mail: bool,
) -> Result<RemovedUser> {
    if !keep_mail {
        let mailbox: MailboxGuid = user.mailbox.parse()?;
        match admin.store.remove(mailbox).await {
            Ok(()) | Err(waxwing_exmdb::Error::NotFound(_)) => {}
            Err(error) => {
                return Err(Error::Failed(format!(
                    "{} is removed, but not the mailbox {mailbox}: {error}",
                    user.address
                )));
            }
        }
    }
    Ok(RemovedUser {
        address: user.address,
        mailbox: user.mailbox,
        mail_kept: keep_mail,
    })
}

fn row(user: User) -> UserRow {
    UserRow {
        address: user.address,
        display_name: user.display_name,
        mailbox: user.mailbox,
        enabled: user.enabled,
        features_off: user.features_off,
    }
}

#[cfg(test)]
mod tests {
    use crate::{protocol::*, testing::Fixture};

    fn add(address: &str) -> Request {
        Request::User(UserCommand::Add {
            address: address.into(),
            display_name: String::new(),
            password: Secret::new("secret"),
        })
    }

    fn remove(keep_mail: bool) -> Request {
        Request::User(UserCommand::Remove {
            address: "anna@example.org".into(),
            keep_mail,
        })
    }

    #[tokio::test]
    async fn a_user_comes_with_a_mailbox_and_goes_with_it() {
        let fixture = Fixture::with_users(&[]).await;
        let Response::UserAdded(user) = fixture.done(add("Anna@example.org")).await else {
            panic!()
        };
        assert_eq!(
            (user.address.as_str(), user.display_name.as_str()),
            ("anna@example.org", "anna")
        );
        let mailbox = fixture
            .admin
            .store
            .mailbox(user.mailbox.parse().unwrap())
            .await
            .unwrap();
        assert_eq!(mailbox.owner().await.unwrap(), "anna@example.org");
        let removed = RemovedUser {
            address: user.address,
            mailbox: user.mailbox,
            mail_kept: false,
        };
        assert_eq!(
            fixture.done(remove(false)).await,
            Response::UsersRemoved(vec![removed])
        );
        assert!(fixture.admin.store.list().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_user_who_cannot_be_added_leaves_no_mailbox() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        assert!(
            fixture
                .refused(add("ANNA@example.org"))
                .await
                .contains("exists already")
        );
        assert!(
            fixture
                .refused(add("anna@example.net"))
                .await
                .contains("waxwing domain add example.net")
        );
        assert_eq!(fixture.admin.store.list().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn mail_is_kept_when_asked_and_is_nobodys_then() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        fixture.done(remove(true)).await;
        let Response::Mailboxes(mailboxes) =
            fixture.done(Request::Mailbox(MailboxCommand::List)).await
        else {
            panic!()
        };
        assert_eq!(
            mailboxes
                .iter()
                .map(|row| row.owner.clone())
                .collect::<Vec<_>>(),
            [None]
        );
    }

    #[tokio::test]
    async fn a_feature_and_a_log_in_are_switched_off() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        let address = || "anna@example.org".to_owned();
        fixture
            .done(Request::User(UserCommand::Enable {
                address: address(),
                on: false,
            }))
            .await;
        fixture
            .done(Request::User(UserCommand::Feature {
                address: address(),
                feature: "imap.idle".into(),
                on: false,
            }))
            .await;
        let Response::Users(users) = fixture
            .done(Request::User(UserCommand::List { domain: None }))
            .await
        else {
            panic!()
        };
        assert_eq!(
            (users[0].enabled, users[0].features_off.as_slice()),
            (false, ["imap.idle".to_owned()].as_slice())
        );
    }
}
