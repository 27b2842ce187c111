//! Making items from properties and changing them. Texts that have a column stand in the bag too: the column is cut, the bag
//! is whole.

use futures_util::FutureExt;
use waxwing_formats_mapi::{Property, PropertyTag, Value, tags};
use waxwing_formats_mime::subject;

use super::{
    bag,
    columns::{is_store_column, seconds_of},
    derive,
    stored::StoredItem,
    versions,
};
use crate::{
    ChangeNumber, Error, FolderId, ItemFlags, ItemId, ItemUpdate, Mailbox, NewItem, Result, Rights,
    Saved, Uid,
    append::{cut, day_of},
    index::IndexRow,
    mailbox::{Actor, commit::Work, now},
};

/// Octets of an item's properties, or of its recipients.
pub(super) const MAX_BAG: usize = 64 * 1024 * 1024;

/// Who may change an item.
pub(crate) const EDIT: (Rights, Rights) = (Rights::EDIT_ANY, Rights::EDIT_OWNED);

/// Computed by the store: nobody sets them.
fn is_computed(tag: PropertyTag) -> bool {
    matches!(
        tag,
        tags::MESSAGE_SIZE
            | tags::HAS_ATTACHMENTS
            | tags::MID
            | tags::FOLDER_ID
            | tags::CHANGE_NUMBER
    ) || is_store_column(tag)
}

/// Flags that properties stand for ([MS-OXCMSG] 2.2.1.6, [MS-OXOFLAG] 2.2.1.1, [MS-OXOMSG] 2.2.2.46).
fn flags_of(mut flags: u32, property: &Property) -> u32 {
    let mut turn = |flag: u32, on: bool| flags = if on { flags | flag } else { flags & !flag };
    match (property.tag, &property.value) {
        (tags::READ, Value::Boolean(read)) => turn(ItemFlags::SEEN, *read),
        (tags::MESSAGE_FLAGS, Value::Int32(bits)) => {
            turn(ItemFlags::SEEN, bits & 0x1 != 0);
            turn(ItemFlags::DRAFT, bits & 0x8 != 0);
        }
        (tags::FLAG_STATUS, Value::Int32(status)) => turn(ItemFlags::FLAGGED, *status == 2),
        (tags::LAST_VERB_EXECUTED, Value::Int32(102 | 103)) => turn(ItemFlags::ANSWERED, true),
        (tags::LAST_VERB_EXECUTED, Value::Int32(104)) => turn(ItemFlags::FORWARDED, true),
        _ => {}
    }
    flags
}

impl Mailbox {
    /// Makes an item from properties; durable when it returns.
    ///
    /// # Errors
    /// `NotFound` without the folder, `Denied` without the right to create in it, `Invalid` for properties that the store
    /// computes, `Limit` when they are too large.
    pub async fn create_item(&self, item: NewItem) -> Result<Saved> {
        let actor = self.actor.clone();
        self.core
            .write(move |work| async move { create(work, &actor, item).await }.boxed())
            .await
    }

    /// Sets and removes properties in one commit. With `expected`, a newer change number is a `Conflict`.
    ///
    /// # Errors
    /// `Invalid` for properties that the store computes, and for those of a mail that its source holds: the mail would have to
    /// be rendered anew.
    pub async fn update_item(&self, item: ItemId, update: ItemUpdate) -> Result<Saved> {
        derive::ensure(&self.core, &[item]).await?;
        let actor = self.actor.clone();
        let write = self.core.write(move |work| {
            async move {
                let mut stored = work.items_to_change(&actor, EDIT, &[item]).await?;
                let stored = stored
                    .pop()
                    .ok_or_else(|| Error::NotFound(format!("item {item}")))?;
                change(work, &stored, update).await
            }
            .boxed()
        });
        write.await
    }
}

async fn create(work: &mut Work, actor: &Actor, item: NewItem) -> Result<Saved> {
    work.state.demand(actor, item.folder, Rights::CREATE)?;
    if let Some(property) = item
        .properties
        .iter()
        .find(|property| is_computed(property.tag))
    {
        return Err(Error::Invalid(format!(
            "the property {:#010x} is computed by the store",
            property.tag.0
        )));
    }
    let (properties, recipients) = (
        packed_bag(&item.properties)?,
        bag::pack_lists(&item.recipients),
    );
    if recipients.len() > MAX_BAG {
        return Err(Error::Limit(format!(
            "the recipients of an item have at most {MAX_BAG} octets"
        )));
    }
    let uid = work.next_uid(item.folder)?;
    let id = ItemId(work.next_number()?);
    let creator = actor.creator();
    sqlx::query(
        "INSERT INTO items (id, folder, uid, modseq, cn, read_cn, flag_cn, flags, size, internal_date, save_date, sent_date,
            sent_day, keywords, class, subject, base_subject, sender, first_from, first_to, first_cc, message_id, parents, creator)
            VALUES (?1, ?2, ?3, 0, 0, 0, 0, ?4, 0, ?5, ?5, ?5, ?6, '', '', '', '', '', '', '', '', '', '', ?7)",
    )
    .bind(id.0.cast_signed())
    .bind(item.folder.0.cast_signed())
    .bind(uid)
    .bind(if item.associated { ItemFlags::ASSOCIATED } else { 0 })
    .bind(now())
    .bind(day_of(now()))
    .bind(creator)
    .execute(work.conn()?)
    .await?;
    sqlx::query("INSERT INTO bags (item, properties, recipients, converter) VALUES (?, ?, ?, 0)")
        .bind(id.0.cast_signed())
        .bind(properties)
        .bind(recipients)
        .execute(work.conn()?)
        .await?;
    let guid = work.core().guid;
    let stored = super::stored::load(work.conn()?, guid, &[id]).await?.pop();
    let stored =
        stored.ok_or_else(|| Error::Corrupt("an item vanished while it was made".into()))?;
    save(work, &stored, (None, &item.properties)).await
}

async fn change(work: &mut Work, stored: &StoredItem, update: ItemUpdate) -> Result<Saved> {
    refuse(stored, &update)?;
    let id = stored.id().0.cast_signed();
    let select = sqlx::query_scalar("SELECT properties FROM bags WHERE item = ?").bind(id);
    let packed: Option<Vec<u8>> = select.fetch_optional(work.conn()?).await?;
    let mut properties = bag::unpack(packed.as_deref().unwrap_or_default())?;
    properties.retain(|property| !update.remove.contains(&property.tag));
    for property in &update.set {
        bag::set(&mut properties, property.clone());
    }
    let put = "INSERT INTO bags (item, properties, recipients, converter) VALUES (?, ?, x'', 0)
        ON CONFLICT (item) DO UPDATE SET properties = excluded.properties";
    sqlx::query(put)
        .bind(id)
        .bind(packed_bag(&properties)?)
        .execute(work.conn()?)
        .await?;
    let mut changed = update.set;
    if update.remove.contains(&tags::FLAG_STATUS) {
        changed.push(Property {
            tag: tags::FLAG_STATUS,
            value: Value::Int32(0),
        });
    }
    if stored.sourced {
        return save_state(work, stored, &changed).await;
    }
    changed.retain(|property| property.tag == tags::FLAG_STATUS);
    properties.extend(changed);
    let before = stored.is_live_and_normal().then_some(&stored.columns.index);
    save(work, stored, (before, &properties)).await
}

fn refuse(stored: &StoredItem, update: &ItemUpdate) -> Result<()> {
    let item = stored.id();
    if update
        .expected
        .is_some_and(|expected| stored.columns.texts.cn > expected.0)
    {
        return Err(Error::Conflict(format!("item {item}")));
    }
    let set = update.set.iter().map(|property| property.tag);
    for tag in set.chain(update.remove.iter().copied()) {
        let why = match tag {
            _ if is_computed(tag) => "is computed by the store",
            _ if stored.sourced && !derive::is_state(tag) => {
                "comes from its message, which is not rendered anew"
            }
            _ => continue,
        };
        return Err(Error::Invalid(format!(
            "the property {:#010x} of item {item} {why}",
            tag.0
        )));
    }
    Ok(())
}

/// The bag without what columns hold, so that it cannot contradict them later.
fn packed_bag(properties: &[Property]) -> Result<Vec<u8>> {
    let held = |property: &&Property| match (property.tag, &property.value) {
        (
            tags::READ | tags::MESSAGE_FLAGS | tags::CHANGE_KEY | tags::PREDECESSOR_CHANGE_LIST,
            _,
        ) => false,
        (tags::FLAG_STATUS, Value::Int32(status)) => *status != 2,
        _ => true,
    };
    let kept: Vec<Property> = properties.iter().filter(held).cloned().collect();
    let packed = bag::pack(&kept);
    if packed.len() > MAX_BAG {
        return Err(Error::Limit(format!(
            "the properties of an item have at most {MAX_BAG} octets"
        )));
    }
    Ok(packed)
}

/// A mail: its source and what came from it stay; flags and keys may change.
async fn save_state(work: &mut Work, stored: &StoredItem, changed: &[Property]) -> Result<Saved> {
    let before = &stored.columns.index;
    let flags = ItemFlags(changed.iter().fold(before.flags.0, flags_of));
    let after = IndexRow {
        flags,
        ..before.clone()
    };
    finish(
        work,
        stored,
        (stored.is_live_and_normal().then_some(before), after),
        changed,
    )
    .await
}

/// An item of properties alone: its columns follow them.
pub(super) async fn save(
    work: &mut Work,
    stored: &StoredItem,
    (before, properties): (Option<&IndexRow>, &[Property]),
) -> Result<Saved> {
    let text = |tag: PropertyTag| match bag::find(properties, tag).map(|property| &property.value) {
        Some(Value::Text(text)) => cut(text.clone()),
        _ => String::new(),
    };
    let time = |tag: PropertyTag| match bag::find(properties, tag).map(|property| &property.value) {
        Some(Value::Time(time)) => Some(seconds_of(*time)),
        _ => None,
    };
    let row = &stored.columns.index;
    let internal_date = time(tags::MESSAGE_DELIVERY_TIME).unwrap_or(row.internal_date);
    let sent_date = time(tags::CLIENT_SUBMIT_TIME).unwrap_or(internal_date);
    let subject = text(tags::SUBJECT);
    let id = stored.id().0.cast_signed();
    let size: i64 = sqlx::query_scalar(
        "SELECT (SELECT coalesce(sum(length(properties) + length(recipients)), 0) FROM bags WHERE item = ?1)
            + (SELECT coalesce(sum(length(properties) + size), 0) FROM attachments LEFT JOIN blobs ON blobs.id = blob WHERE item = ?1)",
    )
    .bind(id)
    .fetch_one(work.conn()?)
    .await?;
    sqlx::query(
        "UPDATE items SET class = ?, subject = ?, base_subject = ?, sender = ?, first_from = ?, message_id = ?, size = ?,
            internal_date = ?, sent_date = ?, sent_day = ? WHERE id = ?",
    )
    .bind(text(tags::MESSAGE_CLASS))
    .bind(&subject)
    .bind(subject::base(&subject).text)
    .bind(text(tags::SENDER_NAME))
    .bind(text(tags::SENDER_EMAIL_ADDRESS))
    .bind(text(tags::INTERNET_MESSAGE_ID))
    .bind(size)
    .bind(internal_date)
    .bind(sent_date)
    .bind(day_of(sent_date))
    .bind(id)
    .execute(work.conn()?)
    .await?;
    let flags = ItemFlags(properties.iter().fold(row.flags.0, flags_of));
    let after = IndexRow {
        flags,
        size: size.cast_unsigned(),
        internal_date,
        sent_date,
        sent_day: day_of(sent_date),
        ..row.clone()
    };
    finish(work, stored, (before, after), properties).await
}

/// The new version of an item: change number, keys, flags, counts.
async fn finish(
    work: &mut Work,
    stored: &StoredItem,
    (before, mut after): (Option<&IndexRow>, IndexRow),
    properties: &[Property],
) -> Result<Saved> {
    let cn = work.next_number()?;
    let guid = work.core().guid;
    let given = |tag: PropertyTag| match bag::find(properties, tag).map(|property| &property.value)
    {
        Some(Value::Binary(bytes)) => Some(bytes.clone()),
        _ => None,
    };
    let change_key = given(tags::CHANGE_KEY);
    let key = change_key
        .clone()
        .unwrap_or_else(|| versions::change_key(guid, cn));
    let old = stored
        .columns
        .texts
        .predecessors
        .as_deref()
        .unwrap_or_default();
    let predecessors =
        given(tags::PREDECESSOR_CHANGE_LIST).unwrap_or_else(|| versions::with_change(old, &key));
    let read_changed =
        after.flags.has(ItemFlags::SEEN) != stored.columns.index.flags.has(ItemFlags::SEEN);
    after.modseq = cn;
    sqlx::query(
        "UPDATE items SET modseq = ?1, cn = ?1, read_cn = iif(?2 OR read_cn = 0, ?1, read_cn),
            flag_cn = iif(flag_cn = 0, ?1, flag_cn), flags = ?3, change_key = ?4, predecessors = ?5 WHERE id = ?6",
    )
    .bind(cn.cast_signed())
    .bind(read_changed)
    .bind(after.flags.0)
    .bind(change_key)
    .bind(&predecessors)
    .bind(stored.id().0.cast_signed())
    .execute(work.conn()?)
    .await?;
    let uid = Uid(after.uid);
    let folder: FolderId = stored.folder;
    let after = stored.is_live_and_normal().then_some(after);
    work.account((folder, stored.shown), before, after, cn)?;
    Ok(Saved {
        item: stored.id(),
        change_number: ChangeNumber(cn),
        change_key: key,
        predecessor_list: predecessors,
        uid,
    })
}
