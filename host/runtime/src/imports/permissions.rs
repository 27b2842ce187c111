//! `waxwing:store/permissions`: who may do what with a folder.

use wasmtime::component::Resource;
use waxwing_exmdb::{FolderId, Permission};

use super::Result;
use crate::{
    bindings::waxwing::store::permissions::{Entry, Host},
    host_side::OpenMailbox,
    sharing,
    state::State,
};

impl Host for State {
    async fn get(&mut self, mailbox: Resource<OpenMailbox>, folder: u64) -> Result<Vec<Entry>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("permissions.get", async move {
            let entries = mailbox.permissions(FolderId(folder)).await?;
            Ok(entries
                .into_iter()
                .map(|entry| Entry {
                    member: entry.member,
                    rights: entry.rights,
                })
                .collect())
        })
        .await
    }

    async fn set(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        entries: Vec<Entry>,
    ) -> Result<u64> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let directory = self.services.directory.clone();
        let entries = entries
            .into_iter()
            .map(|entry| Permission {
                member: entry.member,
                rights: entry.rights,
            })
            .collect();
        self.call("permissions.set", async move {
            let changed =
                sharing::set_permissions(&directory, &mailbox, FolderId(folder), entries).await;
            Ok(changed?.0)
        })
        .await
    }
}
