//! A mailbox of two folders beside plain lists of what their messages must be.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use proptest::prelude::*;
use tempfile::TempDir;
use waxwing_exmdb::{
    ChangeNumber, Columns, FlagMode, FlagUpdate, FolderId, ItemFlags, ItemId, Mailbox, Query, Role,
    Selection, Span, Store,
};
use waxwing_formats_mapi::{Value, tags};

use super::{GUID, copy_tree, mail, open};

const KEYWORDS: [&str; 3] = ["$Label1", "$Forwarded", "work"];
const SETTABLE: [u32; 7] = [
    ItemFlags::SEEN,
    ItemFlags::ANSWERED,
    ItemFlags::FLAGGED,
    ItemFlags::DELETED,
    ItemFlags::DRAFT,
    ItemFlags::FORWARDED,
    ItemFlags::MDN_SENT,
];
const IMAP_ONLY: u32 = ItemFlags::DELETED | ItemFlags::MDN_SENT;

/// What is done to one of the two folders.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Store {
        folder: usize,
        uids: RangeInclusive<u32>,
        mode: u8,
        flags: u32,
        keywords: u8,
        /// Refuse items that the last STORE changed.
        guarded: bool,
    },
    Append(usize, u32),
    Copy(usize, RangeInclusive<u32>),
    Move(usize, RangeInclusive<u32>),
    Expunge(usize),
    SetRead(usize, RangeInclusive<u32>, bool),
    SoftDelete(usize, RangeInclusive<u32>),
    Reopen,
    Crash,
    CompareRows,
}

fn uids() -> impl Strategy<Value = RangeInclusive<u32>> {
    prop_oneof![
        3 => (1..160u32, 1..200u32).prop_map(|(first, more)| first..=first + more),
        1 => (1..160u32, 0..4u32).prop_map(|(first, more)| first..=first + more),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let flags = prop::sample::subsequence(SETTABLE.to_vec(), 0..=2)
        .prop_map(|flags| flags.into_iter().fold(0, |all, flag| all | flag));
    let store = (
        0..2usize,
        uids(),
        0..3u8,
        flags,
        prop_oneof![3 => Just(0u8), 1 => 0..8u8],
        prop::bool::weighted(0.1),
    );
    prop_oneof![
        12 => store.prop_map(|(folder, uids, mode, flags, keywords, guarded)| {
            Step::Store { folder, uids, mode, flags, keywords, guarded }
        }),
        1 => (0..2usize, 1..4u32).prop_map(|(folder, count)| Step::Append(folder, count)),
        1 => (0..2usize, uids()).prop_map(|(folder, uids)| Step::Copy(folder, uids)),
        1 => (0..2usize, uids()).prop_map(|(folder, uids)| Step::Move(folder, uids)),
        1 => (0..2usize).prop_map(Step::Expunge),
        1 => (0..2usize, uids(), any::<bool>()).prop_map(|(folder, uids, read)| Step::SetRead(folder, uids, read)),
        1 => (0..2usize, 1..160u32).prop_map(|(folder, uid)| Step::SoftDelete(folder, uid..=uid + 2)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
        1 => Just(Step::CompareRows),
    ]
}

pub(crate) fn everything() -> Query {
    Query {
        selection: Selection::Uids(vec![1..=u32::MAX]),
        columns: Columns(0),
        tags: vec![],
        changed_since: None,
        after: 0,
        limit: 10_000,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Message {
    item: ItemId,
    flags: u32,
    keywords: BTreeSet<String>,
    cn: u64,
    read_cn: u64,
    flag_cn: u64,
}

impl Message {
    fn new(item: ItemId, number: u64) -> Message {
        Message {
            item,
            flags: 0,
            keywords: BTreeSet::new(),
            cn: number,
            read_cn: number,
            flag_cn: number,
        }
    }

    fn modseq(&self) -> u64 {
        self.cn.max(self.read_cn).max(self.flag_cn)
    }

    fn updated(&self, update: &FlagUpdate) -> Message {
        let given: BTreeSet<String> = update.keywords.iter().cloned().collect();
        let mut after = self.clone();
        match update.mode {
            FlagMode::Replace => (after.flags, after.keywords) = (update.flags.0, given),
            FlagMode::Add => {
                after.flags |= update.flags.0;
                after.keywords.extend(given);
            }
            FlagMode::Remove => {
                after.flags &= !update.flags.0;
                after.keywords.retain(|keyword| !given.contains(keyword));
            }
        }
        after
    }

    /// Sets the versions that the difference to `before` moves. False when there is none.
    fn move_versions(&mut self, before: &Message, number: u64) -> bool {
        let changed = before.flags ^ self.flags;
        let keywords: Vec<_> = before
            .keywords
            .symmetric_difference(&self.keywords)
            .collect();
        let of_imap = |keyword: &&&String| **keyword == KEYWORDS[0];
        if changed & ItemFlags::SEEN != 0 {
            self.read_cn = number;
        }
        if changed & IMAP_ONLY != 0 || keywords.iter().any(|keyword| of_imap(&keyword)) {
            self.flag_cn = number;
        }
        let others = changed & !(IMAP_ONLY | ItemFlags::SEEN) != 0;
        if others || keywords.iter().any(|keyword| !of_imap(&keyword)) {
            self.cn = number;
        }
        changed != 0 || !keywords.is_empty()
    }
}

pub(crate) struct Model {
    root: TempDir,
    /// None while it is opened again.
    store: Option<Store>,
    mailbox: Mailbox,
    ids: [FolderId; 2],
    folders: [BTreeMap<u32, Message>; 2],
}

impl Model {
    pub(crate) async fn new() -> Model {
        let root = tempfile::tempdir().unwrap();
        let store = open(root.path()).await;
        let mailbox = store.create(GUID, "a@example.org").await.unwrap();
        let mut ids = [FolderId(0); 2];
        for (id, role) in ids.iter_mut().zip([Role::Inbox, Role::Archive]) {
            *id = mailbox.folder_by_role(role).await.unwrap().id;
        }
        let mut model = Model {
            root,
            store: Some(store),
            mailbox,
            ids,
            folders: Default::default(),
        };
        model.append(0, 150).await;
        model.append(1, 5).await;
        model
    }

    pub(crate) async fn apply(&mut self, step: Step) {
        match step {
            Step::Store {
                folder,
                uids,
                mode,
                flags,
                keywords,
                guarded,
            } => {
                let names = KEYWORDS.iter().enumerate();
                let names = names.filter(|(bit, _)| keywords & (1 << bit) != 0);
                let last = self.folders[folder].values().map(Message::modseq).max();
                let update = FlagUpdate {
                    selection: Selection::Uids(vec![uids.clone()]),
                    mode: [FlagMode::Replace, FlagMode::Add, FlagMode::Remove][usize::from(mode)],
                    flags: ItemFlags(flags),
                    keywords: names.map(|(_, name)| (*name).to_owned()).collect(),
                    unchanged_since: guarded.then(|| last.unwrap_or(1).saturating_sub(20)),
                };
                self.store(folder, uids, update).await;
            }
            Step::Append(folder, count) => self.append(folder, count).await,
            Step::Copy(folder, uids) => self.transfer(folder, uids, false).await,
            Step::Move(folder, uids) => self.transfer(folder, uids, true).await,
            Step::Expunge(folder) => self.expunge(folder).await,
            Step::SetRead(folder, uids, read) => self.set_read(folder, uids, read).await,
            Step::SoftDelete(folder, uids) => {
                let items = self.selected(folder, &uids);
                let items: Vec<_> = items.iter().map(|(_, message)| message.item).collect();
                self.mailbox.delete_items(&items, true).await.unwrap();
                self.folders[folder].retain(|uid, _| !uids.contains(uid));
            }
            Step::Reopen => {
                if let Some(store) = self.store.take() {
                    store.shutdown().await;
                }
                self.reopen().await;
            }
            Step::Crash => {
                let copied = tempfile::tempdir().unwrap();
                copy_tree(self.root.path(), copied.path());
                self.root = copied;
                self.store = None;
                self.reopen().await;
            }
            Step::CompareRows => self.compare_rows().await,
        }
    }

    async fn expunge(&mut self, folder: usize) {
        let view = self.mailbox.open_view(self.ids[folder], false).await;
        let gone = view.unwrap().expunge(None).await.unwrap();
        let marked = |message: &Message| message.flags & ItemFlags::DELETED != 0;
        let messages = &mut self.folders[folder];
        let expected: Vec<u32> = messages
            .iter()
            .filter(|(_, message)| marked(message))
            .map(|(uid, _)| *uid)
            .collect();
        assert_eq!(gone.into_iter().flatten().collect::<Vec<_>>(), expected);
        messages.retain(|_, message| !marked(message));
    }

    async fn reopen(&mut self) {
        let elsewhere = tempfile::tempdir().unwrap();
        copy_tree(self.root.path(), elsewhere.path());
        self.root = elsewhere;
        let store = open(self.root.path()).await;
        self.mailbox = store.mailbox(GUID).await.unwrap();
        self.store = Some(store);
    }

    fn selected(&self, folder: usize, uids: &RangeInclusive<u32>) -> Vec<(u32, Message)> {
        let selected = self.folders[folder].range(uids.clone());
        selected
            .map(|(uid, message)| (*uid, message.clone()))
            .collect()
    }

    async fn append(&mut self, folder: usize, count: u32) {
        let messages = (0..count).map(|_| mail(0)).collect();
        let appended = self.mailbox.append(self.ids[folder], messages).await;
        let appended = appended.unwrap();
        let view = self.mailbox.open_view(self.ids[folder], true).await;
        let rows = view.unwrap().fetch(everything()).await.unwrap().rows;
        for uid in appended.uids {
            let row = rows.iter().find(|row| row.uid == uid).unwrap();
            let message = Message::new(row.item, row.modseq);
            self.folders[folder].insert(uid.0, message);
        }
    }

    async fn store(&mut self, folder: usize, uids: RangeInclusive<u32>, update: FlagUpdate) {
        let before = self.mailbox.latest().await.unwrap().0;
        let view = self.mailbox.open_view(self.ids[folder], false).await;
        let told = view.unwrap().set_flags(update.clone()).await.unwrap();
        let told: BTreeMap<u32, u64> = told
            .rows
            .iter()
            .map(|row| (row.uid.0, row.modseq))
            .collect();
        let mut given = BTreeSet::new();
        for (uid, message) in self.selected(folder, &uids) {
            let since = update.unchanged_since.unwrap_or(u64::MAX);
            let number = told.get(&uid).copied();
            assert_eq!(number.is_none(), message.modseq() > since);
            let Some(number) = number else { continue };
            let mut after = message.updated(&update);
            if after.move_versions(&message, number) {
                assert!(number > before && given.insert(number));
            }
            assert_eq!(after.modseq(), number);
            self.folders[folder].insert(uid, after);
        }
        let latest = self.mailbox.latest().await.unwrap().0;
        assert_eq!(latest - before, given.len() as u64);
    }

    async fn set_read(&mut self, folder: usize, uids: RangeInclusive<u32>, read: bool) {
        let mut number = self.mailbox.latest().await.unwrap().0;
        let selected = self.selected(folder, &uids);
        let items: Vec<_> = selected.iter().map(|(_, message)| message.item).collect();
        self.mailbox.set_read(&items, read).await.unwrap();
        for (uid, mut message) in selected {
            if (message.flags & ItemFlags::SEEN != 0) != read {
                number += 1;
                message.flags ^= ItemFlags::SEEN;
                message.read_cn = number;
                self.folders[folder].insert(uid, message);
            }
        }
    }

    async fn transfer(&mut self, folder: usize, uids: RangeInclusive<u32>, moves: bool) {
        let other = 1 - folder;
        let view = self.mailbox.open_view(self.ids[folder], false).await;
        let (view, wanted) = (view.unwrap(), Selection::Uids(vec![uids.clone()]));
        let done = match moves {
            true => view.move_to(wanted, self.ids[other]).await.unwrap(),
            false => view.copy(wanted, self.ids[other]).await.unwrap(),
        };
        let there = self.mailbox.open_view(self.ids[other], true).await;
        let rows = there.unwrap().fetch(everything()).await.unwrap().rows;
        let flat = |spans: Vec<Span>| spans.into_iter().flatten().collect::<Vec<u32>>();
        let (source, target) = (flat(done.source), flat(done.target));
        let selected = self.selected(folder, &uids);
        assert_eq!(
            source,
            selected.iter().map(|(uid, _)| *uid).collect::<Vec<_>>()
        );
        for ((uid, message), new) in selected.into_iter().zip(target) {
            let row = rows.iter().find(|row| row.uid.0 == new).unwrap();
            let number = row.modseq;
            let copy = Message {
                item: row.item,
                cn: number,
                read_cn: number,
                flag_cn: number,
                ..message
            };
            self.folders[other].insert(new, copy);
            if moves {
                self.folders[folder].remove(&uid);
            }
        }
    }

    /// What IMAP sees, from the folder indexes.
    pub(crate) async fn compare_views(&self) {
        let names = self.mailbox.keywords().await.unwrap();
        for (id, messages) in self.ids.iter().zip(&self.folders) {
            let view = self.mailbox.open_view(*id, true).await.unwrap();
            let rows = view.fetch(everything()).await.unwrap().rows;
            let seen: Vec<_> = rows
                .iter()
                .map(|row| {
                    let keywords = row.keywords.iter().map(|n| names[usize::from(*n)].clone());
                    let flags = row.flags.0 & !ItemFlags::RECENT;
                    let keywords: BTreeSet<String> = keywords.collect();
                    (row.uid.0, row.item, flags, keywords, row.modseq)
                })
                .collect();
            let expected: Vec<_> = messages
                .iter()
                .map(|(uid, m)| (*uid, m.item, m.flags, m.keywords.clone(), m.modseq()))
                .collect();
            assert_eq!(seen, expected);
            let folder = self.mailbox.folder(*id).await.unwrap();
            let count = |flag: u32, set: bool| {
                let with = messages
                    .values()
                    .filter(|m| (m.flags & flag != 0) == set)
                    .count();
                u32::try_from(with).unwrap()
            };
            assert_eq!(folder.unread, count(ItemFlags::SEEN, false));
            assert_eq!(folder.deleted, count(ItemFlags::DELETED, true));
        }
    }

    /// What everybody else sees, from the rows; this folds them.
    pub(crate) async fn compare_rows(&self) {
        for (id, messages) in self.ids.iter().zip(&self.folders) {
            let changes = self.mailbox.changes_of_folder(*id, ChangeNumber(0), 10_000);
            let changes = changes.await.unwrap();
            let seen: Vec<_> = changes
                .changed
                .iter()
                .map(|c| (c.uid.0, c.item, c.cn.0, c.read_cn.0, c.flag_cn.0))
                .collect();
            let mut expected: Vec<_> = messages.iter().collect();
            expected.sort_by_key(|(_, message)| message.modseq());
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(uid, m)| (*uid, m.item, m.cn, m.read_cn, m.flag_cn))
                .collect();
            assert_eq!(seen, expected);
            let items: Vec<_> = messages.values().map(|message| message.item).collect();
            let wanted = [tags::READ, tags::MESSAGE_FLAGS];
            let properties = self.mailbox.item_properties(&items, &wanted).await;
            for (properties, message) in properties.unwrap().iter().zip(messages.values()) {
                let seen = message.flags & ItemFlags::SEEN != 0;
                assert_eq!(properties.properties[0].value, Value::Boolean(seen));
            }
        }
        let report = self.mailbox.check(false).await.unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }
}
