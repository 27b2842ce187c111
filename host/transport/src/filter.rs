//! What a person's own filter (a Sieve script) is given, and what it may want.
//!
//! A filter answers with steps, which [`crate::arrive`] carries out; it never touches a mailbox itself. Who runs scripts is not
//! this room's business: the runtime does, in a plugin, and is put in from above by [`crate::Delivery::filter_with`].

use async_trait::async_trait;
use waxwing_exmdb::{Body, Mailbox};

use crate::Envelope;

/// Runs the scripts of mailboxes.
#[async_trait]
pub trait Filter: Send + Sync {
    /// What is to be done with a message; nothing means that it is thrown away.
    ///
    /// # Errors
    /// Why nothing can be said, in one line: the message is kept.
    async fn filter(&self, arrival: Arrival) -> Result<Vec<Step>, String>;
}

/// A message that has come to a mailbox whose owner has a script.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Where it is to be stored.
    pub mailbox: Mailbox,
    /// The owner's primary address.
    pub owner: String,
    /// Of the active script.
    pub script_name: String,
    /// The active script.
    pub script: String,
    /// As it was received.
    pub message: Body,
    /// How it came.
    pub envelope: Envelope,
    /// Which recipient of the envelope led here.
    pub recipient: String,
    /// The name of this server.
    pub host_name: String,
}

/// One thing that a filter wants done.
#[derive(Debug, Clone)]
pub enum Step {
    /// Into a folder.
    Store(Deposit),
    /// To somebody else.
    Redirect(Post),
    /// An answer to the sender.
    Reply(Post),
    /// The message is not accepted.
    Refuse {
        /// For the sender.
        text: String,
        /// What to send when the transaction cannot be refused any more.
        notice: Option<Post>,
    },
    /// Once all of this is done.
    Remember {
        /// Any text.
        key: String,
        /// From now.
        seconds: u64,
    },
}

/// Into one folder.
#[derive(Debug, Clone, Default)]
pub struct Deposit {
    /// By its path; none: where it would go without a filter.
    pub folder: Option<String>,
    /// `\Junk`: before `folder`, if there is such a folder.
    pub special_use: Option<String>,
    /// Make the folder when it is not there.
    pub create: bool,
    /// System flags and keywords.
    pub flags: Vec<String>,
    /// In place of the message as it was received.
    pub message: Option<Body>,
}

/// A message to one recipient.
#[derive(Debug, Clone)]
pub struct Post {
    /// Empty for the null sender.
    pub sender: String,
    /// The address.
    pub recipient: String,
    /// None: the message as it was received.
    pub message: Option<Body>,
}
