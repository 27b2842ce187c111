//! exmdb, the mailbox store.
//!
//! A [`Store`] holds mailboxes, one SQLite file each. A [`Mailbox`] holds a tree of folders with items; mail comes in by
//! [`Mailbox::append`] and is seen through a [`View`], other protocols see items as property bags. What returned without an
//! error is on disk after a power cut; what changed is told to a [`Watcher`].
//!
//! - `store`: the root folder, its lock, the bound on open databases
//! - `mailbox`: the transaction and all that follows from it, the state in memory, rights
//! - `folder`, `append`, `view`, `item`: what can be done, one operation per file
//! - `object`: what DAV clients put under names of their own
//! - `changes`, `names`, `permissions`, `check`: the change log, named properties, who may what, the invariants
//! - `snapshot`, `restore`: a mailbox at one commit for a backup, and a mailbox made from one
//! - `salvage`: a mailbox made again of what is readable of a damaged file
//! - `prune`: what a mailbox forgets with time
//! - `quota`: what a mailbox may hold
//! - `flag_log`: flags of many items in one row, until they are folded into the rows of the items
//! - `index`: the folder index in memory; `blob`, `body`: message bytes at rest and in hand
//! - `schema`: the tables and their migrations

mod append;
mod blob;
mod body;
mod changes;
mod check;
mod error;
mod flag_log;
mod folder;
mod ids;
mod index;
mod item;
mod mailbox;
mod model;
mod names;
mod object;
mod permissions;
mod prune;
mod quota;
mod restore;
mod salvage;
mod schema;
mod snapshot;
mod store;
mod thread;
mod view;
mod watch;

pub use body::{Body, BodyWriter};
pub use error::{Error, Result};
pub use ids::{ChangeNumber, FolderId, ItemId, MailboxGuid, Uid, UidValidity, ViewId};
pub use mailbox::{Actor, Identity, Mailbox, ScriptEntry};
pub use model::*;
pub use object::*;
pub use prune::{PruneBefore, Pruned};
pub use quota::{Holding, Quota};
pub use restore::{Draft, RestoredMailbox};
pub use salvage::{Loss, Lost, Salvage};
pub use snapshot::{BlobRef, PackedBlob, Snapshot, StoredTable, StoredValue};
pub use store::{Store, StoreConfig, StoreMetrics};
pub use thread::ThreadAlgorithm;
pub use view::{Table, ThreadNode, View};
pub use watch::{Change, Watcher};
pub use waxwing_formats_mapi::{NamedProperty, PropertyName, Rights};
