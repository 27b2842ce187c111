//! `waxwing share …`: who may do what in whose folders.

use waxwing_exmdb::{FolderId, Mailbox, Permission, Rights};
use waxwing_runtime::sharing;

use super::folder_paths::{FolderPaths, account};
use crate::{
    Admin, Error, Result,
    protocol::{Response, ShareCommand, ShareRow},
};

/// What stands in permissions for everybody, and what people call it (RFC 4314 section 2).
const EVERYBODY: (&str, &str) = (waxwing_directory::EVERYBODY, "anyone");

pub(crate) async fn execute(admin: &Admin, command: ShareCommand) -> Result<Response> {
    match command {
        ShareCommand::List { account, with } => list(admin, account, with).await,
        ShareCommand::Grant {
            account: address,
            folder,
            member,
            level,
            below,
        } => {
            let rights = Rights::of_level(&level)
                .ok_or_else(|| Error::Failed(format!("there is no level {level:?}")))?;
            let (address, mailbox) = account(admin, &address).await?;
            let member = known_member(admin, &member).await?;
            if member.eq_ignore_ascii_case(&address) {
                return Err(Error::Failed(format!(
                    "{address} owns the folder and may do everything in it"
                )));
            }
            let folders = FolderPaths::of(&mailbox).await?;
            let top = folders.find(&address, &folder)?.id;
            let all = match below {
                true => folders.with_those_below(top),
                false => vec![top],
            };
            for id in all {
                replace(admin, &mailbox, id, &member, Some(rights)).await?;
            }
            let (shown, level) = (shown(&member), level.to_ascii_lowercase());
            Ok(Response::Done(format!(
                "{shown} is {level} of {folder:?} of {address}"
            )))
        }
        ShareCommand::Revoke {
            account: address,
            folder,
            member,
        } => revoke(admin, &address, folder, &member).await,
    }
}

async fn revoke(
    admin: &Admin,
    address: &str,
    folder: Option<String>,
    member: &str,
) -> Result<Response> {
    let (address, mailbox) = account(admin, address).await?;
    // Somebody who is gone from the directory may still stand in permissions.
    let member = match known_member(admin, member).await {
        Ok(known) => known,
        Err(_) => member.to_owned(),
    };
    let folders = FolderPaths::of(&mailbox).await?;
    let ids: Vec<FolderId> = match &folder {
        Some(path) => vec![folders.find(&address, path)?.id],
        None => folders.all().iter().map(|(_, folder)| folder.id).collect(),
    };
    let mut revoked = 0;
    for id in ids {
        revoked += usize::from(replace(admin, &mailbox, id, &member, None).await?);
    }
    match revoked {
        0 => Err(Error::Failed(format!(
            "{} has no rights there; `waxwing share list {address}` shows who has",
            shown(&member)
        ))),
        _ => Ok(Response::Done(format!(
            "revoked the rights of {} in {revoked} folders of {address}",
            shown(&member)
        ))),
    }
}

/// Takes somebody who is gone out of all permissions: whoever gets the address next must not find the doors open. A mailbox that cannot be
/// opened does not keep the others from it.
///
/// # Errors
/// Names the mailboxes in which he still has rights.
pub(super) async fn forget(admin: &Admin, member: &str) -> Result<()> {
    let mut left = Vec::new();
    for guid in admin.directory.shared_with(member).await? {
        if let Err(error) = forget_in(admin, &guid, member).await {
            left.push(format!("{guid} ({error})"));
        }
    }
    match left.is_empty() {
        true => Ok(()),
        false => Err(Error::Failed(format!(
            "{} is removed, but still has rights in the mailboxes {}; `waxwing share revoke` takes them away",
            shown(member),
            left.join(", ")
        ))),
    }
}

async fn forget_in(admin: &Admin, guid: &str, member: &str) -> Result<()> {
    let mailbox = admin.store.mailbox(guid.parse()?).await?;
    for folder in mailbox.folders().await? {
        replace(admin, &mailbox, folder.id, member, None).await?;
    }
    sharing::refresh(&admin.directory, &mailbox).await?;
    Ok(())
}

/// Whether the member had an entry.
async fn replace(
    admin: &Admin,
    mailbox: &Mailbox,
    folder: FolderId,
    member: &str,
    rights: Option<Rights>,
) -> Result<bool> {
    let mut entries = mailbox.permissions(folder).await?;
    let before = entries.len();
    entries.retain(|entry| !entry.member.eq_ignore_ascii_case(member));
    let had = entries.len() != before;
    if rights.is_none() && !had {
        return Ok(false);
    }
    entries.extend(rights.map(|rights| Permission {
        member: member.to_owned(),
        rights: rights.bits(),
    }));
    sharing::set_permissions(&admin.directory, mailbox, folder, entries).await?;
    Ok(had)
}

async fn known_member(admin: &Admin, name: &str) -> Result<String> {
    match name == EVERYBODY.1 || name == EVERYBODY.0 {
        true => Ok(EVERYBODY.0.to_owned()),
        false => Ok(admin.directory.member(name).await?),
    }
}

fn shown(member: &str) -> &str {
    match member == EVERYBODY.0 {
        true => EVERYBODY.1,
        false => member,
    }
}

async fn list(admin: &Admin, of: Option<String>, with: Option<String>) -> Result<Response> {
    let users = match of {
        Some(address) => vec![admin.directory.user(&address).await?],
        None => admin.directory.users(None).await?,
    };
    let names = match with {
        Some(name) => Some(names_of(admin, &name).await?),
        None => None,
    };
    let mut rows = Vec::new();
    for user in users {
        // Asked first, so that not every mailbox is opened.
        if admin.directory.shares(&user.mailbox).await?.is_empty() {
            continue;
        }
        let mailbox = admin.store.mailbox(user.mailbox.parse()?).await?;
        for (path, folder) in FolderPaths::of(&mailbox).await?.all() {
            let mut entries = mailbox.permissions(folder.id).await?;
            entries.sort_by(|one, other| one.member.cmp(&other.member));
            let wanted = |entry: &Permission| {
                let member = entry.member.to_ascii_lowercase();
                names.as_ref().is_none_or(|names| names.contains(&member))
            };
            rows.extend(entries.into_iter().filter(wanted).map(|entry| {
                ShareRow {
                    account: user.address.clone(),
                    folder: path.clone(),
                    level: Rights::from_bits_truncate(entry.rights)
                        .level()
                        .map(str::to_owned),
                    member: shown(&entry.member).to_owned(),
                    rights: entry.rights,
                }
            }));
        }
    }
    Ok(Response::Shares(rows))
}

/// Under which somebody stands in permissions; a group under its own name alone.
async fn names_of(admin: &Admin, name: &str) -> Result<Vec<String>> {
    let member = known_member(admin, name).await?;
    let mut names = vec![member.to_ascii_lowercase(), EVERYBODY.0.to_owned()];
    match admin.directory.user(&member).await {
        Ok(user) => names.extend(admin.directory.names_of(&user).await?.iter().cloned()),
        Err(waxwing_directory::Error::NotFound(_) | waxwing_directory::Error::Invalid(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use crate::{protocol::*, testing::Fixture};

    async fn rows(fixture: &Fixture, with: Option<&str>) -> Vec<(String, String, Option<String>)> {
        let list = ShareCommand::List {
            account: None,
            with: with.map(str::to_owned),
        };
        let Response::Shares(rows) = fixture.done(Request::Share(list)).await else {
            panic!()
        };
        let row = |row: ShareRow| (row.folder, row.member, row.level);
        rows.into_iter().map(row).collect()
    }

    fn grant(folder: &str, member: &str, level: &str) -> Request {
        Request::Share(ShareCommand::Grant {
            account: "anna@example.org".into(),
            folder: folder.into(),
            member: member.into(),
            level: level.into(),
            below: false,
        })
    }

    #[tokio::test]
    async fn rights_are_granted_listed_and_revoked() {
        let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        fixture.done(grant("inbox", "bob", "reviewer")).await;
        fixture.done(grant("INBOX", "bob", "Editor")).await;
        fixture.done(grant("Calendar", "anyone", "reviewer")).await;
        let entry = |folder: &str, member: &str, level: &str| {
            (folder.to_owned(), member.to_owned(), Some(level.to_owned()))
        };
        let all = [
            entry("Calendar", "anyone", "reviewer"),
            entry("INBOX", "bob@example.org", "editor"),
        ];
        assert_eq!(rows(&fixture, None).await, all);
        assert_eq!(rows(&fixture, Some("bob")).await, all);
        assert_eq!(rows(&fixture, Some("anna")).await, all[..1]);
        let revoke = |member: &str| {
            Request::Share(ShareCommand::Revoke {
                account: "anna@example.org".into(),
                folder: None,
                member: member.into(),
            })
        };
        fixture.done(revoke("bob@example.org")).await;
        assert_eq!(rows(&fixture, None).await, all[..1]);
        let again = fixture.refused(revoke("bob@example.org")).await;
        assert!(again.contains("no rights"), "{again}");
        let user = fixture.admin.directory.user("anna@example.org").await;
        let shares = fixture.admin.directory.shares(&user.unwrap().mailbox).await;
        assert_eq!(shares.unwrap(), ["default"]);
    }

    #[tokio::test]
    async fn whoever_is_removed_leaves_no_rights_behind() {
        let users = ["anna@example.org", "bob@example.org", "carol@example.org"];
        let fixture = Fixture::with_users(&users).await;
        let group = GroupCommand::Add {
            address: "team@example.org".into(),
            members: Vec::new(),
        };
        fixture.done(Request::Group(group)).await;
        for member in ["bob", "team", "carol"] {
            fixture.done(grant("INBOX", member, "reviewer")).await;
        }
        let remove = UserCommand::Remove {
            address: "bob@example.org".into(),
            keep_mail: false,
        };
        fixture.done(Request::User(remove)).await;
        let remove = GroupCommand::Remove {
            address: "team@example.org".into(),
        };
        fixture.done(Request::Group(remove)).await;
        let left = rows(&fixture, None).await;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].1, "carol@example.org");
    }

    #[tokio::test]
    async fn who_and_where_must_exist() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        for (request, word) in [
            (grant("INBOX", "eve@example.org", "reviewer"), "no user"),
            (grant("Nowhere", "anyone", "reviewer"), "folder list"),
            (grant("INBOX", "anyone", "emperor"), "no level"),
            (grant("INBOX", "anna@example.org", "reviewer"), "owns"),
        ] {
            let refusal = fixture.refused(request).await;
            assert!(refusal.contains(word), "{refusal}");
        }
    }

    #[tokio::test]
    async fn a_check_finds_a_share_that_the_directory_does_not_know() {
        let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        fixture.done(grant("INBOX", "bob", "reviewer")).await;
        let guid = fixture.guid("anna@example.org").await.to_string();
        let directory = &fixture.admin.directory;
        directory.set_shares(&guid, &[]).await.unwrap();
        for (repair, findings) in [(false, 1), (true, 1), (false, 0)] {
            let check = MailboxCommand::Check {
                mailbox: Some("anna@example.org".into()),
                repair,
            };
            let Response::Checked(rows) = fixture.done(Request::Mailbox(check)).await else {
                panic!()
            };
            assert_eq!(rows[0].findings.len(), findings, "{:?}", rows[0]);
        }
        let shares = directory.shares(&guid).await.unwrap();
        assert_eq!(shares, ["bob@example.org"]);
    }

    #[tokio::test]
    async fn a_public_account_is_made_and_its_folders_are_given() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        let public = DomainCommand::Public {
            domain: "example.org".into(),
            account: Some("public@example.org".into()),
        };
        fixture.done(Request::Domain(public)).await;
        let public = fixture.admin.directory.user("public@example.org").await;
        assert!(!public.unwrap().enabled);
        let create = FolderCommand::Create {
            account: "public@example.org".into(),
            folder: "News/Releases".into(),
            class: String::new(),
        };
        fixture.done(Request::Folder(create)).await;
        let list = FolderCommand::List {
            account: "public".into(),
        };
        let Response::Folders(rows) = fixture.done(Request::Folder(list)).await else {
            panic!()
        };
        assert!(rows.iter().any(|row| row.folder == "News/Releases"));
        let below = ShareCommand::Grant {
            account: "public".into(),
            folder: "News".into(),
            member: "anyone".into(),
            level: "reviewer".into(),
            below: true,
        };
        fixture.done(Request::Share(below)).await;
        assert_eq!(rows_of(&fixture).await, ["News", "News/Releases"]);
    }

    async fn rows_of(fixture: &Fixture) -> Vec<String> {
        let all = rows(fixture, None).await;
        all.into_iter().map(|(folder, ..)| folder).collect()
    }
}
