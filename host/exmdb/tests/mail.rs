//! Mail through the public door: append, views, expunge, copies, watches, restarts.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

#[path = "support/fresh.rs"]
mod fresh;

use std::time::Duration;

use fresh::{GUID, fresh, open};
use waxwing_exmdb::{
    Actor, Body, Columns, Error, FlagMode, FlagUpdate, Folder, ItemFlags, Mailbox, MailboxGuid,
    NewMail, Query, Role, Row, Selection, Store, StoreConfig, View,
};
use waxwing_formats_mapi::{Restriction, SortKey, columns};

fn mail(subject: &str, body: &str) -> NewMail {
    let text = format!(
        "From: Bob <bob@example.org>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x>\r\n\r\n{body}\r\n"
    );
    NewMail {
        message: Body::from_bytes(text.into()),
        flags: ItemFlags(0),
        keywords: vec![],
        internal_date: Some(1_000_000),
    }
}

async fn inbox(mailbox: &Mailbox) -> Folder {
    mailbox.folder_by_role(Role::Inbox).await.unwrap()
}

async fn fill(mailbox: &Mailbox, count: u32) {
    let messages = (1..=count)
        .map(|n| mail(&format!("m{n}"), "hello"))
        .collect();
    mailbox
        .append(inbox(mailbox).await.id, messages)
        .await
        .unwrap();
}

async fn view(mailbox: &Mailbox) -> View {
    mailbox
        .open_view(inbox(mailbox).await.id, false)
        .await
        .unwrap()
}

fn everything(columns: u32) -> Query {
    Query {
        selection: Selection::Positions(vec![1..=u32::MAX]),
        columns: Columns(columns),
        tags: vec![],
        changed_since: None,
        after: 0,
        limit: 10_000,
    }
}

fn set(selection: Selection, mode: FlagMode, flags: u32) -> FlagUpdate {
    FlagUpdate {
        selection,
        mode,
        flags: ItemFlags(flags),
        keywords: vec![],
        unchanged_since: None,
    }
}

fn uids(rows: &[Row]) -> Vec<u32> {
    rows.iter().map(|row| row.uid.0).collect()
}

#[tokio::test]
async fn bytes_in_are_bytes_out_small_and_large() {
    let (_folder, _store, mailbox) = fresh().await;
    let noise: String = (0..400_000u64)
        .map(|n| char::from(33 + (n.wrapping_mul(6_364_136_223_846_793_005) >> 40) as u8 % 90))
        .collect();
    for body in ["", "short", &noise] {
        let message = mail("bytes", body);
        let expected = message.message.read(0, 10_000_000).await.unwrap();
        let appended = mailbox
            .append(inbox(&mailbox).await.id, vec![message])
            .await
            .unwrap();
        let view = view(&mailbox).await;
        let stored = view.open_bodies(&appended.items).await.remove(0).unwrap();
        assert_eq!(stored.size(), expected.len() as u64);
        assert_eq!(stored.read(0, 10_000_000).await.unwrap(), expected);
        let header = expected
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .unwrap()
            + 4;
        let page = view
            .fetch(everything(Columns::HEADER | Columns::STRUCTURE))
            .await
            .unwrap();
        let row = page.rows.last().unwrap();
        assert_eq!(row.header, expected[..header]);
        assert!(waxwing_formats_mime::Structure::decode(&row.structure).is_some());
    }
}

#[tokio::test]
async fn everything_is_still_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    {
        let store = open(&folder).await;
        let mailbox = store.create(GUID, "alice@example.org").await.unwrap();
        fill(&mailbox, 3).await;
        let view = view(&mailbox).await;
        view.set_flags(set(
            Selection::Uids(vec![2..=2]),
            FlagMode::Add,
            ItemFlags::SEEN | ItemFlags::FLAGGED,
        ))
        .await
        .unwrap();
    }
    let store = open(&folder).await;
    let mailbox = store.mailbox(GUID).await.unwrap();
    assert_eq!(mailbox.owner().await.unwrap(), "alice@example.org");
    let status = inbox(&mailbox).await;
    assert_eq!((status.items, status.unread, status.uid_next.0), (3, 2, 4));
    let rows = view(&mailbox)
        .await
        .fetch(everything(0))
        .await
        .unwrap()
        .rows;
    assert_eq!(uids(&rows), [1, 2, 3]);
    assert!(rows[1].flags.has(ItemFlags::SEEN | ItemFlags::FLAGGED));
    assert_eq!(
        rows.iter().map(|row| row.modseq).max(),
        Some(status.highest_modseq)
    );
}

#[tokio::test]
async fn a_second_process_is_kept_out() {
    let (folder, store, _mailbox) = fresh().await;
    let config = StoreConfig {
        root: folder.path().into(),
        max_open: 1,
        index_cache: 1,
    };
    assert!(matches!(
        Store::open(config.clone()).await,
        Err(Error::Unavailable(_))
    ));
    drop((store, _mailbox));
    Store::open(config).await.unwrap();
}

#[tokio::test]
async fn positions_hold_until_the_view_is_told() {
    let (_folder, _store, mailbox) = fresh().await;
    fill(&mailbox, 5).await;
    let (here, there) = (view(&mailbox).await, view(&mailbox).await);
    there
        .set_flags(set(
            Selection::Uids(vec![2..=3]),
            FlagMode::Add,
            ItemFlags::DELETED,
        ))
        .await
        .unwrap();
    assert_eq!(there.expunge(None).await.unwrap(), [2..=3]);
    fill(&mailbox, 1).await;
    let quiet = here.sync(false).await.unwrap();
    assert_eq!((quiet.expunged.len(), quiet.exists), (0, 6));
    let rows = here.fetch(everything(0)).await.unwrap().rows;
    assert_eq!(
        rows.iter()
            .map(|row| (row.position, row.uid.0))
            .collect::<Vec<_>>(),
        [(1, 1), (4, 4), (5, 5), (6, 6)]
    );
    let told = here.sync(true).await.unwrap();
    assert_eq!(
        (told.expunged, told.expunged_uids, told.exists),
        (vec![3, 2], vec![2..=3], 4)
    );
    let again = here.sync(true).await.unwrap();
    assert_eq!((again.expunged.len(), again.changed.len()), (0, 0));
}

#[tokio::test]
async fn own_flag_changes_are_shown_and_those_of_others_are_told() {
    let (_folder, _store, mailbox) = fresh().await;
    fill(&mailbox, 3).await;
    let (here, there) = (view(&mailbox).await, view(&mailbox).await);
    let done = here
        .set_flags(set(
            Selection::Positions(vec![1..=2]),
            FlagMode::Add,
            ItemFlags::SEEN,
        ))
        .await
        .unwrap();
    assert_eq!(uids(&done.rows), [1, 2]);
    assert!(here.sync(true).await.unwrap().changed.is_empty());
    assert_eq!(uids(&there.sync(true).await.unwrap().changed), [1, 2]);
    assert_eq!(done.highest_modseq, inbox(&mailbox).await.highest_modseq);
    let untouched = here
        .set_flags(set(
            Selection::Positions(vec![1..=1]),
            FlagMode::Add,
            ItemFlags::SEEN,
        ))
        .await
        .unwrap();
    assert_eq!(untouched.highest_modseq, done.highest_modseq);
}

#[tokio::test]
async fn unchanged_since_refuses_what_others_changed() {
    let (_folder, _store, mailbox) = fresh().await;
    fill(&mailbox, 3).await;
    let view = view(&mailbox).await;
    let since = view.info().highest_modseq;
    view.set_flags(set(
        Selection::Uids(vec![2..=2]),
        FlagMode::Add,
        ItemFlags::FLAGGED,
    ))
    .await
    .unwrap();
    let update = FlagUpdate {
        unchanged_since: Some(since),
        ..set(
            Selection::Uids(vec![1..=u32::MAX]),
            FlagMode::Replace,
            ItemFlags::SEEN,
        )
    };
    let result = view.set_flags(update).await.unwrap();
    assert_eq!(
        (uids(&result.rows), result.modified),
        (vec![1, 3], vec![2..=2])
    );
}

#[tokio::test]
async fn keywords_are_numbers_that_stay() {
    let (_folder, _store, mailbox) = fresh().await;
    fill(&mailbox, 2).await;
    let view = view(&mailbox).await;
    let keyword = |names: &[&str]| FlagUpdate {
        keywords: names.iter().map(|name| (*name).to_owned()).collect(),
        ..set(Selection::Positions(vec![1..=1]), FlagMode::Add, 0)
    };
    view.set_flags(keyword(&["Work", "$Junk"])).await.unwrap();
    let rows = view
        .set_flags(keyword(&["WORK", "later"]))
        .await
        .unwrap()
        .rows;
    assert_eq!(
        mailbox.keywords().await.unwrap(),
        ["Work", "$Junk", "later"]
    );
    assert_eq!(rows[0].keywords, [0, 1, 2]);
    assert_eq!(
        view.search(&Restriction::Keyword("work".into()))
            .await
            .unwrap()
            .uids,
        [1..=1]
    );
}

#[tokio::test]
async fn copies_and_moves_pair_their_uids() {
    let (_folder, _store, mailbox) = fresh().await;
    fill(&mailbox, 4).await;
    let archive = mailbox.folder_by_role(Role::Archive).await.unwrap().id;
    let source = view(&mailbox).await;
    let copied = source
        .copy(Selection::Uids(vec![1..=1, 3..=3]), archive)
        .await
        .unwrap();
    assert_eq!(
        (copied.source, copied.target),
        (vec![1..=1, 3..=3], vec![1..=2])
    );
    let moved = source
        .move_to(Selection::Uids(vec![2..=4]), archive)
        .await
        .unwrap();
    assert_eq!((moved.source, moved.target), (vec![2..=4], vec![3..=5]));
    assert_eq!(source.sync(true).await.unwrap().expunged, [4, 3, 2]);
    assert_eq!(
        source
            .vanished(Selection::Uids(vec![1..=100]), 0)
            .await
            .unwrap(),
        [2..=4]
    );
    let target = mailbox.open_view(archive, true).await.unwrap();
    let rows = target
        .fetch(everything(Columns::HEADER))
        .await
        .unwrap()
        .rows;
    assert_eq!(uids(&rows), [1, 2, 3, 4, 5]);
    assert!(rows[4].header.windows(2).any(|two| two == b"m4"));
    assert_eq!(mailbox.folder(archive).await.unwrap().items, 5);
    assert!(matches!(target.expunge(None).await, Err(Error::Denied(_))));
}

#[tokio::test]
async fn a_body_stays_readable_after_the_expunge_and_its_blob_goes_with_the_last_item() {
    let (folder, _store, mailbox) = fresh().await;
    let noise: Vec<String> = (0..30_000u64)
        .map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        .collect();
    let big = mail("big", &noise.concat());
    let inbox = inbox(&mailbox).await.id;
    let appended = mailbox
        .append(inbox, vec![big.clone(), big.clone()])
        .await
        .unwrap();
    let files = || {
        walk(
            &folder
                .path()
                .join("ab")
                .join(GUID.to_string())
                .join("blobs"),
        )
    };
    assert_eq!(files(), 1);
    let view = view(&mailbox).await;
    let body = view
        .open_bodies(&appended.items[..1])
        .await
        .remove(0)
        .unwrap();
    view.set_flags(set(
        Selection::Uids(vec![1..=1]),
        FlagMode::Add,
        ItemFlags::DELETED,
    ))
    .await
    .unwrap();
    view.expunge(None).await.unwrap();
    assert_eq!(files(), 1);
    view.set_flags(set(
        Selection::Uids(vec![2..=2]),
        FlagMode::Add,
        ItemFlags::DELETED,
    ))
    .await
    .unwrap();
    view.expunge(None).await.unwrap();
    assert_eq!(files(), 0);
    assert_eq!(
        body.read(0, 10_000_000).await.unwrap(),
        big.message.read(0, 10_000_000).await.unwrap()
    );
    fill(&mailbox, 1).await;
    assert_eq!(
        uids(
            &self::view(&mailbox)
                .await
                .fetch(everything(0))
                .await
                .unwrap()
                .rows
        ),
        [3]
    );
}

fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { walk(&path) } else { 1 })
        .sum()
}

#[tokio::test]
async fn pages_end_below_the_limit_and_continue() {
    let (_folder, _store, mailbox) = fresh().await;
    let header = "X-Long: ".to_owned() + &"word ".repeat(10_000);
    let messages = (0..40).map(|n| NewMail {
        message: Body::from_bytes(format!("Subject: {n}\r\n{header}\r\n\r\nbody").into()),
        ..mail("", "")
    });
    mailbox
        .append(inbox(&mailbox).await.id, messages.collect())
        .await
        .unwrap();
    let view = view(&mailbox).await;
    let mut seen = Vec::new();
    let mut query = everything(Columns::HEADER);
    loop {
        let page = view.fetch(query.clone()).await.unwrap();
        assert!(page.rows.iter().map(|row| row.header.len()).sum::<usize>() < 256 * 1024);
        seen.extend(uids(&page.rows));
        match page.next {
            Some(after) => query.after = after,
            None => break,
        }
    }
    assert_eq!(seen, (1..=40).collect::<Vec<_>>());
    query = Query {
        limit: 7,
        after: 35,
        ..everything(0)
    };
    assert_eq!(
        uids(&view.fetch(query).await.unwrap().rows),
        [36, 37, 38, 39, 40]
    );
}

#[tokio::test]
async fn searches_and_sorts_reach_columns_header_and_body() {
    let (_folder, _store, mailbox) = fresh().await;
    let subjects = [
        ("pear", "green fruit"),
        ("Re: apple", "red fruit"),
        ("fig", "purple"),
    ];
    let messages = subjects
        .iter()
        .map(|(subject, body)| mail(subject, body))
        .collect();
    mailbox
        .append(inbox(&mailbox).await.id, messages)
        .await
        .unwrap();
    let view = view(&mailbox).await;
    let header = Restriction::Header {
        name: "subject".into(),
        contains: "APPLE".into(),
    };
    assert_eq!(view.search(&header).await.unwrap().uids, [2..=2]);
    let body = Restriction::Text {
        scope: waxwing_formats_mapi::TextScope::Body,
        contains: "Fruit".into(),
    };
    assert_eq!(view.search(&body).await.unwrap().uids, [1..=2]);
    let both = Restriction::All(vec![body, Restriction::Not(Box::new(header))]);
    assert_eq!(view.search(&both).await.unwrap().positions, [1..=1]);
    let keys = [SortKey {
        tag: columns::BASE_SUBJECT,
        descending: false,
    }];
    let sorted = view.sort(&Restriction::Always(true), &keys).await.unwrap();
    assert_eq!(
        sorted
            .iter()
            .map(|(position, _)| *position)
            .collect::<Vec<_>>(),
        [2, 3, 1]
    );
}

#[tokio::test]
async fn subjects_are_found_in_a_large_folder_that_grows_and_shrinks() {
    let (_folder, _store, mailbox) = fresh().await;
    fill(&mailbox, 400).await;
    let subject = |contains: &str| Restriction::Header {
        name: "Subject".into(),
        contains: contains.into(),
    };
    let view = view(&mailbox).await;
    assert_eq!(view.search(&subject("M39")).await.unwrap().count, 11);
    let oddities = vec![
        mail("m390 again", "x"),
        mail("", "no subject"),
        mail(&format!("{} m399", "x".repeat(1100)), "long"),
    ];
    let inbox = inbox(&mailbox).await.id;
    mailbox.append(inbox, oddities).await.unwrap();
    view.set_flags(set(
        Selection::Uids(vec![390..=390]),
        FlagMode::Add,
        ItemFlags::DELETED,
    ))
    .await
    .unwrap();
    view.expunge(None).await.unwrap();
    view.sync(true).await.unwrap();
    let found = view.search(&subject("m39")).await.unwrap();
    assert_eq!(found.uids, [39..=39, 391..=399, 401..=401, 403..=403]);
    // The field exists, though empty.
    assert_eq!(view.search(&subject("")).await.unwrap().count, 402);
}

#[tokio::test]
async fn one_store_that_ends_differently_for_its_items_gives_each_its_own_change_number() {
    let (_folder, store, mailbox) = fresh().await;
    fill(&mailbox, 4).await;
    let view = view(&mailbox).await;
    let seen = set(Selection::Uids(vec![2..=2]), FlagMode::Add, ItemFlags::SEEN);
    view.set_flags(seen).await.unwrap();
    let flagged = set(
        Selection::Uids(vec![1..=4]),
        FlagMode::Add,
        ItemFlags::FLAGGED,
    );
    let result = view.set_flags(flagged).await.unwrap();
    assert_eq!(uids(&result.rows), [1, 2, 3, 4]);
    let mut modseqs: Vec<u64> = result.rows.iter().map(|row| row.modseq).collect();
    modseqs.sort_unstable();
    modseqs.dedup();
    assert_eq!(modseqs.len(), 4);
    assert_eq!(modseqs.last(), Some(&result.highest_modseq));
    drop((view, mailbox));
    let mailbox = store.mailbox(GUID).await.unwrap();
    let rows = self::view(&mailbox)
        .await
        .fetch(everything(0))
        .await
        .unwrap()
        .rows;
    let flags: Vec<u32> = rows.iter().map(|row| row.flags.0 & 0x7).collect();
    let both = ItemFlags::FLAGGED | ItemFlags::SEEN;
    assert_eq!(
        flags,
        [
            ItemFlags::FLAGGED,
            both,
            ItemFlags::FLAGGED,
            ItemFlags::FLAGGED
        ]
    );
    assert_eq!(
        rows.iter().map(|row| row.modseq).collect::<Vec<_>>(),
        result.rows.iter().map(|row| row.modseq).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn concurrent_appends_get_distinct_uids_in_commit_order() {
    let (_folder, _store, mailbox) = fresh().await;
    let inbox = inbox(&mailbox).await.id;
    let tasks = (0..50).map(|n| {
        let mailbox = mailbox.clone();
        tokio::spawn(async move {
            mailbox
                .append(
                    inbox,
                    vec![mail(&n.to_string(), "x"), mail(&format!("{n}b"), "y")],
                )
                .await
                .unwrap()
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut all = Vec::new();
    for task in tasks {
        let appended = task.await.unwrap();
        assert_eq!(appended.uids[0].0 + 1, appended.uids[1].0);
        all.extend(appended.uids.iter().map(|uid| uid.0));
    }
    all.sort_unstable();
    assert_eq!(all, (1..=100).collect::<Vec<_>>());
    let rows = view(&mailbox)
        .await
        .fetch(everything(0))
        .await
        .unwrap()
        .rows;
    assert!(
        rows.windows(2)
            .all(|two| two[0].modseq < two[1].modseq && two[0].item < two[1].item)
    );
}

#[tokio::test]
async fn an_append_goes_on_when_its_caller_goes_away() {
    let (_folder, store, mailbox) = fresh().await;
    let inbox = inbox(&mailbox).await.id;
    let mut watcher = store.watcher();
    watcher.watch(vec![(GUID, Some(inbox))]);
    let append = mailbox.append(inbox, vec![mail("left", "alone")]);
    assert!(
        tokio::time::timeout(Duration::from_nanos(1), append)
            .await
            .is_err()
    );
    let second = mailbox
        .append(inbox, vec![mail("second", "")])
        .await
        .unwrap();
    let change = watcher.changed().await;
    assert_eq!(change[0].folder, inbox);
    assert_eq!(self::inbox(&mailbox).await.items, second.uids[0].0);
}

#[tokio::test]
async fn a_view_survives_its_handle_until_it_is_closed() {
    let (_folder, _store, mailbox) = fresh().await;
    fill(&mailbox, 2).await;
    let id = view(&mailbox).await.id();
    fill(&mailbox, 1).await;
    let resumed = mailbox.resume_view(id).await.unwrap();
    assert_eq!(resumed.info().exists, 2);
    assert_eq!(resumed.sync(true).await.unwrap().exists, 3);
    assert!(matches!(
        mailbox
            .acting(Actor::User("eve@x".into()))
            .resume_view(id)
            .await,
        Err(Error::Expired(_))
    ));
    resumed.close();
    assert!(matches!(
        mailbox.resume_view(id).await,
        Err(Error::Expired(_))
    ));
}

#[tokio::test]
async fn recent_items_belong_to_the_first_view_that_may_write() {
    let (_folder, _store, mailbox) = fresh().await;
    fill(&mailbox, 2).await;
    let inbox = inbox(&mailbox).await.id;
    assert_eq!(mailbox.folder(inbox).await.unwrap().recent, 2);
    assert_eq!(
        mailbox.open_view(inbox, true).await.unwrap().info().recent,
        2
    );
    let first = view(&mailbox).await;
    assert_eq!(first.info().recent, 2);
    assert_eq!(view(&mailbox).await.info().recent, 0);
    assert_eq!(mailbox.folder(inbox).await.unwrap().recent, 0);
    fill(&mailbox, 1).await;
    assert_eq!(first.sync(true).await.unwrap().recent, 3);
}

#[tokio::test]
async fn two_hundred_mailboxes_share_eight_databases() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let guids: Vec<_> = (0..200u8).map(|n| MailboxGuid([n; 16])).collect();
    for guid in &guids {
        store.create(*guid, "x@example.org").await.unwrap();
    }
    let tasks: Vec<_> = guids
        .iter()
        .map(|guid| {
            let (store, guid) = (store.clone(), *guid);
            tokio::spawn(async move {
                let mailbox = store.mailbox(guid).await.unwrap();
                for _ in 0..2 {
                    fill(&mailbox, 1).await;
                }
                view(&mailbox)
                    .await
                    .fetch(everything(Columns::HEADER))
                    .await
                    .unwrap()
                    .rows
                    .len()
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 2);
        let open = std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok());
        let databases = open
            .filter(|path| path.starts_with(folder.path()) && path.ends_with("mailbox.sqlite"))
            .count();
        // A closing connection may overlap the one that takes its place.
        assert!(databases <= 16, "{databases} databases are open");
    }
    assert_eq!(store.list().await.unwrap(), guids);
}

#[tokio::test]
async fn a_removed_mailbox_is_gone_for_its_handles_too() {
    let (folder, store, mailbox) = fresh().await;
    fill(&mailbox, 1).await;
    store.remove(GUID).await.unwrap();
    assert!(matches!(
        mailbox
            .append(waxwing_exmdb::FolderId(2), vec![mail("x", "")])
            .await,
        Err(Error::NotFound(_))
    ));
    assert!(matches!(store.mailbox(GUID).await, Err(Error::NotFound(_))));
    assert!(!folder.path().join("ab").join(GUID.to_string()).exists());
    store.create(GUID, "again@example.org").await.unwrap();
    assert!(matches!(
        store.create(GUID, "twice@example.org").await,
        Err(Error::AlreadyExists(_))
    ));
}
