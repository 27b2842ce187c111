//! `waxwing:store/folders`: the folder tree.

use wasmtime::component::Resource;
use waxwing_exmdb as exmdb;

use super::{Failure, Result, values};
use crate::{
    bindings::waxwing::store::{
        folders::{Folder, Host},
        types::Property,
    },
    host_side::OpenMailbox,
    state::State,
};

/// The contract's open code, in the order of exmdb's roles.
const ROLES: [exmdb::Role; 16] = [
    exmdb::Role::None,
    exmdb::Role::Inbox,
    exmdb::Role::Drafts,
    exmdb::Role::Sent,
    exmdb::Role::Trash,
    exmdb::Role::Junk,
    exmdb::Role::Archive,
    exmdb::Role::Outbox,
    exmdb::Role::Calendar,
    exmdb::Role::Contacts,
    exmdb::Role::Tasks,
    exmdb::Role::Notes,
    exmdb::Role::Journal,
    exmdb::Role::All,
    exmdb::Role::Flagged,
    exmdb::Role::Important,
];

fn role(code: u32) -> Result<exmdb::Role> {
    ROLES.get(code as usize).copied().ok_or_else(|| {
        Failure::unsupported(format!("folder role {code} is not known to this host"))
    })
}

pub(super) fn folder(folder: exmdb::Folder) -> Folder {
    Folder {
        id: folder.id.0,
        parent: folder.parent.map(|id| id.0),
        name: folder.name,
        container_class: folder.container_class,
        role: folder.role as u32,
        uid_validity: folder.uid_validity.0,
        uid_next: folder.uid_next.0,
        items: folder.items,
        unread: folder.unread,
        deleted: folder.deleted,
        recent: folder.recent,
        size: folder.size,
        highest_modseq: folder.highest_modseq,
        change_number: folder.change_number.0,
        rights: folder.rights,
    }
}

impl Host for State {
    async fn all(&mut self, mailbox: Resource<OpenMailbox>) -> Result<Vec<Folder>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("folders.all", async move {
            Ok(mailbox.folders().await?.into_iter().map(folder).collect())
        })
        .await
    }

    async fn get(&mut self, mailbox: Resource<OpenMailbox>, id: u64) -> Result<Folder> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("folders.get", async move {
            Ok(folder(mailbox.folder(exmdb::FolderId(id)).await?))
        })
        .await
    }

    async fn by_role(&mut self, mailbox: Resource<OpenMailbox>, code: u32) -> Result<Folder> {
        let (mailbox, role) = (State::get(self, &mailbox)?.mailbox, role(code)?);
        self.call("folders.by-role", async move {
            Ok(folder(mailbox.folder_by_role(role).await?))
        })
        .await
    }

    async fn receive_folder(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        message_class: String,
    ) -> Result<Folder> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("folders.receive-folder", async move {
            Ok(folder(mailbox.receive_folder(&message_class).await?))
        })
        .await
    }

    #[allow(clippy::too_many_arguments, reason = "the contract's signature")]
    async fn create(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        parent: Option<u64>,
        name: String,
        container_class: String,
        code: u32,
    ) -> Result<Folder> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let new = exmdb::NewFolder {
            parent: parent.map(exmdb::FolderId),
            name,
            container_class,
            role: role(code)?,
        };
        self.call("folders.create", async move {
            Ok(folder(mailbox.create_folder(new).await?))
        })
        .await
    }

    async fn move_(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        id: u64,
        parent: Option<u64>,
        name: String,
    ) -> Result<Folder> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("folders.move", async move {
            Ok(folder(
                mailbox
                    .move_folder(exmdb::FolderId(id), parent.map(exmdb::FolderId), &name)
                    .await?,
            ))
        })
        .await
    }

    async fn delete(&mut self, mailbox: Resource<OpenMailbox>, id: u64) -> Result<()> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("folders.delete", async move {
            Ok(mailbox.delete_folder(exmdb::FolderId(id)).await?)
        })
        .await
    }

    async fn subscriptions(&mut self, mailbox: Resource<OpenMailbox>) -> Result<Vec<String>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("folders.subscriptions", async move {
            Ok(mailbox.subscriptions().await?)
        })
        .await
    }

    async fn subscribe(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        name: String,
        on: bool,
    ) -> Result<()> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("folders.subscribe", async move {
            Ok(mailbox.subscribe(&name, on).await?)
        })
        .await
    }

    async fn properties(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        id: u64,
        tags: Vec<u32>,
    ) -> Result<Vec<Property>> {
        let (mailbox, tags) = (State::get(self, &mailbox)?.mailbox, values::tags(&tags));
        self.call("folders.properties", async move {
            Ok(values::wit_properties(
                mailbox
                    .folder_properties(exmdb::FolderId(id), &tags)
                    .await?,
            ))
        })
        .await
    }

    async fn set_properties(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        id: u64,
        properties: Vec<Property>,
    ) -> Result<u64> {
        let (mailbox, properties) = (
            State::get(self, &mailbox)?.mailbox,
            values::properties(properties)?,
        );
        self.call("folders.set-properties", async move {
            Ok(mailbox
                .set_folder_properties(exmdb::FolderId(id), properties)
                .await?
                .0)
        })
        .await
    }
}
