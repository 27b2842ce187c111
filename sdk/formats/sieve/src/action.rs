//! What a script wants done.

use std::sync::Arc;

/// One thing to do. They are in the order in which the script said them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `keep` and `fileinto`.
    Store(Store),
    /// To somebody else, with the envelope's sender.
    Redirect {
        /// The address.
        address: String,
        /// The header block in place of the message's own, if it was edited.
        header: Option<Arc<[u8]>>,
    },
    /// `reject` and `ereject`: not accepted. No other action but [`Action::Remember`] is beside it.
    Reject {
        /// In the recipient's words.
        reason: String,
        /// What to send to the sender when it is too late to refuse (RFC 5429 section 2.1.1).
        notice: Reply,
    },
    /// A vacation message. It is not to be sent when its `key` was remembered; asked before, and it was not.
    Reply(Reply),
    /// To be remembered for so many seconds once everything else is done: what [`crate::Surroundings::seen`] is asked for.
    Remember {
        /// Text of any length.
        key: String,
        /// From now.
        seconds: u64,
    },
}

/// Into one folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Store {
    /// None: where it would go without a script.
    pub folder: Option<String>,
    /// RFC 8579: in place of `folder` the one with this use, if there is one.
    pub special_use: Option<String>,
    /// RFC 5490: make the folder when it is not there.
    pub create: bool,
    /// `\Seen` and keywords.
    pub flags: Vec<String>,
    /// The header block in place of the message's own, if it was edited.
    pub header: Option<Arc<[u8]>>,
}

/// A whole message to one recipient, with the null sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The address.
    pub to: String,
    /// Lines end in CRLF.
    pub message: Vec<u8>,
}
