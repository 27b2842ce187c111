//! The mailbox store, as the contract has it: folders, views (IMAP selections), items, changes, names, permissions.
//!
//! One call answers a page of results, never one message or property. A [`Mailbox`] comes from
//! [`Principal::open_mailbox`](crate::accounts::Principal::open_mailbox); a [`View`] is a folder as one client sees it, kept by
//! the host under an id that survives a hand-over.

mod table;

pub use crate::bindings::answered::mailboxes::Mailbox;
pub use crate::bindings::answered::types::{
    ChangeNumber, FolderId, ItemFlags, ItemId, Property, PropertyTag, RestrictionNode, SortKey,
    Span, Uid, Value, ViewId,
};
pub use crate::bindings::answered::views::{
    FlagMode, FlagUpdate, Page, Query, Row, Selection, Table, TableFlagResult, TablePage,
    ThreadAlgorithm, Threads, View, ViewChanges, ViewInfo,
};
pub use crate::bindings::answered::{folders, mailboxes, types, views};
pub use crate::bindings::waxwing::store::{changes, items, names, objects, permissions, scripts};
pub use table::TableRow;
