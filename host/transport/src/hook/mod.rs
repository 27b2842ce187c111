//! Hooks: filters that are plugins, asked by the mail flow at its stages.
//!
//! Who they are and how they run is not this room's business: the runtime puts itself in from above by
//! [`crate::Delivery::ask_hooks`], as it does for people's own filters. Here is what they are asked, what they may answer, and
//! what comes of it ([`flow`]).
//!
//! All of them are asked once the message is whole, in one order:
//!
//! 1. `connect` and `envelope`: what the client is and what it said. They see it as it was said; what they want changed is done after 2.
//! 2. SPF, DKIM, ARC and DMARC, of mail from outside.
//! 3. Milters.
//! 4. `message-in`, or `message-out` of what is submitted; signatures come after it.
//! 5. Recipients become mailboxes and addresses elsewhere.
//! 6. `deliver`, for each mailbox, and then its owner's own filter.
//!
//! Not while the client waits at each command, for the reasons that milters are not ([`crate::milter`]). At one stage the hooks are
//! asked by their priority; each sees what those before it have made of the message, and the first that does not let it pass ends it.
//!
//! **Promises**: a hook that fails does what the operator says; a message is acknowledged when it has arrived, is in quarantine, or
//! was thrown away by a hook that said so. **Bounds**: edits of one answer ([`EDITS`]), octets of a new body ([`BODY`]).

pub(crate) mod flow;

use std::sync::Arc;

use async_trait::async_trait;
use waxwing_exmdb::Body;

pub(crate) use self::flow::Early;
use crate::Envelope;

/// Edits of one answer.
const EDITS: usize = 1_000;
/// Octets of a body that a hook puts in the place of the message's.
const BODY: u64 = 64 << 20;

/// Where a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Who has connected.
    Connect,
    /// Sender and recipients.
    Envelope,
    /// A message from outside.
    MessageIn,
    /// A message that somebody of ours hands in.
    MessageOut,
    /// Before it is stored in one mailbox.
    Deliver,
}

impl Stage {
    /// All, in the order of the mail flow.
    pub const ALL: [Stage; 5] = [
        Stage::Connect,
        Stage::Envelope,
        Stage::MessageIn,
        Stage::MessageOut,
        Stage::Deliver,
    ];

    /// As manifests name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Stage::Connect => "on-connect",
            Stage::Envelope => "on-envelope",
            Stage::MessageIn => "on-message-in",
            Stage::MessageOut => "on-message-out",
            Stage::Deliver => "on-deliver",
        }
    }
}

/// What a hook is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// When.
    pub stage: Stage,
    /// How the message came.
    pub envelope: Envelope,
    /// The address of who is logged in.
    pub principal: Option<String>,
    /// As it is by now.
    pub message: Body,
    /// At `deliver`: the envelope's recipient that led here.
    pub recipient: String,
    /// Whose mail it is, as far as that is one person: the owner of the mailbox, who is logged in, or the first recipient.
    pub person: String,
}

/// What a hook answers.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The message goes on as it is.
    Accept,
    /// It goes on like this.
    Modify(Vec<Edit>),
    /// It is kept apart; why.
    Quarantine(String),
    /// The sender is told so.
    Reject(Refusal),
    /// The sender comes again.
    Defer(Refusal),
    /// Taken, and thrown away.
    Discard,
}

/// One change.
#[derive(Debug, Clone)]
pub enum Edit {
    /// Behind all fields.
    AddHeader {
        /// Its name.
        name: String,
        /// Its value, unfolded or folded.
        value: String,
    },
    /// Before all fields.
    InsertHeader {
        /// Its name.
        name: String,
        /// Its value, unfolded or folded.
        value: String,
    },
    /// A field goes.
    RemoveHeader {
        /// Its name.
        name: String,
        /// 1 is the first of that name.
        occurrence: u32,
    },
    /// What stands behind the header.
    ReplaceBody(Body),
    /// The envelope's.
    SetSender(String),
    /// Wherever it is.
    AddRecipient(String),
    /// Who gets nothing, without being told.
    RemoveRecipient(String),
    /// At `deliver`: a folder by its path, made when it is not there.
    FileInto(String),
    /// At `deliver`: a system flag or a keyword.
    AddFlag(String),
}

/// An SMTP reply in a hook's words.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    /// 4yz or 5yz.
    pub code: u16,
    /// RFC 3463.
    pub enhanced: String,
    /// For the sender.
    pub text: String,
}

/// A hook that gave no answer.
#[derive(Debug, Clone)]
pub struct HookFailure {
    /// In one line.
    pub reason: String,
    /// What the operator wants then: the message goes on, or its sender comes again.
    pub passes: bool,
}

/// Runs the hooks.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// Those that want a stage, in the order in which they are asked.
    fn at(&self, stage: Stage) -> Vec<Arc<str>>;

    /// Asks one.
    ///
    /// # Errors
    /// When it gave no answer.
    async fn ask(&self, hook: &str, question: Question) -> Result<Verdict, HookFailure>;
}

#[cfg(test)]
mod tests;
