//! exmdb, the mailbox store (API skeleton: the shapes that other rooms build against).
#![allow(missing_docs, unused_variables, clippy::todo)]

use std::{collections::HashMap, ops::RangeInclusive, path::PathBuf, sync::Arc};

use bytes::Bytes;
use waxwing_formats_mapi::{Property, PropertyTag, Restriction, SortKey};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("{0} exists already")]
    AlreadyExists(String),
    #[error("{0}")]
    Invalid(String),
    #[error("access denied: {0}")]
    Denied(String),
    #[error("{0} changed meanwhile")]
    Conflict(String),
    #[error("limit reached: {0}")]
    Limit(String),
    #[error("{0} expired")]
    Expired(String),
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
    #[error("corrupt: {0}")]
    Corrupt(String),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("input/output: {0}")]
    Io(#[from] std::io::Error),
}
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! id { ($($name:ident($inner:ty)),*) => { $(
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
    pub struct $name(pub $inner);
)* } }
id!(FolderId(u64), ItemId(u64), ChangeNumber(u64), ViewId(u64), Uid(u32), UidValidity(u32));

/// Identity of a mailbox for ever; its address belongs to the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxGuid(pub [u8; 16]);
// impls wanted: random(), Display/FromStr as 32 hex digits, serde as string

#[derive(Debug, Clone)]
pub struct StoreConfig {
    pub root: PathBuf,
    /// Mailboxes with an open database at the same time; others are closed when idle.
    pub max_open: usize,
    /// Bytes of folder indexes kept in memory.
    pub index_cache: usize,
}

/// All mailboxes of this machine. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<()>);
impl Store {
    pub async fn open(config: StoreConfig) -> Result<Store> { todo!() }
    /// With its special folders (inbox, drafts, sent, trash, junk, archive, outbox, calendar, contacts, tasks, notes, journal).
    pub async fn create(&self, guid: MailboxGuid, owner: &str) -> Result<Mailbox> { todo!() }
    pub async fn mailbox(&self, guid: MailboxGuid) -> Result<Mailbox> { todo!() }
    pub async fn remove(&self, guid: MailboxGuid) -> Result<()> { todo!() }
    pub async fn list(&self) -> Result<Vec<MailboxGuid>> { todo!() }
    /// A place for bytes that arrive: memory at first, a temporary file when they grow.
    pub fn spool(&self) -> BodyWriter { todo!() }
    /// Flush, checkpoint, close.
    pub async fn shutdown(&self) { todo!() }
}

/// Immutable bytes: memory, spool file, stored blob, or a composition. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Body(Arc<()>);
impl Body {
    pub fn from_bytes(bytes: Bytes) -> Body { todo!() }
    pub fn size(&self) -> u64 { todo!() }
    /// Shorter than asked only at the end.
    pub async fn read(&self, offset: u64, length: usize) -> Result<Bytes> { todo!() }
    pub fn slice(&self, offset: u64, length: u64) -> Body { todo!() }
    pub fn concat(pieces: Vec<Body>) -> Body { todo!() }
}
pub struct BodyWriter(());
impl BodyWriter {
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> { todo!() }
    pub async fn finish(self) -> Result<Body> { todo!() }
}

/// Who acts: rights are checked against folder permissions; `Owner` and `System` may do all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor { System, Owner, User(String) }

/// One mailbox. Cheap to clone; the database behind it may be closed and reopened under it.
#[derive(Clone)]
pub struct Mailbox(Arc<()>);


/// As WIT `item-flags`: seen=1 answered=2 flagged=4 deleted=8 draft=16 recent=32 forwarded=64 mdn-sent=128 has-attachment=256 associated=512.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ItemFlags(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Role { None, Inbox, Drafts, Sent, Trash, Junk, Archive, Outbox, Calendar, Contacts, Tasks, Notes, Journal, All, Flagged, Important }

/// As WIT `folders.folder`.
#[derive(Debug, Clone)]
pub struct Folder {
    pub id: FolderId, pub parent: Option<FolderId>, pub name: String, pub container_class: String, pub role: Role,
    pub uid_validity: UidValidity, pub uid_next: Uid, pub items: u32, pub unread: u32, pub deleted: u32, pub recent: u32,
    pub size: u64, pub highest_modseq: u64, pub change_number: ChangeNumber, pub rights: u32,
}
#[derive(Debug, Clone)]
pub struct NewFolder { pub parent: Option<FolderId>, pub name: String, pub container_class: String, pub role: Role }

#[derive(Debug, Clone)]
pub struct NewMail { pub message: Body, pub flags: ItemFlags, pub keywords: Vec<String>, /// Seconds since 1970; none: now.
    pub internal_date: Option<i64> }
#[derive(Debug, Clone)]
pub struct Appended { pub uid_validity: UidValidity, pub uids: Vec<Uid>, pub items: Vec<ItemId>, pub change_number: ChangeNumber }

pub type Span = RangeInclusive<u32>;
#[derive(Debug, Clone)]
pub enum Selection { Positions(Vec<Span>), Uids(Vec<Span>) }

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Columns(pub u32);
impl Columns { pub const STRUCTURE: u32 = 1; pub const HEADER: u32 = 2; pub const PROPERTIES: u32 = 4; }

#[derive(Debug, Clone)]
pub struct Query { pub selection: Selection, pub columns: Columns, pub tags: Vec<PropertyTag>, pub changed_since: Option<u64>, pub after: u32, pub limit: u32 }
#[derive(Debug, Clone)]
pub struct Row {
    pub position: u32, pub uid: Uid, pub item: ItemId, pub modseq: u64, pub flags: ItemFlags, pub keywords: Vec<u16>,
    pub internal_date: i64, pub save_date: i64, pub size: u64, pub structure: Bytes, pub header: Bytes, pub properties: Vec<Property>,
}
#[derive(Debug, Clone)]
pub struct Page { pub rows: Vec<Row>, pub next: Option<u32> }
#[derive(Debug, Clone)]
pub struct ViewInfo { pub id: ViewId, pub folder: FolderId, pub exists: u32, pub recent: u32, pub first_unseen: u32, pub uid_validity: UidValidity, pub uid_next: Uid, pub highest_modseq: u64, pub read_only: bool, pub rights: u32 }
#[derive(Debug, Clone)]
pub struct ViewChanges { pub expunged: Vec<u32>, pub expunged_uids: Vec<Span>, pub exists: u32, pub recent: u32, pub changed: Vec<Row>, pub highest_modseq: u64 }
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagMode { Replace, Add, Remove }
#[derive(Debug, Clone)]
pub struct FlagUpdate { pub selection: Selection, pub mode: FlagMode, pub flags: ItemFlags, pub keywords: Vec<String>, pub unchanged_since: Option<u64> }
#[derive(Debug, Clone)]
pub struct FlagResult { pub rows: Vec<Row>, pub modified: Vec<Span>, pub highest_modseq: u64 }
#[derive(Debug, Clone)]
pub struct Transfer { pub uid_validity: UidValidity, pub source: Vec<Span>, pub target: Vec<Span> }
#[derive(Debug, Clone)]
pub struct Found { pub positions: Vec<Span>, pub uids: Vec<Span>, pub count: u32, pub highest_modseq: u64 }

/// One client's view of a folder; lives until closed, named by its id meanwhile.
#[derive(Clone)]
pub struct View(Arc<()>);
impl View {
    pub fn id(&self) -> ViewId { todo!() }
    pub fn info(&self) -> ViewInfo { todo!() }
    pub async fn sync(&self, allow_expunge: bool) -> Result<ViewChanges> { todo!() }
    pub async fn fetch(&self, query: Query) -> Result<Page> { todo!() }
    pub async fn search(&self, restriction: &Restriction) -> Result<Found> { todo!() }
    pub async fn sort(&self, restriction: &Restriction, keys: &[SortKey]) -> Result<Vec<(u32, Uid)>> { todo!() }
    pub async fn set_flags(&self, update: FlagUpdate) -> Result<FlagResult> { todo!() }
    pub async fn copy(&self, selection: Selection, target: FolderId) -> Result<Transfer> { todo!() }
    pub async fn move_to(&self, selection: Selection, target: FolderId) -> Result<Transfer> { todo!() }
    pub async fn expunge(&self, selection: Option<Selection>) -> Result<Vec<Span>> { todo!() }
    pub async fn vanished(&self, selection: Selection, since: u64) -> Result<Vec<Span>> { todo!() }
    pub async fn open_bodies(&self, items: &[ItemId]) -> Vec<Result<Body>> { todo!() }
    pub fn close(&self) { todo!() }
}

/// A commit, told to watchers after it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change { pub mailbox: MailboxGuid, pub folder: FolderId, pub change_number: ChangeNumber }
/// Coalescing: many commits may be one wake-up; none is missed.
pub struct Watcher(());
impl Watcher {
    /// Replaces the set of watched folders; `None` watches all folders of the mailbox.
    pub fn watch(&mut self, folders: Vec<(MailboxGuid, Option<FolderId>)>) { todo!() }
    /// Cancel-safe. Pending for ever when nothing is watched.
    pub async fn changed(&mut self) -> Vec<Change> { todo!() }
}
impl Store { pub fn watcher(&self) -> Watcher { todo!() } }

impl Mailbox {
    pub fn guid(&self) -> MailboxGuid { todo!() }
    pub async fn owner(&self) -> Result<String> { todo!() }
    /// The same mailbox, acting for somebody: every call below is checked.
    pub fn acting(&self, actor: Actor) -> Mailbox { todo!() }
    pub async fn keywords(&self) -> Result<Vec<String>> { todo!() }
    pub async fn folders(&self) -> Result<Vec<Folder>> { todo!() }
    pub async fn folder(&self, id: FolderId) -> Result<Folder> { todo!() }
    pub async fn folder_by_role(&self, role: Role) -> Result<Folder> { todo!() }
    pub async fn receive_folder(&self, message_class: &str) -> Result<Folder> { todo!() }
    pub async fn create_folder(&self, new: NewFolder) -> Result<Folder> { todo!() }
    pub async fn move_folder(&self, id: FolderId, parent: Option<FolderId>, name: &str) -> Result<Folder> { todo!() }
    pub async fn delete_folder(&self, id: FolderId) -> Result<()> { todo!() }
    pub async fn subscriptions(&self) -> Result<Vec<String>> { todo!() }
    pub async fn subscribe(&self, name: &str, on: bool) -> Result<()> { todo!() }
    pub async fn folder_properties(&self, id: FolderId, tags: &[PropertyTag]) -> Result<Vec<Property>> { todo!() }
    pub async fn set_folder_properties(&self, id: FolderId, properties: Vec<Property>) -> Result<ChangeNumber> { todo!() }
    /// All or nothing; durable when it returns. The only door for RFC 5322 messages: delivery and APPEND.
    pub async fn append(&self, folder: FolderId, messages: Vec<NewMail>) -> Result<Appended> { todo!() }
    pub async fn open_view(&self, folder: FolderId, read_only: bool) -> Result<View> { todo!() }
    pub async fn resume_view(&self, id: ViewId) -> Result<View> { todo!() }
    // Items as property bags (WIT store/items).
    pub async fn item_properties(&self, items: &[ItemId], tags: &[PropertyTag]) -> Result<Vec<ItemProperties>> { todo!() }
    pub async fn create_item(&self, item: NewItem) -> Result<Saved> { todo!() }
    pub async fn update_item(&self, item: ItemId, update: ItemUpdate) -> Result<Saved> { todo!() }
    pub async fn recipients(&self, item: ItemId) -> Result<Vec<Vec<Property>>> { todo!() }
    pub async fn set_recipients(&self, item: ItemId, recipients: Vec<Vec<Property>>) -> Result<Saved> { todo!() }
    pub async fn attachments(&self, item: ItemId) -> Result<Vec<Attachment>> { todo!() }
    pub async fn attachment_body(&self, item: ItemId, number: u32) -> Result<Body> { todo!() }
    pub async fn add_attachment(&self, item: ItemId, properties: Vec<Property>, content: Body) -> Result<u32> { todo!() }
    pub async fn delete_attachment(&self, item: ItemId, number: u32) -> Result<Saved> { todo!() }
    pub async fn embedded(&self, item: ItemId, number: u32) -> Result<Vec<Property>> { todo!() }
    pub async fn set_read(&self, items: &[ItemId], read: bool) -> Result<ChangeNumber> { todo!() }
    pub async fn delete_items(&self, items: &[ItemId], soft: bool) -> Result<ChangeNumber> { todo!() }
    pub async fn restore_items(&self, items: &[ItemId]) -> Result<ChangeNumber> { todo!() }
    pub async fn query_items(&self, query: &TableQuery) -> Result<TablePage> { todo!() }
    // The change log (WIT store/changes).
    pub async fn changes_of_folder(&self, folder: FolderId, since: ChangeNumber, limit: u32) -> Result<Delta> { todo!() }
    pub async fn changes_of_hierarchy(&self, since: ChangeNumber) -> Result<HierarchyDelta> { todo!() }
    pub async fn latest(&self) -> Result<ChangeNumber> { todo!() }
    pub async fn reserve_ids(&self, count: u32) -> Result<u64> { todo!() }
    // Named properties and permissions (WIT store/names, store/permissions).
    pub async fn names_to_ids(&self, names: &[NamedProperty], create: bool) -> Result<Vec<u16>> { todo!() }
    pub async fn names_from_ids(&self, ids: &[u16]) -> Result<Vec<Option<NamedProperty>>> { todo!() }
    pub async fn permissions(&self, folder: FolderId) -> Result<Vec<Permission>> { todo!() }
    pub async fn set_permissions(&self, folder: FolderId, entries: Vec<Permission>) -> Result<ChangeNumber> { todo!() }
    pub async fn kv_get(&self, owner: &str, key: &str) -> Result<Option<Vec<u8>>> { todo!() }
    pub async fn kv_put(&self, owner: &str, key: &str, value: &[u8]) -> Result<()> { todo!() }
    pub async fn kv_delete(&self, owner: &str, key: &str) -> Result<()> { todo!() }
    pub async fn kv_list(&self, owner: &str, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>> { todo!() }
    /// Octets: logical size of items, and bytes on disk.
    pub async fn size(&self) -> Result<MailboxSize> { todo!() }
    pub async fn check(&self, repair: bool) -> Result<CheckReport> { todo!() }
}

#[derive(Debug, Clone, PartialEq)]
pub struct ItemProperties { pub item: ItemId, pub properties: Vec<Property> }
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment { pub number: u32, pub properties: Vec<Property>, /// An embedded message, to be read with `embedded`.
    pub is_message: bool }
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved { pub item: ItemId, pub change_number: ChangeNumber, pub change_key: Vec<u8>, pub predecessor_list: Vec<u8>, pub uid: Uid }
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem { pub folder: FolderId, pub associated: bool, pub properties: Vec<Property>, pub recipients: Vec<Vec<Property>> }
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ItemUpdate { pub set: Vec<Property>, pub remove: Vec<PropertyTag>, /// A newer change number is a `Conflict`.
    pub expected: Option<ChangeNumber> }
#[derive(Debug, Clone, PartialEq)]
pub struct TableQuery { pub folder: FolderId, pub associated: bool, pub soft_deleted: bool, pub restriction: Restriction, pub sort: Vec<SortKey>, pub tags: Vec<PropertyTag>, pub offset: u32, pub limit: u32 }
#[derive(Debug, Clone, PartialEq)]
pub struct TablePage { pub rows: Vec<ItemProperties>, pub total: u32 }
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemChange { pub item: ItemId, pub uid: Uid, pub cn: ChangeNumber, pub read_cn: ChangeNumber, pub flag_cn: ChangeNumber, pub associated: bool }
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone { pub item: ItemId, pub uid: Uid, pub cn: ChangeNumber, pub outside_name: Option<String>, pub associated: bool, pub kind: TombstoneKind }
/// As WIT `changes.tombstone.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum TombstoneKind { Soft = 1, Hard = 2, Moved = 3 }
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta { pub changed: Vec<ItemChange>, pub deleted: Vec<Tombstone>, pub until: ChangeNumber, pub more: bool }
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HierarchyDelta { pub changed: Vec<FolderId>, pub deleted: Vec<FolderId>, pub until: ChangeNumber }
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PropertyName { Lid(u32), Text(String) }
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NamedProperty { pub guid: [u8; 16], pub name: PropertyName }
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission { /// An address; `default` or `anonymous`.
    pub member: String, pub rights: u32 }

#[derive(Debug, Clone, serde::Serialize)]
pub struct MailboxSize { pub items: u64, pub bytes: u64, pub bytes_on_disk: u64, pub folders: u32 }
#[derive(Debug, Clone, serde::Serialize)]
pub struct Finding { /// The invariant, such as `blob-without-row`.
    pub invariant: &'static str, pub what: String, pub repaired: Option<String> }
#[derive(Debug, Clone, serde::Serialize)]
pub struct CheckReport { pub items: u64, pub folders: u32, pub blobs: u64, pub findings: Vec<Finding> }

#[doc(hidden)]
pub type _Unused = HashMap<(), ()>;
