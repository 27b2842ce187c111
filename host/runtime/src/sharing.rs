//! Permissions of folders, changed so that the directory goes on knowing who shares with whom.
//!
//! Two databases cannot change in one commit. The directory is told of new members before they have rights, and forgets members after
//! theirs are gone: a crash in between leaves it with one too many, which is asked for and shows nothing. One change runs at a time,
//! so that none forgets what another has just announced. What a folder's deletion leaves behind goes with the next change or with
//! `waxwing mailbox check --repair`.

use tokio::sync::Mutex;
use waxwing_directory::Directory;
use waxwing_exmdb::{Actor, ChangeNumber, FolderId, Mailbox, Permission};

use crate::Result;

/// Changes of permissions of all mailboxes: rare, and each writes the one directory.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Replaces the permissions of a folder.
///
/// # Errors
/// As [`Mailbox::set_permissions`], and what the directory says.
pub async fn set_permissions(
    directory: &Directory,
    mailbox: &Mailbox,
    folder: FolderId,
    entries: Vec<Permission>,
) -> Result<ChangeNumber> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let guid = mailbox.guid().to_string();
    let given = entries.iter().filter(|entry| entry.rights != 0);
    let members: Vec<String> = given.map(|entry| entry.member.clone()).collect();
    // Whoever may not set them changes nothing here either.
    mailbox.permissions(folder).await?;
    directory.add_shares(&guid, &members).await?;
    let changed = mailbox.set_permissions(folder, entries).await;
    let members = mailbox.acting(Actor::System).members().await?;
    directory.set_shares(&guid, &members).await?;
    Ok(changed?)
}

/// Members of a mailbox's permissions that the directory does not know of.
///
/// # Errors
/// What the mailbox and the directory say.
pub async fn unknown_members(directory: &Directory, mailbox: &Mailbox) -> Result<Vec<String>> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let known = directory.shares(&mailbox.guid().to_string()).await?;
    let members = mailbox.acting(Actor::System).members().await?;
    Ok(members
        .into_iter()
        .filter(|member| !known.contains(member))
        .collect())
}

/// Has the directory know of a mailbox's members what its permissions say, no more and no less.
///
/// # Errors
/// What the mailbox and the directory say.
pub async fn refresh(directory: &Directory, mailbox: &Mailbox) -> Result<()> {
    let _alone = ONE_AT_A_TIME.lock().await;
    let members = mailbox.acting(Actor::System).members().await?;
    directory
        .set_shares(&mailbox.guid().to_string(), &members)
        .await?;
    Ok(())
}
