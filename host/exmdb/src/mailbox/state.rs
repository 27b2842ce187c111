//! What memory keeps of an open mailbox: the folder tree with its counters, keywords, permissions and receive folders. Small
//! (some hundred octets per folder), so it is loaded whole at first use; LIST and STATUS are answered from it.
//!
//! A snapshot is immutable behind an `Arc`: readers never wait and never see half a commit. A commit works on a clone, which
//! copies pointers, and publishes it when it is durable.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{Error, FolderId, Permission, Result, Role, UidValidity, flag_log::Pending};

/// A snapshot of a mailbox's small tables.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) owner: Arc<str>,
    pub(crate) counter: u64,
    pub(crate) uid_validity: u32,
    /// The root of the IPM subtree, which the API shows as "no parent".
    pub(crate) root: FolderId,
    pub(crate) folders: BTreeMap<FolderId, Arc<FolderState>>,
    pub(crate) keywords: Arc<Vec<String>>,
    pub(crate) receive: Arc<Vec<(String, FolderId)>>,
    pub(crate) permissions: Arc<HashMap<FolderId, Vec<Permission>>>,
    pub(crate) flag_log: Pending,
}

/// A row of `folders` without its bag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FolderState {
    pub(crate) id: FolderId,
    /// None: the root of the IPM subtree.
    pub(crate) parent: Option<FolderId>,
    pub(crate) name: String,
    pub(crate) container_class: String,
    pub(crate) role: Role,
    pub(crate) cn: u64,
    pub(crate) acl_cn: u64,
    pub(crate) uid_validity: UidValidity,
    pub(crate) uid_next: u32,
    pub(crate) recent_uid: u32,
    pub(crate) highest_modseq: u64,
    pub(crate) tombstone_floor: u64,
    pub(crate) items: u32,
    pub(crate) unread: u32,
    pub(crate) deleted: u32,
    pub(crate) size: u64,
}

impl State {
    pub(crate) fn folder(&self, id: FolderId) -> Result<&Arc<FolderState>> {
        self.folders
            .get(&id)
            .ok_or_else(|| Error::NotFound(format!("folder {id}")))
    }

    pub(crate) async fn load(conn: &mut SqliteConnection) -> Result<State> {
        let meta = sqlx::query("SELECT owner, counter, uid_validity FROM meta")
            .fetch_optional(&mut *conn)
            .await?
            .ok_or_else(|| Error::Corrupt("the mailbox does not say whose it is".into()))?;
        let rows = sqlx::query(
            "SELECT id, parent, name, container_class, role, cn, acl_cn, uid_validity, uid_next, recent_uid, highest_modseq,
                tombstone_floor, items, unread, deleted, size FROM folders",
        )
        .fetch_all(&mut *conn)
        .await?;
        let folders: BTreeMap<_, _> = rows
            .iter()
            .map(|row| folder(row).map(|folder| (folder.id, Arc::new(folder))))
            .collect::<Result<_>>()?;
        let root = folders
            .values()
            .find(|folder| folder.parent.is_none())
            .map(|folder| folder.id);
        let keywords = sqlx::query_scalar("SELECT name FROM keywords ORDER BY number")
            .fetch_all(&mut *conn)
            .await?;
        let receive: Vec<(String, i64)> =
            sqlx::query_as("SELECT message_class, folder FROM receive_folders")
                .fetch_all(&mut *conn)
                .await?;
        let entries: Vec<(i64, String, i64)> =
            sqlx::query_as("SELECT folder, member, rights FROM permissions")
                .fetch_all(&mut *conn)
                .await?;
        let mut permissions: HashMap<FolderId, Vec<Permission>> = HashMap::new();
        for (folder, member, rights) in entries {
            let rights = u32::try_from(rights).unwrap_or_default();
            permissions
                .entry(FolderId(folder.cast_unsigned()))
                .or_default()
                .push(Permission { member, rights });
        }
        Ok(State {
            owner: meta.try_get::<String, _>(0)?.into(),
            counter: meta.try_get::<i64, _>(1)?.cast_unsigned(),
            uid_validity: meta.try_get(2)?,
            root: root.ok_or_else(|| Error::Corrupt("the mailbox has no root folder".into()))?,
            folders,
            keywords: Arc::new(keywords),
            receive: Arc::new(
                receive
                    .into_iter()
                    .map(|(class, folder)| (class, FolderId(folder.cast_unsigned())))
                    .collect(),
            ),
            permissions: Arc::new(permissions),
            flag_log: Pending::load(conn).await?,
        })
    }
}

fn folder(row: &SqliteRow) -> Result<FolderState> {
    let number =
        |column: &str| -> Result<u64> { Ok(row.try_get::<i64, _>(column)?.cast_unsigned()) };
    let role: u32 = row.try_get("role")?;
    Ok(FolderState {
        id: FolderId(number("id")?),
        parent: row
            .try_get::<Option<i64>, _>("parent")?
            .map(|parent| FolderId(parent.cast_unsigned())),
        name: row.try_get("name")?,
        container_class: row.try_get("container_class")?,
        role: Role::from_code(role).ok_or_else(|| Error::Corrupt(format!("folder role {role}")))?,
        cn: number("cn")?,
        acl_cn: number("acl_cn")?,
        uid_validity: UidValidity(row.try_get("uid_validity")?),
        uid_next: row.try_get("uid_next")?,
        recent_uid: row.try_get("recent_uid")?,
        highest_modseq: number("highest_modseq")?,
        tombstone_floor: number("tombstone_floor")?,
        items: row.try_get("items")?,
        unread: row.try_get("unread")?,
        deleted: row.try_get("deleted")?,
        size: number("size")?,
    })
}
