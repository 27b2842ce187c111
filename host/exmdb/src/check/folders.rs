//! Folders: counts, UIDs, modseq, and the index in memory.

use super::Check;
use crate::{ItemFlags, Result, index::FolderIndex, mailbox::state::FolderState};

/// What the items of a folder say of it.
struct Counted {
    items: u32,
    unread: u32,
    deleted: u32,
    size: u64,
    highest_uid: u32,
    highest_modseq: u64,
}

impl Check<'_> {
    pub(super) async fn folders(&mut self) -> Result<()> {
        let folders: Vec<_> = self.work.state.folders.values().cloned().collect();
        for folder in folders.iter().filter(|folder| folder.parent.is_some()) {
            self.report.folders += 1;
            let counted = self.count(folder).await?;
            self.folder(folder, &counted)?;
            self.index(folder).await?;
        }
        Ok(())
    }

    async fn count(&mut self, folder: &FolderState) -> Result<Counted> {
        let select = "SELECT coalesce(sum(live), 0), coalesce(sum(live AND flags & ?2 = 0), 0), coalesce(sum(live AND flags & ?3 <> 0), 0),
            coalesce(sum(iif(live, size, 0)), 0), coalesce(max(uid), 0), coalesce(max(modseq), 0)
            FROM (SELECT *, deleted_at IS NULL AND flags & ?4 = 0 AS live FROM items WHERE folder = ?1)";
        let (items, unread, deleted, size, uid, modseq): (u32, u32, u32, i64, u32, i64) =
            sqlx::query_as(select)
                .bind(folder.id.0.cast_signed())
                .bind(ItemFlags::SEEN)
                .bind(ItemFlags::DELETED)
                .bind(ItemFlags::ASSOCIATED)
                .fetch_one(self.work.conn()?)
                .await?;
        let gone =
            "SELECT coalesce(max(uid), 0), coalesce(max(cn), 0) FROM tombstones WHERE folder = ?";
        let (gone_uid, gone_cn): (u32, i64) = sqlx::query_as(gone)
            .bind(folder.id.0.cast_signed())
            .fetch_one(self.work.conn()?)
            .await?;
        Ok(Counted {
            items,
            unread,
            deleted,
            size: size.cast_unsigned(),
            highest_uid: uid.max(gone_uid),
            highest_modseq: modseq.max(gone_cn).cast_unsigned(),
        })
    }

    fn folder(&mut self, folder: &FolderState, counted: &Counted) -> Result<()> {
        let name = &folder.name;
        let stored = (folder.items, folder.unread, folder.deleted, folder.size);
        let right = (counted.items, counted.unread, counted.deleted, counted.size);
        if stored != right {
            let what = format!(
                "folder {name:?} counts (items, unread, deleted, octets) {stored:?}, its items say {right:?}"
            );
            self.found("folder-counts", what, Some("counted anew"));
        }
        if counted.highest_uid >= folder.uid_next {
            let what = format!(
                "folder {name:?} gave UID {} and says the next is {}",
                counted.highest_uid, folder.uid_next
            );
            self.found("uid-below-next", what, Some("the next UID moved up"));
        }
        if counted.highest_modseq > folder.highest_modseq {
            let what = format!(
                "folder {name:?} has modseq {} above its highest {}",
                counted.highest_modseq, folder.highest_modseq
            );
            self.found("highest-modseq", what, Some("the highest moved up"));
        }
        let holds = stored == right
            && counted.highest_uid < folder.uid_next
            && counted.highest_modseq <= folder.highest_modseq;
        if self.repair && !holds {
            let folder = self.work.folder(folder.id)?;
            (folder.items, folder.unread, folder.deleted, folder.size) = right;
            folder.uid_next = folder.uid_next.max(counted.highest_uid.saturating_add(1));
            folder.highest_modseq = folder.highest_modseq.max(counted.highest_modseq);
        }
        Ok(())
    }

    async fn index(&mut self, folder: &FolderState) -> Result<()> {
        let Some(loaded) = self.work.core().loaded_index(folder.id) else {
            return Ok(());
        };
        let fresh = FolderIndex::load(self.work.conn()?, folder).await?;
        let agrees = {
            let (loaded, fresh) = (loaded.read(), fresh.read());
            loaded.len() == fresh.len()
                && (0..fresh.len()).all(|place| loaded.row(place) == fresh.row(place))
        };
        if !agrees {
            let what = format!(
                "the index of folder {:?} in memory is not what its items say",
                folder.name
            );
            self.found("index-agrees", what, Some("loaded anew"));
            if self.repair {
                self.work.core().forget_index(folder.id);
            }
        }
        Ok(())
    }
}
