//! `waxwing:store/objects`: iCalendar objects and vCards by the names of clients.

use std::fmt::Write as _;

use wasmtime::component::Resource;
use waxwing_exmdb::{
    self as exmdb, Body, ChangeNumber, ETag, FolderId, ItemId, ObjectCondition, ObjectFacts,
    ObjectKind, ObjectOutcome, ObjectPlace, SchedulingState,
};

use super::{Failure, Result, folders::folder, values};
use crate::{
    bindings::waxwing::store::{folders::Folder, objects as wit, types::Property},
    host_side::OpenMailbox,
    state::State,
};

/// Names in one call.
const NAMES: usize = 10_000;
/// `changes` answers no more than this.
const CHANGES: u32 = 10_000;

fn named(names: &[String]) -> Result<()> {
    if names.len() > NAMES {
        return Err(Failure::limit(format!(
            "names of objects in one call = {NAMES}"
        )));
    }
    Ok(())
}

fn tag(tag: ETag) -> String {
    let mut text = String::with_capacity(32);
    for octet in tag.0 {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

fn object(object: exmdb::Object) -> wit::Object {
    wit::Object {
        item: object.item.0,
        name: object.name,
        uid: object.uid,
        kind: object.kind as u32,
        etag: tag(object.etag),
        size: object.size,
        created: object.created,
        modified: object.modified,
        change_number: object.change_number.0,
        schedule_tag: object.schedule_tag.map(tag),
    }
}

/// Entity tags that are ours; of another form there can be none.
fn etags(texts: &[String]) -> Vec<ETag> {
    let ours = texts.iter().filter(|text| {
        text.len() == 32
            && text
                .bytes()
                .all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
    });
    ours.filter_map(|text| u128::from_str_radix(text, 16).ok())
        .map(|number| ETag(number.to_be_bytes()))
        .collect()
}

fn condition(condition: wit::Condition) -> ObjectCondition {
    match condition {
        wit::Condition::Any => ObjectCondition::Any,
        wit::Condition::Absent => ObjectCondition::Absent,
        wit::Condition::Present => ObjectCondition::Present,
        wit::Condition::OneOf(tags) => ObjectCondition::Is(etags(&tags)),
        wit::Condition::NoneOf(tags) => ObjectCondition::IsNot(etags(&tags)),
    }
}

fn outcome(outcome: ObjectOutcome) -> wit::Outcome {
    match outcome {
        ObjectOutcome::Created(created) => wit::Outcome::Created(object(created)),
        ObjectOutcome::Replaced(replaced) => wit::Outcome::Replaced(object(replaced)),
        ObjectOutcome::Refused(there) => wit::Outcome::Refused(there.map(object)),
        ObjectOutcome::UidTaken(name) => wit::Outcome::UidTaken(name),
    }
}

fn place(place: wit::Place) -> ObjectPlace {
    ObjectPlace {
        folder: FolderId(place.folder),
        name: place.name,
    }
}

fn occurrences(occurrences: wit::Occurrences) -> exmdb::Occurrences {
    let range = |range: wit::TimeRange| (range.first, range.last);
    exmdb::Occurrences {
        ranges: occurrences.ranges.into_iter().map(range).collect(),
        horizon: occurrences.horizon,
    }
}

fn facts(facts: wit::Facts) -> Result<ObjectFacts> {
    let kind = ObjectKind::from_code(facts.kind).ok_or_else(|| {
        Failure::unsupported(format!(
            "object kind {} is not known to this host",
            facts.kind
        ))
    })?;
    Ok(ObjectFacts {
        kind,
        uid: facts.uid,
        properties: values::properties(facts.properties)?,
        occurrences: occurrences(facts.occurrences),
        scheduling: match facts.scheduling {
            wit::Scheduling::None => SchedulingState::Not,
            wit::Scheduling::Changed => SchedulingState::Changed,
            wit::Scheduling::Answers => SchedulingState::AnswersOnly,
        },
    })
}

impl wit::Host for State {
    async fn get(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        names: Vec<String>,
    ) -> Result<Vec<Option<wit::Object>>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        named(&names)?;
        self.call("objects.get", async move {
            let found = mailbox.objects_named(FolderId(folder), &names).await?;
            Ok(found.into_iter().map(|one| one.map(object)).collect())
        })
        .await
    }

    async fn of_uid(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        uid: String,
    ) -> Result<Vec<(u64, wit::Object)>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("objects.of-uid", async move {
            let found = mailbox.objects_of_uid(&uid).await?;
            let found = found.into_iter();
            Ok(found.map(|(folder, one)| (folder.0, object(one))).collect())
        })
        .await
    }

    async fn list_objects(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        after: u32,
        limit: u32,
    ) -> Result<wit::Page> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("objects.list-objects", async move {
            let page = mailbox.objects(FolderId(folder), after, limit).await?;
            Ok(wit::Page {
                objects: page.objects.into_iter().map(object).collect(),
                next: page.next,
            })
        })
        .await
    }

    async fn read(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        names: Vec<String>,
    ) -> Result<Vec<Option<wit::Sourced>>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        named(&names)?;
        self.call("objects.read", async move {
            let read = mailbox.read_objects_named(FolderId(folder), &names).await?;
            let sourced = |(found, source): (exmdb::Object, bytes::Bytes)| wit::Sourced {
                object: object(found),
                source: source.into(),
            };
            Ok(read.into_iter().map(|one| one.map(sourced)).collect())
        })
        .await
    }

    async fn open(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        at: wit::Place,
    ) -> Result<(wit::Object, Resource<Body>)> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let opened = self.call("objects.open", async move {
            let at = place(at);
            Ok(mailbox.open_object(at.folder, &at.name).await?)
        });
        let (found, body) = opened.await?;
        Ok((object(found), self.push(body)?))
    }

    #[allow(clippy::too_many_arguments, reason = "the contract's signature")]
    async fn put(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        at: wit::Place,
        when: wit::Condition,
        source: Resource<Body>,
        known: wit::Facts,
    ) -> Result<wit::Outcome> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let (source, known) = (State::get(self, &source)?, facts(known)?);
        self.call("objects.put", async move {
            let put = mailbox.put_object(place(at), condition(when), (source, known));
            Ok(outcome(put.await?))
        })
        .await
    }

    async fn delete(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        at: wit::Place,
        when: wit::Condition,
    ) -> Result<wit::Outcome> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("objects.delete", async move {
            Ok(outcome(
                mailbox.delete_object(place(at), condition(when)).await?,
            ))
        })
        .await
    }

    async fn transfer_object(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        transfer: wit::Transfer,
    ) -> Result<wit::Outcome> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let transfer = exmdb::ObjectTransfer {
            from: place(transfer.from),
            to: place(transfer.to),
            copy: transfer.copy,
            overwrite: transfer.overwrite,
        };
        self.call("objects.transfer-object", async move {
            Ok(outcome(mailbox.transfer_object(transfer).await?))
        })
        .await
    }

    async fn occurring_in(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        range: wit::TimeRange,
    ) -> Result<Vec<wit::Occurring>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("objects.occurring-in", async move {
            let found = mailbox.objects_occurring(FolderId(folder), range.first, range.last);
            let occurring = |one: exmdb::Occurring| wit::Occurring {
                object: object(one.object),
                certain: one.certain,
            };
            Ok(found.await?.into_iter().map(occurring).collect())
        })
        .await
    }

    async fn extend(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        lists: Vec<wit::Extended>,
    ) -> Result<()> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let list = |list: wit::Extended| {
            let number = ChangeNumber(list.change_number);
            (ItemId(list.item), number, occurrences(list.occurrences))
        };
        let lists = lists.into_iter().map(list).collect();
        self.call("objects.extend", async move {
            Ok(mailbox.set_occurrences(FolderId(folder), lists).await?)
        })
        .await
    }

    async fn changes(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folder: u64,
        since: u64,
        limit: u32,
    ) -> Result<wit::Delta> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("objects.changes", async move {
            let changes = mailbox.changes_of_objects(
                FolderId(folder),
                ChangeNumber(since),
                limit.min(CHANGES),
            );
            let changes = changes.await?;
            Ok(wit::Delta {
                changed: changes.changed.into_iter().map(object).collect(),
                deleted: changes.deleted,
                until: changes.until.0,
                more: changes.more,
            })
        })
        .await
    }

    async fn properties_of(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        folders: Vec<u64>,
        tags: Vec<u32>,
    ) -> Result<Vec<Vec<Property>>> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        self.call("objects.properties-of", async move {
            let folders: Vec<_> = folders.into_iter().map(FolderId).collect();
            let tags = values::tags(&tags);
            Ok(mailbox
                .properties_of_folders(&folders, &tags)
                .await?
                .into_iter()
                .map(values::wit_properties)
                .collect())
        })
        .await
    }

    async fn create_collection(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        new: wit::NewCollection,
    ) -> Result<Folder> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let new = exmdb::NewCollection {
            folder: exmdb::NewFolder {
                parent: new.parent.map(FolderId),
                name: new.name,
                container_class: new.container_class,
                role: exmdb::Role::None,
            },
            properties: values::properties(new.properties)?,
        };
        self.call("objects.create-collection", async move {
            Ok(folder(mailbox.create_collection(new).await?))
        })
        .await
    }

    async fn update_collection(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        id: u64,
        update: wit::CollectionUpdate,
    ) -> Result<u64> {
        let mailbox = State::get(self, &mailbox)?.mailbox;
        let update = exmdb::CollectionUpdate {
            name: update.name,
            set: values::properties(update.set)?,
            remove: values::tags(&update.remove),
            expected: update.expected.map(ChangeNumber),
        };
        self.call("objects.update-collection", async move {
            let updated = mailbox.update_collection(FolderId(id), update).await?;
            Ok(updated.0)
        })
        .await
    }
}
