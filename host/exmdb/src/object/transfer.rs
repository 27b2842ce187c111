//! Copying and moving an object to another name, in one commit with what it replaces there.

use futures_util::FutureExt;

use super::{
    ETag, Object, ObjectOutcome, ObjectPlace,
    delete::bury,
    put::check_name,
    row::{named, of_uid},
};
use crate::{
    ChangeNumber, Error, ItemId, Mailbox, Result, Rights, TombstoneKind,
    index::IndexRow,
    item::lifecycle::DELETE,
    mailbox::{Actor, commit::Work, now},
};

/// From where to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectTransfer {
    /// What is there now.
    pub from: ObjectPlace,
    /// Where it is to be.
    pub to: ObjectPlace,
    /// It stays where it is, too.
    pub copy: bool,
    /// What is at the target may be replaced.
    pub overwrite: bool,
}

impl Mailbox {
    /// Copies or moves an object. A move keeps its id.
    ///
    /// # Errors
    /// `NotFound` when there is nothing to be copied, `Denied` without the rights to read, delete and create.
    pub async fn transfer_object(&self, transfer: ObjectTransfer) -> Result<ObjectOutcome> {
        check_name(&transfer.to.name)?;
        let actor = self.actor.clone();
        let write = self.core.write_unfolded(move |work| {
            async move { carry_out(work, &actor, transfer).await }.boxed()
        });
        write.await
    }
}

async fn carry_out(
    work: &mut Work,
    actor: &Actor,
    transfer: ObjectTransfer,
) -> Result<ObjectOutcome> {
    let ObjectTransfer {
        from,
        to,
        copy,
        overwrite,
    } = transfer;
    work.state.demand(actor, from.folder, Rights::READ_ANY)?;
    work.state.demand(actor, to.folder, Rights::CREATE)?;
    let source = named(work.conn()?, from.folder, &from.name).await?;
    let source = source.ok_or_else(|| Error::NotFound(format!("the object {:?}", from.name)))?;
    let there = named(work.conn()?, to.folder, &to.name).await?;
    if there.is_some() && (!overwrite || from == to) {
        return Ok(ObjectOutcome::Refused(there));
    }
    let holder = of_uid(
        work.conn()?,
        to.folder,
        &source.uid,
        there.as_ref().map(|there| there.item),
    )
    .await?;
    if let Some(holder) = holder.filter(|holder| copy || holder.item != source.item) {
        return Ok(ObjectOutcome::UidTaken(holder.name));
    }
    if let Some(there) = &there {
        bury(work, actor, &to, there).await?;
    }
    let object = if copy {
        duplicate(work, actor, (&from, &to), source).await?
    } else {
        relocate(work, actor, (&from, &to), source).await?
    };
    Ok(match there {
        None => ObjectOutcome::Created(object),
        Some(_) => ObjectOutcome::Replaced(object),
    })
}

async fn row_of(work: &mut Work, item: ItemId) -> Result<IndexRow> {
    let rights = (Rights::READ_ANY, Rights::READ_ANY);
    let stored = work
        .items_to_change(&Actor::System, rights, &[item])
        .await?;
    let row = stored.first().map(|stored| stored.columns.index.clone());
    row.ok_or_else(|| Error::NotFound(format!("item {item}")))
}

async fn duplicate(
    work: &mut Work,
    actor: &Actor,
    (_, to): (&ObjectPlace, &ObjectPlace),
    source: Object,
) -> Result<Object> {
    let before = row_of(work, source.item).await?;
    let creator = actor.creator().map(str::to_owned);
    let after = IndexRow {
        uid: work.next_uid(to.folder)?,
        item: ItemId(work.next_number()?),
        modseq: work.next_number()?,
        save_date: now(),
        ..before
    };
    let all = "INSERT INTO items (id, folder, uid, modseq, cn, read_cn, flag_cn, flags, size, internal_date, save_date,
            sent_date, sent_day, blob, keywords, class, subject, base_subject, sender, first_from, first_to, first_cc, message_id,
            parents, creator, outside_name)
            SELECT ?2, ?3, ?4, ?5, ?5, ?5, ?5, flags, size, internal_date, ?6, sent_date, sent_day, blob, keywords, class, subject,
            base_subject, sender, first_from, first_to, first_cc, message_id, parents, ?7, ?8 FROM items WHERE id = ?1;
        INSERT INTO objects (item, uid, kind, etag, first, last, horizon, occurrences, schedule_tag)
            SELECT ?2, uid, kind, etag, first, last, horizon, occurrences, schedule_tag FROM objects WHERE item = ?1;
        INSERT INTO bags (item, properties, recipients, converter, derived)
            SELECT ?2, properties, recipients, converter, derived FROM bags WHERE item = ?1";
    sqlx::query(all)
        .bind(source.item.0.cast_signed())
        .bind(after.item.0.cast_signed())
        .bind(to.folder.0.cast_signed())
        .bind(after.uid)
        .bind(after.modseq.cast_signed())
        .bind(after.save_date)
        .bind(creator)
        .bind(&to.name)
        .execute(work.conn()?)
        .await?;
    let object = Object {
        item: after.item,
        name: to.name.clone(),
        modified: after.save_date,
        change_number: ChangeNumber(after.modseq),
        ..source
    };
    let number = after.modseq;
    work.account((to.folder, false), None, Some(after), number)?;
    Ok(object)
}

async fn relocate(
    work: &mut Work,
    actor: &Actor,
    (from, to): (&ObjectPlace, &ObjectPlace),
    source: Object,
) -> Result<Object> {
    let stored = work.items_to_change(actor, DELETE, &[source.item]).await?;
    let before = stored.first().map(|stored| stored.columns.index.clone());
    let before = before.ok_or_else(|| Error::NotFound(format!("item {}", source.item)))?;
    let gone = work.next_number()?;
    work.bury(from.folder, &[(source.item, gone)], TombstoneKind::Moved)
        .await?;
    let after = IndexRow {
        // Told as gone with its UID, it needs another one, also where it was.
        uid: work.next_uid(to.folder)?,
        modseq: work.next_number()?,
        ..before.clone()
    };
    let update = "UPDATE items SET folder = ?2, uid = ?3, modseq = ?4, cn = ?4, read_cn = ?4, flag_cn = ?4, outside_name = ?5
        WHERE id = ?1";
    sqlx::query(update)
        .bind(source.item.0.cast_signed())
        .bind(to.folder.0.cast_signed())
        .bind(after.uid)
        .bind(after.modseq.cast_signed())
        .bind(&to.name)
        .execute(work.conn()?)
        .await?;
    let schedule_tag = source
        .schedule_tag
        .map(|_| moved_tag(source.etag, after.modseq));
    let tagged = "UPDATE objects SET schedule_tag = ?2 WHERE item = ?1";
    sqlx::query(tagged)
        .bind(source.item.0.cast_signed())
        .bind(schedule_tag.map(|tag| tag.0.to_vec()))
        .execute(work.conn()?)
        .await?;
    let object = Object {
        name: to.name.clone(),
        change_number: ChangeNumber(after.modseq),
        schedule_tag,
        ..source
    };
    work.account((from.folder, false), Some(&before), None, gone)?;
    let number = after.modseq;
    work.account((to.folder, false), None, Some(after), number)?;
    Ok(object)
}

/// RFC 6638 section 3.2.10: what a client moves has another Schedule-Tag afterwards, with the same octets in it.
fn moved_tag(etag: ETag, number: u64) -> ETag {
    let mut octets = etag.0;
    for (octet, of_number) in octets.iter_mut().zip(number.to_be_bytes()) {
        *octet ^= of_number;
    }
    ETag(octets)
}
