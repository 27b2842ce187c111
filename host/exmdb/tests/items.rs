//! Items as property bags, the change log, named properties, permissions.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

#[path = "support/fresh.rs"]
mod fresh;

use fresh::fresh;
use waxwing_exmdb::{
    Actor, Body, ChangeNumber, Error, FolderId, ItemFlags, ItemId, ItemUpdate, Mailbox,
    NamedProperty, NewFolder, NewItem, NewMail, Permission, PropertyName, Rights, Role, TableQuery,
    TombstoneKind,
};
use waxwing_formats_mapi::{
    MatchMode, Property, PropertyTag, Relation, Restriction, SortKey, Value, tags,
};

async fn id(mailbox: &Mailbox, role: Role) -> FolderId {
    mailbox.folder_by_role(role).await.unwrap().id
}

fn text(tag: PropertyTag, text: &str) -> Property {
    Property::new(tag, Value::Text(text.into()))
}

fn item(folder: FolderId, subject: &str) -> NewItem {
    let properties = vec![
        text(tags::MESSAGE_CLASS, "IPM.Task"),
        text(tags::SUBJECT, subject),
    ];
    NewItem {
        folder,
        associated: false,
        properties,
        recipients: vec![],
    }
}

async fn deliver(mailbox: &Mailbox, raw: &str) -> ItemId {
    let message = Body::from_bytes(raw.to_owned().into());
    let mail = NewMail {
        message,
        flags: ItemFlags(0),
        keywords: vec![],
        internal_date: None,
    };
    mailbox
        .append(id(mailbox, Role::Inbox).await, vec![mail])
        .await
        .unwrap()
        .items[0]
}

const MAIL: &str = "From: Bob <bob@example.org>\r\nTo: alice@example.org\r\nSubject: hello\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nthe text\r\n--b\r\n\
    Content-Type: application/pdf; name=\"x.pdf\"\r\nContent-Disposition: attachment; filename=\"x.pdf\"\r\n\
    Content-Transfer-Encoding: base64\r\n\r\nUERG\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninside\r\n--b--\r\n";

#[tokio::test]
async fn a_mails_bag_is_derived_when_somebody_asks() {
    let (_folder, _store, mailbox) = fresh().await;
    let item = deliver(&mailbox, MAIL).await;
    let properties = mailbox
        .item_properties(&[item], &[tags::SUBJECT, tags::BODY, tags::READ])
        .await
        .unwrap();
    let values: Vec<_> = properties[0]
        .properties
        .iter()
        .map(|property| &property.value)
        .collect();
    assert_eq!(values[0], &Value::Text("hello".into()));
    assert!(matches!(values[1], Value::Text(body) if body.contains("the text")));
    assert_eq!(values[2], &Value::Boolean(false));
    assert_eq!(mailbox.recipients(item).await.unwrap().len(), 1);
    let attachments = mailbox.attachments(item).await.unwrap();
    assert_eq!(
        attachments
            .iter()
            .map(|attachment| attachment.is_message)
            .collect::<Vec<_>>(),
        [false, true]
    );
    let content = mailbox
        .attachment_body(item, attachments[0].number)
        .await
        .unwrap();
    assert_eq!(content.read(0, 10).await.unwrap(), "PDF");
    let inner = mailbox.embedded(item, attachments[1].number).await.unwrap();
    assert!(inner.contains(&text(tags::SUBJECT, "inner")));
    assert!(mailbox.check(false).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn what_a_source_holds_is_not_edited_and_state_is() {
    let (_folder, _store, mailbox) = fresh().await;
    let item = deliver(&mailbox, MAIL).await;
    let set = |property: Property| ItemUpdate {
        set: vec![property],
        ..ItemUpdate::default()
    };
    let refused = mailbox
        .update_item(item, set(text(tags::SUBJECT, "forged")))
        .await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    assert!(matches!(
        mailbox.set_recipients(item, vec![]).await,
        Err(Error::Invalid(_))
    ));
    let named = PropertyTag::new(0x8001, 0x001F);
    mailbox
        .update_item(item, set(text(named, "mine")))
        .await
        .unwrap();
    mailbox
        .update_item(item, set(Property::new(tags::FLAG_STATUS, Value::Int32(2))))
        .await
        .unwrap();
    let view = mailbox
        .open_view(id(&mailbox, Role::Inbox).await, true)
        .await
        .unwrap();
    assert_eq!(
        view.search(&Restriction::Flags {
            mask: ItemFlags::FLAGGED,
            all_set: true
        })
        .await
        .unwrap()
        .count,
        1
    );
    let properties = mailbox.item_properties(&[item], &[named]).await.unwrap();
    assert_eq!(properties[0].properties, [text(named, "mine")]);
    assert!(mailbox.check(false).await.unwrap().findings.is_empty());
}

#[tokio::test]
async fn an_item_of_properties_is_made_and_changed() {
    let (_folder, _store, mailbox) = fresh().await;
    let tasks = id(&mailbox, Role::Tasks).await;
    let made = mailbox.create_item(item(tasks, "buy milk")).await.unwrap();
    assert_eq!(
        (made.change_key.len(), made.predecessor_list.len()),
        (22, 23)
    );
    let update = ItemUpdate {
        set: vec![text(tags::SUBJECT, "buy bread")],
        remove: vec![tags::MESSAGE_CLASS],
        expected: Some(made.change_number),
    };
    let changed = mailbox
        .update_item(made.item, update.clone())
        .await
        .unwrap();
    assert!(changed.change_number > made.change_number && changed.change_key != made.change_key);
    assert!(matches!(
        mailbox.update_item(made.item, update).await,
        Err(Error::Conflict(_))
    ));
    let all = mailbox
        .item_properties(&[made.item], &[])
        .await
        .unwrap()
        .remove(0)
        .properties;
    assert!(all.contains(&text(tags::SUBJECT, "buy bread")));
    assert!(
        !all.iter()
            .any(|property| property.tag == tags::MESSAGE_CLASS)
    );
}

#[tokio::test]
async fn an_item_of_properties_has_parts_and_is_kept_apart_from_mail() {
    let (_folder, _store, mailbox) = fresh().await;
    let tasks = id(&mailbox, Role::Tasks).await;
    let made = mailbox.create_item(item(tasks, "buy milk")).await.unwrap();
    let number = mailbox
        .add_attachment(made.item, vec![], Body::from_bytes("list".into()))
        .await
        .unwrap();
    assert_eq!(
        mailbox
            .attachment_body(made.item, number)
            .await
            .unwrap()
            .read(0, 9)
            .await
            .unwrap(),
        "list"
    );
    mailbox
        .set_recipients(made.item, vec![vec![text(tags::DISPLAY_NAME, "Bob")]])
        .await
        .unwrap();
    assert_eq!(mailbox.recipients(made.item).await.unwrap().len(), 1);
    mailbox.delete_attachment(made.item, number).await.unwrap();
    assert!(matches!(
        mailbox.delete_attachment(made.item, number).await,
        Err(Error::NotFound(_))
    ));
    assert_eq!(mailbox.folder(tasks).await.unwrap().items, 1);
    assert_eq!(
        mailbox.open_view(tasks, true).await.unwrap().info().exists,
        0
    );
    assert_eq!(mailbox.check(false).await.unwrap().findings.len(), 0);
}

#[tokio::test]
async fn the_change_log_tells_versions_apart_and_pages() {
    let (_folder, _store, mailbox) = fresh().await;
    let inbox = id(&mailbox, Role::Inbox).await;
    let mut items = Vec::new();
    for n in 0..5 {
        items.push(deliver(&mailbox, &format!("Subject: {n}\r\n\r\nx")).await);
    }
    let start = mailbox.latest().await.unwrap();
    mailbox.set_read(&items[..1], true).await.unwrap();
    mailbox.delete_items(&items[1..2], true).await.unwrap();
    mailbox.delete_items(&items[2..3], false).await.unwrap();
    let delta = mailbox.changes_of_folder(inbox, start, 100).await.unwrap();
    assert_eq!(delta.changed.len(), 1);
    let change = delta.changed[0];
    assert!(change.item == items[0] && change.read_cn > start && change.cn <= start);
    let kinds: Vec<_> = delta
        .deleted
        .iter()
        .map(|tombstone| (tombstone.item, tombstone.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            (items[1], TombstoneKind::Soft),
            (items[2], TombstoneKind::Hard)
        ]
    );
    mailbox.restore_items(&items[1..2]).await.unwrap();
    let mut since = ChangeNumber(0);
    let (mut changed, mut deleted) = (Vec::new(), 0);
    loop {
        let delta = mailbox.changes_of_folder(inbox, since, 2).await.unwrap();
        changed.extend(delta.changed.iter().map(|change| change.item));
        deleted += delta.deleted.len();
        since = delta.until;
        if !delta.more {
            break;
        }
    }
    assert_eq!(
        (changed, deleted),
        (vec![items[3], items[4], items[0], items[1]], 2)
    );
    assert!(
        mailbox
            .changes_of_folder(inbox, since, 2)
            .await
            .unwrap()
            .changed
            .is_empty()
    );
    assert!(matches!(
        mailbox.changes_of_folder(inbox, ChangeNumber(1), 2).await,
        Err(Error::Expired(_))
    ));
    assert!(mailbox.check(false).await.unwrap().findings.is_empty());
}

fn new(parent: Option<FolderId>, name: &str) -> NewFolder {
    NewFolder {
        parent,
        name: name.into(),
        container_class: String::new(),
        role: Role::None,
    }
}

#[tokio::test]
async fn the_folder_tree_keeps_its_rules() {
    let (_folder, _store, mailbox) = fresh().await;
    let parent = mailbox.create_folder(new(None, "Projects")).await.unwrap();
    let child = mailbox
        .create_folder(new(Some(parent.id), "2026"))
        .await
        .unwrap();
    assert_eq!(
        (parent.parent, child.parent, child.container_class.as_str()),
        (None, Some(parent.id), "IPF.Note")
    );
    assert!(child.uid_validity > parent.uid_validity);
    assert!(matches!(
        mailbox.create_folder(new(None, "inbox")).await,
        Err(Error::AlreadyExists(_))
    ));
    assert!(matches!(
        mailbox.create_folder(new(None, "Projects")).await,
        Err(Error::AlreadyExists(_))
    ));
    assert!(matches!(
        mailbox.move_folder(parent.id, Some(child.id), "loop").await,
        Err(Error::Invalid(_))
    ));
    assert!(matches!(
        mailbox.delete_folder(parent.id).await,
        Err(Error::Denied(_))
    ));
    let inbox = id(&mailbox, Role::Inbox).await;
    assert!(matches!(
        mailbox.delete_folder(inbox).await,
        Err(Error::Denied(_))
    ));
}

#[tokio::test]
async fn the_folder_tree_tells_its_changes() {
    let (_folder, _store, mailbox) = fresh().await;
    let start = mailbox.latest().await.unwrap();
    let parent = mailbox.create_folder(new(None, "Projects")).await.unwrap();
    let child = mailbox
        .create_folder(new(Some(parent.id), "2026"))
        .await
        .unwrap();
    let moved = mailbox
        .move_folder(child.id, None, "Archive 2026")
        .await
        .unwrap();
    assert_eq!((moved.parent, moved.name.as_str()), (None, "Archive 2026"));
    mailbox.delete_folder(parent.id).await.unwrap();
    let delta = mailbox.changes_of_hierarchy(start).await.unwrap();
    assert_eq!(
        (delta.changed, delta.deleted),
        (vec![child.id], vec![parent.id])
    );
    assert_eq!(mailbox.folders().await.unwrap().len(), 13);
    let inbox = id(&mailbox, Role::Inbox).await;
    assert_eq!(mailbox.receive_folder("IPM.Note").await.unwrap().id, inbox);
    mailbox.subscribe("Archive 2026", true).await.unwrap();
    assert_eq!(
        mailbox.subscriptions().await.unwrap(),
        [
            "Archive",
            "Archive 2026",
            "Drafts",
            "INBOX",
            "Junk",
            "Sent",
            "Trash"
        ]
    );
    let comment = vec![text(tags::COMMENT, "old things")];
    mailbox
        .set_folder_properties(child.id, comment.clone())
        .await
        .unwrap();
    assert_eq!(
        mailbox
            .folder_properties(child.id, &[tags::COMMENT])
            .await
            .unwrap(),
        comment
    );
}

#[tokio::test]
async fn what_an_actor_may_not_see_does_not_exist() {
    let (_folder, _store, mailbox) = fresh().await;
    let inbox = id(&mailbox, Role::Inbox).await;
    let mine = deliver(&mailbox, MAIL).await;
    let bob = mailbox.acting(Actor::User("bob@example.org".into()));
    assert!(bob.folders().await.unwrap().is_empty());
    assert!(matches!(
        bob.open_view(inbox, true).await,
        Err(Error::NotFound(_))
    ));
    assert!(matches!(
        bob.item_properties(&[mine], &[]).await,
        Err(Error::NotFound(_))
    ));
    let grant = |rights: Rights| {
        vec![Permission {
            member: "Bob@example.org".into(),
            rights: rights.bits(),
        }]
    };
    mailbox
        .set_permissions(
            inbox,
            grant(Rights::READ_ANY | Rights::CREATE | Rights::DELETE_OWNED),
        )
        .await
        .unwrap();
    assert_eq!(bob.folders().await.unwrap().len(), 1);
    let view = bob.open_view(inbox, false).await.unwrap();
    assert_eq!(
        view.info().rights,
        (Rights::READ_ANY | Rights::CREATE | Rights::DELETE_OWNED).bits()
    );
    assert!(matches!(
        bob.set_read(&[mine], true).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        bob.delete_items(&[mine], false).await,
        Err(Error::Denied(_))
    ));
    let own = deliver(&bob.clone(), MAIL).await;
    bob.delete_items(&[own], false).await.unwrap();
    assert!(matches!(
        bob.set_permissions(inbox, vec![]).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(bob.check(false).await, Err(Error::Denied(_))));
}

#[tokio::test]
async fn names_get_ids_that_stay() {
    let (_folder, _store, mailbox) = fresh().await;
    let names = [
        PropertyName::Lid(0x8205),
        PropertyName::Text("Keywords".into()),
    ]
    .map(|name| NamedProperty { set: [3; 16], name });
    assert_eq!(mailbox.names_to_ids(&names, false).await.unwrap(), [0, 0]);
    assert_eq!(
        mailbox.names_to_ids(&names, true).await.unwrap(),
        [0x8000, 0x8001]
    );
    assert_eq!(
        mailbox.names_to_ids(&names[1..], true).await.unwrap(),
        [0x8001]
    );
    let back = mailbox.names_from_ids(&[0x8001, 0x9000]).await.unwrap();
    assert_eq!(back, [Some(names[1].clone()), None]);
}

#[tokio::test]
async fn tables_are_restricted_sorted_and_cut() {
    let (_folder, _store, mailbox) = fresh().await;
    let tasks = id(&mailbox, Role::Tasks).await;
    for subject in ["cc", "aa", "bb", "other"] {
        mailbox.create_item(item(tasks, subject)).await.unwrap();
    }
    mailbox
        .create_item(NewItem {
            associated: true,
            ..item(tasks, "view")
        })
        .await
        .unwrap();
    let short = Restriction::Property {
        tag: tags::SUBJECT,
        relation: Relation::Less,
        value: Value::Text("o".into()),
    };
    let class = Restriction::Content {
        tag: tags::MESSAGE_CLASS,
        mode: MatchMode::Prefix,
        ignore_case: true,
        value: Value::Text("ipm.".into()),
    };
    let query = TableQuery {
        folder: tasks,
        associated: false,
        soft_deleted: false,
        restriction: Restriction::All(vec![short, class]),
        sort: vec![SortKey {
            tag: tags::SUBJECT,
            descending: true,
        }],
        tags: vec![tags::SUBJECT],
        offset: 1,
        limit: 5,
    };
    let page = mailbox.query_items(&query).await.unwrap();
    let subjects: Vec<_> = page
        .rows
        .iter()
        .map(|row| row.properties[0].value.clone())
        .collect();
    assert_eq!(page.total, 3);
    assert_eq!(subjects, ["bb", "aa"].map(|text| Value::Text(text.into())));
    let hidden = TableQuery {
        associated: true,
        restriction: Restriction::Always(true),
        offset: 0,
        ..query
    };
    assert_eq!(mailbox.query_items(&hidden).await.unwrap().total, 1);
}

#[tokio::test]
async fn reserved_ids_are_never_given() {
    let (_folder, _store, mailbox) = fresh().await;
    let first = mailbox.reserve_ids(100).await.unwrap();
    let item = deliver(&mailbox, MAIL).await;
    assert!(item.0 >= first + 100);
    assert!(matches!(mailbox.reserve_ids(0).await, Err(Error::Limit(_))));
}

#[tokio::test]
async fn a_search_reaches_what_only_the_bag_holds() {
    let (_folder, _store, mailbox) = fresh().await;
    deliver(&mailbox, MAIL).await;
    deliver(&mailbox, "To: carol@example.org\r\n\r\nx").await;
    let view = mailbox
        .open_view(id(&mailbox, Role::Inbox).await, true)
        .await
        .unwrap();
    let to = |name: &str| Restriction::Content {
        tag: tags::DISPLAY_TO,
        mode: MatchMode::Substring,
        ignore_case: true,
        value: Value::Text(name.into()),
    };
    assert_eq!(view.search(&to("CAROL")).await.unwrap().uids, [2..=2]);
    let recipient = Restriction::Sub {
        tag: tags::MESSAGE_RECIPIENTS,
        node: Box::new(Restriction::Exists(tags::RECIPIENT_TYPE)),
    };
    let subject = Restriction::Content {
        tag: tags::SUBJECT,
        mode: MatchMode::Full,
        ignore_case: false,
        value: Value::Text("hello".into()),
    };
    let both = Restriction::All(vec![recipient, subject]);
    assert_eq!(view.search(&both).await.unwrap().uids, [1..=1]);
    let keys = [SortKey {
        tag: tags::DISPLAY_TO,
        descending: true,
    }];
    let sorted = view.sort(&Restriction::Always(true), &keys).await.unwrap();
    assert_eq!(
        sorted
            .iter()
            .map(|(position, _)| *position)
            .collect::<Vec<_>>(),
        [2, 1]
    );
}

#[tokio::test]
async fn a_flag_cleared_over_imap_is_cleared_for_mapi_too() {
    let (_folder, _store, mailbox) = fresh().await;
    let item = deliver(&mailbox, MAIL).await;
    let set = vec![Property::new(tags::FLAG_STATUS, Value::Int32(2))];
    mailbox
        .update_item(
            item,
            ItemUpdate {
                set,
                ..ItemUpdate::default()
            },
        )
        .await
        .unwrap();
    let view = mailbox
        .open_view(id(&mailbox, Role::Inbox).await, false)
        .await
        .unwrap();
    let update = waxwing_exmdb::FlagUpdate {
        selection: waxwing_exmdb::Selection::Positions(vec![1..=1]),
        mode: waxwing_exmdb::FlagMode::Remove,
        flags: ItemFlags(ItemFlags::FLAGGED),
        keywords: vec![],
        unchanged_since: None,
    };
    view.set_flags(update).await.unwrap();
    assert!(
        mailbox
            .item_properties(&[item], &[tags::FLAG_STATUS])
            .await
            .unwrap()[0]
            .properties
            .is_empty()
    );
}

#[tokio::test]
async fn versions_are_answered_as_properties() {
    let (_folder, _store, mailbox) = fresh().await;
    let item = deliver(&mailbox, MAIL).await;
    let versions = [
        tags::CHANGE_KEY,
        tags::PREDECESSOR_CHANGE_LIST,
        tags::CHANGE_NUMBER,
    ];
    let values: Vec<_> = mailbox
        .item_properties(&[item], &versions)
        .await
        .unwrap()
        .remove(0)
        .properties;
    let sizes: Vec<_> = values
        .iter()
        .map(|property| property.value.size())
        .collect();
    assert_eq!(sizes, [22, 23, 8]);
    let given = vec![Property::new(tags::CHANGE_KEY, Value::Binary(vec![9; 20]))];
    let saved = mailbox
        .update_item(
            item,
            ItemUpdate {
                set: given.clone(),
                ..ItemUpdate::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(saved.change_key, [9; 20]);
    assert_eq!(
        mailbox
            .item_properties(&[item], &[tags::CHANGE_KEY])
            .await
            .unwrap()[0]
            .properties,
        given
    );
}
