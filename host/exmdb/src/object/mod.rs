//! Objects: iCalendar objects and vCards, as DAV clients put them.
//!
//! An object is an item with a source blob and a name that a client gave it, unique in its folder for as long as it lives; a
//! tombstone keeps the name. The source is served byte for byte. The store does not read it: what it must know (UID, kind, what
//! lists show, when it occurs) comes with it as [`ObjectFacts`], from whoever parsed it inside the sandbox. Views show mail and
//! no objects; the change log, property bags and tables of items show them like any other item.
//!
//! When an object occurs is one packed list in its row ([`occurrences`]), not a row for each time: a daily event costs two
//! octets a day, and a range is looked for in the columns `first` and `last` first. The list may end at a horizon; a range beyond
//! it names the object as one that may occur, and whoever expanded it puts the longer list back ([`Mailbox::set_occurrences`]).
//!
//! Every call is about many objects or about one that is changed; a change is one commit with all its conditions.

mod changes;
mod collection;
mod delete;
mod occur;
mod occurrences;
mod of_uid;
mod put;
mod read;
mod row;
mod transfer;

pub use collection::{CollectionUpdate, NewCollection};
pub use put::ObjectPut;
pub use transfer::ObjectTransfer;

use waxwing_formats_mapi::Property;

use crate::{ChangeNumber, FolderId, ItemId};

/// Octets of a name: a segment of a path.
const MAX_NAME: usize = 512;
/// Octets of a UID.
const MAX_UID: usize = 1024;

macro_rules! kinds { ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
    /// What an object is; the code is WIT's.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[repr(u32)]
    pub enum ObjectKind { $($(#[$doc])* $name = $code,)* }

    impl ObjectKind {
        /// The kind with a code.
        #[must_use]
        pub fn from_code(code: u32) -> Option<ObjectKind> {
            match code {
                $($code => Some(ObjectKind::$name),)*
                _ => None,
            }
        }
    }
} }

kinds! {
    /// VEVENT.
    Event = 1,
    /// VTODO.
    ToDo = 2,
    /// VJOURNAL.
    Journal = 3,
    /// VFREEBUSY.
    FreeBusy = 4,
    /// VAVAILABILITY (RFC 7953).
    Availability = 5,
    /// A vCard.
    Card = 6,
}

/// 128 bits of the BLAKE3 digest of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ETag(pub [u8; 16]);

impl ETag {
    fn of(digest: &[u8; 32]) -> ETag {
        let (half, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
        ETag(*half)
    }
}

/// An object without its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The item that it is.
    pub item: ItemId,
    /// Unique in its folder.
    pub name: String,
    /// The UID in its source.
    pub uid: String,
    /// What it is.
    pub kind: ObjectKind,
    /// Changes with the source and with nothing else.
    pub etag: ETag,
    /// Octets of the source.
    pub size: u64,
    /// Seconds since 1970.
    pub created: i64,
    /// Seconds since 1970: when the source was put.
    pub modified: i64,
    /// Its `cn`.
    pub change_number: ChangeNumber,
    /// RFC 6638 section 3.2.10, of a scheduling object: the entity tag that it had when more than the answers of others changed.
    pub schedule_tag: Option<ETag>,
}

/// When something occurs, in seconds since 1970; both ends included, so that the list may say too much and never too little.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Occurrences {
    /// Beginnings and ends.
    pub ranges: Vec<(i64, i64)>,
    /// What occurs from here on is not among them; none: they are all.
    pub horizon: Option<i64>,
}

/// What whoever parsed a source knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectFacts {
    /// What it is.
    pub kind: ObjectKind,
    /// No two objects of a folder have the same.
    pub uid: String,
    /// What other protocols see: the message class, the subject, times.
    pub properties: Vec<Property>,
    /// When it occurs; nothing for what has no time.
    pub occurrences: Occurrences,
    /// What becomes of its Schedule-Tag.
    pub scheduling: SchedulingState,
}

/// Whether an object is a scheduling object, and what is new in it (RFC 6638 section 3.2.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchedulingState {
    /// It is none: it has no Schedule-Tag.
    #[default]
    Not,
    /// It is one, and more than the answers of others changed.
    Changed,
    /// Its tag stays as it is.
    AnswersOnly,
}

/// What must be true for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectCondition {
    /// Nothing.
    Any,
    /// There is no object of the name (`If-None-Match: *`).
    Absent,
    /// There is one (`If-Match: *`).
    Present,
    /// There is one, with one of these (`If-Match`).
    Is(Vec<ETag>),
    /// There is none, or it has none of these (`If-None-Match`).
    IsNot(Vec<ETag>),
}

impl ObjectCondition {
    fn holds(&self, object: Option<&Object>) -> bool {
        match (self, object) {
            (ObjectCondition::Any, _)
            | (ObjectCondition::Present, Some(_))
            | (ObjectCondition::Absent | ObjectCondition::IsNot(_), None) => true,
            (ObjectCondition::Absent, Some(_))
            | (ObjectCondition::Present | ObjectCondition::Is(_), None) => false,
            (ObjectCondition::Is(tags), Some(object)) => tags.contains(&object.etag),
            (ObjectCondition::IsNot(tags), Some(object)) => !tags.contains(&object.etag),
        }
    }
}

/// How a change ended. Only the first two changed anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectOutcome {
    /// There was nothing of the name.
    Created(Object),
    /// It took the place of what was there.
    Replaced(Object),
    /// The condition does not hold for what is there.
    Refused(Option<Object>),
    /// The UID belongs to the object of this name; the name itself when a source would change its UID.
    UidTaken(String),
}

/// Objects in the order in which they came to the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPage {
    /// The objects.
    pub objects: Vec<Object>,
    /// Where to continue; none at the end.
    pub next: Option<u32>,
}

/// An object that occurs in a range, or may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurring {
    /// The object.
    pub object: Object,
    /// False: its list ends before the range does.
    pub certain: bool,
}

/// What happened to the objects of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectChanges {
    /// New or changed, oldest change first.
    pub changed: Vec<Object>,
    /// Names of which nothing is there any more.
    pub deleted: Vec<String>,
    /// Continue from here.
    pub until: ChangeNumber,
    /// There is more.
    pub more: bool,
}

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPlace {
    /// The folder.
    pub folder: FolderId,
    /// Its name there.
    pub name: String,
}
