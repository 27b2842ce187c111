//! Items of which one half is lost.
//!
//! - The row is lost, and indexes tell folder, UID and blob: the row is derived anew from the blob. Flags and keywords are lost.
//! - The octets are lost, and the row is there: a notice takes their place, which says so to whoever has no copy. The item
//!   stays, because a client that has a copy would delete it with the item.
//! - The row is lost and only the octets are there: the message comes to a folder of its own.
//! - Both are lost: what is known of it is told.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::FutureExt;
use sqlx::SqliteConnection;

use super::{
    Lost, Notes,
    read::{Row, Seen},
};
use crate::{
    Body, ItemFlags, ItemId, Mailbox, NewFolder, NewMail, Result, Role, StoredValue,
    append::{Prepared, day_of, insert, prepare},
    blob::body_of,
    index::IndexRow,
    mailbox::{Core, commit::Work, now},
    restore::RestoredMailbox,
};

/// Where messages come whose place is not known.
const RECOVERED: &str = "Recovered";
/// Items written in one commit.
const BATCH: usize = 64;

/// An item without its row.
#[derive(Debug, Clone, Copy)]
struct Rowless {
    item: i64,
    folder: i64,
    uid: u32,
    blob: i64,
    deleted_at: Option<i64>,
}

/// An item without its octets.
#[derive(Debug)]
struct Hollow {
    id: i64,
    folder_name: String,
    uid: u32,
    subject: String,
    sender: String,
    message_id: String,
}

/// What is to be done once the draft is a mailbox.
#[derive(Debug, Default)]
pub(super) struct ToDo {
    rowless: Vec<Rowless>,
    hollow: Vec<Hollow>,
}

/// Looks what has lost its other half, and takes what names nothing out of the rows; in the transaction of the draft, before
/// any blob gets a new number, which might be that of a lost one.
pub(super) async fn part(
    conn: &mut SqliteConnection,
    seen: &Seen,
    notes: &mut Notes,
) -> Result<ToDo> {
    let rowless = rowless(conn, seen, notes).await?;
    let hollow = "SELECT items.id, folders.name AS folder_name, uid, subject, sender, message_id
        FROM items JOIN folders ON folders.id = folder WHERE blob IS NOT NULL AND blob NOT IN (SELECT id FROM blobs)
        AND outside_name IS NULL";
    let hollow: Vec<(i64, String, u32, String, String, String)> =
        sqlx::query_as(hollow).fetch_all(&mut *conn).await?;
    let hollow: Vec<_> = hollow
        .into_iter()
        .map(
            |(id, folder_name, uid, subject, sender, message_id)| Hollow {
                id,
                folder_name,
                uid,
                subject,
                sender,
                message_id,
            },
        )
        .collect();
    for item in &hollow {
        notes.folder(Lost::Octets, &item.folder_name, Some(item.uid));
    }
    objects(&mut *conn, notes).await?;
    let cut = "UPDATE items SET blob = NULL WHERE blob NOT IN (SELECT id FROM blobs);
        DELETE FROM bags WHERE item NOT IN (SELECT id FROM items);
        DELETE FROM bags WHERE derived IS NOT NULL AND item IN
            (SELECT item FROM attachments WHERE blob IS NOT NULL AND blob NOT IN (SELECT id FROM blobs));
        DELETE FROM bags WHERE derived IS NOT NULL AND item IN (SELECT id FROM items WHERE blob IS NULL);
        DELETE FROM attachments WHERE item NOT IN (SELECT item FROM bags)";
    sqlx::raw_sql(cut).execute(&mut *conn).await?;
    let attachments =
        sqlx::query("UPDATE attachments SET blob = NULL WHERE blob NOT IN (SELECT id FROM blobs)")
            .execute(conn)
            .await?;
    if attachments.rows_affected() > 0 {
        notes.rows("attachments");
    }
    Ok(ToDo { rowless, hollow })
}

/// Objects have no notices: one without octets stays as it is, with its entity tag, so that no client takes it for changed or
/// gone; whoever has a copy may put it again. One of which only the facts are lost is whatever its class says, at any time, until
/// it is put again.
async fn objects(conn: &mut SqliteConnection, notes: &mut Notes) -> Result<()> {
    let known =
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'objects')";
    let known: bool = sqlx::query_scalar(known).fetch_one(&mut *conn).await?;
    if !known {
        return Ok(());
    }
    let hollow = "SELECT folders.name, uid FROM items JOIN folders ON folders.id = folder
        WHERE blob NOT IN (SELECT id FROM blobs) AND items.id IN (SELECT item FROM objects)";
    let hollow: Vec<(String, u32)> = sqlx::query_as(hollow).fetch_all(&mut *conn).await?;
    for (folder, uid) in hollow {
        notes.folder(Lost::Octets, &folder, Some(uid));
    }
    let orphans = "DELETE FROM objects WHERE item NOT IN (SELECT id FROM items)";
    sqlx::raw_sql(orphans).execute(&mut *conn).await?;
    let guess = "INSERT INTO objects (item, uid, kind, etag, first, last, horizon, occurrences)
        SELECT i.id, '', CASE class WHEN 'IPM.Contact' THEN 6 WHEN 'IPM.DistList' THEN 6 WHEN 'IPM.Task' THEN 2
            WHEN 'IPM.Activity' THEN 3 ELSE 1 END, substr(b.digest, 1, 16), ?1, ?2, ?1, x''
        FROM items i JOIN blobs b ON b.id = blob WHERE outside_name IS NOT NULL AND i.id NOT IN (SELECT item FROM objects)";
    let guessed = sqlx::query(guess)
        .bind(i64::MIN)
        .bind(i64::MAX)
        .execute(&mut *conn)
        .await?;
    if guessed.rows_affected() > 0 {
        notes.rows("objects");
    }
    let nothing = "UPDATE items SET outside_name = NULL WHERE id NOT IN (SELECT item FROM objects)";
    sqlx::raw_sql(nothing).execute(conn).await?;
    Ok(())
}

/// Numbers of an index's entries by the item they are of.
fn by_item(entries: &[Row]) -> HashMap<i64, i64> {
    let pair = |entry: &Row| match entry.as_slice() {
        [StoredValue::Integer(number), StoredValue::Integer(item)] => Some((*item, *number)),
        _ => None,
    };
    entries.iter().filter_map(pair).collect()
}

async fn rowless(
    conn: &mut SqliteConnection,
    seen: &Seen,
    notes: &mut Notes,
) -> Result<Vec<Rowless>> {
    let blobs = by_item(seen.witnesses("items_blob"));
    let deleted = by_item(seen.witnesses("items_deleted"));
    let mut rowless = Vec::new();
    for entry in seen.witnesses("items_uid") {
        let [
            StoredValue::Integer(folder),
            StoredValue::Integer(uid),
            StoredValue::Integer(item),
        ] = entry.as_slice()
        else {
            continue;
        };
        let place = "SELECT (SELECT name FROM folders WHERE id = ?1), EXISTS (SELECT 1 FROM blobs WHERE id = ?2 AND structure IS NOT NULL)";
        let (folder_name, has_blob): (Option<String>, bool) = sqlx::query_as(place)
            .bind(folder)
            .bind(blobs.get(item))
            .fetch_one(&mut *conn)
            .await?;
        let name = folder_name.unwrap_or_default();
        let uid = u32::try_from(*uid).unwrap_or_default();
        match blobs.get(item).filter(|_| has_blob) {
            Some(blob) => {
                notes.folder(Lost::Flags, &name, Some(uid));
                rowless.push(Rowless {
                    item: *item,
                    folder: *folder,
                    uid,
                    blob: *blob,
                    deleted_at: deleted.get(item).copied(),
                });
            }
            None => notes.folder(Lost::Item, &name, Some(uid)),
        }
    }
    Ok(rowless)
}

/// Does it.
pub(super) async fn finish(
    restored: &RestoredMailbox,
    todo: ToDo,
    notes: &mut Notes,
) -> Result<()> {
    let core = &restored.core;
    for batch in todo.rowless.chunks(BATCH) {
        let mut ready = Vec::with_capacity(batch.len());
        for item in batch {
            ready.push((
                *item,
                prepared(core, content(core, item.blob).await?).await?,
            ));
        }
        core.write(move |work| {
            work.disregard_quota();
            async move { put_rows(work, ready).await }.boxed()
        })
        .await?;
    }
    for batch in todo.hollow.chunks(BATCH) {
        let mut ready = Vec::with_capacity(batch.len());
        for item in batch {
            let notice = Body::from_bytes(notice(item));
            ready.push((item.id, prepared(core, notice).await?));
        }
        core.write(move |work| {
            work.disregard_quota();
            async move { put_notices(work, ready).await }.boxed()
        })
        .await?;
    }
    recover(&restored.mailbox(), notes).await
}

async fn content(core: &std::sync::Arc<Core>, blob: i64) -> Result<Body> {
    let mut reader = core.read().await?;
    let row = sqlx::query("SELECT digest, frames, data FROM blobs WHERE id = ?")
        .bind(blob)
        .fetch_one(reader.conn()?)
        .await?;
    body_of(&core.folder, &row).await
}

async fn prepared(core: &Core, message: Body) -> Result<Prepared> {
    let mail = NewMail {
        message,
        flags: ItemFlags(0),
        keywords: Vec::new(),
        internal_date: None,
    };
    prepare(mail, core.commons.spool.clone()).await
}

async fn put_rows(work: &mut Work, ready: Vec<(Rowless, Prepared)>) -> Result<()> {
    for (
        lost,
        Prepared {
            blob, hot, flags, ..
        },
    ) in ready
    {
        let folder = crate::FolderId(lost.folder.cast_unsigned());
        let date = hot.sent_date.unwrap_or_else(now);
        let row = IndexRow {
            uid: lost.uid,
            item: ItemId(lost.item.cast_unsigned()),
            modseq: work.next_number()?,
            flags,
            keywords: Vec::new(),
            size: blob.size,
            internal_date: date,
            save_date: now(),
            sent_date: date,
            sent_day: hot.sent_day.unwrap_or_else(|| day_of(date)),
        };
        insert(work, (folder, None), &row, (blob, &hot)).await?;
        match lost.deleted_at {
            Some(at) => {
                sqlx::query("UPDATE items SET deleted_at = ? WHERE id = ?")
                    .bind(at)
                    .bind(lost.item)
                    .execute(work.conn()?)
                    .await?;
                work.touched(folder, row.modseq)?;
            }
            None => work.came(folder, row)?,
        }
    }
    Ok(())
}

async fn put_notices(work: &mut Work, ready: Vec<(i64, Prepared)>) -> Result<()> {
    for (item, prepared) in ready {
        let size = prepared.blob.size.cast_signed();
        let blob = work.store_blob(prepared.blob).await?;
        sqlx::query("UPDATE items SET blob = ?, size = ? WHERE id = ?")
            .bind(blob)
            .bind(size)
            .bind(item)
            .execute(work.conn()?)
            .await?;
    }
    Ok(())
}

/// What a client sees that has no copy of its own.
fn notice(item: &Hollow) -> Bytes {
    let line = |text: &str| text.replace(|char: char| char.is_control() || char == '"', " ");
    let mut text = format!(
        "From: \"{}\" <lost@mail.invalid>\r\nSubject: {}\r\n",
        line(&item.sender),
        line(&item.subject)
    );
    if !item.message_id.is_empty() {
        text.push_str(&format!("Message-ID: {}\r\n", line(&item.message_id)));
    }
    text.push_str(
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         The content of this message was lost on the mail server, on a damaged page of the mailbox file.\r\n\
         A copy may be in a backup, or with a mail program that has shown the message before.\r\n",
    );
    text.into()
}

/// Messages that nothing names any more.
async fn recover(mailbox: &Mailbox, notes: &mut Notes) -> Result<()> {
    let unnamed = "SELECT id FROM blobs WHERE structure IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM items WHERE blob = blobs.id) AND NOT EXISTS (SELECT 1 FROM attachments WHERE blob = blobs.id)";
    let blobs: Vec<i64> = {
        let mut reader = mailbox.core.read().await?;
        sqlx::query_scalar(unnamed)
            .fetch_all(reader.conn()?)
            .await?
    };
    let mut folder = None;
    for blob in blobs {
        let Ok(message) = content(&mailbox.core, blob).await else {
            continue;
        };
        let id = match folder {
            Some(id) => id,
            None => recovered_folder(mailbox).await?,
        };
        folder = Some(id);
        let mail = NewMail {
            message,
            flags: ItemFlags(0),
            keywords: Vec::new(),
            internal_date: None,
        };
        match mailbox.append(id, vec![mail]).await {
            Ok(appended) => {
                let uid = appended.uids.first().map(|uid| uid.0);
                notes.folder(Lost::Place, &mailbox.folder(id).await?.name, uid);
            }
            // Its file is gone too; the check tells of it.
            Err(crate::Error::Corrupt(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn recovered_folder(mailbox: &Mailbox) -> Result<crate::FolderId> {
    let folders = mailbox.folders().await?;
    let taken = |name: &str| {
        folders
            .iter()
            .any(|folder| folder.parent.is_none() && folder.name.eq_ignore_ascii_case(name))
    };
    let name = (2..).map(|number| format!("{RECOVERED}-{number}"));
    let name = std::iter::once(RECOVERED.to_owned())
        .chain(name)
        .find(|name| !taken(name));
    let new = NewFolder {
        parent: None,
        name: name.unwrap_or_else(|| RECOVERED.to_owned()),
        container_class: "IPF.Note".into(),
        role: Role::None,
    };
    let name = new.name.clone();
    let id = mailbox.create_folder(new).await?.id;
    mailbox.subscribe(&name, true).await?;
    Ok(id)
}
