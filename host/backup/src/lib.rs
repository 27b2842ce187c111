//! Backups of mailboxes: a folder that holds several generations of each, and shares between them what did not change.
//!
//! ```text
//! DIR/waxwing-backup.json                          what the folder is, and in which format
//! DIR/lock                                         held by who writes
//! DIR/runs/<generation>.json                       what a run of all mailboxes held, written last
//! DIR/directories/<digest>.sqlite                  the directory of users as a run found it
//! DIR/mailboxes/<guid>/generations/<generation>    the mailbox at one commit, written last
//! DIR/mailboxes/<guid>/packs/<digest>.pack         what generations name: messages, and rows of tables
//! ```
//!
//! A generation is a [`Manifest`]: a list of keys. What a key names, an *object*, is either the octets of one blob (its key is the
//! BLAKE3 of the content) or a segment of about a thousand rows of a table (its key is that of the rows). Objects are never
//! changed, so a second run writes the messages that came, the segments in which a row changed, and a list. Segments end where the hash of
//! a row's key says so ([`segment`]), not after so many rows: a row that goes does not move the ends of all others.
//!
//! - A manifest is written when every object it names is on disk, and carries its own digest: a run that was killed leaves no
//!   generation, but the packs it finished, which the next run finds; so a run goes on where the last one stopped.
//! - Each mailbox is apart, as in the store: one damaged file harms one person, and removing somebody's backups is
//!   removing a folder.
//! - Rows, not pages: SQLite cannot give the pages of a living file, and a copy of the whole file each night is what this is
//!   made to avoid. Restoring writes rows into the tables of their version, and upgrades them.
//!
//! Memory is bounded by the objects of one mailbox (about 100 octets each) and a few objects in hand.

mod error;
mod generation;
mod manifest;
mod objects;
mod pack;
mod prune;
mod repository;
mod restore;
mod run;
mod segment;
mod verify;
mod write;

pub use error::{Error, Result};
pub use generation::Generation;
pub use manifest::{Manifest, RunMailbox, RunManifest};
pub use objects::Key;
pub use repository::{MailboxBackup, Repository};
pub use verify::{Damage, Verified};
pub use write::{Written, back_up};
