//! Scheduling: meetings between people (RFC 5546 iTIP, RFC 6638 CalDAV scheduling, RFC 6047 iMIP), for every protocol.
//!
//! **Owns** the way of a message of iTIP: from somebody here ([`Scheduling::send`]) or out of a mail ([`Scheduling::arrived`]) into the
//! calendars of people of this server, and as mail to everybody; the inbox and outbox of a mailbox ([`Scheduling::collections`]); and the
//! one free/busy engine ([`Scheduling::free_busy`]). What a message means is [`waxwing_formats_ical::schedule`], pure functions; here is
//! who is local, who may say what, and where copies lie. How mail travels is not this room's to know: whoever calls gives a [`Post`].
//!
//! **Promises**
//! - In one mailbox the copy and the item in the scheduling inbox are one commit, made against the copy that was looked at.
//! - Nobody changes a meeting that is not his: a REQUEST or CANCEL is the organiser's, an answer is its attendee's, and a copy that is there
//!   belongs to the organiser it names ([`trust`]).
//! - Whatever a message says, it is an error and a line in the log, and never the end of a task: what reads it runs apart, and a panic there
//!   is caught.
//!
//! **Bounds**: [`MAX_MESSAGES`] messages of one call and [`MAX_FOLLOWING`] that follow from them (what an organiser's copy learns is told
//! to the other attendees), [`MAX_CALENDAR`] octets of a message, [`free_busy`]'s own, and [`inbox::MOST`] items in an inbox.
//!
//! Rooms and equipment answer by themselves ([`resource`]). Everybody gets his mail too, also here: whoever has no calendar program sees the invitation, and answers it from a mail program.

mod apply;
mod arrive;
mod error;
mod facts;
mod free_busy;
mod guard;
mod inbox;
mod letter;
mod people;
mod resource;
mod send;
mod trust;

pub use arrive::Mail;
pub use error::{Error, Result};
pub use free_busy::BusyTime;
pub use inbox::Collections;
pub use letter::{Letter, Post};
pub use resource::{Resource, ResourceKind, ResourcePolicy};
pub use send::{Outgoing, Status};

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;
use waxwing_directory::Directory;
use waxwing_exmdb::Store;

/// Messages of one call.
pub const MAX_MESSAGES: usize = 2_000;
/// Messages that follow from those of one call.
const MAX_FOLLOWING: usize = 10_000;
/// For all of them: whoever has sent the first waits for it.
const FOLLOWING_TIME: Duration = Duration::from_secs(30);
/// Octets of a VCALENDAR.
pub const MAX_CALENDAR: usize = 4 * 1024 * 1024;

/// Brings meetings to people. Cheap to clone.
#[derive(Clone)]
pub struct Scheduling {
    store: Store,
    directory: Directory,
    /// Rooms are asked one after the other: who is first has the hour.
    rooms: Arc<Mutex<()>>,
}

impl Scheduling {
    /// Over mailboxes and their owners.
    #[must_use]
    pub fn new(store: Store, directory: Directory) -> Scheduling {
        Scheduling {
            store,
            directory,
            rooms: Arc::default(),
        }
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[cfg(test)]
mod tests;
