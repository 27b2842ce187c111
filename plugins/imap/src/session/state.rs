//! What lasts between two turns: plain data, frozen as format 2. Enums may grow at their ends without a new format: older bytes stay
//! what they are, and what only a newer version can write is refused by an older one.
//!
//! Handles on host objects are not state: they are found again by number (mailbox), id (view) or token (body).

use serde::{Deserialize, Serialize};
use waxwing_sdk::Frozen;
use waxwing_sdk::sasl::Exchange;

use crate::names::MailboxName;
use crate::parse::{
    AppendLiteral, AppendRole, FetchRequest, FlagList, NotifyGroup, Rest, SearchKey, SearchReturn,
    SortCriterion,
};

/// Where in RFC 9051 section 3 the session is. Selected is Authenticated with a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    NotAuthenticated,
    Authenticated,
    /// After LOGOUT or BYE.
    Logout,
}

/// What ENABLE, or a command that implies it, switched on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enabled {
    pub(crate) condstore: bool,
    pub(crate) quick_resync: bool,
    pub(crate) utf8: bool,
    /// IMAP4rev2
    pub(crate) rev2: bool,
    /// UIDONLY (RFC 9586)
    pub(crate) uid_only: bool,
}

/// The selected mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selected {
    pub(crate) view: u64,
    pub(crate) folder: u64,
    pub(crate) read_only: bool,
    /// As the client was told.
    pub(crate) exists: u32,
    /// So many of the mailbox's keywords stood in the last FLAGS.
    pub(crate) keywords: u32,
    /// The result that `$` names (RFC 5182), as UIDs.
    pub(crate) saved: Vec<(u32, u32)>,
}

/// Why a FETCH told less than it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum LeftOut {
    /// It did not.
    Nothing,
    /// Another session had expunged a message.
    Gone,
    /// A message is there and cannot be read.
    Unreadable,
}

/// A FETCH between two pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fetching {
    pub(crate) tag: String,
    pub(crate) request: FetchRequest,
    /// Of the messages asked for: resolved numbers or UIDs.
    pub(crate) spans: Vec<(u32, u32)>,
    /// Whether `spans` are UIDs.
    pub(crate) by_uid: bool,
    /// The position that was shown last.
    pub(crate) after: u32,
    /// The worst that kept a message from being told.
    pub(crate) left_out: LeftOut,
    /// The text behind OK.
    pub(crate) conclusion: String,
}

/// A message that has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Arrived {
    pub(crate) flags: FlagList,
    pub(crate) internal_date: Option<i64>,
    /// Under which its body is kept while the session is frozen; 0 in a live one.
    pub(crate) token: u64,
}

/// What stood before a message, as versions up to 0.3.0 kept it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppendMessage {
    pub(crate) flags: FlagList,
    pub(crate) internal_date: Option<i64>,
    pub(crate) size: u64,
    pub(crate) synchronising: bool,
    pub(crate) in_parentheses: bool,
}

/// An APPEND of whole messages. A session is frozen to it where that is all there is, so that every version of format 2 can go on;
/// one that lives has a [`Putting`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Appending {
    pub(crate) tag: String,
    pub(crate) mailbox: MailboxName,
    pub(crate) folder: u64,
    pub(crate) arrived: Vec<Arrived>,
    /// The one that is being received, or was received last.
    pub(crate) current: AppendMessage,
}

/// A message of APPEND or REPLACE, arrived whole or in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Put {
    pub(crate) flags: FlagList,
    pub(crate) internal_date: Option<i64>,
    /// Whether a part came as literal8.
    pub(crate) binary: bool,
    /// One for each part that has arrived: as `Arrived.token`.
    pub(crate) tokens: Vec<u64>,
}

/// An APPEND or REPLACE whose literals are arriving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Putting {
    pub(crate) tag: String,
    pub(crate) mailbox: MailboxName,
    pub(crate) folder: u64,
    /// The UID of the message of the selected mailbox that goes when the new one is there (RFC 8508).
    pub(crate) replaces: Option<u32>,
    pub(crate) messages: Vec<Put>,
    /// What was said of the message that is to come.
    pub(crate) flags: FlagList,
    pub(crate) internal_date: Option<i64>,
    /// The literal that is being received, or was received last.
    pub(crate) awaited: AppendLiteral,
}

impl From<Appending> for Putting {
    fn from(appending: Appending) -> Putting {
        let current = appending.current;
        let role = if current.in_parentheses {
            AppendRole::InParentheses
        } else {
            AppendRole::Message
        };
        let put = |arrived: Arrived| Put {
            flags: arrived.flags,
            internal_date: arrived.internal_date,
            binary: false,
            tokens: vec![arrived.token],
        };
        Putting {
            tag: appending.tag,
            mailbox: appending.mailbox,
            folder: appending.folder,
            replaces: None,
            messages: appending.arrived.into_iter().map(put).collect(),
            flags: current.flags,
            internal_date: current.internal_date,
            awaited: AppendLiteral {
                role,
                size: current.size,
                synchronising: current.synchronising,
                binary: false,
            },
        }
    }
}

impl Putting {
    /// The same as an [`Appending`], if that can hold it.
    fn plain(&self) -> Option<Appending> {
        let AppendLiteral {
            role,
            size,
            synchronising,
            binary,
        } = self.awaited;
        let whole = matches!(role, AppendRole::Message | AppendRole::InParentheses);
        if self.replaces.is_some() || binary || !whole {
            return None;
        }
        let arrived = |put: &Put| match put.tokens[..] {
            [token] if !put.binary => Some(Arrived {
                flags: put.flags.clone(),
                internal_date: put.internal_date,
                token,
            }),
            _ => None,
        };
        Some(Appending {
            tag: self.tag.clone(),
            mailbox: self.mailbox.clone(),
            folder: self.folder,
            arrived: self.messages.iter().map(arrived).collect::<Option<_>>()?,
            current: AppendMessage {
                flags: self.flags.clone(),
                internal_date: self.internal_date,
                size,
                synchronising,
                in_parentheses: role == AppendRole::InParentheses,
            },
        })
    }
}

/// What the next input is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Pending {
    /// A command.
    Nothing,
    /// A SASL response.
    Authenticate { tag: String, exchange: Exchange },
    /// DONE.
    Idle { tag: String },
    /// Nothing: pages are being sent.
    Fetch(Box<Fetching>),
    /// What follows is frozen as this where it can be; see [`Appending`].
    Append(Box<Appending>),
    /// The rest of a refused command; then `answer` is sent.
    Skip { answer: Vec<u8>, rest: Rest },
    /// The TLS handshake.
    StartTls,
    /// Messages, and what stands between them.
    Put(Box<Putting>),
    /// Only in frozen bytes: the session attends to something, and waits for what is in it.
    Attending(Box<Attending>),
    /// Nothing: mailboxes are being searched.
    MultiSearch(Box<MultiSearching>),
}

/// An ESEARCH between two turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MultiSearching {
    pub(crate) tag: String,
    pub(crate) key: SearchKey,
    pub(crate) returns: SearchReturn,
    pub(crate) mentions_modseq: bool,
    /// Those to come, the next at the end.
    pub(crate) folders: Vec<u64>,
    /// So many there were.
    pub(crate) total: u32,
    /// When the client heard of it, in milliseconds since 1970.
    pub(crate) said_ms: u64,
}

/// A search that is kept up to date (RFC 5267 section 4.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Of the command, which names it.
    pub(crate) tag: String,
    pub(crate) uid: bool,
    pub(crate) key: SearchKey,
    /// Empty for a SEARCH.
    pub(crate) criteria: Vec<SortCriterion>,
    /// What the client knows: UIDs in their order, those that follow each other as ranges.
    pub(crate) uids: Vec<(u32, u32)>,
}

/// What a client wants to be told beyond what every client is, and where it is when not at home.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attention {
    /// Of the selected mailbox.
    pub(crate) kept: Vec<Kept>,
    /// Up to which `kept` is up to date.
    pub(crate) modseq: u64,
    /// What NOTIFY asked for.
    pub(crate) groups: Vec<NotifyGroup>,
    /// Mailboxes of `groups`, as they were told last.
    pub(crate) told: Vec<ToldMailbox>,
    /// UIDNEXT of the selected mailbox, as it was when new messages were told last.
    pub(crate) uid_next: u32,
    /// By which the session opened the mailbox that the selected folder is in, where it is not its own.
    pub(crate) account: Option<u32>,
}

/// The numbers of a mailbox that NOTIFY watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToldMailbox {
    pub(crate) folder: u64,
    pub(crate) messages: u32,
    pub(crate) uid_next: u32,
    pub(crate) modseq: u64,
}

/// A piece of [`Attention`], as it is frozen: a list of such can grow by other kinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Attended {
    Search(Kept),
    /// The modseq up to which the searches are up to date.
    SearchesUpTo(u64),
    Notify(NotifyGroup),
    Mailbox(ToldMailbox),
    UidNext(u32),
    /// Of whom the selected folder is.
    Account(u32),
}

impl From<Attention> for Vec<Attended> {
    fn from(attention: Attention) -> Self {
        let searches = attention.kept.into_iter().map(Attended::Search);
        let up_to = (attention.modseq > 0).then_some(Attended::SearchesUpTo(attention.modseq));
        let groups = attention.groups.into_iter().map(Attended::Notify);
        let told = attention.told.into_iter().map(Attended::Mailbox);
        let uid_next = (attention.uid_next > 0).then_some(Attended::UidNext(attention.uid_next));
        searches
            .chain(up_to)
            .chain(groups)
            .chain(told)
            .chain(uid_next)
            .chain(attention.account.map(Attended::Account))
            .collect()
    }
}

impl From<Vec<Attended>> for Attention {
    fn from(all: Vec<Attended>) -> Self {
        let mut attention = Attention::default();
        for attended in all {
            match attended {
                Attended::Search(kept) => attention.kept.push(kept),
                Attended::SearchesUpTo(modseq) => attention.modseq = modseq,
                Attended::Notify(group) => attention.groups.push(group),
                Attended::Mailbox(told) => attention.told.push(told),
                Attended::UidNext(uid) => attention.uid_next = uid,
                Attended::Account(number) => attention.account = Some(number),
            }
        }
        attention
    }
}

/// See [`Pending::Attending`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attending {
    pub(crate) attention: Vec<Attended>,
    pub(crate) pending: Pending,
}

impl Pending {
    /// As it is frozen.
    pub(crate) fn folded(self) -> Pending {
        match self {
            Pending::Put(putting) => match putting.plain() {
                Some(appending) => Pending::Append(Box::new(appending)),
                None => Pending::Put(putting),
            },
            pending => pending,
        }
    }

    /// As it lives.
    pub(crate) fn unfolded(self) -> Pending {
        match self {
            Pending::Append(appending) => Pending::Put(Box::new((*appending).into())),
            pending => pending,
        }
    }
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Frozen)]
#[frozen(format = 2, accepts(StateOf1 as 1))]
pub(crate) struct State {
    pub(crate) stage: Stage,
    /// By which the session opened its mailbox.
    pub(crate) mailbox: Option<u32>,
    pub(crate) selected: Option<Selected>,
    pub(crate) enabled: Enabled,
    pub(crate) pending: Pending,
    /// Continuations sent for literals of the command that is arriving.
    pub(crate) continuations: u32,
    /// Commands answered BAD in a row.
    pub(crate) refused: u32,
    /// COMPRESS (RFC 4978)
    pub(crate) compressed: bool,
    /// Frozen as part of `pending`, where there is any: most sessions have none, and stay what every version of format 2 reads.
    #[serde(skip)]
    pub(crate) attention: Attention,
}

impl State {
    /// As it is frozen.
    pub(crate) fn folded(mut self) -> State {
        self.pending = self.pending.folded();
        if self.attention != Attention::default() {
            self.pending = Pending::Attending(Box::new(Attending {
                attention: std::mem::take(&mut self.attention).into(),
                pending: self.pending,
            }));
        }
        self
    }

    /// As it lives.
    pub(crate) fn unfolded(mut self) -> State {
        if let Pending::Attending(attending) = self.pending {
            self.attention = attending.attention.into();
            self.pending = attending.pending;
        }
        self.pending = self.pending.unfolded();
        self
    }

    pub(crate) fn new() -> Self {
        State {
            stage: Stage::NotAuthenticated,
            mailbox: None,
            selected: None,
            enabled: Enabled::default(),
            pending: Pending::Nothing,
            continuations: 0,
            refused: 0,
            compressed: false,
            attention: Attention::default(),
        }
    }
}

/// [`Enabled`] before there were IMAP4rev2 and UIDONLY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EnabledOf1 {
    condstore: bool,
    quick_resync: bool,
    utf8: bool,
}

/// What versions up to 0.1.0 wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
pub(crate) struct StateOf1 {
    stage: Stage,
    mailbox: Option<u32>,
    selected: Option<Selected>,
    enabled: EnabledOf1,
    pending: Pending,
    continuations: u32,
    refused: u32,
}

impl From<StateOf1> for State {
    fn from(old: StateOf1) -> State {
        let EnabledOf1 {
            condstore,
            quick_resync,
            utf8,
        } = old.enabled;
        State {
            stage: old.stage,
            mailbox: old.mailbox,
            selected: old.selected,
            enabled: Enabled {
                condstore,
                quick_resync,
                utf8,
                ..Enabled::default()
            },
            pending: old.pending,
            continuations: old.continuations,
            refused: old.refused,
            compressed: false,
            attention: Attention::default(),
        }
    }
}
