//! Making a mailbox: the file with its special folders is built under a temporary name and moved into place, so that a crash
//! leaves either nothing or a whole mailbox.

use std::{path::Path, sync::Arc};

use sqlx::{Connection, SqliteConnection};

use super::{now, open::connect};
use crate::{Error, MailboxGuid, Result, Role, body::blocking, store::Commons};

/// Folders of a new mailbox: name, role, container class ([MS-OXOSFLD] 2.2.3).
pub(crate) const SPECIAL: [(&str, Role, &str); 12] = [
    ("INBOX", Role::Inbox, "IPF.Note"),
    ("Drafts", Role::Drafts, "IPF.Note"),
    ("Sent", Role::Sent, "IPF.Note"),
    ("Trash", Role::Trash, "IPF.Note"),
    ("Junk", Role::Junk, "IPF.Note"),
    ("Archive", Role::Archive, "IPF.Note"),
    ("Outbox", Role::Outbox, "IPF.Note"),
    ("Calendar", Role::Calendar, "IPF.Appointment"),
    ("Contacts", Role::Contacts, "IPF.Contact"),
    ("Tasks", Role::Tasks, "IPF.Task"),
    ("Notes", Role::Notes, "IPF.StickyNote"),
    ("Journal", Role::Journal, "IPF.Journal"),
];

/// Receive folders of a new mailbox ([MS-OXCSTOR] 3.2.5.2): all to the inbox until somebody says otherwise.
pub(crate) const RECEIVE_CLASSES: [&str; 3] = ["", "IPM", "REPORT.IPM"];

pub(crate) async fn create(commons: &Arc<Commons>, guid: MailboxGuid, owner: &str) -> Result<()> {
    let place = commons.folder_of(guid);
    let taken = place.clone();
    if blocking(move || Ok(taken.try_exists()?)).await? {
        return Err(Error::AlreadyExists(format!("mailbox {guid}")));
    }
    let spool = commons.spool.clone();
    let draft = blocking(move || {
        Ok(tempfile::Builder::new()
            .prefix("mailbox-")
            .tempdir_in(&*spool)?)
    })
    .await?;
    let _permit = commons.connections.permit().await?;
    let mut conn = connect(draft.path(), true)
        .await
        .map_err(|error| error.of(guid))?;
    fill(&mut conn, guid, owner)
        .await
        .map_err(|error| error.of(guid))?;
    conn.close().await?;
    blocking(move || {
        std::fs::create_dir(draft.path().join("blobs"))?;
        sync_folder(draft.path())?;
        if place.try_exists()? {
            return Err(Error::AlreadyExists(format!("mailbox {guid}")));
        }
        move_into_place(draft, &place)
    })
    .await
}

/// Makes a folder of the spool the mailbox at a place where nothing is; durable when it returns.
pub(crate) fn move_into_place(draft: tempfile::TempDir, place: &Path) -> Result<()> {
    let shard = place.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(shard)?;
    std::fs::rename(draft.path(), place)?;
    let _moved_away = draft.keep();
    sync_folder(shard)?;
    shard.parent().map_or(Ok(()), sync_folder)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    Ok(std::fs::File::open(folder)?.sync_all()?)
}

async fn fill(conn: &mut SqliteConnection, guid: MailboxGuid, owner: &str) -> Result<()> {
    let mut transaction = conn.begin().await?;
    let root = 1;
    let counter = root + i64::try_from(SPECIAL.len()).unwrap_or_default() + 1;
    let uid_validity = u32::try_from(now()).unwrap_or(u32::MAX);
    sqlx::query("INSERT INTO meta (id, guid, owner, counter, uid_validity, acl_cn, created) VALUES (1, ?, ?, ?, ?, 0, ?)")
        .bind(&guid.0[..])
        .bind(owner)
        .bind(counter)
        .bind(uid_validity)
        .bind(now())
        .execute(&mut *transaction)
        .await?;
    let root_row = [("", Role::None, "")];
    for (number, (name, role, class)) in (root..).zip(root_row.into_iter().chain(SPECIAL)) {
        sqlx::query(
            "INSERT INTO folders (id, parent, name, container_class, role, cn, acl_cn, uid_validity, uid_next, recent_uid,
                highest_modseq, tombstone_floor, items, unread, deleted, size, bag)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, 1, 1, ?6, ?6, 0, 0, 0, 0, x'')",
        )
        .bind(number)
        .bind((number != root).then_some(root))
        .bind(name)
        .bind(class)
        .bind(role.code())
        .bind(counter)
        .bind(uid_validity)
        .execute(&mut *transaction)
        .await?;
    }
    // Clients that show subscribed folders only, as Thunderbird does by default, would else show the inbox and nothing more.
    sqlx::query("INSERT INTO subscriptions (name) SELECT name FROM folders WHERE container_class = 'IPF.Note' AND role <> ?")
        .bind(Role::Outbox.code())
        .execute(&mut *transaction)
        .await?;
    for class in RECEIVE_CLASSES {
        sqlx::query("INSERT INTO receive_folders (message_class, folder) SELECT ?, id FROM folders WHERE role = ?")
            .bind(class)
            .bind(Role::Inbox.code())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}
