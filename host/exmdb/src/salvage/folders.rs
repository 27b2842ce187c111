//! What the small tables need to be a mailbox again: its own row, its counter, and every folder that something names.
//!
//! Nothing that clients remember goes back. The counter goes on; where its row is lost it jumps. A folder whose row is there
//! keeps its UIDVALIDITY and next UID. One whose row is lost gets a new UIDVALIDITY, because nobody knows which UIDs it gave.
//! Every folder's tombstones go and its floor is moved up: something may be gone that no tombstone tells of, so sync tokens of
//! before are expired.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use super::{
    Lost, Notes,
    read::{Row, Seen},
};
use crate::{
    Result, Role, StoredValue,
    ids::COUNTER_MAX,
    mailbox::{RECEIVE_CLASSES, SPECIAL, now},
    restore::GAP,
};

/// The numbers that go on.
struct Numbers {
    counter: i64,
    uid_validity: u32,
}

/// Makes the tables a mailbox, in the transaction of the draft. The result is the owner that its row told.
pub(super) async fn rebuild(
    conn: &mut SqliteConnection,
    seen: &Seen,
    notes: &mut Notes,
) -> Result<Option<String>> {
    let meta: Option<(i64, u32, String)> =
        sqlx::query_as("SELECT counter, uid_validity, owner FROM meta")
            .fetch_optional(&mut *conn)
            .await?;
    if seen.orphans {
        // A leaf that was free, and whose place in the list of free ones is damaged.
        sqlx::raw_sql("DELETE FROM items WHERE deleted_at IS NULL AND EXISTS (SELECT 1 FROM tombstones t WHERE t.folder = items.folder AND t.uid = items.uid)")
            .execute(&mut *conn)
            .await?;
    }
    let mut numbers = match &meta {
        Some((counter, uid_validity, _)) => Numbers {
            counter: *counter,
            uid_validity: *uid_validity,
        },
        None => {
            notes.rows("meta");
            highest(conn, seen).await?
        }
    };
    let newer: u32 = sqlx::query_scalar("SELECT coalesce(max(uid_validity), 0) FROM folders")
        .fetch_one(&mut *conn)
        .await?;
    let today = u32::try_from(now()).unwrap_or(u32::MAX);
    numbers.uid_validity = numbers.uid_validity.max(newer).saturating_add(1).max(today);
    folders(conn, seen, (&mut numbers, notes)).await?;
    special(conn, seen, (&mut numbers, notes)).await?;
    small_tables(conn, seen, notes).await?;
    let insert = "INSERT OR REPLACE INTO meta (id, guid, owner, counter, uid_validity, acl_cn, created) VALUES (1,
        coalesce((SELECT guid FROM meta), zeroblob(16)), coalesce((SELECT owner FROM meta), ''), ?1, ?2, coalesce((SELECT acl_cn FROM meta), ?1),
        coalesce((SELECT created FROM meta), ?3))";
    numbers.counter += 1;
    sqlx::query(insert)
        .bind(numbers.counter)
        .bind(numbers.uid_validity)
        .bind(now())
        .execute(&mut *conn)
        .await?;
    sqlx::query("UPDATE folders SET cn = ?1, highest_modseq = ?1, tombstone_floor = ?1")
        .bind(numbers.counter)
        .execute(&mut *conn)
        .await?;
    sqlx::raw_sql("DELETE FROM tombstones")
        .execute(conn)
        .await?;
    Ok(meta.map(|(_, _, owner)| owner))
}

/// The highest numbers that anything has, and more than may have been given since.
async fn highest(conn: &mut SqliteConnection, seen: &Seen) -> Result<Numbers> {
    let select = "SELECT max((SELECT coalesce(max(max(id, modseq)), 0) FROM items), (SELECT coalesce(max(cn), 0) FROM tombstones),
        (SELECT coalesce(max(cn), 0) FROM folder_tombstones),
        (SELECT coalesce(max(max(id, cn, acl_cn, highest_modseq)), 0) FROM folders))";
    let counter: i64 = sqlx::query_scalar(select).fetch_one(&mut *conn).await?;
    let lost = seen.witnesses("items_uid").iter().filter_map(id_of).max();
    let room = COUNTER_MAX.cast_signed() - GAP.cast_signed();
    let counter = counter.max(lost.unwrap_or_default()).min(room);
    Ok(Numbers {
        counter: counter + GAP.cast_signed(),
        uid_validity: 0,
    })
}

/// The row that an index entry is of.
pub(super) fn id_of(entry: &Row) -> Option<i64> {
    match entry.last() {
        Some(StoredValue::Integer(id)) => Some(*id),
        _ => None,
    }
}

/// What the index of names tells of a lost folder.
fn told(seen: &Seen) -> BTreeMap<i64, (Option<i64>, String)> {
    let entries = seen.witnesses("sqlite_autoindex_folders_1").iter();
    entries
        .filter_map(|entry| match entry.as_slice() {
            [
                StoredValue::Integer(parent),
                StoredValue::Text(name),
                StoredValue::Integer(id),
            ] => Some((*id, (Some(*parent), name.clone()))),
            [
                StoredValue::Null,
                StoredValue::Text(name),
                StoredValue::Integer(id),
            ] => Some((*id, (None, name.clone()))),
            _ => None,
        })
        .collect()
}

/// Gives every folder that something names a row.
async fn folders(
    conn: &mut SqliteConnection,
    seen: &Seen,
    (numbers, notes): (&mut Numbers, &mut Notes),
) -> Result<()> {
    let told = told(seen);
    let here: Vec<i64> = sqlx::query_scalar("SELECT id FROM folders")
        .fetch_all(&mut *conn)
        .await?;
    let here: BTreeSet<_> = here.into_iter().collect();
    let named: Vec<i64> = sqlx::query_scalar(
        "SELECT folder FROM items UNION SELECT parent FROM folders WHERE parent IS NOT NULL",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut wanted: BTreeSet<_> = named.into_iter().chain(told.keys().copied()).collect();
    wanted.extend(told.values().filter_map(|(parent, _)| *parent));
    wanted.extend(
        seen.witnesses("items_uid")
            .iter()
            .filter_map(|entry| match entry.first() {
                Some(StoredValue::Integer(folder)) => Some(*folder),
                _ => None,
            }),
    );
    let root: Option<i64> = sqlx::query_scalar("SELECT id FROM folders WHERE parent IS NULL")
        .fetch_optional(&mut *conn)
        .await?;
    let root_told = || told.iter().find(|(_, (parent, _))| parent.is_none());
    let root = root.or_else(|| root_told().map(|(id, _)| *id)).unwrap_or(1);
    wanted.insert(root);
    for id in wanted.difference(&here).copied() {
        if id == root {
            insert(conn, (id, None), "", numbers).await?;
            continue;
        }
        let first = told.get(&id).cloned();
        let (parent, name) = first.unwrap_or_else(|| (None, name_of(id)));
        let parent = parent.filter(|parent| *parent != id).unwrap_or(root);
        let name = free_name(conn, parent, name).await?;
        insert(conn, (id, Some(parent)), &name, numbers).await?;
        notes.folder(Lost::FolderRow, &name, None);
    }
    Ok(())
}

/// A new mailbox's special folders have the numbers from two.
fn name_of(id: i64) -> String {
    let special = usize::try_from(id - 2).ok().and_then(|at| SPECIAL.get(at));
    special.map_or_else(
        || format!("Recovered-{id}"),
        |(name, ..)| (*name).to_owned(),
    )
}

async fn free_name(conn: &mut SqliteConnection, parent: i64, name: String) -> Result<String> {
    let taken = "SELECT count(*) FROM folders WHERE parent = ? AND name = ?";
    let mut free = name.clone();
    for number in 2.. {
        let taken: i64 = sqlx::query_scalar(taken)
            .bind(parent)
            .bind(&free)
            .fetch_one(&mut *conn)
            .await?;
        if taken == 0 {
            break;
        }
        free = format!("{name}-{number}");
    }
    Ok(free)
}

/// The next UID is above all that anything tells of.
async fn insert(
    conn: &mut SqliteConnection,
    (id, parent): (i64, Option<i64>),
    name: &str,
    numbers: &Numbers,
) -> Result<()> {
    let class = if parent.is_some() { "IPF.Note" } else { "" };
    let insert = "INSERT INTO folders (id, parent, name, container_class, role, cn, acl_cn, uid_validity, uid_next, recent_uid,
        highest_modseq, tombstone_floor, items, unread, deleted, size, bag)
        VALUES (?1, ?2, ?3, ?4, 0, 0, 0, ?5, 1 + max((SELECT coalesce(max(uid), 0) FROM items WHERE folder = ?1),
            (SELECT coalesce(max(uid), 0) FROM tombstones WHERE folder = ?1)), 1, 0, 0, 0, 0, 0, 0, x'')";
    sqlx::query(insert)
        .bind(id)
        .bind(parent)
        .bind(name)
        .bind(class)
        .bind(numbers.uid_validity)
        .execute(conn)
        .await?;
    Ok(())
}

/// Every role that a mailbox has is some folder's, and mail that arrives has a folder.
async fn special(
    conn: &mut SqliteConnection,
    seen: &Seen,
    (numbers, notes): (&mut Numbers, &mut Notes),
) -> Result<()> {
    let root: i64 = sqlx::query_scalar("SELECT id FROM folders WHERE parent IS NULL")
        .fetch_one(&mut *conn)
        .await?;
    let known = (0..).take_while(|code| Role::from_code(*code).is_some());
    sqlx::query("UPDATE folders SET role = 0 WHERE role >= ? OR role < 0")
        .bind(u32::try_from(known.count()).unwrap_or_default())
        .execute(&mut *conn)
        .await?;
    for (name, role, class) in SPECIAL {
        let has: i64 = sqlx::query_scalar("SELECT count(*) FROM folders WHERE role = ?")
            .bind(role.code())
            .fetch_one(&mut *conn)
            .await?;
        if has > 0 {
            continue;
        }
        let named: Option<i64> =
            sqlx::query_scalar("SELECT id FROM folders WHERE parent = ? AND name = ?")
                .bind(root)
                .bind(name)
                .fetch_optional(&mut *conn)
                .await?;
        let id = match named {
            Some(id) => id,
            None => {
                numbers.counter += 1;
                insert(conn, (numbers.counter, Some(root)), name, numbers).await?;
                notes.folder(Lost::FolderRow, name, None);
                numbers.counter
            }
        };
        sqlx::query("UPDATE folders SET role = ?, container_class = ? WHERE id = ?")
            .bind(role.code())
            .bind(class)
            .bind(id)
            .execute(&mut *conn)
            .await?;
    }
    let orphaned = "DELETE FROM receive_folders WHERE folder NOT IN (SELECT id FROM folders);
        DELETE FROM permissions WHERE folder NOT IN (SELECT id FROM folders)";
    sqlx::raw_sql(orphaned).execute(&mut *conn).await?;
    if seen.is_damaged("receive_folders") {
        for class in RECEIVE_CLASSES {
            sqlx::query("INSERT OR IGNORE INTO receive_folders (message_class, folder) SELECT ?, id FROM folders WHERE role = ?")
                .bind(class)
                .bind(Role::Inbox.code())
                .execute(&mut *conn)
                .await?;
        }
    }
    Ok(())
}

/// Keywords and property names come back from their indexes. A number is given once for ever, so none may seem free.
async fn small_tables(conn: &mut SqliteConnection, seen: &Seen, notes: &mut Notes) -> Result<()> {
    for entry in seen.witnesses("sqlite_autoindex_keywords_1") {
        if let [StoredValue::Text(name), StoredValue::Integer(number)] = entry.as_slice() {
            sqlx::query("INSERT OR IGNORE INTO keywords (number, name) VALUES (?, ?)")
                .bind(number)
                .bind(name)
                .execute(&mut *conn)
                .await?;
        }
    }
    if seen.is_damaged("keywords") && fill_keywords(conn).await? > 0 {
        notes.rows("keywords");
    }
    for (index, column) in [("names_lid", "lid"), ("names_name", "name")] {
        for entry in seen.witnesses(index) {
            if let [StoredValue::Blob(guid), value, StoredValue::Integer(id)] = entry.as_slice() {
                let insert = match column {
                    "lid" => "INSERT OR IGNORE INTO names (id, guid, lid) VALUES (?, ?, ?)",
                    _ => "INSERT OR IGNORE INTO names (id, guid, name) VALUES (?, ?, ?)",
                };
                let query = sqlx::query(insert).bind(id).bind(guid);
                crate::restore::bind(query, value.clone())
                    .execute(&mut *conn)
                    .await?;
            }
        }
    }
    if seen.is_damaged("subscriptions") {
        sqlx::query("INSERT OR IGNORE INTO subscriptions (name) SELECT name FROM folders WHERE container_class = 'IPF.Note' AND parent = (SELECT id FROM folders WHERE parent IS NULL) AND role <> ?")
            .bind(Role::Outbox.code())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Names for the numbers between those that have one: items name keywords by their place in the list.
async fn fill_keywords(conn: &mut SqliteConnection) -> Result<u64> {
    let fill =
        "WITH RECURSIVE numbers (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM numbers
            WHERE number < (SELECT coalesce(max(number), -1) FROM keywords))
        INSERT OR IGNORE INTO keywords (number, name) SELECT number, 'lost-' || number FROM numbers
            WHERE number <= (SELECT coalesce(max(number), -1) FROM keywords)";
    Ok(sqlx::raw_sql(fill).execute(conn).await?.rows_affected())
}
