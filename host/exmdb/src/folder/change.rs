//! Making, moving and deleting folders.

use std::sync::Arc;

use futures_util::FutureExt;

use crate::{
    Error, Folder, FolderId, Mailbox, NewFolder, Result, Rights, Role, UidValidity,
    blob::{blobs_of, json_numbers},
    mailbox::{
        commit::Work,
        now,
        state::{FolderState, State},
    },
};

/// Octets of a folder name.
const MAX_NAME: usize = 255;
/// Folders on the way from the root to a folder.
const MAX_DEPTH: usize = 100;
/// Folders of one mailbox.
const MAX_FOLDERS: usize = 10_000;

impl Mailbox {
    /// # Errors
    /// `AlreadyExists` when a sibling has the name or a folder has the role, `NotFound` without the parent, `Invalid` for a
    /// name that is none, `Limit` when there are too many.
    pub async fn create_folder(&self, new: NewFolder) -> Result<Folder> {
        let actor = self.actor.clone();
        let write = self.core.write(move |work| {
            async move {
                let parent = new.parent.unwrap_or(work.state.root);
                work.state
                    .demand(&actor, parent, Rights::CREATE_SUBFOLDER)?;
                create(work, parent, new).await
            }
            .boxed()
        });
        let id = write.await?;
        self.folder(id).await
    }

    /// New name, new parent, or both.
    ///
    /// # Errors
    /// As [`Mailbox::create_folder`]; `Invalid` when the folder would come below itself, `Denied` for a special folder.
    pub async fn move_folder(
        &self,
        id: FolderId,
        parent: Option<FolderId>,
        name: &str,
    ) -> Result<Folder> {
        let (actor, name) = (self.actor.clone(), name.to_owned());
        let write = self.core.write(move |work| {
            async move {
                let parent = parent.unwrap_or(work.state.root);
                work.state.demand(&actor, id, Rights::FOLDER_OWNER)?;
                if work.state.folder(id)?.parent != Some(parent) {
                    work.state
                        .demand(&actor, parent, Rights::CREATE_SUBFOLDER)?;
                }
                rename(work, id, parent, name)
            }
            .boxed()
        });
        write.await?;
        self.folder(id).await
    }

    /// Deletes the folder with its items. Folders with a role and folders with children are refused.
    ///
    /// # Errors
    /// `NotFound`, or `Denied` when it is refused.
    pub async fn delete_folder(&self, id: FolderId) -> Result<()> {
        let actor = self.actor.clone();
        let write = self.core.write(move |work| {
            async move {
                work.state.demand(&actor, id, Rights::FOLDER_OWNER)?;
                delete(work, id).await
            }
            .boxed()
        });
        write.await?;
        self.core.forget_index(id);
        Ok(())
    }
}

fn check_name(state: &State, parent: FolderId, name: &str, but: Option<FolderId>) -> Result<()> {
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(Error::Invalid(format!(
            "a folder name has 1 to {MAX_NAME} octets and no control characters"
        )));
    }
    // RFC 9051 5.1: INBOX is reserved in any case of letters.
    let inbox = parent == state.root && name.eq_ignore_ascii_case("INBOX");
    let same = |other: &str| {
        if inbox {
            other.eq_ignore_ascii_case(name)
        } else {
            other == name
        }
    };
    let taken = state.folders.values().any(|folder| {
        folder.parent == Some(parent) && Some(folder.id) != but && same(&folder.name)
    });
    if taken {
        Err(Error::AlreadyExists(format!("the folder {name:?}")))
    } else {
        Ok(())
    }
}

/// The way from a folder to the root, itself included.
fn ancestors(state: &State, folder: FolderId) -> impl Iterator<Item = FolderId> + '_ {
    std::iter::successors(Some(folder), |id| {
        state.folders.get(id).and_then(|folder| folder.parent)
    })
    .take(MAX_DEPTH + 2)
}

/// What forbids a new folder below `parent`.
fn refuse(state: &State, parent: FolderId, new: &NewFolder) -> Result<()> {
    check_name(state, parent, &new.name, None)?;
    if state.folders.len() >= MAX_FOLDERS {
        return Err(Error::Limit(format!(
            "a mailbox has at most {MAX_FOLDERS} folders"
        )));
    }
    if ancestors(state, parent).count() > MAX_DEPTH {
        return Err(Error::Limit(format!(
            "folders nest at most {MAX_DEPTH} deep"
        )));
    }
    let mut roles = state.folders.values().map(|folder| folder.role);
    if new.role != Role::None && roles.any(|role| role == new.role) {
        return Err(Error::AlreadyExists(format!(
            "a folder with the role {:?}",
            new.role
        )));
    }
    Ok(())
}

pub(crate) async fn create(work: &mut Work, parent: FolderId, new: NewFolder) -> Result<FolderId> {
    refuse(&work.state, parent, &new)?;
    let inherited = work.state.folder(parent)?.container_class.clone();
    let classes = [new.container_class, inherited, "IPF.Note".to_owned()];
    let container_class = classes
        .into_iter()
        .find(|class| !class.is_empty())
        .unwrap_or_default();
    let id = FolderId(work.next_number()?);
    let cn = work.next_number()?;
    // Later than any before, also of a folder of this name that is gone (RFC 9051 2.3.1.1).
    let uid_validity = u32::try_from(now())
        .unwrap_or(u32::MAX)
        .max(work.state.uid_validity.saturating_add(1));
    work.state.uid_validity = uid_validity;
    let folder = FolderState {
        id,
        parent: Some(parent),
        name: new.name,
        container_class,
        role: new.role,
        cn,
        acl_cn: 0,
        uid_validity: UidValidity(uid_validity),
        uid_next: 1,
        recent_uid: 1,
        highest_modseq: cn,
        tombstone_floor: cn,
        items: 0,
        unread: 0,
        deleted: 0,
        size: 0,
    };
    insert(work, &folder).await?;
    inherit_permissions(work, parent, id).await?;
    work.state.folders.insert(id, Arc::new(folder));
    work.tell(id, cn);
    Ok(id)
}

async fn insert(work: &mut Work, folder: &FolderState) -> Result<()> {
    sqlx::query(
        "INSERT INTO folders (id, parent, name, container_class, role, cn, acl_cn, uid_validity, uid_next, recent_uid,
            highest_modseq, tombstone_floor, items, unread, deleted, size, bag)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, 1, 1, ?6, ?6, 0, 0, 0, 0, x'')",
    )
    .bind(folder.id.0.cast_signed())
    .bind(folder.parent.map(|parent| parent.0.cast_signed()))
    .bind(&folder.name)
    .bind(&folder.container_class)
    .bind(folder.role.code())
    .bind(folder.cn.cast_signed())
    .bind(folder.uid_validity.0)
    .execute(work.conn()?)
    .await?;
    Ok(())
}

/// A new folder begins with its parent's permissions ([MS-OXCFOLD] 3.2.5.2).
async fn inherit_permissions(work: &mut Work, parent: FolderId, folder: FolderId) -> Result<()> {
    let Some(entries) = work.state.permissions.get(&parent).cloned() else {
        return Ok(());
    };
    sqlx::query("INSERT INTO permissions (folder, member, rights) SELECT ?, member, rights FROM permissions WHERE folder = ?")
        .bind(folder.0.cast_signed())
        .bind(parent.0.cast_signed())
        .execute(work.conn()?)
        .await?;
    Arc::make_mut(&mut work.state.permissions).insert(folder, entries);
    Ok(())
}

pub(crate) fn rename(work: &mut Work, id: FolderId, parent: FolderId, name: String) -> Result<()> {
    let folder = work.state.folder(id)?.clone();
    if folder.role == Role::Inbox || folder.parent.is_none() {
        return Err(Error::Denied(format!(
            "the folder {:?} keeps its name and place",
            folder.name
        )));
    }
    work.state.folder(parent)?;
    check_name(&work.state, parent, &name, Some(id))?;
    if ancestors(&work.state, parent).any(|ancestor| ancestor == id) {
        return Err(Error::Invalid("a folder cannot come below itself".into()));
    }
    if ancestors(&work.state, parent).count() > MAX_DEPTH {
        return Err(Error::Limit(format!(
            "folders nest at most {MAX_DEPTH} deep"
        )));
    }
    let cn = work.next_number()?;
    let folder = work.folder(id)?;
    folder.parent = Some(parent);
    folder.name = name;
    folder.cn = cn;
    work.tell(id, cn);
    Ok(())
}

async fn delete(work: &mut Work, id: FolderId) -> Result<()> {
    let folder = work.state.folder(id)?.clone();
    if folder.role != Role::None || folder.parent.is_none() {
        return Err(Error::Denied(format!(
            "{:?} is a special folder",
            folder.name
        )));
    }
    if work
        .state
        .folders
        .values()
        .any(|other| other.parent == Some(id))
    {
        return Err(Error::Denied(format!(
            "the folder {:?} has subfolders",
            folder.name
        )));
    }
    let number = id.0.cast_signed();
    let items: Vec<i64> = sqlx::query_scalar("SELECT id FROM items WHERE folder = ?")
        .bind(number)
        .fetch_all(work.conn()?)
        .await?;
    let blobs = blobs_of(work.conn()?, &json_numbers(items.into_iter())).await?;
    for remove in [
        "DELETE FROM items WHERE folder = ?",
        "DELETE FROM tombstones WHERE folder = ?",
        "DELETE FROM folders WHERE id = ?",
    ] {
        sqlx::query(remove)
            .bind(number)
            .execute(work.conn()?)
            .await?;
    }
    work.drop_unused_blobs(&blobs).await?;
    let cn = work.next_number()?;
    sqlx::query("INSERT INTO folder_tombstones (cn, folder) VALUES (?, ?)")
        .bind(cn.cast_signed())
        .bind(number)
        .execute(work.conn()?)
        .await?;
    work.state.folders.remove(&id);
    Arc::make_mut(&mut work.state.permissions).remove(&id);
    Arc::make_mut(&mut work.state.receive).retain(|(_, folder)| *folder != id);
    work.tell(id, cn);
    Ok(())
}
