//! Mailboxes that go into a backup and come out of it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use waxwing_backup::{Generation, MailboxBackup, Manifest, Repository, back_up};
use waxwing_exmdb::{
    Body, ChangeNumber, Columns, Error, FlagMode, FlagUpdate, FolderId, ItemFlags, Mailbox,
    MailboxGuid, NewFolder, NewMail, Query, Role, Selection, Store, StoreConfig, View,
};

const GUID: MailboxGuid = MailboxGuid([0xab; 16]);
const OWNER: &str = "alice@example.org";

struct Fixture {
    root: TempDir,
    store: Store,
    mailbox: Mailbox,
}

impl Fixture {
    async fn new() -> Fixture {
        let root = tempfile::tempdir().unwrap();
        let store = store(&root.path().join("store")).await;
        let mailbox = store.create(GUID, OWNER).await.unwrap();
        Fixture {
            root,
            store,
            mailbox,
        }
    }

    fn to(&self) -> PathBuf {
        self.root.path().join("backup")
    }

    async fn back_up(&self) -> Manifest {
        let repository = Repository::to_write(&self.to()).unwrap();
        back_up(
            &self.mailbox,
            OWNER,
            &repository.mailbox(GUID),
            &Generation::now(),
            &mut |_| {},
        )
        .await
        .unwrap()
    }

    fn backup(&self) -> MailboxBackup {
        Repository::to_read(&self.to()).unwrap().mailbox(GUID)
    }

    async fn inbox(&self) -> FolderId {
        self.mailbox.folder_by_role(Role::Inbox).await.unwrap().id
    }

    async fn append(&self, texts: &[String]) {
        let mail = texts.iter().map(|text| NewMail {
            message: Body::from_bytes(text.clone().into()),
            flags: ItemFlags(ItemFlags::FLAGGED),
            keywords: vec!["work".into()],
            internal_date: Some(1_000_000),
        });
        let inbox = self.inbox().await;
        self.mailbox.append(inbox, mail.collect()).await.unwrap();
    }

    async fn expunge(&self, uids: Vec<std::ops::RangeInclusive<u32>>) {
        let view = self
            .mailbox
            .open_view(self.inbox().await, false)
            .await
            .unwrap();
        let update = FlagUpdate {
            selection: Selection::Uids(uids),
            mode: FlagMode::Add,
            flags: ItemFlags(ItemFlags::DELETED),
            keywords: Vec::new(),
            unchanged_since: None,
        };
        view.set_flags(update).await.unwrap();
        view.expunge(None).await.unwrap();
        view.close();
    }

    async fn restore_in_place(&self, manifest: &Manifest) {
        let backup = self.backup();
        let (restored, missing) = backup
            .restore(manifest, &self.store, (GUID, OWNER), &mut |_| {})
            .await
            .unwrap();
        assert_eq!(missing, 0);
        assert!(restored.check().await.unwrap().findings.is_empty());
        self.store.install(restored, GUID).await.unwrap();
    }
}

async fn store(root: &Path) -> Store {
    Store::open(StoreConfig {
        root: root.to_owned(),
        max_open: 4,
        index_cache: 1 << 20,
    })
    .await
    .unwrap()
}

/// A message of that many octets of noise; those above 64 KiB become files.
fn message(number: usize, octets: usize) -> String {
    let mut seed = number as u64 + 1;
    let mut noise = String::new();
    while noise.len() < octets {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        noise.push_str(&format!("{seed:x}\r\n"));
    }
    format!("Subject: m{number}\r\n\r\n{noise}\r\n")
}

fn messages(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| message(number, 200)).collect()
}

/// UID, flags, keywords, date and octets of everything in a folder.
async fn content(mailbox: &Mailbox, folder: FolderId) -> Vec<(u32, u32, Vec<u16>, i64, Vec<u8>)> {
    let view = mailbox.open_view(folder, true).await.unwrap();
    let mut content = Vec::new();
    let mut after = 0;
    loop {
        let page = view.fetch(all(after)).await.unwrap();
        let items: Vec<_> = page.rows.iter().map(|row| row.item).collect();
        let bodies = view.open_bodies(&items).await;
        for (row, body) in page.rows.into_iter().zip(bodies) {
            let octets = body.unwrap().read(0, usize::MAX).await.unwrap();
            let flags = row.flags.0 & !ItemFlags::RECENT;
            content.push((
                row.uid.0,
                flags,
                row.keywords,
                row.internal_date,
                octets.to_vec(),
            ));
        }
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    view.close();
    content
}

fn all(after: u32) -> Query {
    Query {
        selection: Selection::Positions(vec![1..=u32::MAX]),
        columns: Columns::default(),
        tags: Vec::new(),
        changed_since: None,
        after,
        limit: 1000,
    }
}

#[tokio::test]
async fn a_snapshot_stays_as_it_was_while_the_mailbox_goes_on() {
    let fixture = Fixture::new().await;
    let big = message(1, 300_000);
    fixture.append(&[big.clone(), message(2, 100)]).await;
    let before = fixture.mailbox.latest().await.unwrap();
    let mut snapshot = fixture.mailbox.snapshot().await.unwrap();
    fixture.expunge(vec![1..=1]).await;
    fixture.append(&messages(3..9)).await;
    assert_eq!(snapshot.change_number(), before);
    assert_eq!(snapshot.counts().await.unwrap().0, 2);
    let blobs = snapshot.blobs().await.unwrap();
    let outside = blobs.iter().find(|blob| !blob.is_in_database()).unwrap();
    snapshot.release().await;
    let packed = snapshot.packed(outside).await.unwrap();
    let (digest, size) = packed.content().unwrap();
    assert_eq!(
        (digest, size),
        (*blake3::hash(big.as_bytes()).as_bytes(), big.len() as u64)
    );
    drop(snapshot);
    assert!(
        fixture
            .mailbox
            .check(false)
            .await
            .unwrap()
            .findings
            .is_empty()
    );
    let spool = fixture.root.path().join("store/spool");
    assert_eq!(std::fs::read_dir(spool).unwrap().count(), 0);
}

#[tokio::test]
async fn a_mailbox_whose_database_is_closed_during_a_snapshot_is_served() {
    let fixture = Fixture::new().await;
    fixture.append(&messages(0..5)).await;
    let mut snapshot = fixture.mailbox.snapshot().await.unwrap();
    fixture.append(&messages(5..6)).await;
    // More than may be open at a time: ours is the one that was idle longest.
    for number in 1..=4 {
        let other = fixture.store.create(MailboxGuid([number; 16]), OWNER);
        other.await.unwrap().check(false).await.unwrap();
    }
    let large = [message(6, 300_000)];
    let append = fixture.append(&large);
    let waits = std::time::Duration::from_secs(5);
    tokio::time::timeout(waits, append).await.unwrap();
    assert_eq!(snapshot.counts().await.unwrap().0, 5);
    drop(snapshot);
    let report = fixture.mailbox.check(false).await.unwrap();
    assert_eq!((report.findings.len(), report.items), (0, 7));
}

#[tokio::test]
async fn what_was_backed_up_is_restored_in_another_store() {
    let fixture = Fixture::new().await;
    fixture.append(&messages(0..1200)).await;
    fixture
        .append(&[message(2000, 200_000), message(2001, 3_000_000)])
        .await;
    fixture.expunge(vec![3..=5, 700..=900]).await;
    let before = content(&fixture.mailbox, fixture.inbox().await).await;
    let manifest = fixture.back_up().await;
    fixture.expunge(vec![1..=u32::MAX]).await;
    assert!(ChangeNumber(manifest.change_number) < fixture.mailbox.latest().await.unwrap());
    let elsewhere = store(&fixture.root.path().join("elsewhere")).await;
    let (restored, missing) = fixture
        .backup()
        .restore(&manifest, &elsewhere, (GUID, OWNER), &mut |_| {})
        .await
        .unwrap();
    assert_eq!(missing, 0);
    elsewhere.install(restored, GUID).await.unwrap();
    let mailbox = elsewhere.mailbox(GUID).await.unwrap();
    assert_eq!(content(&mailbox, fixture.inbox().await).await, before);
    let report = mailbox.check(false).await.unwrap();
    assert_eq!((report.findings.len(), report.items), (0, 998));
}

#[tokio::test]
async fn a_second_generation_copies_what_changed() {
    let fixture = Fixture::new().await;
    fixture.append(&messages(0..5000)).await;
    let first = fixture.back_up().await;
    let again = fixture.back_up().await;
    assert_eq!((again.copied_objects, again.copied_octets), (0, 0));
    assert!(again.generation > first.generation);
    fixture.append(&messages(5000..5001)).await;
    let third = fixture.back_up().await;
    // The message, and a segment of each table in which a row changed.
    assert!(third.copied_objects <= 5, "{}", third.copied_objects);
    assert!(
        third.copied_octets * 5 < first.copied_octets,
        "{} of {}",
        third.copied_octets,
        first.copied_octets
    );
    assert_eq!(fixture.backup().generations().unwrap().len(), 3);
}

#[tokio::test]
async fn a_run_that_was_broken_off_leaves_no_generation_and_goes_on() {
    let fixture = Fixture::new().await;
    fixture.append(&messages(0..3000)).await;
    let repository = Repository::to_write(&fixture.to()).unwrap();
    let target = repository.mailbox(GUID);
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let (mailbox, to) = (fixture.mailbox.clone(), target.clone());
    let run = tokio::spawn(async move {
        let mut tell = |step: waxwing_backup::Written| {
            let _ = sender.send(step.blobs);
        };
        back_up(&mailbox, OWNER, &to, &Generation::now(), &mut tell).await
    });
    while receiver.recv().await.unwrap() < 2000 {}
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    assert!(target.generations().unwrap().is_empty());
    // The writer ends its pack by itself.
    for _ in 0..100 {
        if target.octets().unwrap() > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    drop(repository);
    let whole = fixture.back_up().await;
    assert!(whole.copied_objects < 1500, "{}", whole.copied_objects);
    let before = content(&fixture.mailbox, fixture.inbox().await).await;
    fixture.restore_in_place(&whole).await;
    assert_eq!(
        content(&fixture.mailbox, fixture.inbox().await).await,
        before
    );
}

#[tokio::test]
async fn a_mailbox_that_goes_back_in_time_fools_no_client() {
    let fixture = Fixture::new().await;
    fixture.append(&messages(0..10)).await;
    let inbox = fixture.inbox().await;
    let manifest = fixture.back_up().await;
    let made_later = NewFolder {
        parent: None,
        name: "Later".into(),
        container_class: String::new(),
        role: Role::None,
    };
    let later = fixture.mailbox.create_folder(made_later).await.unwrap().id;
    fixture.append(&messages(10..20)).await;
    fixture.expunge(vec![1..=2]).await;
    let view = fixture.mailbox.open_view(inbox, false).await.unwrap();
    let before = fixture.mailbox.folder(inbox).await.unwrap();
    let token = fixture.mailbox.latest().await.unwrap();
    let mut watcher = fixture.store.watcher();
    watcher.watch(vec![(GUID, Some(inbox))]);

    fixture.restore_in_place(&manifest).await;

    let after = fixture.mailbox.folder(inbox).await.unwrap();
    assert_eq!(after.items, 10);
    assert!(after.uid_validity > before.uid_validity);
    assert!(fixture.mailbox.latest().await.unwrap() > token);
    assert!(after.highest_modseq > before.highest_modseq);
    expired(view.sync(true).await.map(drop));
    expired(view.fetch(all(0)).await.map(drop));
    expired(view.expunge(None).await.map(drop));
    expired(fixture.mailbox.resume_view(view.id()).await.map(drop));
    expired(
        fixture
            .mailbox
            .changes_of_folder(inbox, token, 100)
            .await
            .map(drop),
    );
    let tree = fixture.mailbox.changes_of_hierarchy(token).await.unwrap();
    assert!(tree.changed.contains(&inbox) && tree.deleted == [later]);
    assert_eq!(watcher.changed().await[0].folder, inbox);
    let fresh: View = fixture.mailbox.open_view(inbox, false).await.unwrap();
    assert_eq!(fresh.fetch(all(0)).await.unwrap().rows.len(), 10);
    fixture.append(&messages(30..31)).await;
    assert_eq!(fresh.sync(true).await.unwrap().exists, 11);
    assert!(
        fixture
            .mailbox
            .check(false)
            .await
            .unwrap()
            .findings
            .is_empty()
    );
}

fn expired(result: Result<(), Error>) {
    assert!(matches!(result, Err(Error::Expired(_))), "{result:?}");
}

#[tokio::test]
async fn a_large_message_that_the_restored_mailbox_has_not_is_stored_there() {
    let fixture = Fixture::new().await;
    fixture.append(&messages(0..3)).await;
    let manifest = fixture.back_up().await;
    // Its folder of blobs is one that the restored mailbox does not have.
    let large = [message(50, 300_000)];
    fixture.append(&large).await;
    fixture.restore_in_place(&manifest).await;
    fixture.append(&large).await;
    let content = content(&fixture.mailbox, fixture.inbox().await).await;
    assert_eq!(content.len(), 4);
    assert_eq!(content[3].4, large[0].as_bytes());
}

#[tokio::test]
async fn an_append_that_waits_during_the_switch_is_in_the_restored_mailbox() {
    let fixture = Fixture::new().await;
    fixture.append(&messages(0..50)).await;
    let manifest = fixture.back_up().await;
    let (restored, _) = fixture
        .backup()
        .restore(&manifest, &fixture.store, (GUID, OWNER), &mut |_| {})
        .await
        .unwrap();
    let texts = messages(100..110);
    let (installed, ()) = tokio::join!(fixture.store.install(restored, GUID), async {
        tokio::task::yield_now().await;
        fixture.append(&texts).await;
    });
    installed.unwrap();
    let items = fixture
        .mailbox
        .folder(fixture.inbox().await)
        .await
        .unwrap()
        .items;
    // Before the switch it is part of what was replaced, behind it of what is there; never of both.
    assert!(items == 50 || items == 60, "{items}");
    assert!(
        fixture
            .mailbox
            .check(false)
            .await
            .unwrap()
            .findings
            .is_empty()
    );
    assert!(fixture.mailbox.latest().await.unwrap() > ChangeNumber(manifest.change_number));
}

#[tokio::test]
async fn a_flipped_octet_is_found_and_copied_again_after_a_repair() {
    let fixture = Fixture::new().await;
    fixture.append(&messages(0..200)).await;
    fixture.append(&[message(900, 500_000)]).await;
    let manifest = fixture.back_up().await;
    let verify = |repair| fixture.backup().verify(repair, &mut |_, _| {}).unwrap();
    let (whole, damage) = verify(false);
    assert_eq!(
        (whole[0].damages.len(), damage.objects, damage.packs),
        (0, 0, 0)
    );
    let pack = std::fs::read_dir(
        fixture
            .to()
            .join("mailboxes")
            .join(GUID.to_string())
            .join("packs"),
    )
    .unwrap()
    .next()
    .unwrap()
    .unwrap()
    .path();
    let mut octets = std::fs::read(&pack).unwrap();
    // In the large message, which is last.
    let at = octets.len() - 100_000;
    octets[at] ^= 1;
    std::fs::write(&pack, octets).unwrap();
    let (found, damage) = verify(false);
    assert_eq!(damage.objects, 1);
    assert_eq!(found[0].damages, ["the octets of 1 of 201 messages"]);
    verify(true);
    assert_eq!(fixture.back_up().await.copied_objects, 1);
    let (found, damage) = verify(false);
    assert!(
        found.iter().all(|generation| generation.damages.is_empty()),
        "{found:?}"
    );
    assert_eq!(damage.objects, 0);
    fixture.restore_in_place(&manifest).await;
}

#[tokio::test]
async fn a_manifest_that_is_not_what_was_written_is_no_generation_to_restore() {
    let fixture = Fixture::new().await;
    fixture.append(&messages(0..3)).await;
    let manifest = fixture.back_up().await;
    let path = fixture
        .to()
        .join("mailboxes")
        .join(GUID.to_string())
        .join("generations")
        .join(manifest.generation.to_string());
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("alice", "mallo")).unwrap();
    let refused = fixture
        .backup()
        .manifest(&manifest.generation)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("not what was written"), "{refused}");
    let (found, _) = fixture.backup().verify(false, &mut |_, _| {}).unwrap();
    assert_eq!(found[0].damages.len(), 1);
}

#[tokio::test]
async fn old_generations_go_and_take_with_them_what_only_they_named() {
    let fixture = Fixture::new().await;
    fixture
        .append(&(0..40).map(|n| message(n, 60_000)).collect::<Vec<_>>())
        .await;
    fixture.back_up().await;
    let large = fixture.backup().octets().unwrap();
    fixture.expunge(vec![2..=40]).await;
    fixture.append(&messages(100..110)).await;
    let last = fixture.back_up().await;
    let before = content(&fixture.mailbox, fixture.inbox().await).await;
    let gone = fixture.backup().prune(1).unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(
        fixture.backup().generations().unwrap(),
        std::slice::from_ref(&last.generation)
    );
    let small = fixture.backup().octets().unwrap();
    assert!(small * 5 < large, "{small} of {large}");
    fixture.restore_in_place(&last).await;
    assert_eq!(
        content(&fixture.mailbox, fixture.inbox().await).await,
        before
    );
}

#[tokio::test]
async fn a_lost_message_stops_nothing_and_is_counted() {
    let fixture = Fixture::new().await;
    fixture
        .append(&[message(1, 300_000), message(2, 100)])
        .await;
    let folder = fixture
        .root
        .path()
        .join("store/ab")
        .join("ab".repeat(16))
        .join("blobs");
    let shard = std::fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::remove_dir_all(shard).unwrap();
    let manifest = fixture.back_up().await;
    assert_eq!(manifest.missing.len(), 1);
    let (restored, missing) = fixture
        .backup()
        .restore(&manifest, &fixture.store, (GUID, OWNER), &mut |_| {})
        .await
        .unwrap();
    assert_eq!(missing, 1);
    let findings = restored.check().await.unwrap().findings;
    assert_eq!(
        findings
            .iter()
            .map(|finding| finding.invariant)
            .collect::<Vec<_>>(),
        ["blob-file"]
    );
}

#[test]
fn a_folder_that_holds_something_else_is_not_written_into() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        Repository::to_read(folder.path())
            .unwrap_err()
            .to_string()
            .contains("no backup")
    );
    std::fs::write(folder.path().join("thesis.tex"), "x").unwrap();
    let refused = Repository::to_write(folder.path()).unwrap_err().to_string();
    assert!(refused.contains("not empty"), "{refused}");
    let inside = folder.path().join("a/b");
    let held = Repository::to_write(&inside).unwrap();
    let refused = Repository::to_write(&inside).unwrap_err().to_string();
    assert!(refused.contains("wait for it"), "{refused}");
    assert!(Repository::to_read(&inside).is_err());
    drop(held);
    let _one = Repository::to_read(&inside).unwrap();
    let _two = Repository::to_read(&inside).unwrap();
}
