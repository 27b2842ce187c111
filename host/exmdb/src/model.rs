//! The records that the store takes and gives, as the contract `waxwing:store` shows them.

use std::ops::RangeInclusive;

use bytes::Bytes;
use waxwing_formats_mapi::{Property, PropertyTag, Restriction, SortKey};

use crate::{Body, ChangeNumber, FolderId, ItemId, Uid, UidValidity, ViewId};

/// As WIT `item-flags`: the IMAP system flags and what else lists need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ItemFlags(pub u32);

impl ItemFlags {
    /// `\Seen`; moves `read_cn`.
    pub const SEEN: u32 = 1;
    /// `\Answered`.
    pub const ANSWERED: u32 = 2;
    /// `\Flagged`.
    pub const FLAGGED: u32 = 4;
    /// `\Deleted`; moves `flag_cn`.
    pub const DELETED: u32 = 8;
    /// `\Draft`.
    pub const DRAFT: u32 = 16;
    /// `\Recent` (RFC 3501): of a view, never stored.
    pub const RECENT: u32 = 32;
    /// `$Forwarded`.
    pub const FORWARDED: u32 = 64;
    /// `$MDNSent`; moves `flag_cn`.
    pub const MDN_SENT: u32 = 128;
    /// The message has parts that a reader shows as attachments; the store sets it.
    pub const HAS_ATTACHMENT: u32 = 256;
    /// An associated (FAI) item; given at creation.
    pub const ASSOCIATED: u32 = 512;
    /// What a client may set on a message.
    pub(crate) const SETTABLE: u32 = Self::SEEN
        | Self::ANSWERED
        | Self::FLAGGED
        | Self::DELETED
        | Self::DRAFT
        | Self::FORWARDED
        | Self::MDN_SENT;

    /// True when every bit of the mask is set.
    #[must_use]
    pub fn has(self, mask: u32) -> bool {
        self.0 & mask == mask
    }
}

macro_rules! roles { ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
    /// What a folder is for (RFC 6154 and MAPI's special folders); the code is WIT's.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[repr(u32)]
    pub enum Role { $($(#[$doc])* $name = $code,)* }

    impl Role {
        /// The role with a code.
        #[must_use]
        pub fn from_code(code: u32) -> Option<Role> {
            match code {
                $($code => Some(Role::$name),)*
                _ => None,
            }
        }
    }
} }

roles! {
    /// An ordinary folder.
    None = 0,
    /// Where mail arrives.
    Inbox = 1,
    /// `\Drafts`.
    Drafts = 2,
    /// `\Sent`.
    Sent = 3,
    /// `\Trash`.
    Trash = 4,
    /// `\Junk`.
    Junk = 5,
    /// `\Archive`.
    Archive = 6,
    /// MAPI's outbox.
    Outbox = 7,
    /// The calendar.
    Calendar = 8,
    /// The contacts.
    Contacts = 9,
    /// The tasks.
    Tasks = 10,
    /// Sticky notes.
    Notes = 11,
    /// The journal.
    Journal = 12,
    /// `\All`.
    All = 13,
    /// `\Flagged`.
    Flagged = 14,
    /// `\Important` (RFC 8457).
    Important = 15,
}

impl Role {
    /// The code in WIT and in the database.
    #[must_use]
    pub fn code(self) -> u32 {
        self as u32
    }
}

/// As WIT `folders.folder`.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Its id, for ever.
    pub id: FolderId,
    /// None below the mail root (the IPM subtree).
    pub parent: Option<FolderId>,
    /// Its name, unique among its siblings.
    pub name: String,
    /// PidTagContainerClass, `IPF.Note` for mail.
    pub container_class: String,
    /// What it is for.
    pub role: Role,
    /// Fixed at creation.
    pub uid_validity: UidValidity,
    /// The UID of the next item.
    pub uid_next: Uid,
    /// Live, normal items.
    pub items: u32,
    /// Of them without `\Seen`.
    pub unread: u32,
    /// Of them with `\Deleted`.
    pub deleted: u32,
    /// Of them not yet claimed by a read-write view.
    pub recent: u32,
    /// Octets of all items.
    pub size: u64,
    /// The newest modseq, expunges included.
    pub highest_modseq: u64,
    /// Version of the folder itself.
    pub change_number: ChangeNumber,
    /// MAPI rights of the actor.
    pub rights: u32,
}

/// A folder to be made.
#[derive(Debug, Clone)]
pub struct NewFolder {
    /// None: below the mail root.
    pub parent: Option<FolderId>,
    /// Its name.
    pub name: String,
    /// `IPF.Note` for mail; empty: its parent's, or `IPF.Note`.
    pub container_class: String,
    /// What it is for; at most one folder has a role.
    pub role: Role,
}

/// A message to be appended.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// Its RFC 5322 form.
    pub message: Body,
    /// Flags to begin with.
    pub flags: ItemFlags,
    /// Keywords to begin with.
    pub keywords: Vec<String>,
    /// Seconds since 1970; none: now.
    pub internal_date: Option<i64>,
}

/// What an append did, in the order of the messages.
#[derive(Debug, Clone)]
pub struct Appended {
    /// Of the folder.
    pub uid_validity: UidValidity,
    /// Ascending.
    pub uids: Vec<Uid>,
    /// The new items.
    pub items: Vec<ItemId>,
    /// The newest of their change numbers.
    pub change_number: ChangeNumber,
}

/// Positions or UIDs, both ends included.
pub type Span = RangeInclusive<u32>;

/// Items of a view. 4294967295 stands for `*`; the ends of a span may stand in either order (RFC 9051 9, `seq-range`).
#[derive(Debug, Clone)]
pub enum Selection {
    /// By position.
    Positions(Vec<Span>),
    /// By UID.
    Uids(Vec<Span>),
}

/// Which parts of a row to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Columns(pub u32);

impl Columns {
    /// `Row::structure`.
    pub const STRUCTURE: u32 = 1;
    /// `Row::header`.
    pub const HEADER: u32 = 2;
    /// `Row::properties`.
    pub const PROPERTIES: u32 = 4;

    /// True when the bit is set.
    #[must_use]
    pub fn has(self, bit: u32) -> bool {
        self.0 & bit != 0
    }
}

/// A page of a view to be fetched.
#[derive(Debug, Clone)]
pub struct Query {
    /// Which items.
    pub selection: Selection,
    /// Which parts.
    pub columns: Columns,
    /// The properties for [`Columns::PROPERTIES`].
    pub tags: Vec<PropertyTag>,
    /// Only items with a higher modseq (CHANGEDSINCE).
    pub changed_since: Option<u64>,
    /// Continue behind this position; 0 starts.
    pub after: u32,
    /// Rows at the most; the store may answer fewer (a page stays below 256 KiB).
    pub limit: u32,
}

/// An item of a view.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its position in the view, from 1.
    pub position: u32,
    /// Its UID.
    pub uid: Uid,
    /// Its id.
    pub item: ItemId,
    /// max(cn, read_cn, flag_cn).
    pub modseq: u64,
    /// Its flags, `RECENT` as this view sees it.
    pub flags: ItemFlags,
    /// Numbers of [`crate::Mailbox::keywords`].
    pub keywords: Vec<u16>,
    /// Seconds since 1970.
    pub internal_date: i64,
    /// Seconds since 1970: when it came to this folder (RFC 8514).
    pub save_date: i64,
    /// Octets of the RFC 5322 form.
    pub size: u64,
    /// `waxwing_formats_mime::Structure`, encoded.
    pub structure: Bytes,
    /// The header block with its empty line.
    pub header: Bytes,
    /// The properties that were asked for and exist.
    pub properties: Vec<Property>,
}

/// Rows, and where to continue.
#[derive(Debug, Clone)]
pub struct Page {
    /// In ascending order of position.
    pub rows: Vec<Row>,
    /// For `Query::after`; none at the end.
    pub next: Option<u32>,
}

/// A view as it stands.
#[derive(Debug, Clone)]
pub struct ViewInfo {
    /// Names it for [`crate::Mailbox::resume_view`].
    pub id: ViewId,
    /// The folder.
    pub folder: FolderId,
    /// Items it shows.
    pub exists: u32,
    /// Of them `\Recent`.
    pub recent: u32,
    /// Position of the first item without `\Seen`; 0 if there is none.
    pub first_unseen: u32,
    /// Of the folder.
    pub uid_validity: UidValidity,
    /// Of the folder.
    pub uid_next: Uid,
    /// The modseq up to which it shows the folder.
    pub highest_modseq: u64,
    /// Opened by EXAMINE.
    pub read_only: bool,
    /// MAPI rights of the actor.
    pub rights: u32,
}

/// What happened since a view was last told.
#[derive(Debug, Clone)]
pub struct ViewChanges {
    /// Positions that vanished, highest first, so that each is valid when it is told.
    pub expunged: Vec<u32>,
    /// The same as UIDs.
    pub expunged_uids: Vec<Span>,
    /// Items the view shows now.
    pub exists: u32,
    /// Of them `\Recent`.
    pub recent: u32,
    /// Items whose flags changed and that the view has not shown yet.
    pub changed: Vec<Row>,
    /// The modseq up to which it shows the folder.
    pub highest_modseq: u64,
}

/// What to do with the given flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagMode {
    /// They become the item's flags.
    Replace,
    /// They are set.
    Add,
    /// They are cleared.
    Remove,
}

/// A change of flags.
#[derive(Debug, Clone)]
pub struct FlagUpdate {
    /// Which items.
    pub selection: Selection,
    /// How.
    pub mode: FlagMode,
    /// The flags; those a client cannot set are ignored.
    pub flags: ItemFlags,
    /// The keywords.
    pub keywords: Vec<String>,
    /// UNCHANGEDSINCE (RFC 7162 3.1.3).
    pub unchanged_since: Option<u64>,
}

/// What a change of flags did.
#[derive(Debug, Clone)]
pub struct FlagResult {
    /// Items as they are now; the view counts them as shown.
    pub rows: Vec<Row>,
    /// UIDs refused by `unchanged_since`.
    pub modified: Vec<Span>,
    /// Of the folder.
    pub highest_modseq: u64,
}

/// What a copy or move did.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// Of the target folder.
    pub uid_validity: UidValidity,
    /// UIDs in the source, ascending.
    pub source: Vec<Span>,
    /// UIDs in the target, pairwise.
    pub target: Vec<Span>,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Found {
    /// In ascending order.
    pub positions: Vec<Span>,
    /// In ascending order.
    pub uids: Vec<Span>,
    /// How many.
    pub count: u32,
    /// The highest modseq among them (RFC 7162 3.1.5); 0 when nothing was found.
    pub highest_modseq: u64,
}

/// Properties of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemProperties {
    /// The item.
    pub item: ItemId,
    /// In the order of the tags; absent ones are left out.
    pub properties: Vec<Property>,
}

/// An attachment.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// PidTagAttachNumber.
    pub number: u32,
    /// Its properties.
    pub properties: Vec<Property>,
    /// An embedded message, to be read with `embedded`.
    pub is_message: bool,
}

/// An item as it was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The item.
    pub item: ItemId,
    /// Its `cn`.
    pub change_number: ChangeNumber,
    /// PidTagChangeKey ([MS-OXCFXICS] 2.2.1.2.7), 22 octets.
    pub change_key: Vec<u8>,
    /// PidTagPredecessorChangeList.
    pub predecessor_list: Vec<u8>,
    /// Its UID in its folder.
    pub uid: Uid,
}

/// An item to be made from properties.
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem {
    /// Where.
    pub folder: FolderId,
    /// Associated (FAI) instead of normal.
    pub associated: bool,
    /// Its properties.
    pub properties: Vec<Property>,
    /// Its recipients.
    pub recipients: Vec<Vec<Property>>,
}

/// A change of an item's properties.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ItemUpdate {
    /// To be set.
    pub set: Vec<Property>,
    /// To be removed.
    pub remove: Vec<PropertyTag>,
    /// A newer change number is a `Conflict`.
    pub expected: Option<ChangeNumber>,
}

/// A page of a table of items.
#[derive(Debug, Clone, PartialEq)]
pub struct TableQuery {
    /// The folder.
    pub folder: FolderId,
    /// Associated (FAI) items instead of normal ones.
    pub associated: bool,
    /// Soft-deleted items instead of live ones.
    pub soft_deleted: bool,
    /// Which.
    pub restriction: Restriction,
    /// In which order; ties and no keys: ascending UID.
    pub sort: Vec<SortKey>,
    /// Which properties.
    pub tags: Vec<PropertyTag>,
    /// Rows to skip.
    pub offset: u32,
    /// Rows at the most.
    pub limit: u32,
}

/// Rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TablePage {
    /// In order.
    pub rows: Vec<ItemProperties>,
    /// Rows that the restriction leaves.
    pub total: u32,
}

/// An item that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemChange {
    /// The item.
    pub item: ItemId,
    /// Its UID.
    pub uid: Uid,
    /// Anything MAPI can see.
    pub cn: ChangeNumber,
    /// Read state only.
    pub read_cn: ChangeNumber,
    /// IMAP-only flags.
    pub flag_cn: ChangeNumber,
    /// Associated (FAI).
    pub associated: bool,
}

/// An item that is gone from a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The item.
    pub item: ItemId,
    /// The UID it had.
    pub uid: Uid,
    /// When it went.
    pub cn: ChangeNumber,
    /// DAV href, ActiveSync server id, when it had one.
    pub outside_name: Option<String>,
    /// It was associated (FAI).
    pub associated: bool,
    /// How it went.
    pub kind: TombstoneKind,
}

/// As WIT `changes.tombstone.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum TombstoneKind {
    /// Recoverable.
    Soft = 1,
    /// For ever.
    Hard = 2,
    /// To another folder.
    Moved = 3,
}

/// Changes of a folder's items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// Oldest first.
    pub changed: Vec<ItemChange>,
    /// Oldest first.
    pub deleted: Vec<Tombstone>,
    /// Continue from here.
    pub until: ChangeNumber,
    /// There is more.
    pub more: bool,
}

/// Changes of the folder tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HierarchyDelta {
    /// New or changed.
    pub changed: Vec<FolderId>,
    /// Gone.
    pub deleted: Vec<FolderId>,
    /// Continue from here.
    pub until: ChangeNumber,
}

/// An entry of a folder's permissions ([MS-OXCPERM]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// An address; `default` or `anonymous`.
    pub member: String,
    /// PidTagMemberRights.
    pub rights: u32,
}

/// Octets of a mailbox.
#[derive(Debug, Clone, serde::Serialize)]
pub struct MailboxSize {
    /// Live and soft-deleted items.
    pub items: u64,
    /// Octets of the items.
    pub bytes: u64,
    /// Octets of database and blob files.
    pub bytes_on_disk: u64,
    /// Folders.
    pub folders: u32,
}

/// An invariant that did not hold.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Finding {
    /// The invariant, such as `blob-without-row`.
    pub invariant: &'static str,
    /// Where and how.
    pub what: String,
    /// What was done about it.
    pub repaired: Option<String>,
}

/// What a check looked at and found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct CheckReport {
    /// Items looked at.
    pub items: u64,
    /// Folders looked at.
    pub folders: u32,
    /// Blobs looked at.
    pub blobs: u64,
    /// What did not hold.
    pub findings: Vec<Finding>,
    /// Its file was damaged and a new one was made of what could be read.
    pub salvage: Option<crate::Salvage>,
}
