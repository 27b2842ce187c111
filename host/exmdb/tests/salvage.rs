//! A mailbox file with damaged pages is made a mailbox again: every page in turn, and pages at random.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use waxwing_exmdb::{
    Body, CheckReport, Columns, Error, FlagMode, FlagUpdate, FolderId, ItemFlags, Lost, Mailbox,
    MailboxGuid, NewFolder, NewMail, Query, Role, Row, Selection, Store, StoreConfig,
};
use waxwing_formats_mapi::tags;

use support::copy_tree;

const GUID: MailboxGuid = MailboxGuid([5; 16]);
const PAGE: usize = 4096;

/// A folder's name with an item's UID.
type Place = (String, u32);
/// Octets and flags.
type Content = (Vec<u8>, u32);

/// A mailbox as it was: its files, and what is in it.
struct Whole {
    folder: TempDir,
    mail: BTreeMap<Place, Content>,
    uid_validity: BTreeMap<String, u32>,
    tags: Vec<Page>,
}

/// What a page is of, and how many rows it has.
#[derive(Debug, Clone)]
struct Page {
    table: String,
    kind: String,
    rows: usize,
}

async fn store(root: &Path) -> Store {
    let config = StoreConfig {
        root: root.into(),
        max_open: 4,
        index_cache: 1 << 20,
    };
    Store::open(config).await.unwrap()
}

fn place(root: &Path) -> PathBuf {
    root.join("05").join(GUID.to_string())
}

/// Octets that do not pack, of which no two messages have the same.
fn noise(seed: u64, octets: usize) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..octets)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(b'0' + (state % 75) as u8)
        })
        .collect()
}

fn mail(number: u64, octets: usize) -> NewMail {
    let text = format!(
        "From: Bob <bob@example.org>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nSubject: m{number}\r\nMessage-ID: <m{number}@x>\r\n\r\n{}\r\n",
        noise(number, octets)
    );
    NewMail {
        message: Body::from_bytes(text.into()),
        flags: ItemFlags(ItemFlags::SEEN * u32::from(number.is_multiple_of(3))),
        keywords: vec![format!("k{}", number % 4)],
        internal_date: Some(1_000_000),
    }
}

async fn rows(mailbox: &Mailbox, folder: FolderId) -> Vec<Row> {
    let view = mailbox.open_view(folder, true).await.unwrap();
    let query = Query {
        selection: Selection::Positions(vec![1..=u32::MAX]),
        columns: Columns(0),
        tags: vec![],
        changed_since: None,
        after: 0,
        limit: 10_000,
    };
    view.fetch(query).await.unwrap().rows
}

async fn everything(mailbox: &Mailbox) -> BTreeMap<Place, Content> {
    let mut all = BTreeMap::new();
    for folder in mailbox.folders().await.unwrap() {
        let view = mailbox.open_view(folder.id, true).await.unwrap();
        let rows = rows(mailbox, folder.id).await;
        let items: Vec<_> = rows.iter().map(|row| row.item).collect();
        for (row, body) in rows.iter().zip(view.open_bodies(&items).await) {
            let octets = body.unwrap().read(0, 1 << 24).await.unwrap();
            all.insert(
                (folder.name.clone(), row.uid.0),
                (octets.to_vec(), row.flags.0 & !ItemFlags::RECENT),
            );
        }
    }
    all
}

async fn copy_some_and_expunge_some(mailbox: &Mailbox, from: FolderId, to: FolderId) {
    let view = mailbox.open_view(from, false).await.unwrap();
    view.copy(Selection::Positions(vec![1..=5]), to)
        .await
        .unwrap();
    let gone = FlagUpdate {
        selection: Selection::Positions(vec![6..=9]),
        mode: FlagMode::Add,
        flags: ItemFlags(ItemFlags::DELETED),
        keywords: vec![],
        unchanged_since: None,
    };
    view.set_flags(gone).await.unwrap();
    view.expunge(None).await.unwrap();
}

impl Whole {
    /// Small and large mail in three folders, copies, deleted and expunged mail, property bags; `in_log` leaves the last
    /// commits in the write-ahead log.
    async fn new(messages: u64, in_log: bool) -> Whole {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path()).await;
        let mailbox = store.create(GUID, "a@example.org").await.unwrap();
        let inbox = mailbox.folder_by_role(Role::Inbox).await.unwrap().id;
        let new = NewFolder {
            parent: None,
            name: "Projects".into(),
            container_class: "IPF.Note".into(),
            role: Role::None,
        };
        let projects = mailbox.create_folder(new).await.unwrap().id;
        let half = messages / 2;
        let first = (0..half).map(|number| mail(number, 300 + 40 * (number as usize % 9)));
        let first = first.collect();
        let appended = mailbox.append(inbox, first).await.unwrap();
        mailbox
            .item_properties(&appended.items, &[tags::BODY])
            .await
            .unwrap();
        let large = [9_000, 30_000, 120_000, 150_000].into_iter().zip(1000..);
        let large = large.map(|(octets, number)| mail(number, octets)).collect();
        mailbox.append(projects, large).await.unwrap();
        copy_some_and_expunge_some(&mailbox, inbox, projects).await;
        if in_log {
            // The file as of now; what follows is in the log alone.
            store.shutdown().await;
        }
        let rest = (half..messages).map(|number| mail(number, 400)).collect();
        mailbox.append(inbox, rest).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        if in_log {
            copy_tree(&place(root.path()), folder.path());
            let log = folder.path().join("mailbox.sqlite-wal");
            assert!(log.metadata().unwrap().len() > 0);
            std::fs::remove_file(folder.path().join("mailbox.sqlite-shm")).unwrap();
        }
        let mail = everything(&mailbox).await;
        let folders = mailbox.folders().await.unwrap().into_iter();
        let uid_validity = folders.map(|folder| (folder.name, folder.uid_validity.0));
        let uid_validity = uid_validity.collect();
        store.shutdown().await;
        let tags = pages(&place(root.path()).join("mailbox.sqlite")).await;
        if !in_log {
            copy_tree(&place(root.path()), folder.path());
        }
        Whole {
            folder,
            mail,
            uid_validity,
            tags,
        }
    }

    /// A copy with these pages of its file written over.
    fn damaged(&self, pages: &[u32]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        copy_tree(self.folder.path(), &place(root.path()));
        let file = place(root.path()).join("mailbox.sqlite");
        let mut octets = std::fs::read(&file).unwrap();
        for number in pages {
            let start = (*number as usize - 1) * PAGE;
            let garbage = match number % 3 {
                0 => vec![0; PAGE],
                1 => vec![0xa5; PAGE],
                _ => noise(u64::from(*number), PAGE).into_bytes(),
            };
            octets[start..start + PAGE].copy_from_slice(&garbage);
        }
        std::fs::write(&file, octets).unwrap();
        root
    }
}

/// The pages of a whole file by number, the first twice.
async fn pages(file: &Path) -> Vec<Page> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
    let (count,): (u32,) = sqlx::query_as("SELECT page_count FROM pragma_page_count")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    let free = Page {
        table: String::new(),
        kind: "free".into(),
        rows: 0,
    };
    let mut pages = vec![free; count as usize + 1];
    let known: Vec<(u32, String, String, i64)> =
        sqlx::query_as("SELECT pageno, name, pagetype, ncell FROM dbstat")
            .fetch_all(&mut conn)
            .await
            .unwrap();
    for (number, table, kind, rows) in known {
        let rows = usize::try_from(rows).unwrap();
        pages[number as usize] = Page { table, kind, rows };
    }
    pages
}

fn uids(report: &CheckReport, lost: Lost) -> BTreeSet<Place> {
    let losses = &report.salvage.as_ref().unwrap().losses;
    losses
        .iter()
        .filter(|loss| loss.lost == lost)
        .flat_map(|loss| loss.uids.iter().map(|uid| (loss.of.clone(), *uid)))
        .collect()
}

/// What holds of a repaired mailbox whatever was damaged: whatever is not told to be lost is there as it was.
async fn as_it_was(whole: &Whole, mailbox: &Mailbox, report: &CheckReport) {
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let mail = everything(mailbox).await;
    let (octets, flags) = (uids(report, Lost::Octets), uids(report, Lost::Flags));
    let gone = uids(report, Lost::Item);
    let recovered: Vec<_> = mail
        .iter()
        .filter(|((folder, _), _)| folder == "Recovered")
        .map(|(_, (octets, _))| octets)
        .collect();
    let mut without_place = 0;
    for (place, (expected, expected_flags)) in &whole.mail {
        match mail.get(place) {
            Some(_) if octets.contains(place) => {}
            Some((here, here_flags)) => {
                assert!(here == expected, "{place:?} has other octets");
                assert!(
                    flags.contains(place) || here_flags == expected_flags,
                    "{place:?} has flags {here_flags}, had {expected_flags}"
                );
            }
            None if gone.contains(place) => {}
            None => {
                assert!(
                    recovered.contains(&expected),
                    "{place:?} is gone, and nobody says so"
                );
                without_place += 1;
            }
        }
    }
    assert_eq!(uids(report, Lost::Place).len(), recovered.len());
    assert!(without_place <= recovered.len());
    let more = mail
        .keys()
        .filter(|place| place.0 != "Recovered" && !whole.mail.contains_key(*place));
    assert_eq!(
        more.collect::<Vec<_>>(),
        Vec::<&Place>::new(),
        "what was deleted came back"
    );
}

/// Clients see no UID twice, and mail still arrives.
async fn goes_on(whole: &Whole, mailbox: &Mailbox, report: &CheckReport) {
    let losses = &report.salvage.as_ref().unwrap().losses;
    for folder in mailbox.folders().await.unwrap() {
        let anew = losses
            .iter()
            .any(|loss| loss.lost == Lost::FolderRow && loss.of == folder.name);
        match whole.uid_validity.get(&folder.name) {
            Some(before) if anew => assert!(folder.uid_validity.0 > *before, "{}", folder.name),
            Some(before) => assert_eq!(folder.uid_validity.0, *before, "{}", folder.name),
            None => assert_eq!(folder.name, "Recovered"),
        }
        let rows = rows(mailbox, folder.id).await;
        assert!(rows.iter().all(|row| row.uid < folder.uid_next));
    }
    let inbox = mailbox.receive_folder("IPM.Note").await.unwrap();
    assert_eq!(inbox.role, Role::Inbox);
    let appended = mailbox.append(inbox.id, vec![mail(7777, 100)]).await;
    assert!(appended.unwrap().uids[0] >= inbox.uid_next);
}

/// How much a page may cost at the most.
fn bound(page: &Page, lost: usize, octets: usize, flags: usize) -> bool {
    let is = |table: &str, kind: &str| page.table == table && page.kind == kind;
    let rows = page.rows;
    match () {
        () if is("items", "leaf") => lost == 0 && octets == 0 && flags <= rows,
        () if is("blobs", "leaf") => lost == 0 && octets <= 2 * rows && flags == 0,
        () if is("blobs", "overflow") => lost == 0 && octets <= 2 && flags == 0,
        () if is("items", "overflow") => lost == 0 && octets == 0 && flags <= 1,
        () => lost + octets + flags == 0,
    }
}

#[tokio::test]
async fn a_file_with_any_page_damaged_is_made_a_mailbox_again_and_only_what_stood_there_is_lost() {
    let whole = Whole::new(70, false).await;
    let inner = |table: &str| {
        whole
            .tags
            .iter()
            .any(|page| page.table == table && page.kind == "internal")
    };
    assert!(inner("items") && inner("blobs"), "too little mail to tell");
    let (mut salvaged, mut cost) = (0, 0);
    for (number, page) in (0..).zip(&whole.tags).skip(1) {
        let root = whole.damaged(&[number]);
        let store = store(root.path()).await;
        let mailbox = store.mailbox(GUID).await.unwrap();
        let report = mailbox.repair(Some("a@example.org")).await.unwrap();
        let Some(salvage) = &report.salvage else {
            // Octets that SQLite does not look at: their digest tells of them.
            let told = page.table == "blobs"
                && page.kind == "overflow"
                && report.findings.len() == 1
                && report.findings[0].invariant.starts_with("blob-");
            // A signature has a sum, and a message without one is read.
            let free = page.kind == "free" || page.table == "signatures";
            assert!(free || told, "page {number} {page:?}");
            continue;
        };
        salvaged += 1;
        as_it_was(&whole, &mailbox, &report).await;
        goes_on(&whole, &mailbox, &report).await;
        let count = |lost| uids(&report, lost).len();
        let lost = count(Lost::Item) + count(Lost::Place);
        let (octets, flags) = (count(Lost::Octets), count(Lost::Flags));
        assert!(
            bound(page, lost, octets, flags),
            "page {number} {page:?} cost {:?}",
            salvage.losses
        );
        cost += lost + octets + flags;
        assert_eq!(mailbox.owner().await.unwrap(), "a@example.org");
        let kept = place(root.path()).join("mailbox.sqlite.damaged-1");
        assert_eq!(salvage.damaged_file, kept);
        assert!(kept.exists());
        assert!(mailbox.check(false).await.unwrap().findings.is_empty());
        store.shutdown().await;
    }
    assert!(salvaged > 50 && cost > 50, "{salvaged} {cost}");
}

#[tokio::test]
async fn pages_at_random_are_lost_together_and_the_log_of_the_last_commits_is_not() {
    for (in_log, seed) in [(false, 1), (true, 2), (true, 3)] {
        let whole = Whole::new(50, in_log).await;
        let in_file = whole.folder.path().join("mailbox.sqlite");
        let count = in_file.metadata().unwrap().len() / PAGE as u64;
        for round in 0..8u64 {
            let pages = noise(seed * 100 + round, 60);
            let pages: BTreeSet<u32> = pages
                .as_bytes()
                .chunks(4)
                .take(1 + round as usize % 4)
                .map(|octets| {
                    octets
                        .iter()
                        .fold(0, |sum, octet| sum * 75 + u64::from(octet - b'0'))
                })
                .map(|number| u32::try_from(number % count).unwrap() + 1)
                .collect();
            let pages: Vec<_> = pages.into_iter().collect();
            let root = whole.damaged(&pages);
            let store = store(root.path()).await;
            let mailbox = store.mailbox(GUID).await.unwrap();
            let report = mailbox.repair(None).await.unwrap();
            if report.salvage.is_some() {
                as_it_was(&whole, &mailbox, &report).await;
                goes_on(&whole, &mailbox, &report).await;
            }
            store.shutdown().await;
        }
    }
}

#[tokio::test]
async fn of_a_file_that_tells_nothing_nothing_is_changed() {
    let whole = Whole::new(40, false).await;
    let all: Vec<u32> = (1..u32::try_from(whole.tags.len()).unwrap()).collect();
    let root = whole.damaged(&all);
    let file = place(root.path()).join("mailbox.sqlite");
    let before = std::fs::read(&file).unwrap();
    let mailbox = store(root.path()).await.mailbox(GUID).await.unwrap();
    let error = mailbox.repair(None).await.unwrap_err();
    assert!(
        matches!(&error, Error::Corrupt(text) if text.contains("nothing of its file can be read")),
        "{error}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let mut names = std::fs::read_dir(place(root.path())).unwrap();
    assert!(names.all(|entry| !entry.unwrap().path().to_string_lossy().contains("damaged")));
}

/// A mailbox of 100 messages, of which a STORE that is not folded yet marked 80.
async fn with_a_flag_log() -> Whole {
    let root = tempfile::tempdir().unwrap();
    let filling = store(root.path()).await;
    let mailbox = filling.create(GUID, "a@example.org").await.unwrap();
    let inbox = mailbox.folder_by_role(Role::Inbox).await.unwrap().id;
    let messages = (0..100).map(|number| mail(number, 400)).collect();
    mailbox.append(inbox, messages).await.unwrap();
    let view = mailbox.open_view(inbox, false).await.unwrap();
    let answered = FlagUpdate {
        selection: Selection::Positions(vec![1..=80]),
        mode: FlagMode::Add,
        flags: ItemFlags(ItemFlags::ANSWERED),
        keywords: vec![],
        unchanged_since: None,
    };
    view.set_flags(answered).await.unwrap();
    filling.shutdown().await;
    let folder = tempfile::tempdir().unwrap();
    copy_tree(&place(root.path()), folder.path());
    let tags = pages(&folder.path().join("mailbox.sqlite")).await;
    Whole {
        folder,
        mail: everything(&mailbox).await,
        uid_validity: BTreeMap::new(),
        tags,
    }
}

#[tokio::test]
async fn flags_that_were_not_folded_come_along_and_a_lost_log_is_told() {
    let whole = with_a_flag_log().await;
    let first = |table: &str| {
        let of_table = |page: &Page| page.table == table && page.kind == "leaf" && page.rows > 0;
        u32::try_from(whole.tags.iter().skip(1).position(of_table).unwrap() + 1).unwrap()
    };
    for table in ["flag_log", "items", "folders", "items_log", "blobs"] {
        for entry_is_damaged in [false, true] {
            let root = whole.damaged(&[]);
            if entry_is_damaged {
                let file = place(root.path()).join("mailbox.sqlite");
                let options = SqliteConnectOptions::new().filename(file);
                let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
                let cut = sqlx::query("UPDATE flag_log SET uids = x'01'");
                cut.execute(&mut conn).await.unwrap();
                conn.close().await.unwrap();
            }
            overwrite(root.path(), first(table));
            let store = store(root.path()).await;
            let mailbox = store.mailbox(GUID).await.unwrap();
            let report = mailbox.repair(Some("a@example.org")).await.unwrap();
            let losses = &report.salvage.as_ref().unwrap().losses;
            let told = losses
                .iter()
                .any(|loss| loss.lost == Lost::Rows && loss.of == "flag_log");
            let lost = entry_is_damaged || table == "flag_log";
            assert_eq!(told, lost, "{table} {losses:?}");
            if !lost {
                as_it_was(&whole, &mailbox, &report).await;
            }
            assert!(mailbox.check(false).await.unwrap().findings.is_empty());
            store.shutdown().await;
        }
    }
}

fn overwrite(root: &Path, page: u32) {
    let file = place(root).join("mailbox.sqlite");
    let mut octets = std::fs::read(&file).unwrap();
    let start = (page as usize - 1) * PAGE;
    octets[start..start + PAGE].fill(0xa5);
    std::fs::write(&file, octets).unwrap();
}
