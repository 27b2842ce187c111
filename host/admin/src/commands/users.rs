//! `waxwing user …`: a user and the mailbox that goes with it.
//!
//! The mailbox is made before the user and removed after, so that a crash in between leaves a mailbox of nobody, which
//! `mailbox list` shows, and never a user whose mail cannot arrive.

use futures_util::StreamExt;
use waxwing_directory::{KnownHash, User};
use waxwing_exmdb::MailboxGuid;
use waxwing_scheduling::{Resource, Scheduling};

use super::shares;
use crate::{
    Admin, Error, Result,
    protocol::{
        ImportedUser, RemovedUser, Response, Secret, UserCommand, UserProblem, UserRow,
        UsersImported,
    },
};

pub(crate) async fn execute(admin: &Admin, command: UserCommand) -> Result<Response> {
    let directory = &admin.directory;
    match command {
        UserCommand::Add {
            address,
            display_name,
            password,
        } => add(admin, &address, &display_name, &password).await,
        UserCommand::Import { users } => Ok(Response::UsersImported(import(admin, users).await)),
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
        UserCommand::Resource {
            address,
            kind,
            answers,
        } => resource(admin, &address, (kind.as_deref(), &answers)).await,
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

async fn resource(
    admin: &Admin,
    address: &str,
    (kind, answers): (Option<&str>, &str),
) -> Result<Response> {
    let user = admin.directory.user(address).await?;
    let mailbox = admin.store.mailbox(user.mailbox.parse()?).await?;
    let resource = match kind {
        None => None,
        Some(kind) => Some(Resource::of_names(kind, answers).ok_or_else(|| {
            Error::Failed(format!(
                "{kind} {answers}: a resource is a room or equipment, and answers if-free, accept, decline or by-hand"
            ))
        })?),
    };
    let scheduling = Scheduling::new(admin.store.clone(), admin.directory.clone());
    let set = scheduling.set_resource(&mailbox, resource).await;
    set.map_err(|error| Error::Failed(error.to_string()))?;
    Ok(Response::Done(match kind {
        None => format!("{} is a person", user.address),
        Some(kind) => format!("{} is {kind} and answers {answers}", user.address),
    }))
}

async fn add(
    admin: &Admin,
    address: &str,
    display_name: &str,
    password: &Secret,
) -> Result<Response> {
    let owner = admin.directory.canonical(address).await?;
    let user = with_mailbox(admin, &owner, async |mailbox| {
        let password = password.expose().into();
        admin
            .directory
            .add_user(&owner, display_name, password, mailbox)
            .await
    });
    let user = user.await?;
    admin.tell_quota(&user.address).await?;
    Ok(Response::UserAdded(row(user)))
}

/// A user with whom nobody can log in.
pub(super) async fn add_locked(admin: &Admin, address: &str, display_name: &str) -> Result<()> {
    with_mailbox(admin, address, async |mailbox| {
        let directory = &admin.directory;
        let user = directory
            .add_user_with_hash(address, display_name, KnownHash::of_nobody(), mailbox)
            .await?;
        directory.set_enabled(address, false).await?;
        Ok(user)
    })
    .await?;
    admin.tell_quota(address).await
}

/// Makes the mailbox, then the user, who takes it along when there is none in the end.
async fn with_mailbox(
    admin: &Admin,
    owner: &str,
    add: impl AsyncFnOnce(&str) -> waxwing_directory::Result<User>,
) -> Result<User> {
    let mailbox = MailboxGuid::random();
    admin.store.create(mailbox, owner).await?;
    match add(&mailbox.to_string()).await {
        Ok(user) => Ok(user),
        Err(error) => {
            admin.store.remove(mailbox).await?;
            Err(error.into())
        }
    }
}

/// Mailboxes made at a time: each waits for the disk, and they wait together.
const AT_ONCE: usize = 8;

async fn import(admin: &Admin, users: Vec<ImportedUser>) -> UsersImported {
    let mut done = UsersImported::default();
    let mut outcomes = futures_util::stream::iter(users)
        .map(async |user: ImportedUser| {
            let added = import_one(admin, &user).await;
            (user, added)
        })
        .buffered(AT_ONCE);
    while let Some((user, outcome)) = outcomes.next().await {
        match outcome {
            Ok(true) => done.added += 1,
            Ok(false) => done.present += 1,
            Err(error) => done.problems.push(UserProblem {
                line: user.line,
                address: user.address,
                reason: error.to_string(),
            }),
        }
    }
    done
}

/// False when the user is there already.
async fn import_one(admin: &Admin, user: &ImportedUser) -> Result<bool> {
    let hash = match &user.hash {
        Some(hash) => KnownHash::parse(hash.expose())?,
        None => KnownHash::of_nobody(),
    };
    let directory = &admin.directory;
    let owner = directory.canonical(&user.address).await?;
    match directory.user(&owner).await {
        Ok(_) => return Ok(false),
        Err(waxwing_directory::Error::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    with_mailbox(admin, &owner, async |mailbox| {
        directory
            .add_user_with_hash(&owner, &user.display_name, hash, mailbox)
            .await
    })
    .await?;
    admin.tell_quota(&owner).await?;
    Ok(true)
}

/// The mailbox of a user who is gone.
pub(crate) async fn remove_mailbox(
    admin: &Admin,
    user: User,
    keep_mail: bool,
) -> Result<RemovedUser> {
    let forgotten = shares::forget(admin, &user.address).await;
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
    forgotten?;
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
    async fn users_come_in_bulk_with_their_hashes_and_a_second_time_nothing_happens() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        // Of "secret", made by the argon2 program.
        let hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$+c6q23sQwLpOH1shdbgrn6Ho39DyRbsdY34ab5ZO+fs";
        let user = |line, address: &str, hash: Option<&str>| ImportedUser {
            line,
            address: address.into(),
            display_name: String::new(),
            hash: hash.map(Secret::new),
        };
        let users = || {
            vec![
                user(1, "anna@example.org", None),
                user(2, "Bob@example.org", Some(hash)),
                user(3, "carl@example.org", None),
                user(4, "dora@example.org", Some("$6$salt$hash")),
                user(5, "emil@elsewhere.net", None),
            ]
        };
        let import = || Request::User(UserCommand::Import { users: users() });
        let Response::UsersImported(done) = fixture.done(import()).await else {
            panic!()
        };
        assert_eq!((done.added, done.present), (2, 1));
        let lines: Vec<_> = done.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [4, 5]);
        assert_eq!(fixture.admin.store.list().await.unwrap().len(), 3);
        let peer = std::net::IpAddr::from([127, 0, 0, 1]);
        let log_in = async |who: &str, password: &str| {
            let credential = waxwing_directory::Credential::Password {
                user: who.into(),
                password: password.into(),
                act_as: None,
            };
            fixture.admin.directory.authenticate(peer, credential).await
        };
        assert!(log_in("bob@example.org", "secret").await.is_ok());
        assert!(log_in("bob@example.org", "wrong").await.is_err());
        assert!(log_in("carl@example.org", "").await.is_err());
        let Response::UsersImported(again) = fixture.done(import()).await else {
            panic!()
        };
        assert_eq!((again.added, again.present), (0, 3));
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
    async fn a_user_becomes_a_room_and_a_person_again() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        let resource = |kind: Option<&str>, answers: &str| {
            Request::User(UserCommand::Resource {
                address: "anna@example.org".into(),
                kind: kind.map(str::to_owned),
                answers: answers.to_owned(),
            })
        };
        let said = fixture.done(resource(Some("room"), "if-free")).await;
        let expected = "anna@example.org is room and answers if-free";
        assert_eq!(said, Response::Done(expected.to_owned()));
        let refused = fixture.refused(resource(Some("car"), "if-free")).await;
        assert!(refused.contains("room or equipment"), "{refused}");
        fixture.done(resource(None, "if-free")).await;
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
