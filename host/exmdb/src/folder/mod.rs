//! The folder tree: special folders and receive folders, names, properties, subscriptions. Reads are answered from memory.

mod change;
mod properties;
mod subscriptions;

pub(crate) use self::{
    change::{create, rename},
    properties::write_bag,
};

use std::collections::HashSet;

use crate::{
    ChangeNumber, Error, Folder, FolderId, Mailbox, Result, Rights, Role, Uid,
    mailbox::state::{FolderState, State},
};

impl Mailbox {
    /// All that the actor may see, parents before children, with their counts.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn folders(&self) -> Result<Vec<Folder>> {
        let state = self.core.state().await?;
        let mut shown = Vec::with_capacity(state.folders.len());
        let mut level = vec![state.root];
        let mut seen = HashSet::new();
        while !level.is_empty() {
            let parents: HashSet<_> = level.drain(..).collect();
            for folder in state.folders.values() {
                if folder
                    .parent
                    .is_some_and(|parent| parents.contains(&parent))
                    && seen.insert(folder.id)
                {
                    level.push(folder.id);
                    shown.extend(self.show(&state, folder).ok());
                }
            }
        }
        Ok(shown)
    }

    /// # Errors
    /// `NotFound`, also when the actor may not see it.
    pub async fn folder(&self, id: FolderId) -> Result<Folder> {
        let state = self.core.state().await?;
        let folder = state
            .folder(id)
            .ok()
            .filter(|folder| folder.parent.is_some());
        self.show(
            &state,
            folder.ok_or_else(|| Error::NotFound(format!("folder {id}")))?,
        )
    }

    /// # Errors
    /// `NotFound` when no folder has the role.
    pub async fn folder_by_role(&self, role: Role) -> Result<Folder> {
        let state = self.core.state().await?;
        let folder = state
            .folders
            .values()
            .find(|folder| role != Role::None && folder.role == role);
        self.show(
            &state,
            folder.ok_or_else(|| Error::NotFound(format!("a folder with the role {role:?}")))?,
        )
    }

    /// The receive folder of the longest message class that begins `message_class` ([MS-OXCSTOR] 3.2.5.2).
    ///
    /// # Errors
    /// `NotFound` when none does.
    pub async fn receive_folder(&self, message_class: &str) -> Result<Folder> {
        let state = self.core.state().await?;
        let class = message_class.to_ascii_lowercase();
        let begins = |prefix: &str| {
            let rest = class.strip_prefix(&prefix.to_ascii_lowercase());
            rest.is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('.'))
        };
        let folder = state
            .receive
            .iter()
            .filter(|(prefix, _)| begins(prefix))
            .max_by_key(|(prefix, _)| prefix.len());
        let folder = folder
            .ok_or_else(|| Error::NotFound(format!("a receive folder for {message_class:?}")))?;
        self.show(&state, state.folder(folder.1)?)
    }

    pub(crate) fn show(&self, state: &State, folder: &FolderState) -> Result<Folder> {
        let rights = state.rights(&self.actor, folder.id);
        if !rights.intersects(Rights::FOLDER_VISIBLE | Rights::READ_ANY) {
            return Err(Error::NotFound(format!("folder {}", folder.id)));
        }
        Ok(Folder {
            id: folder.id,
            parent: folder.parent.filter(|parent| *parent != state.root),
            name: folder.name.clone(),
            container_class: folder.container_class.clone(),
            role: folder.role,
            uid_validity: folder.uid_validity,
            uid_next: Uid(folder.uid_next),
            items: folder.items,
            unread: folder.unread,
            deleted: folder.deleted,
            recent: self.core.recent(folder),
            size: folder.size,
            highest_modseq: folder.highest_modseq,
            change_number: ChangeNumber(folder.cn),
            rights: rights.bits(),
        })
    }
}
