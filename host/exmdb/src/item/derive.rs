//! Deriving a mail's bag from its source: a pure function of the bytes and the converter's version, done at first need and
//! kept with a digest of what was derived. A newer converter derives anew, unless somebody changed the bag meanwhile.

use std::sync::Arc;

use futures_util::FutureExt;
use waxwing_formats_mapi::{Property, PropertyTag, tags};
use waxwing_formats_mime::{Structure, mapi};

use super::{bag, columns::is_store_column, load};
use crate::{
    Error, ItemId, Result,
    body::blocking,
    mailbox::{Core, commit::Work},
};

/// Items derived in one commit.
const BATCH: usize = 64;

/// All of a mail that MAPI sees, packed.
#[derive(Debug)]
pub(crate) struct Derived {
    item: ItemId,
    properties: Vec<u8>,
    recipients: Vec<u8>,
    attachments: Vec<Vec<u8>>,
}

impl Derived {
    fn of(item: ItemId, message: &[u8], structure: &Structure) -> Derived {
        let attachments = mapi::attachments(message, structure);
        Derived {
            item,
            properties: bag::pack(&from_source(mapi::properties(message, structure))),
            recipients: bag::pack_lists(&mapi::recipients(structure)),
            attachments: attachments
                .iter()
                .map(|attachment| bag::pack(&attachment.properties))
                .collect(),
        }
    }
}

/// Properties of a mail that its source does not hold: a client may change them, a converter leaves them alone.
pub(crate) fn is_state(tag: PropertyTag) -> bool {
    const STATE: [PropertyTag; 11] = [
        tags::READ,
        tags::MESSAGE_FLAGS,
        tags::FLAG_STATUS,
        tags::FLAG_COMPLETE_TIME,
        tags::FOLLOWUP_ICON,
        tags::ICON_INDEX,
        tags::LAST_VERB_EXECUTED,
        tags::LAST_VERB_EXECUTION_TIME,
        tags::ATTRIBUTE_HIDDEN,
        tags::CHANGE_KEY,
        tags::PREDECESSOR_CHANGE_LIST,
    ];
    tag.id() >= 0x8000 || STATE.contains(&tag)
}

fn from_source(mut properties: Vec<Property>) -> Vec<Property> {
    properties.retain(|property| !is_state(property.tag));
    properties
}

/// A packed bag parted into what came from the source and what did not.
pub(crate) fn split(packed: &[u8]) -> Result<(Vec<Property>, Vec<Property>)> {
    Ok(bag::unpack(packed)?
        .into_iter()
        .partition(|property| !is_state(property.tag)))
}

/// What says that a bag is still what was derived.
pub(crate) fn digest<'a>(
    properties: &'a [u8],
    recipients: &'a [u8],
    attachments: impl Iterator<Item = &'a [u8]>,
) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for piece in [properties, recipients].into_iter().chain(attachments) {
        hasher.update(&(piece.len() as u64).to_le_bytes());
        hasher.update(piece);
    }
    *hasher.finalize().as_bytes()
}

/// As [`ensure`], unless columns answer all of the tags.
pub(crate) async fn ensure_for(
    core: &Arc<Core>,
    items: &[ItemId],
    tags: &[PropertyTag],
) -> Result<()> {
    if !tags.is_empty() && tags.iter().all(|tag| is_store_column(*tag)) {
        return Ok(());
    }
    let answered = {
        let mut reader = core.read().await?;
        let columns = load::columns(&mut reader, items).await?;
        !tags.is_empty()
            && columns
                .values()
                .all(|columns| tags.iter().all(|tag| columns.value(*tag).is_some()))
    };
    if answered {
        Ok(())
    } else {
        ensure(core, items).await
    }
}

/// Makes sure that those of the items that are mail have a current bag.
pub(super) async fn ensure(core: &Arc<Core>, items: &[ItemId]) -> Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    let missing: Vec<i64> = {
        let select = "SELECT i.id FROM json_each(?) j JOIN items i ON i.id = j.value JOIN blobs b ON b.id = i.blob
            LEFT JOIN bags g ON g.item = i.id
            WHERE b.structure IS NOT NULL AND (g.item IS NULL OR g.derived IS NOT NULL AND g.converter < ?)";
        let mut reader = core.read().await?;
        let query = sqlx::query_scalar(select)
            .bind(load::ids(items))
            .bind(mapi::CONVERTER_VERSION);
        query.fetch_all(reader.conn()?).await?
    };
    let missing: Vec<ItemId> = missing
        .into_iter()
        .map(|item| ItemId(item.cast_unsigned()))
        .collect();
    for some in missing.chunks(BATCH) {
        let derived = derive(core, some).await?;
        core.write(move |work| async move { store(work, derived).await }.boxed())
            .await?;
    }
    Ok(())
}

async fn derive(core: &Arc<Core>, items: &[ItemId]) -> Result<Vec<Derived>> {
    let (mut structures, bodies) = {
        let mut reader = core.read().await?;
        (
            load::structures(&mut reader, items).await?,
            load::bodies(&mut reader, items).await?,
        )
    };
    let mut derived = Vec::with_capacity(items.len());
    for (item, body) in bodies {
        let message = body?.read_all().await?;
        let structure = structures
            .remove(&item)
            .and_then(|bytes| Structure::decode(&bytes));
        let structure =
            structure.ok_or_else(|| Error::Corrupt(format!("the structure of item {item}")))?;
        derived.push(blocking(move || Ok(Derived::of(item, &message, &structure))).await?);
    }
    Ok(derived)
}

async fn store(work: &mut Work, derived: Vec<Derived>) -> Result<()> {
    for Derived {
        item,
        properties,
        recipients,
        attachments,
    } in derived
    {
        let id = item.0.cast_signed();
        let digest = digest(
            &properties,
            &recipients,
            attachments.iter().map(Vec::as_slice),
        );
        let properties = with_state(work, id, properties).await?;
        let insert = "INSERT INTO bags (item, properties, recipients, converter, derived)
            SELECT id, ?2, ?3, ?4, ?5 FROM items WHERE id = ?1
            ON CONFLICT (item) DO UPDATE SET properties = excluded.properties, recipients = excluded.recipients,
                converter = excluded.converter, derived = excluded.derived WHERE bags.derived IS NOT NULL";
        let inserted = sqlx::query(insert)
            .bind(id)
            .bind(properties)
            .bind(recipients)
            .bind(mapi::CONVERTER_VERSION)
            .bind(&digest[..])
            .execute(work.conn()?)
            .await?;
        if inserted.rows_affected() == 0 {
            continue;
        }
        sqlx::query("DELETE FROM attachments WHERE item = ?")
            .bind(id)
            .execute(work.conn()?)
            .await?;
        for (number, properties) in (0u32..).zip(attachments) {
            sqlx::query("INSERT INTO attachments (item, number, properties) VALUES (?, ?, ?)")
                .bind(id)
                .bind(number)
                .bind(properties)
                .execute(work.conn()?)
                .await?;
        }
    }
    Ok(())
}

/// The derived properties with the state that the item's bag had already.
async fn with_state(work: &mut Work, item: i64, derived: Vec<u8>) -> Result<Vec<u8>> {
    let known: Option<Vec<u8>> = sqlx::query_scalar("SELECT properties FROM bags WHERE item = ?")
        .bind(item)
        .fetch_optional(work.conn()?)
        .await?;
    let Some(known) = known else {
        return Ok(derived);
    };
    let (_, state) = split(&known)?;
    let mut properties = bag::unpack(&derived)?;
    properties.extend(state);
    Ok(bag::pack(&properties))
}
