//! Objects: iCalendar objects and vCards under names of clients.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "support/fresh.rs"]
mod fresh;

use fresh::fresh;
use tempfile::TempDir;
use waxwing_exmdb::{
    Actor, Body, ChangeNumber, CollectionUpdate, ETag, Error, FolderId, Mailbox, NewCollection,
    NewFolder, ObjectCondition, ObjectFacts, ObjectKind, ObjectOutcome, ObjectPlace, ObjectPut,
    ObjectTransfer, Occurrences, Permission, PruneBefore, Rights, Role, SchedulingState, Store,
};
use waxwing_formats_mapi::{Property, Value, columns, tags};

async fn with_calendar() -> (TempDir, Store, Mailbox, FolderId) {
    let (folder, store, mailbox) = fresh().await;
    let calendar = mailbox.folder_by_role(Role::Calendar).await.unwrap().id;
    (folder, store, mailbox, calendar)
}

fn facts(uid: &str, ranges: &[(i64, i64)], horizon: Option<i64>) -> ObjectFacts {
    let text = |tag, text: &str| Property {
        tag,
        value: Value::Text(text.to_owned()),
    };
    ObjectFacts {
        scheduling: SchedulingState::Not,
        kind: ObjectKind::Event,
        uid: uid.to_owned(),
        properties: vec![
            text(tags::MESSAGE_CLASS, "IPM.Appointment"),
            text(tags::SUBJECT, &format!("about {uid}")),
        ],
        occurrences: Occurrences {
            ranges: ranges.to_vec(),
            horizon,
        },
    }
}

fn at(folder: FolderId, name: &str) -> ObjectPlace {
    ObjectPlace {
        folder,
        name: name.to_owned(),
    }
}

async fn put_if(
    mailbox: &Mailbox,
    place: ObjectPlace,
    condition: ObjectCondition,
    (uid, text): (&str, &str),
) -> ObjectOutcome {
    let source = Body::from_bytes(text.to_owned().into());
    mailbox
        .put_object(place, condition, (source, facts(uid, &[(100, 200)], None)))
        .await
        .unwrap()
}

async fn put(mailbox: &Mailbox, folder: FolderId, name: &str, text: &str) -> ObjectOutcome {
    put_if(
        mailbox,
        at(folder, name),
        ObjectCondition::Any,
        (name, text),
    )
    .await
}

fn etag(outcome: &ObjectOutcome) -> ETag {
    match outcome {
        ObjectOutcome::Created(object) | ObjectOutcome::Replaced(object) => object.etag,
        other => panic!("{other:?}"),
    }
}

async fn names(mailbox: &Mailbox, folder: FolderId) -> Vec<String> {
    let page = mailbox.objects(folder, 0, 100).await.unwrap();
    page.objects.into_iter().map(|object| object.name).collect()
}

#[tokio::test]
async fn a_source_is_read_back_byte_for_byte_also_when_it_was_replaced_by_a_large_one() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    let first = put(&mailbox, calendar, "a.ics", "small").await;
    assert!(matches!(first, ObjectOutcome::Created(_)));
    let noise: String = (0..40_000_u32)
        .map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    let second = put(&mailbox, calendar, "a.ics", &noise).await;
    assert!(matches!(second, ObjectOutcome::Replaced(_)));
    assert_ne!(etag(&first), etag(&second));
    let asked = ["b.ics".to_owned(), "a.ics".to_owned()];
    let read = mailbox.read_objects_named(calendar, &asked).await.unwrap();
    assert!(read[0].is_none());
    assert_eq!(read[1].as_ref().unwrap().1, noise.as_bytes());
    let (object, body) = mailbox.open_object(calendar, "a.ics").await.unwrap();
    assert_eq!(object.size, noise.len() as u64);
    assert_eq!(body.read(0, noise.len()).await.unwrap(), noise.as_bytes());
    assert!(mailbox.check(false).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn conditions_are_looked_at_in_the_commit() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    let place = || at(calendar, "a");
    let refused = |outcome| matches!(outcome, ObjectOutcome::Refused(_));
    assert!(refused(
        put_if(&mailbox, place(), ObjectCondition::Present, ("u", "1")).await
    ));
    let first = put_if(&mailbox, place(), ObjectCondition::Absent, ("u", "1")).await;
    assert!(refused(
        put_if(&mailbox, place(), ObjectCondition::Absent, ("u", "2")).await
    ));
    let second = put_if(
        &mailbox,
        place(),
        ObjectCondition::Is(vec![etag(&first)]),
        ("u", "2"),
    )
    .await;
    assert!(refused(
        put_if(
            &mailbox,
            place(),
            ObjectCondition::Is(vec![etag(&first)]),
            ("u", "3")
        )
        .await
    ));
    assert!(refused(
        put_if(
            &mailbox,
            place(),
            ObjectCondition::IsNot(vec![etag(&second)]),
            ("u", "3")
        )
        .await
    ));
    let gone = mailbox
        .delete_object(place(), ObjectCondition::Is(vec![etag(&first)]))
        .await;
    assert!(refused(gone.unwrap()));
    let gone = mailbox
        .delete_object(place(), ObjectCondition::Is(vec![etag(&second)]))
        .await;
    assert!(matches!(gone, Ok(ObjectOutcome::Replaced(_))));
    let again = mailbox.delete_object(place(), ObjectCondition::Any).await;
    assert!(matches!(again, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_uid_belongs_to_one_object_of_a_folder_and_is_told_with_its_name() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    let any = || ObjectCondition::Any;
    put_if(&mailbox, at(calendar, "a"), any(), ("uid", "1")).await;
    let other = put_if(&mailbox, at(calendar, "b"), any(), ("uid", "1")).await;
    assert_eq!(other, ObjectOutcome::UidTaken("a".into()));
    let changed = put_if(&mailbox, at(calendar, "a"), any(), ("uid2", "2")).await;
    assert_eq!(changed, ObjectOutcome::UidTaken("a".into()));
    mailbox
        .delete_object(at(calendar, "a"), any())
        .await
        .unwrap();
    let free = put_if(&mailbox, at(calendar, "b"), any(), ("uid", "1")).await;
    assert!(matches!(free, ObjectOutcome::Created(_)));
}

#[tokio::test]
async fn changes_tell_what_is_new_and_what_is_gone_by_name() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    for name in ["a", "b", "c"] {
        put(&mailbox, calendar, name, name).await;
    }
    let all = mailbox
        .changes_of_objects(calendar, ChangeNumber(0), 100)
        .await
        .unwrap();
    assert_eq!(all.changed.len(), 3);
    put(&mailbox, calendar, "b", "other").await;
    mailbox
        .delete_object(at(calendar, "a"), ObjectCondition::Any)
        .await
        .unwrap();
    mailbox
        .delete_object(at(calendar, "c"), ObjectCondition::Any)
        .await
        .unwrap();
    put(&mailbox, calendar, "c", "again").await;
    let some = mailbox
        .changes_of_objects(calendar, all.until, 100)
        .await
        .unwrap();
    let changed: Vec<_> = some
        .changed
        .iter()
        .map(|object| object.name.as_str())
        .collect();
    assert_eq!(
        (changed.as_slice(), some.deleted.as_slice()),
        (&["b", "c"][..], &["a".to_owned()][..])
    );
    let item = some.changed[0].item;
    mailbox.set_read(&[item], false).await.unwrap();
    let quiet = mailbox
        .changes_of_objects(calendar, some.until, 100)
        .await
        .unwrap();
    assert!(quiet.changed.is_empty() && quiet.until > some.until);
    let first = mailbox
        .changes_of_objects(calendar, all.until, 1)
        .await
        .unwrap();
    assert!(first.more && first.until < some.until);
}

#[tokio::test]
async fn numbers_below_the_floor_are_expired() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    put(&mailbox, calendar, "a", "a").await;
    let old = mailbox
        .changes_of_objects(calendar, ChangeNumber(0), 10)
        .await
        .unwrap()
        .until;
    put(&mailbox, calendar, "b", "b").await;
    mailbox
        .delete_object(at(calendar, "a"), ObjectCondition::Any)
        .await
        .unwrap();
    let before = PruneBefore {
        tombstones: i64::MAX,
        deleted: i64::MAX,
    };
    mailbox.prune(before).await.unwrap();
    let expired = mailbox.changes_of_objects(calendar, old, 10).await;
    assert!(matches!(expired, Err(Error::Expired(_))), "{expired:?}");
    assert_eq!(names(&mailbox, calendar).await, ["b"]);
}

#[tokio::test]
async fn a_range_finds_what_occurs_in_it_and_what_may() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    let put = async |name: &str, ranges: &[(i64, i64)], horizon| {
        let source = Body::from_bytes(name.to_owned().into());
        let facts = facts(name, ranges, horizon);
        let outcome = mailbox
            .put_object(at(calendar, name), ObjectCondition::Any, (source, facts))
            .await;
        match outcome.unwrap() {
            ObjectOutcome::Created(object) => object,
            other => panic!("{other:?}"),
        }
    };
    put("once", &[(100, 200)], None).await;
    let daily = put("daily", &[(0, 10), (1000, 1010)], Some(2000)).await;
    put("never", &[], None).await;
    let found = async |from, until| -> Vec<(String, bool)> {
        let found = mailbox
            .objects_occurring(calendar, from, until)
            .await
            .unwrap();
        found
            .into_iter()
            .map(|one| (one.object.name, one.certain))
            .collect()
    };
    assert_eq!(found(150, 160).await, [("once".to_owned(), true)]);
    assert_eq!(found(1005, 1900).await, [("daily".to_owned(), true)]);
    assert_eq!(found(300, 400).await, []);
    assert_eq!(found(3000, 4000).await, [("daily".to_owned(), false)]);
    let longer = Occurrences {
        ranges: vec![(0, 10), (1000, 1010), (3500, 3510)],
        horizon: Some(9000),
    };
    let before = mailbox.latest().await.unwrap();
    let stale = vec![(daily.item, ChangeNumber(1), Occurrences::default())];
    mailbox.set_occurrences(calendar, stale).await.unwrap();
    let list = vec![(daily.item, daily.change_number, longer)];
    mailbox.set_occurrences(calendar, list).await.unwrap();
    assert_eq!(found(3000, 4000).await, [("daily".to_owned(), true)]);
    assert_eq!(mailbox.latest().await.unwrap(), before);
}

#[tokio::test]
async fn an_object_is_moved_with_its_id_and_copied_without_it() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    let tasks = mailbox.folder_by_role(Role::Tasks).await.unwrap().id;
    let ObjectOutcome::Created(object) = put(&mailbox, calendar, "a", "a").await else {
        panic!("it is not new");
    };
    let transfer = |from, to, copy, overwrite| ObjectTransfer {
        from,
        to,
        copy,
        overwrite,
    };
    let renamed = transfer(at(calendar, "a"), at(calendar, "b"), false, false);
    let renamed = mailbox.transfer_object(renamed).await.unwrap();
    assert!(matches!(renamed, ObjectOutcome::Created(moved) if moved.item == object.item));
    let twice = transfer(at(calendar, "b"), at(calendar, "c"), true, false);
    assert_eq!(
        mailbox.transfer_object(twice).await.unwrap(),
        ObjectOutcome::UidTaken("b".into())
    );
    let copy = || transfer(at(calendar, "b"), at(tasks, "c"), true, false);
    assert!(matches!(
        mailbox.transfer_object(copy()).await,
        Ok(ObjectOutcome::Created(_))
    ));
    assert!(matches!(
        mailbox.transfer_object(copy()).await,
        Ok(ObjectOutcome::Refused(Some(_)))
    ));
    let over = transfer(at(calendar, "b"), at(tasks, "c"), false, true);
    assert!(matches!(
        mailbox.transfer_object(over).await,
        Ok(ObjectOutcome::Replaced(_))
    ));
    assert_eq!(names(&mailbox, calendar).await, Vec::<String>::new());
    assert_eq!(names(&mailbox, tasks).await, ["c"]);
    let read = mailbox
        .read_objects_named(tasks, &["c".to_owned()])
        .await
        .unwrap();
    assert_eq!(read[0].as_ref().unwrap().1, "a".as_bytes());
    assert!(mailbox.check(false).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn other_protocols_see_an_item_and_views_do_not() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    let ObjectOutcome::Created(object) = put(&mailbox, calendar, "a", "a").await else {
        panic!("it is not new");
    };
    let tags = [tags::MESSAGE_CLASS, tags::SUBJECT];
    let items = mailbox
        .item_properties(&[object.item], &tags)
        .await
        .unwrap();
    let values: Vec<_> = items[0]
        .properties
        .iter()
        .map(|property| &property.value)
        .collect();
    assert_eq!(
        values,
        [
            &Value::Text("IPM.Appointment".into()),
            &Value::Text("about a".into())
        ]
    );
    assert_eq!(
        mailbox
            .open_view(calendar, true)
            .await
            .unwrap()
            .info()
            .exists,
        0
    );
    let folder = mailbox.folder(calendar).await.unwrap();
    assert_eq!((folder.items, folder.unread), (1, 0));
}

#[tokio::test]
async fn a_deleted_object_comes_back_unless_its_place_is_taken() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    let ObjectOutcome::Created(object) = put(&mailbox, calendar, "a", "a").await else {
        panic!("it is not new");
    };
    mailbox
        .delete_object(at(calendar, "a"), ObjectCondition::Any)
        .await
        .unwrap();
    mailbox.restore_items(&[object.item]).await.unwrap();
    assert_eq!(names(&mailbox, calendar).await, ["a"]);
    mailbox
        .delete_object(at(calendar, "a"), ObjectCondition::Any)
        .await
        .unwrap();
    put(&mailbox, calendar, "a", "b").await;
    let taken = mailbox.restore_items(&[object.item]).await;
    assert!(matches!(taken, Err(Error::AlreadyExists(_))), "{taken:?}");
}

#[tokio::test]
async fn who_may_only_read_a_folder_puts_and_deletes_nothing() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    put(&mailbox, calendar, "a", "a").await;
    let entry = Permission {
        member: "bob@example.org".into(),
        rights: (Rights::READ_ANY | Rights::FOLDER_VISIBLE).bits(),
    };
    mailbox
        .set_permissions(calendar, vec![entry])
        .await
        .unwrap();
    let bob = mailbox.acting(Actor::User("bob@example.org".into()));
    assert_eq!(names(&bob, calendar).await, ["a"]);
    let source = || (Body::from_bytes("b".into()), facts("b", &[], None));
    for name in ["a", "b"] {
        let denied = bob
            .put_object(at(calendar, name), ObjectCondition::Any, source())
            .await;
        assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    }
    let denied = bob
        .delete_object(at(calendar, "a"), ObjectCondition::Any)
        .await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    let carol = mailbox.acting(Actor::User("carol@example.org".into()));
    assert!(matches!(
        carol.objects(calendar, 0, 1).await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn a_collection_is_made_with_its_properties_and_its_outside_name_is_its_own() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    let property = |name: &str| Property {
        tag: columns::OUTSIDE_NAME,
        value: Value::Text(name.to_owned()),
    };
    let new = |name: &str, outside: &str| NewCollection {
        folder: NewFolder {
            parent: None,
            name: name.to_owned(),
            container_class: "IPF.Appointment".into(),
            role: Role::None,
        },
        properties: vec![property(outside)],
    };
    let made = mailbox.create_collection(new("Work", "x-1")).await.unwrap();
    let taken = mailbox.create_collection(new("Play", "x-1")).await;
    assert!(matches!(taken, Err(Error::AlreadyExists(_))));
    let asked = [calendar, made.id];
    let read = mailbox
        .properties_of_folders(&asked, &[columns::OUTSIDE_NAME])
        .await
        .unwrap();
    assert_eq!(read, [vec![], vec![property("x-1")]]);
    let update = |name: &str| CollectionUpdate {
        name: Some(name.to_owned()),
        expected: Some(made.change_number),
        ..CollectionUpdate::default()
    };
    mailbox
        .update_collection(made.id, update("Office"))
        .await
        .unwrap();
    assert_eq!(mailbox.folder(made.id).await.unwrap().name, "Office");
    let stale = mailbox.update_collection(made.id, update("Shop")).await;
    assert!(matches!(stale, Err(Error::Conflict(_))));
    let sideways = mailbox
        .set_folder_properties(calendar, vec![property("x-1")])
        .await;
    assert!(matches!(sideways, Err(Error::Invalid(_))));
}

fn scheduled(uid: &str, scheduling: SchedulingState) -> ObjectFacts {
    ObjectFacts {
        scheduling,
        ..facts(uid, &[], None)
    }
}

#[tokio::test]
async fn a_schedule_tag_stays_when_only_answers_change() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    let put = async |source: &str, state| {
        let source = Body::from_bytes(source.to_owned().into());
        let place = at(calendar, "m.ics");
        let put = mailbox.put_object(place, ObjectCondition::Any, (source, scheduled("m", state)));
        match put.await.unwrap() {
            ObjectOutcome::Created(object) | ObjectOutcome::Replaced(object) => object,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(put("0", SchedulingState::Not).await.schedule_tag, None);
    let first = put("1", SchedulingState::Changed).await;
    assert_eq!(first.schedule_tag, Some(first.etag));
    let answered = put("2", SchedulingState::AnswersOnly).await;
    assert_eq!(answered.schedule_tag, first.schedule_tag);
    assert_ne!(answered.etag, first.etag);
    let names = ["m.ics".to_owned()];
    let named = mailbox.objects_named(calendar, &names).await;
    assert_eq!(named.unwrap(), [Some(answered)]);
    let moved = put("3", SchedulingState::Changed).await;
    assert_ne!(moved.schedule_tag, first.schedule_tag);
}

#[tokio::test]
async fn several_objects_are_put_together_or_none_is() {
    let (_folder, _store, mailbox, calendar) = with_calendar().await;
    let one = |name: &str, uid: &str| ObjectPut {
        place: at(calendar, name),
        condition: ObjectCondition::Absent,
        source: Body::from_bytes(uid.to_owned().into()),
        facts: facts(uid, &[], None),
    };
    let both = mailbox.put_objects(vec![one("a.ics", "a"), one("b.ics", "b")]);
    assert_eq!(both.await.unwrap().len(), 2);
    let torn = mailbox.put_objects(vec![one("c.ics", "c"), one("a.ics", "a")]);
    assert!(matches!(torn.await, Err(Error::Conflict(_))));
    assert_eq!(mailbox.objects_of_uid("c").await.unwrap(), []);
    let found = mailbox.objects_of_uid("b").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0, found[0].1.name.as_str()), (calendar, "b.ics"));
    let stranger = mailbox.acting(Actor::User("x@example.org".into()));
    assert_eq!(stranger.objects_of_uid("b").await.unwrap(), []);
}
