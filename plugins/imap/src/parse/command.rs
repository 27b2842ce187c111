//! Commands: the word behind the tag, and the arguments that no other module reads.

use waxwing_sdk::sasl::Mechanism;

use super::cursor::{Cursor, is_atom_char};
use super::{
    AclRequest, AppendStretch, Bad, EntryName, FetchRequest, FlagList, Frame, ListRequest, Literal,
    MetadataQuery, Mode, MultiSearchRequest, NotifyRequest, Parsed, Partial, QuickResync, Replaced,
    Rest, SearchRequest, SequenceSet, SortRequest, StatusItem, ThreadRequest, acl, append, fetch,
    frame, limits, metadata, multi_search, notify, select::select,
};
use crate::names::MailboxName;

/// A tagged command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// As the client chose it.
    pub tag: String,
    /// What it wants.
    pub command: Command,
}

/// Everything a client can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the commands are those of RFC 9051 section 6, under their names"
)]
pub enum Command {
    Capability,
    Noop,
    Logout,
    StartTls,
    Login {
        user: String,
        password: String,
    },
    /// `initial` is the initial response of SASL-IR, still in base64 (`=` for an empty one).
    Authenticate {
        mechanism: Option<Mechanism>,
        initial: Option<Vec<u8>>,
    },
    Enable(Vec<String>),
    Id(Vec<(String, Option<String>)>),
    Select {
        mailbox: MailboxName,
        read_only: bool,
        condstore: bool,
        resync: Option<QuickResync>,
    },
    Create {
        mailbox: MailboxName,
        special_use: Vec<String>,
    },
    Delete(MailboxName),
    Rename {
        from: MailboxName,
        to: MailboxName,
    },
    Subscribe {
        mailbox: MailboxName,
        on: bool,
    },
    List(ListRequest),
    Lsub(ListRequest),
    Namespace,
    /// The name of a quota root.
    GetQuota(Vec<u8>),
    GetQuotaRoot(MailboxName),
    SetQuota,
    Acl {
        mailbox: MailboxName,
        request: AclRequest,
    },
    Status {
        mailbox: MailboxName,
        items: Vec<StatusItem>,
    },
    /// APPEND, and REPLACE of a message, up to the announcement of the first literal.
    Append {
        mailbox: MailboxName,
        replaces: Option<Replaced>,
        stretch: AppendStretch,
    },
    Check,
    Close,
    Unselect,
    Expunge(Option<SequenceSet>),
    Search {
        uid: bool,
        request: SearchRequest,
    },
    Sort {
        uid: bool,
        request: SortRequest,
    },
    Thread {
        uid: bool,
        request: ThreadRequest,
    },
    Fetch {
        uid: bool,
        request: FetchRequest,
        partial: Option<Partial>,
    },
    Store {
        uid: bool,
        request: StoreRequest,
    },
    Copy {
        uid: bool,
        set: SequenceSet,
        mailbox: MailboxName,
    },
    Move {
        uid: bool,
        set: SequenceSet,
        mailbox: MailboxName,
    },
    Idle,
    Compress,
    Unauthenticate,
    /// Ranges of languages.
    Language(Vec<String>),
    Notify(NotifyRequest),
    MultiSearch(MultiSearchRequest),
    UidBatches {
        size: u32,
        /// First and last batch; none: all.
        batches: Option<(u32, u32)>,
    },
    /// Tags of searches.
    CancelUpdate(Vec<String>),
    GetMetadata {
        mailbox: MailboxName,
        query: MetadataQuery,
    },
    SetMetadata {
        mailbox: MailboxName,
        values: Vec<(EntryName, Option<Vec<u8>>)>,
    },
}

/// What STORE does with its flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreMode {
    /// FLAGS
    Replace,
    /// +FLAGS
    Add,
    /// -FLAGS
    Remove,
}

/// STORE (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRequest {
    /// Of which messages.
    pub set: SequenceSet,
    /// How.
    pub mode: StoreMode,
    /// Without an answer for each.
    pub silent: bool,
    /// Which flags.
    pub flags: FlagList,
    /// UNCHANGEDSINCE
    pub unchanged_since: Option<u64>,
}

/// The tag of the first command, whatever follows it.
pub fn tag(input: &[u8]) -> Option<String> {
    Cursor::new(input, Mode::default()).tag()
}

/// Reads the first command of the unconsumed input, names in modified UTF-7.
pub fn parse_command(input: &[u8]) -> Parsed {
    parse_in(input, Mode::default())
}

/// Reads the first command of the unconsumed input.
pub fn parse_in(input: &[u8], mode: Mode) -> Parsed {
    match frame(input) {
        Frame::Partial { continuations } => Parsed::Incomplete { continuations },
        Frame::Refused {
            length,
            reason,
            rest,
            continuations,
        } => Parsed::Bad {
            consumed: length,
            continuations,
            tag: tag(input),
            text: reason.to_owned(),
            rest,
        },
        Frame::Whole {
            length,
            text,
            continuations,
        } => {
            let cursor = Cursor::new(input.get(..text).unwrap_or_default(), mode);
            parse_framed(cursor, (length, continuations), None)
        }
        Frame::Message {
            length,
            text,
            literal,
            continuations,
        } => {
            let cursor = Cursor::new(input.get(..text).unwrap_or_default(), mode);
            parse_framed(cursor, (length, continuations), Some(literal))
        }
    }
}

fn parse_framed(
    mut cursor: Cursor<'_>,
    (consumed, continuations): (usize, u32),
    message: Option<Literal>,
) -> Parsed {
    let rest = match message {
        Some(literal) if !literal.synchronising => Rest::Literal(literal.size),
        _ => Rest::Nothing,
    };
    let Some(tag) = cursor.tag() else {
        let text = "expected a tag".to_owned();
        return Parsed::Bad {
            consumed,
            continuations,
            tag: None,
            text,
            rest,
        };
    };
    #[cfg(feature = "fault-injection")]
    crate::faults::in_parser(&tag);
    match command_behind_tag(&mut cursor, message) {
        Ok(command) => {
            let request = Box::new(Request { tag, command });
            Parsed::Command {
                consumed,
                continuations,
                request,
            }
        }
        Err(Bad(text)) => Parsed::Bad {
            consumed,
            continuations,
            tag: Some(tag),
            text,
            rest,
        },
    }
}

fn command_behind_tag(cursor: &mut Cursor<'_>, message: Option<Literal>) -> Result<Command, Bad> {
    cursor.space()?;
    let command = match message {
        Some(_) if cursor.eat_word("APPEND ") => append::append(cursor, message)?,
        Some(_) if cursor.eat_word("REPLACE ") => append::replace(cursor, message, false)?,
        Some(_) if cursor.eat_word("UID REPLACE ") => append::replace(cursor, message, true)?,
        _ => Command::parse(cursor)?,
    };
    cursor.end().map(|()| command)
}

impl Cursor<'_> {
    /// ASTRING-CHARs without `+`.
    fn tag(&mut self) -> Option<String> {
        let tag = self.take_while(|byte| (is_atom_char(byte) || byte == b']') && byte != b'+');
        let followed = matches!(self.peek(), Some(b' ' | b'\r' | b'\n') | None);
        let text = std::str::from_utf8(tag).ok()?;
        ((1..=limits::TAG).contains(&text.len()) && followed).then(|| text.to_owned())
    }
}

impl Command {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let name = cursor.atom("a command")?.to_ascii_uppercase();
        match name.as_str() {
            "UID" => {
                cursor.space()?;
                let name = cursor.atom("a command")?.to_ascii_uppercase();
                if name == "EXPUNGE" {
                    cursor.space()?;
                    return SequenceSet::parse(cursor).map(|set| Command::Expunge(Some(set)));
                }
                if name == "REPLACE" {
                    cursor.space()?;
                    return append::replace(cursor, None, true);
                }
                Self::on_messages(&name, cursor, true)?
                    .ok_or_else(|| Bad::new(format!("unknown command UID {name}")))
            }
            _ => match Self::without_arguments(&name) {
                Some(command) => Ok(command),
                None => match Self::on_messages(&name, cursor, false)? {
                    Some(command) => Ok(command),
                    None => Self::on_session_or_mailbox(&name, cursor),
                },
            },
        }
    }

    fn without_arguments(name: &str) -> Option<Self> {
        Some(match name {
            "CAPABILITY" => Command::Capability,
            "NOOP" => Command::Noop,
            "LOGOUT" => Command::Logout,
            "STARTTLS" => Command::StartTls,
            "NAMESPACE" => Command::Namespace,
            "CHECK" => Command::Check,
            "CLOSE" => Command::Close,
            "UNSELECT" => Command::Unselect,
            "EXPUNGE" => Command::Expunge(None),
            "IDLE" => Command::Idle,
            "UNAUTHENTICATE" => Command::Unauthenticate,
            _ => return None,
        })
    }

    fn on_messages(name: &str, cursor: &mut Cursor<'_>, uid: bool) -> Result<Option<Self>, Bad> {
        if !matches!(
            name,
            "FETCH" | "STORE" | "SEARCH" | "SORT" | "THREAD" | "COPY" | "MOVE"
        ) {
            return Ok(None);
        }
        cursor.space()?;
        Ok(Some(match name {
            "FETCH" => fetch::parse(cursor, uid)?,
            "STORE" => Command::Store {
                uid,
                request: store(cursor)?,
            },
            "SEARCH" => Command::Search {
                uid,
                request: SearchRequest::parse(cursor)?,
            },
            "THREAD" => Command::Thread {
                uid,
                request: ThreadRequest::parse(cursor)?,
            },
            "SORT" => Command::Sort {
                uid,
                request: SortRequest::parse(cursor)?,
            },
            _ => {
                let set = SequenceSet::parse(cursor)?;
                cursor.space()?;
                let mailbox = cursor.mailbox()?;
                match name {
                    "COPY" => Command::Copy { uid, set, mailbox },
                    _ => Command::Move { uid, set, mailbox },
                }
            }
        }))
    }

    fn on_session_or_mailbox(name: &str, cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let read: fn(&mut Cursor<'_>) -> Result<Command, Bad> = match name {
            "LOGIN" => login,
            "AUTHENTICATE" => authenticate,
            "ENABLE" => enable,
            "ID" => |cursor: &mut Cursor<'_>| id(cursor).map(Command::Id),
            "SELECT" => |cursor: &mut Cursor<'_>| select(cursor, false),
            "EXAMINE" => |cursor: &mut Cursor<'_>| select(cursor, true),
            "CREATE" => create,
            "DELETE" => |cursor: &mut Cursor<'_>| cursor.mailbox().map(Command::Delete),
            "RENAME" => rename,
            "SUBSCRIBE" => |cursor: &mut Cursor<'_>| subscription(cursor, true),
            "UNSUBSCRIBE" => |cursor: &mut Cursor<'_>| subscription(cursor, false),
            "LIST" => |cursor: &mut Cursor<'_>| ListRequest::parse(cursor).map(Command::List),
            "LSUB" => |cursor: &mut Cursor<'_>| ListRequest::parse_plain(cursor).map(Command::Lsub),
            "STATUS" => status,
            "GETQUOTA" => {
                |cursor: &mut Cursor<'_>| cursor.astring("a quota root").map(Command::GetQuota)
            }
            "GETQUOTAROOT" => |cursor: &mut Cursor<'_>| cursor.mailbox().map(Command::GetQuotaRoot),
            "SETQUOTA" => set_quota,
            "SETACL" => acl::set,
            "DELETEACL" => acl::delete,
            "GETACL" => acl::get,
            "LISTRIGHTS" => acl::list_rights,
            "MYRIGHTS" => acl::my_rights,
            "COMPRESS" => compress,
            "LANGUAGE" => {
                |cursor: &mut Cursor<'_>| words(cursor, "a language").map(Command::Language)
            }
            "NOTIFY" => notify::parse,
            "ESEARCH" => multi_search::parse,
            "UIDBATCHES" => uid_batches,
            "CANCELUPDATE" => {
                |cursor: &mut Cursor<'_>| words(cursor, "a tag").map(Command::CancelUpdate)
            }
            "GETMETADATA" => metadata::get,
            "SETMETADATA" => metadata::set,
            "APPEND" => |cursor: &mut Cursor<'_>| append::append(cursor, None),
            "REPLACE" => |cursor: &mut Cursor<'_>| append::replace(cursor, None, false),
            _ => return Err(Bad::new(format!("unknown command {name}"))),
        };
        if name == "LANGUAGE" && cursor.is_at_end() {
            return Ok(Command::Language(Vec::new()));
        }
        cursor.space()?;
        read(cursor)
    }
}

fn login(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let user = cursor.text("a user name")?;
    cursor.space()?;
    let password = cursor.text("a password")?;
    Ok(Command::Login { user, password })
}

/// RFC 4978 section 3 knows one mechanism.
fn compress(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mechanism = cursor.atom("a mechanism")?;
    match mechanism.eq_ignore_ascii_case("DEFLATE") {
        true => Ok(Command::Compress),
        false => Err(Bad::new(format!("unknown mechanism {mechanism}"))),
    }
}

/// draft-ietf-mailmaint-imap-uidbatches
fn uid_batches(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let size = cursor.nz_number("a batch size")?;
    let mut batches = None;
    if cursor.eat(b' ') {
        let first = cursor.nz_number("a batch")?;
        cursor.expect(b':', "a range of batches")?;
        let last = cursor.nz_number("a batch")?;
        batches = Some((first.min(last), first.max(last)));
    }
    Ok(Command::UidBatches { size, batches })
}

/// One at the least.
fn words(cursor: &mut Cursor<'_>, what: &str) -> Result<Vec<String>, Bad> {
    let mut words = Vec::new();
    loop {
        // A language may be `*`, which is no atom.
        words.push(match cursor.eat(b'*') {
            true => "*".to_owned(),
            false => cursor.text(what)?,
        });
        if !cursor.eat(b' ') {
            return Ok(words);
        }
    }
}

fn rename(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let from = cursor.mailbox()?;
    cursor.space()?;
    let to = cursor.mailbox()?;
    Ok(Command::Rename { from, to })
}

/// Read whole, so that who is refused is told why.
fn set_quota(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    cursor.astring("a quota root")?;
    cursor.space()?;
    cursor.list("resources", |cursor| {
        cursor.atom("a resource")?;
        cursor.space()?;
        cursor.number64("a limit")
    })?;
    Ok(Command::SetQuota)
}

fn subscription(cursor: &mut Cursor<'_>, on: bool) -> Result<Command, Bad> {
    let mailbox = cursor.mailbox()?;
    Ok(Command::Subscribe { mailbox, on })
}

fn status(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    let items = StatusItem::parse_list(cursor)?;
    Ok(Command::Status { mailbox, items })
}

fn authenticate(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mechanism = Mechanism::named(cursor.atom("a mechanism")?);
    let initial = match cursor.eat(b' ') {
        true => Some(cursor.take_while(|byte| byte.is_ascii_graphic()).to_vec()),
        false => None,
    };
    Ok(Command::Authenticate { mechanism, initial })
}

fn enable(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mut names = Vec::new();
    loop {
        names.push(cursor.atom("a capability")?.to_ascii_uppercase());
        if !cursor.eat(b' ') {
            return Ok(Command::Enable(names));
        }
    }
}

fn id(cursor: &mut Cursor<'_>) -> Result<Vec<(String, Option<String>)>, Bad> {
    if cursor.eat_word("NIL") {
        return Ok(Vec::new());
    }
    let text = |raw: Vec<u8>| String::from_utf8_lossy(&raw).into_owned();
    cursor.expect(b'(', "parameters or NIL")?;
    let mut pairs = Vec::new();
    loop {
        // aioimaplib writes spaces inside the parentheses too.
        while cursor.eat(b' ') {}
        if cursor.eat(b')') {
            break;
        }
        let field = cursor.string("a field")?;
        cursor.space()?;
        pairs.push((text(field), cursor.nstring("a value")?.map(text)));
    }
    // RFC 2971 section 3.3.
    if pairs.len() > 30 {
        Err(Bad::new("more than 30 parameters"))
    } else {
        Ok(pairs)
    }
}

fn create(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mailbox = cursor.mailbox()?;
    let mut special_use = Vec::new();
    if cursor.eat(b' ') {
        cursor.expect(b'(', "parameters")?;
        if !cursor.eat_word("USE ") {
            return Err(Bad::new("unknown parameter of CREATE"));
        }
        special_use = cursor.list("special uses", |cursor| {
            cursor.expect(b'\\', "a special use")?;
            Ok(cursor.atom("a special use")?.to_ascii_lowercase())
        })?;
        cursor.expect(b')', "a closing parenthesis")?;
    }
    Ok(Command::Create {
        mailbox,
        special_use,
    })
}

fn store(cursor: &mut Cursor<'_>) -> Result<StoreRequest, Bad> {
    let set = SequenceSet::parse(cursor)?;
    cursor.space()?;
    let mut unchanged_since = None;
    if cursor.eat(b'(') {
        if !cursor.eat_word("UNCHANGEDSINCE ") {
            return Err(Bad::new("unknown modifier of STORE"));
        }
        unchanged_since = Some(cursor.number64("a modseq")?);
        cursor.expect(b')', "a closing parenthesis")?;
        cursor.space()?;
    }
    let mode = match (cursor.eat(b'+'), cursor.eat(b'-')) {
        (true, false) => StoreMode::Add,
        (false, true) => StoreMode::Remove,
        (false, false) => StoreMode::Replace,
        (true, true) => return Err(Bad::new("expected FLAGS")),
    };
    if !cursor.eat_word("FLAGS") {
        return Err(Bad::new("expected FLAGS"));
    }
    let silent = cursor.eat_word(".SILENT");
    cursor.space()?;
    let flags = FlagList::parse_bare(cursor)?;
    Ok(StoreRequest {
        set,
        mode,
        silent,
        flags,
        unchanged_since,
    })
}

#[cfg(test)]
mod tests;
