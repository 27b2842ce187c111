//! Items: versions, sizes, keywords, bags, tombstones.

use super::Check;
use crate::{
    ItemId, Result,
    index::{parse_keywords, print_keywords},
    item::{bag, derive},
};

impl Check<'_> {
    pub(super) async fn items(&mut self) -> Result<()> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM items")
            .fetch_one(self.work.conn()?)
            .await?;
        self.report.items = count.cast_unsigned();
        let select = "SELECT id FROM items WHERE modseq <> max(cn, read_cn, flag_cn)";
        for item in self.numbers(select).await? {
            self.found(
                "modseq-is-the-maximum",
                format!("item {item}"),
                Some("computed from its versions"),
            );
            self.fix(
                "UPDATE items SET modseq = max(cn, read_cn, flag_cn) WHERE id = ?",
                item,
            )
            .await?;
        }
        let select = "SELECT items.id FROM items JOIN blobs ON blobs.id = blob WHERE items.size <> blobs.size";
        for item in self.numbers(select).await? {
            self.found(
                "size-of-the-blob",
                format!("item {item}"),
                Some("taken from the blob"),
            );
            self.fix("UPDATE items SET size = (SELECT size FROM blobs WHERE blobs.id = blob) WHERE id = ?", item).await?;
        }
        self.keywords().await
    }

    async fn keywords(&mut self) -> Result<()> {
        let select = "SELECT id, keywords FROM items WHERE keywords <> ''";
        let rows: Vec<(i64, String)> = sqlx::query_as(select).fetch_all(self.work.conn()?).await?;
        let known = self.work.state.keywords.len();
        for (item, text) in rows {
            let mut kept = parse_keywords(&text);
            kept.retain(|number| usize::from(*number) < known);
            kept.sort_unstable();
            kept.dedup();
            let right = print_keywords(&kept);
            if right != text {
                self.found(
                    "keyword-exists",
                    format!("item {item} names keywords {text}"),
                    Some("unknown ones dropped"),
                );
                if self.repair {
                    let fix = sqlx::query("UPDATE items SET keywords = ? WHERE id = ?")
                        .bind(right)
                        .bind(item);
                    fix.execute(self.work.conn()?).await?;
                }
            }
        }
        Ok(())
    }

    pub(super) async fn objects(&mut self) -> Result<()> {
        let other =
            "SELECT item FROM objects o JOIN items i ON i.id = o.item JOIN blobs b ON b.id = i.blob
            WHERE o.etag <> substr(b.digest, 1, 16)";
        for item in self.numbers(other).await? {
            self.found(
                "etag-of-the-source",
                format!("item {item}"),
                Some("taken from the blob"),
            );
            let fix = "UPDATE objects SET etag = (SELECT substr(digest, 1, 16) FROM blobs JOIN items ON blobs.id = items.blob
                WHERE items.id = item) WHERE item = ?";
            self.fix(fix, item).await?;
        }
        let nameless =
            "SELECT item FROM objects o JOIN items i ON i.id = o.item WHERE i.outside_name IS NULL";
        for item in self.numbers(nameless).await? {
            self.found("object-has-a-name", format!("item {item}"), Some("dropped"));
            self.fix("DELETE FROM objects WHERE item = ?", item).await?;
        }
        Ok(())
    }

    pub(super) async fn bags(&mut self) -> Result<()> {
        let items: Vec<i64> = self.numbers("SELECT item FROM bags").await?;
        for item in items {
            let (properties, recipients, derived): (Vec<u8>, Vec<u8>, Option<Vec<u8>>) =
                sqlx::query_as("SELECT properties, recipients, derived FROM bags WHERE item = ?")
                    .bind(item)
                    .fetch_one(self.work.conn()?)
                    .await?;
            let select = "SELECT properties FROM attachments WHERE item = ? ORDER BY number";
            let attachments: Vec<Vec<u8>> = sqlx::query_scalar(select)
                .bind(item)
                .fetch_all(self.work.conn()?)
                .await?;
            let split = derive::split(&properties);
            let decodes = split.is_ok()
                && bag::unpack_lists(&recipients).is_ok()
                && attachments.iter().all(|packed| bag::unpack(packed).is_ok());
            let holds = match (&derived, &split) {
                (Some(derived), Ok((from_source, _))) => {
                    let attachments = attachments.iter().map(Vec::as_slice);
                    derive::digest(&bag::pack(from_source), &recipients, attachments)[..]
                        == derived[..]
                }
                _ => true,
            };
            if decodes && holds {
                continue;
            }
            let invariant = if decodes {
                "derived-digest"
            } else {
                "bag-decodes"
            };
            let id = ItemId(item.cast_unsigned());
            self.found(
                invariant,
                format!("item {id}"),
                derived.is_some().then_some("dropped; derived anew at need"),
            );
            if derived.is_some() {
                self.fix("DELETE FROM attachments WHERE item = ?", item)
                    .await?;
                self.fix("DELETE FROM bags WHERE item = ?", item).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn tombstones(&mut self) -> Result<()> {
        let below = "SELECT t.cn FROM tombstones t JOIN folders f ON f.id = t.folder WHERE t.cn <= f.tombstone_floor";
        for cn in self.numbers(below).await? {
            self.found(
                "tombstone-above-floor",
                format!("tombstone {cn}"),
                Some("removed"),
            );
            self.fix("DELETE FROM tombstones WHERE cn = ?", cn).await?;
        }
        let live = "SELECT t.cn FROM tombstones t JOIN items i ON i.folder = t.folder AND i.uid = t.uid WHERE i.deleted_at IS NULL";
        for cn in self.numbers(live).await? {
            self.found(
                "tombstone-of-a-live-uid",
                format!("tombstone {cn}"),
                Some("removed"),
            );
            self.fix("DELETE FROM tombstones WHERE cn = ?", cn).await?;
        }
        Ok(())
    }

    pub(super) async fn numbers(&mut self, select: &'static str) -> Result<Vec<i64>> {
        Ok(sqlx::query_scalar(select)
            .fetch_all(self.work.conn()?)
            .await?)
    }

    pub(super) async fn fix(&mut self, change: &'static str, number: i64) -> Result<()> {
        if self.repair {
            sqlx::query(change)
                .bind(number)
                .execute(self.work.conn()?)
                .await?;
        }
        Ok(())
    }
}
