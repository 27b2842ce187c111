//! Threads of messages (RFC 5256 section 3, and REFS of the drafts that Dovecot and Cyrus follow): pure functions over what a message
//! says of others. Ids and subjects are hashes here: threads compare them and never show them.
//!
//! Every step is near linear, whatever the messages say: an ancestor is found by a disjoint set rather than by walking up, and no
//! function calls itself, so neither a chain of a million replies nor one of a million references is a danger.

mod forest;
mod ordered_subject;
mod references;

pub(crate) use forest::Threads;

/// What a message says of itself and others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Threaded<'a> {
    /// Of its Message-ID; 0: it has none.
    pub(crate) id: u64,
    /// Of those it refers to, oldest first.
    pub(crate) references: &'a [u64],
    /// Of its base subject; 0: it is empty.
    pub(crate) subject: u64,
    /// Whether the subject says that it is a reply or forward.
    pub(crate) is_reply: bool,
    /// When it was sent, in seconds since 1970.
    pub(crate) sent: i64,
    /// Its place among equals, and its name in the answer.
    pub(crate) position: u32,
}

/// How messages are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadAlgorithm {
    /// By base subject: the first message, and all others under it.
    OrderedSubject,
    /// By Message-ID, References and In-Reply-To, and roots by base subject.
    References,
    /// By the same without subjects; threads in the order of their newest message.
    Refs,
}

/// Puts messages together; they come in ascending order of position.
pub(crate) fn thread(messages: &[Threaded<'_>], algorithm: ThreadAlgorithm) -> Threads {
    match algorithm {
        ThreadAlgorithm::OrderedSubject => ordered_subject::thread(messages),
        ThreadAlgorithm::References => references::thread(messages, true),
        ThreadAlgorithm::Refs => references::thread(messages, false),
    }
}
