//! `waxwing:store/changes`: the change log.

use wasmtime::component::Resource;
use waxwing_exmdb::{ChangeNumber, FolderId, ItemChange, Tombstone};

use super::Result;
use crate::{bindings::waxwing::store::changes as wit, host_side::OpenMailbox, state::State};

/// `of-folder` answers no more changes than this.
const CHANGES: u32 = 10_000;

fn change(change: ItemChange) -> wit::Change {
    wit::Change {
        item: change.item.0,
        uid: change.uid.0,
        cn: change.cn.0,
        read_cn: change.read_cn.0,
        flag_cn: change.flag_cn.0,
        associated: change.associated,
    }
}

fn tombstone(tombstone: Tombstone) -> wit::Tombstone {
    wit::Tombstone {
        item: tombstone.item.0,
        uid: tombstone.uid.0,
        cn: tombstone.cn.0,
        outside_name: tombstone.outside_name,
        associated: tombstone.associated,
        kind: tombstone.kind as u32,
    }
}

impl wit::Host for State {
    async fn of_folder(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        since: u64,
        limit: u32,
    ) -> Result<wit::Delta> {
        let mailbox = self.get(&mailbox)?.mailbox;
        self.call("changes.of-folder", async move {
            let delta = mailbox
                .changes_of_folder(FolderId(folder), ChangeNumber(since), limit.min(CHANGES))
                .await?;
            Ok(wit::Delta {
                changed: delta.changed.into_iter().map(change).collect(),
                deleted: delta.deleted.into_iter().map(tombstone).collect(),
                until: delta.until.0,
                more: delta.more,
            })
        })
        .await
    }

    async fn of_hierarchy(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        since: u64,
    ) -> Result<wit::HierarchyDelta> {
        let mailbox = self.get(&mailbox)?.mailbox;
        self.call("changes.of-hierarchy", async move {
            let delta = mailbox.changes_of_hierarchy(ChangeNumber(since)).await?;
            Ok(wit::HierarchyDelta {
                changed: delta.changed.into_iter().map(|id| id.0).collect(),
                deleted: delta.deleted.into_iter().map(|id| id.0).collect(),
                until: delta.until.0,
            })
        })
        .await
    }

    async fn latest(&mut self, mailbox: Resource<OpenMailbox>) -> Result<u64> {
        let mailbox = self.get(&mailbox)?.mailbox;
        self.call(
            "changes.latest",
            async move { Ok(mailbox.latest().await?.0) },
        )
        .await
    }

    async fn reserve_ids(&mut self, mailbox: Resource<OpenMailbox>, count: u32) -> Result<u64> {
        let mailbox = self.get(&mailbox)?.mailbox;
        self.call("changes.reserve-ids", async move {
            Ok(mailbox.reserve_ids(count).await?)
        })
        .await
    }
}
