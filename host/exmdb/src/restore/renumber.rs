//! New numbers for a mailbox that goes back in time, so that no client takes new mail for mail that it knows.
//!
//! A client remembers UIDs by UIDVALIDITY, and change numbers. After the backup the mailbox went on giving both, and clients
//! have seen them. So, when the backup comes into place:
//!
//! - every folder gets a new UIDVALIDITY, later than any before (RFC 9051 2.3.1.1). UIDs stay: with another UIDVALIDITY they
//!   mean nothing else. Keeping UIDVALIDITY and moving the next UID up instead would save clients a download, but a
//!   message that came back would come back under a UID below the ones they have seen, where they do not look for new mail.
//! - the counter is moved beyond anything that it ever gave, by [`GAP`] where nobody knows what it gave (the mailbox was lost).
//! - the floor of every folder's tombstones is moved there too: sync tokens of before are expired, their owners start over.
//! - every folder counts as changed, and those that only the replaced mailbox had are told to be deleted.

use std::collections::BTreeSet;

use sqlx::{Connection, SqliteConnection};

use crate::{
    ChangeNumber, Error, FolderId, Result,
    ids::COUNTER_MAX,
    mailbox::{Living, now},
};

/// More numbers than a mailbox gives between a backup and its loss; 65,536 restorations fit into the counter.
pub(crate) const GAP: u64 = 1 << 32;

/// What a restored mailbox was given.
pub(super) struct Renumbered {
    pub(super) counter: ChangeNumber,
    /// Its folders, and those that only the mailbox before had.
    pub(super) folders: BTreeSet<FolderId>,
}

/// Gives new numbers, in one transaction.
pub(super) async fn renumber(
    conn: &mut SqliteConnection,
    living: Option<&Living>,
) -> Result<Renumbered> {
    let mut transaction = conn.begin_with("BEGIN IMMEDIATE").await?;
    let (counter, uid_validity): (i64, u32) =
        sqlx::query_as("SELECT counter, uid_validity FROM meta")
            .fetch_one(&mut *transaction)
            .await?;
    let folders: Vec<i64> = sqlx::query_scalar("SELECT id FROM folders")
        .fetch_all(&mut *transaction)
        .await?;
    let restored: BTreeSet<_> = folders
        .into_iter()
        .map(|id| FolderId(id.cast_unsigned()))
        .collect();
    let known = living
        .map(|living| living.folders.clone())
        .unwrap_or_default();
    let gone: Vec<_> = known.difference(&restored).copied().collect();
    let before = living.map_or(0, |living| living.counter);
    let first = counter.cast_unsigned().max(before).saturating_add(GAP);
    let last = first.saturating_add(gone.len() as u64);
    if last > COUNTER_MAX {
        return Err(Error::Limit(
            "the mailbox's 48-bit counter is used up".into(),
        ));
    }
    let uid_validity = u32::try_from(now())
        .unwrap_or(u32::MAX)
        .max(uid_validity.saturating_add(1))
        .max(living.map_or(0, |living| living.uid_validity.saturating_add(1)));
    sqlx::query("UPDATE meta SET counter = ?, uid_validity = ?")
        .bind(last.cast_signed())
        .bind(uid_validity)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("UPDATE folders SET uid_validity = ?1, cn = ?2, acl_cn = iif(acl_cn = 0, 0, ?2), highest_modseq = ?2, tombstone_floor = ?2")
        .bind(uid_validity)
        .bind(first.cast_signed())
        .execute(&mut *transaction)
        .await?;
    sqlx::query("DELETE FROM tombstones")
        .execute(&mut *transaction)
        .await?;
    for (cn, folder) in (first + 1..).zip(&gone) {
        sqlx::query("INSERT INTO folder_tombstones (cn, folder) VALUES (?, ?)")
            .bind(cn.cast_signed())
            .bind(folder.0.cast_signed())
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(Renumbered {
        counter: ChangeNumber(last),
        folders: restored.into_iter().chain(gone).collect(),
    })
}
