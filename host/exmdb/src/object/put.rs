//! Putting a source under a name: conditions, the UID's uniqueness and the change are one commit.

use futures_util::FutureExt;
use waxwing_formats_mapi::{Property, Value, tags};
use waxwing_formats_mime::subject;

use super::{
    ETag, MAX_NAME, MAX_UID, Object, ObjectCondition, ObjectFacts, ObjectOutcome, ObjectPlace,
    SchedulingState,
    occurrences::Packed,
    row::{named, of_uid},
};
use crate::{
    Body, ChangeNumber, Error, FolderId, ItemFlags, ItemId, Mailbox, Result, Rights,
    append::{self, cut, day_of, insert, prepare_content},
    blob::PreparedBlob,
    index::IndexRow,
    item::{bag, derive, write::EDIT},
    mailbox::{Actor, commit::Work, now},
};

/// Octets of the properties that come with a source.
const MAX_PROPERTIES: usize = 256 * 1024;

/// One of several sources that are put in one commit.
#[derive(Debug)]
pub struct ObjectPut {
    /// Where.
    pub place: ObjectPlace,
    /// What must be true.
    pub condition: ObjectCondition,
    /// The octets.
    pub source: Body,
    /// What is known of them.
    pub facts: ObjectFacts,
}

/// A source ready to be stored, with all that is known of it.
struct Prepared {
    blob: PreparedBlob,
    etag: ETag,
    facts: ObjectFacts,
    occurrences: Packed,
    properties: Vec<u8>,
}

impl Mailbox {
    /// Puts a source under a name; durable when it returns. An item keeps its id when its source is replaced.
    ///
    /// # Errors
    /// `NotFound` without the folder, `Denied` without the right to create in it or to change what is there, `Invalid` and
    /// `Limit` for a name or facts that are none.
    pub async fn put_object(
        &self,
        place: ObjectPlace,
        condition: ObjectCondition,
        (source, facts): (Body, ObjectFacts),
    ) -> Result<ObjectOutcome> {
        check_name(&place.name)?;
        let prepared = self.prepare_object(source, facts).await?;
        let actor = self.actor.clone();
        let write = self.core.write_unfolded(move |work| {
            async move { put(work, &actor, (place, condition), prepared).await }.boxed()
        });
        write.await
    }

    /// Puts several sources in one commit: all of them or none. The outcomes are `Created` and `Replaced`, in the order of the puts.
    ///
    /// # Errors
    /// As [`Mailbox::put_object`]; `Conflict` when the condition of one does not hold or its UID is another's.
    pub async fn put_objects(&self, puts: Vec<ObjectPut>) -> Result<Vec<ObjectOutcome>> {
        let mut all = Vec::with_capacity(puts.len());
        for given in puts {
            check_name(&given.place.name)?;
            let prepared = self.prepare_object(given.source, given.facts).await?;
            all.push((given.place, given.condition, prepared));
        }
        let actor = self.actor.clone();
        let write = self.core.write_unfolded(move |work| {
            async move {
                let mut outcomes = Vec::with_capacity(all.len());
                for (place, condition, prepared) in all {
                    let name = place.name.clone();
                    match put(work, &actor, (place, condition), prepared).await? {
                        ObjectOutcome::Refused(_) | ObjectOutcome::UidTaken(_) => {
                            return Err(Error::Conflict(format!("the object {name:?}")));
                        }
                        done => outcomes.push(done),
                    }
                }
                Ok(outcomes)
            }
            .boxed()
        });
        write.await
    }

    async fn prepare_object(&self, source: Body, facts: ObjectFacts) -> Result<Prepared> {
        check_uid(&facts.uid)?;
        let occurrences = Packed::of(&facts.occurrences)?;
        let properties = bag::pack(&facts.properties);
        if properties.len() > MAX_PROPERTIES {
            return Err(Error::Limit(format!(
                "the properties of an object have at most {MAX_PROPERTIES} octets"
            )));
        }
        let spool = self.core.commons.spool.clone();
        let blob = match prepare_content(source, spool).await {
            Ok(blob) => blob,
            Err(error) => return Err(self.core.note(error).await),
        };
        Ok(Prepared {
            etag: ETag::of(&blob.digest),
            blob,
            facts,
            occurrences,
            properties,
        })
    }
}

pub(super) fn check_name(name: &str) -> Result<()> {
    if name.is_empty()
        || name.len() > MAX_NAME
        || name.contains('/')
        || name.chars().any(char::is_control)
    {
        return Err(Error::Invalid(format!(
            "the name of an object has 1 to {MAX_NAME} octets, no slash and no control characters"
        )));
    }
    Ok(())
}

fn check_uid(uid: &str) -> Result<()> {
    if uid.is_empty() || uid.len() > MAX_UID {
        return Err(Error::Invalid(format!(
            "the UID of an object has 1 to {MAX_UID} octets"
        )));
    }
    Ok(())
}

async fn put(
    work: &mut Work,
    actor: &Actor,
    (place, condition): (ObjectPlace, ObjectCondition),
    prepared: Prepared,
) -> Result<ObjectOutcome> {
    work.state.demand(
        actor,
        place.folder,
        Rights::CREATE | Rights::EDIT_ANY | Rights::EDIT_OWNED,
    )?;
    let there = named(work.conn()?, place.folder, &place.name).await?;
    if !condition.holds(there.as_ref()) {
        return Ok(ObjectOutcome::Refused(there));
    }
    let uid = &prepared.facts.uid;
    // Salvage leaves an empty UID when it could not read what it was.
    if let Some(there) = there
        .as_ref()
        .filter(|there| there.uid != *uid && !there.uid.is_empty())
    {
        return Ok(ObjectOutcome::UidTaken(there.name.clone()));
    }
    let but = there.as_ref().map(|there| there.item);
    if let Some(other) = of_uid(work.conn()?, place.folder, uid, but).await? {
        return Ok(ObjectOutcome::UidTaken(other.name));
    }
    match there {
        None => create(work, actor, place, prepared)
            .await
            .map(ObjectOutcome::Created),
        Some(there) => replace(work, actor, (place.folder, there), prepared)
            .await
            .map(ObjectOutcome::Replaced),
    }
}

fn text(properties: &[Property], tag: waxwing_formats_mapi::PropertyTag) -> String {
    match bag::find(properties, tag).map(|property| &property.value) {
        Some(Value::Text(text)) => cut(text.clone()),
        _ => String::new(),
    }
}

/// What lists show, as [`append::Prepared::of_content`] takes it.
fn listed(properties: &[Property]) -> [String; 5] {
    let subject = text(properties, tags::SUBJECT);
    [
        text(properties, tags::MESSAGE_CLASS),
        subject.clone(),
        subject::base(&subject).text,
        text(properties, tags::SENDER_NAME),
        text(properties, tags::SENDER_EMAIL_ADDRESS),
    ]
}

async fn create(
    work: &mut Work,
    actor: &Actor,
    place: ObjectPlace,
    prepared: Prepared,
) -> Result<Object> {
    work.state.demand(actor, place.folder, Rights::CREATE)?;
    let creator = actor.creator();
    let now = now();
    let row = IndexRow {
        uid: work.next_uid(place.folder)?,
        item: ItemId(work.next_number()?),
        modseq: work.next_number()?,
        // There is no such thing as an unread event.
        flags: ItemFlags(ItemFlags::SEEN),
        keywords: Vec::new(),
        size: prepared.blob.size,
        internal_date: now,
        save_date: now,
        sent_date: now,
        sent_day: day_of(now),
    };
    let Prepared {
        blob,
        etag,
        facts,
        occurrences,
        properties,
    } = prepared;
    let content = append::Prepared::of_content(blob, listed(&facts.properties));
    let content = (content.blob, &content.hot);
    insert(work, (place.folder, creator), &row, content).await?;
    let object = Object {
        item: row.item,
        name: place.name,
        uid: facts.uid,
        kind: facts.kind,
        etag,
        size: row.size,
        created: now,
        modified: now,
        change_number: ChangeNumber(row.modseq),
        schedule_tag: schedule_tag(facts.scheduling, etag, (None, None)),
    };
    write_facts(work, &object, (occurrences, properties)).await?;
    work.account((place.folder, false), None, Some(row.clone()), row.modseq)?;
    Ok(object)
}

/// The Schedule-Tag of what is put now, in the place of what had this entity tag and this Schedule-Tag.
fn schedule_tag(
    state: SchedulingState,
    now: ETag,
    (etag, before): (Option<ETag>, Option<ETag>),
) -> Option<ETag> {
    match state {
        SchedulingState::Not => None,
        // Put as it was there, it has not changed.
        SchedulingState::Changed if etag == Some(now) => before.or(Some(now)),
        SchedulingState::Changed => Some(now),
        SchedulingState::AnswersOnly => before.or(Some(now)),
    }
}

/// What is known of an object beside its item's row, new or not.
async fn write_facts(
    work: &mut Work,
    object: &Object,
    (occurrences, properties): (Packed, Vec<u8>),
) -> Result<()> {
    let all = "UPDATE items SET outside_name = ?2 WHERE id = ?1;
        INSERT OR REPLACE INTO objects (item, uid, kind, etag, first, last, horizon, occurrences, schedule_tag)
            VALUES (?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11);
        INSERT INTO bags (item, properties, recipients, converter) VALUES (?1, ?10, x'', 0)
            ON CONFLICT (item) DO UPDATE SET properties = excluded.properties";
    sqlx::query(all)
        .bind(object.item.0.cast_signed())
        .bind(&object.name)
        .bind(&object.uid)
        .bind(object.kind as u32)
        .bind(&object.etag.0[..])
        .bind(occurrences.first)
        .bind(occurrences.last)
        .bind(occurrences.horizon)
        .bind(occurrences.octets)
        .bind(properties)
        .bind(object.schedule_tag.map(|tag| tag.0.to_vec()))
        .execute(work.conn()?)
        .await?;
    Ok(())
}

async fn replace(
    work: &mut Work,
    actor: &Actor,
    (folder, there): (FolderId, Object),
    prepared: Prepared,
) -> Result<Object> {
    let stored = work.items_to_change(actor, EDIT, &[there.item]).await?;
    let before = stored.first().map(|stored| stored.columns.index.clone());
    let before = before.ok_or_else(|| Error::NotFound(format!("item {}", there.item)))?;
    let id = there.item.0.cast_signed();
    let old = sqlx::query_scalar("SELECT blob FROM items WHERE id = ?").bind(id);
    let old: Option<i64> = old.fetch_one(work.conn()?).await?;
    let Prepared {
        blob,
        etag,
        facts,
        occurrences,
        properties,
    } = prepared;
    let object = Object {
        uid: facts.uid,
        kind: facts.kind,
        etag,
        size: blob.size,
        modified: now(),
        change_number: ChangeNumber(work.next_number()?),
        schedule_tag: schedule_tag(
            facts.scheduling,
            etag,
            (Some(there.etag), there.schedule_tag),
        ),
        ..there
    };
    let properties = with_state(work, id, properties).await?;
    let new = work.store_blob(blob).await?;
    write_facts(work, &object, (occurrences, properties)).await?;
    update_row(work, &object, (new, listed(&facts.properties))).await?;
    if let Some(old) = old.filter(|old| *old != new) {
        work.drop_unused_blobs(&[old]).await?;
    }
    let number = object.change_number.0;
    let after = IndexRow {
        modseq: number,
        size: object.size,
        save_date: object.modified,
        ..before.clone()
    };
    work.account((folder, false), Some(&before), Some(after), number)?;
    Ok(object)
}

async fn update_row(
    work: &mut Work,
    object: &Object,
    (blob, listed): (i64, [String; 5]),
) -> Result<()> {
    let [class, subject, base_subject, sender, first_from] = listed;
    let update = "UPDATE items SET modseq = ?2, cn = ?2, size = ?3, save_date = ?4, blob = ?5, class = ?6, subject = ?7,
        base_subject = ?8, sender = ?9, first_from = ?10, change_key = NULL, predecessors = NULL WHERE id = ?1";
    sqlx::query(update)
        .bind(object.item.0.cast_signed())
        .bind(object.change_number.0.cast_signed())
        .bind(object.size.cast_signed())
        .bind(object.modified)
        .bind(blob)
        .bind(class)
        .bind(subject)
        .bind(base_subject)
        .bind(sender)
        .bind(first_from)
        .execute(work.conn()?)
        .await?;
    Ok(())
}

/// The properties of a new source with the state that the item has already.
async fn with_state(work: &mut Work, item: i64, properties: Vec<u8>) -> Result<Vec<u8>> {
    let known = sqlx::query_scalar("SELECT properties FROM bags WHERE item = ?").bind(item);
    let known: Option<Vec<u8>> = known.fetch_optional(work.conn()?).await?;
    let (_, state) = derive::split(known.as_deref().unwrap_or_default())?;
    if state.is_empty() {
        return Ok(properties);
    }
    let mut all = state;
    for property in bag::unpack(&properties)? {
        bag::set(&mut all, property);
    }
    Ok(bag::pack(&all))
}
