//! APPEND (RFC 9051 section 6.3.12), MULTIAPPEND (RFC 3502), APPENDUID (RFC 4315), APPENDLIMIT (RFC 7889), CATENATE (RFC 4469),
//! literal8 (RFC 3516), and REPLACE (RFC 8508), which is an APPEND that takes a message away.
//!
//! A message never enters the plugin: the host makes a body of it, and the store takes the body. A message of parts is strung
//! together by the host from what has arrived and from ranges of stored messages. Only a literal8 that holds NUL is read, because
//! it must be encoded. All messages of a command are added or none, durably, before it is answered.

use std::rc::Rc;

use waxwing_sdk::bodies::{self, Body};
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::views::{self, NewMail};
use waxwing_sdk::store::{
    FlagMode, FlagUpdate, ItemFlags, Mailbox, RestrictionNode, Selection, Span,
};
use waxwing_sdk::stream::{Action, Framing, Receive, Received, Reception};

use super::url::{self, Nothing};
use super::{binary, store};
use crate::names::{MailboxName, Realm};
use crate::parse::{
    AppendLiteral, AppendRole, AppendStretch, AppendWord, Bad, ImapUrl, NextAppend, Replaced, Rest,
    SequenceSet, parse_next_append,
};
use crate::render::spans;
use crate::session::{
    Answer, Completion, Imap, Output, Pending, Put, Putting, Refusal, Stage, Updates,
};

/// Bodies of one command: messages, and the parts of the last one. The host keeps no more over a hand-over.
const BODIES: usize = 60;
/// Octets of a URL that comes as a literal.
const URL: u64 = 8_192;

/// Octets of a message.
pub(crate) fn limit() -> u64 {
    waxwing_sdk::config::get_or("append_limit", 52_428_800)
}

/// An APPEND or REPLACE up to its first literal.
pub(super) struct Beginning {
    pub(super) mailbox: MailboxName,
    pub(super) replaces: Option<Replaced>,
    pub(super) stretch: AppendStretch,
}

pub(super) fn run(session: &mut Imap, tag: &str, beginning: Beginning, out: &mut Output) -> Answer {
    let Beginning {
        mailbox,
        replaces,
        stretch,
    } = beginning;
    let place =
        target(session, &mailbox).and_then(|folder| Ok((folder, replaced(session, replaces)?)));
    match place {
        Ok((folder, replaces)) => {
            let putting = Putting {
                tag: tag.to_owned(),
                mailbox,
                folder,
                replaces,
                messages: Vec::new(),
                flags: Default::default(),
                internal_date: None,
                awaited: stretch.literal.unwrap_or(AppendLiteral {
                    role: AppendRole::Message,
                    size: 0,
                    synchronising: false,
                    binary: false,
                }),
            };
            go_on(session, putting, stretch, out);
        }
        Err(refusal) => {
            let rest = stretch
                .literal
                .map_or(Rest::Nothing, |literal| literal.rest());
            if rest == Rest::Nothing {
                return Err(refusal);
            }
            session.skip_rest(line(tag, &refusal), rest, out);
        }
    }
    Ok(Completion::Later)
}

fn target(session: &mut Imap, mailbox: &MailboxName) -> Result<u64, Refusal> {
    if session.state.stage != Stage::Authenticated {
        return Err(Refusal::Bad("Log in first".to_owned()));
    }
    let account = session
        .account_of(mailbox)
        .map_err(|refusal| refusal.or_missing(no_mailbox()))?;
    let node = account.tree.selectable(mailbox).ok_or_else(no_mailbox)?;
    Ok(node.folder.id)
}

fn no_mailbox() -> Refusal {
    Refusal::no("[TRYCREATE] There is no such mailbox")
}

/// The UID of the message that a REPLACE takes away.
fn replaced(session: &mut Imap, replaces: Option<Replaced>) -> Result<Option<u32>, Refusal> {
    let Some(Replaced { uid, number }) = replaces else {
        return Ok(None);
    };
    let selected = session.state.selected.as_ref();
    match selected.map(|selected| selected.read_only) {
        None => return Err(Refusal::Bad("Select a mailbox first".to_owned())),
        Some(true) => return Err(Refusal::no("[CANNOT] The mailbox is selected read-only")),
        Some(false) => {}
    }
    if !uid && session.state.enabled.uid_only {
        return Err(super::uids_required());
    }
    let set = SequenceSet::Ranges(vec![(number, number)]);
    let targets = session.targets(&set, uid)?;
    let there = match targets.by_uid {
        true => RestrictionNode::Uids(targets.uid_spans()),
        false => RestrictionNode::Positions(targets.uid_spans()),
    };
    let found = session.view()?.search(&[there])?;
    match found.uids.first() {
        Some(span) => Ok(Some(span.first)),
        None => Err(gone()),
    }
}

fn gone() -> Refusal {
    Refusal::no("[EXPUNGEISSUED] The message to be replaced does not exist")
}

fn too_big() -> Refusal {
    waxwing_sdk::info!("limit reached: append_limit", limit = limit());
    Refusal::No(format!("[TOOBIG] A message may have {} octets", limit()))
}

fn too_many() -> Refusal {
    Refusal::no("[LIMIT] One command may have 60 messages and parts")
}

fn line(tag: &str, refusal: &Refusal) -> Vec<u8> {
    match refusal {
        Refusal::No(text) => format!("{tag} NO {text}\r\n").into_bytes(),
        Refusal::Bad(text) => format!("{tag} BAD {text}\r\n").into_bytes(),
    }
}

fn abandon(session: &mut Imap, refusal: &Refusal, tag: &str, rest: Rest, out: &mut Output) {
    drop(session.take_bodies());
    session.skip_rest(line(tag, refusal), rest, out);
}

/// Does what a stretch says, then waits for its literal, or ends the command.
fn go_on(session: &mut Imap, mut putting: Putting, stretch: AppendStretch, out: &mut Output) {
    let rest = stretch
        .literal
        .map_or(Rest::Nothing, |literal| literal.rest());
    let done = stretch
        .words
        .into_iter()
        .try_for_each(|word| obey(session, &mut putting, word));
    let accepted = done.and_then(|()| match &stretch.literal {
        Some(literal) => acceptable(session, &putting, literal),
        None => Ok(()),
    });
    if let Err(refusal) = accepted {
        return abandon(session, &refusal, &putting.tag, rest, out);
    }
    match stretch.literal {
        Some(literal) => {
            if literal.synchronising {
                out.line("+ OK");
            }
            out.then(Action::ReceiveBody(Receive {
                framing: Framing::Exact(literal.size),
                limit: limit(),
            }));
            putting.awaited = literal;
            session.state.pending = Pending::Put(Box::new(putting));
        }
        None => {
            let answer = commit(session, &putting, out);
            session.finish(&putting.tag, answer, Updates::All, out);
        }
    }
}

fn obey(session: &mut Imap, putting: &mut Putting, word: AppendWord) -> Result<(), Refusal> {
    match word {
        AppendWord::Message {
            flags,
            internal_date,
            catenate,
        } => {
            if putting.replaces.is_some() && !putting.messages.is_empty() {
                return Err(Refusal::Bad("REPLACE takes one message".to_owned()));
            }
            putting.flags = flags;
            putting.internal_date = internal_date;
            if catenate {
                announce(putting);
            }
            Ok(())
        }
        AppendWord::Url(url) => part_of(session, putting, &url),
        AppendWord::Catenated => settle(session, putting),
    }
}

/// A message begins.
fn announce(putting: &mut Putting) {
    putting.messages.push(Put {
        flags: std::mem::take(&mut putting.flags),
        internal_date: putting.internal_date,
        binary: false,
        tokens: Vec::new(),
    });
}

/// Another part of the last message has arrived.
fn add(session: &mut Imap, putting: &mut Putting, body: Body) -> Result<(), Refusal> {
    if session.kept_bodies() >= BODIES {
        return Err(too_many());
    }
    if let Some(put) = putting.messages.last_mut() {
        put.tokens.push(0);
        session.keep_body(body);
    }
    Ok(())
}

/// A part that is stored.
fn part_of(session: &mut Imap, putting: &mut Putting, text: &str) -> Result<(), Refusal> {
    let bad = |why: &str| {
        let shown: String = text
            .chars()
            .filter(|char| char.is_ascii_graphic() && *char != ']')
            .collect();
        Refusal::No(format!("[BADURL {shown}] {why}"))
    };
    let url = ImapUrl::parse(text).map_err(|Bad(why)| bad(&why))?;
    match url::open(session, &url) {
        Ok(body) => add(session, putting, body),
        Err(Nothing::BadUrl(why)) => Err(bad(why)),
        Err(Nothing::Refused(refusal)) => Err(refusal),
    }
}

/// All parts of the last message are there: one body becomes of them.
fn settle(session: &mut Imap, putting: &mut Putting) -> Result<(), Refusal> {
    let Some(put) = putting.messages.last_mut() else {
        return Ok(());
    };
    let parts = session.take_last_bodies(put.tokens.len());
    let pieces: Vec<_> = parts.iter().map(bodies::whole).collect();
    let mut whole = bodies::compose(&pieces)?;
    match whole.size() {
        0 => return Err(empty()),
        size if size > limit() => return Err(too_big()),
        _ if put.binary => whole = binary::encoded(whole)?,
        _ => {}
    }
    put.tokens = vec![0];
    put.binary = false;
    session.keep_body(whole);
    Ok(())
}

/// RFC 3502 section 6.3.11: so a client cancels.
fn empty() -> Refusal {
    Refusal::no("[CANNOT] A message must not be empty")
}

fn acceptable(session: &Imap, putting: &Putting, literal: &AppendLiteral) -> Result<(), Refusal> {
    let whole = matches!(
        literal.role,
        AppendRole::Message | AppendRole::InParentheses
    );
    match literal.size {
        0 if whole => Err(empty()),
        size if literal.role == AppendRole::Url && size > URL => Err(Refusal::Bad(
            "the URL is longer than 8192 octets".to_owned(),
        )),
        size if size > limit() => Err(too_big()),
        _ if session.kept_bodies() >= BODIES => Err(too_many()),
        _ if whole && putting.messages.len() >= BODIES => Err(too_many()),
        _ => Ok(()),
    }
}

/// The literal is here.
pub(crate) fn on_received(session: &mut Imap, received: Received, out: &mut Output) {
    let Pending::Put(mut putting) = std::mem::replace(&mut session.state.pending, Pending::Nothing)
    else {
        return;
    };
    let taken = match (received.outcome, received.body) {
        (Reception::Complete, Some(body)) => take(session, &mut putting, body),
        (Reception::OverLimit, _) => Err(too_big()),
        _ => {
            waxwing_sdk::error!("a message could not be received", detail = received.detail);
            Err(Refusal::no(
                "[UNAVAILABLE] The message could not be stored, try later",
            ))
        }
    };
    match taken {
        Ok(()) => session.state.pending = Pending::Put(putting),
        Err(refusal) => abandon(session, &refusal, &putting.tag, Rest::Line, out),
    }
}

fn take(session: &mut Imap, putting: &mut Putting, body: Body) -> Result<(), Refusal> {
    let AppendLiteral { role, binary, .. } = putting.awaited;
    match role {
        AppendRole::Url => {
            let url = bodies::read_all(&body, URL)?;
            part_of(session, putting, &String::from_utf8_lossy(&url))
        }
        AppendRole::Text => {
            if let Some(put) = putting.messages.last_mut() {
                put.binary |= binary;
            }
            add(session, putting, body)
        }
        AppendRole::Message | AppendRole::InParentheses => {
            announce(putting);
            let body = if binary { binary::encoded(body)? } else { body };
            add(session, putting, body)
        }
    }
}

/// What stands behind a literal.
pub(crate) fn on_input(session: &mut Imap, input: &[u8], out: &mut Output) -> usize {
    let Pending::Put(putting) = std::mem::replace(&mut session.state.pending, Pending::Nothing)
    else {
        return 0;
    };
    match parse_next_append(input, putting.awaited.role) {
        NextAppend::Incomplete => {
            session.state.pending = Pending::Put(putting);
            0
        }
        NextAppend::Stretch { consumed, stretch } => {
            go_on(session, *putting, stretch, out);
            consumed
        }
        NextAppend::Bad {
            consumed,
            text,
            rest,
        } => {
            abandon(session, &Refusal::Bad(text), &putting.tag, rest, out);
            consumed
        }
    }
}

/// The account that the target is in. A name of another's may mean another account by now, in which the number of the folder says nothing.
fn target_store(session: &mut Imap, putting: &Putting) -> Result<Rc<Mailbox>, Refusal> {
    if matches!(putting.mailbox.realm(), Realm::Personal) {
        return Ok(session.store_of(&putting.mailbox)?.0);
    }
    let account = session.account_of(&putting.mailbox)?;
    let node = account.tree.selectable(&putting.mailbox);
    match node.is_some_and(|node| node.folder.id == putting.folder) {
        true => Ok(account.mailbox),
        false => Err(no_mailbox()),
    }
}

fn commit(session: &mut Imap, putting: &Putting, out: &mut Output) -> Answer {
    let bodies: Vec<Body> = session.take_bodies();
    let span = putting.replaces.map(|uid| Span {
        first: uid,
        last: uid,
    });
    if let Some(span) = span {
        let there = session
            .view()?
            .search(&[RestrictionNode::Uids(vec![span])])?;
        if there.count == 0 {
            return Err(gone());
        }
    }
    let with_body = putting.messages.iter().zip(&bodies);
    let messages: Vec<NewMail<'_>> = with_body
        .map(|(put, message)| NewMail {
            message,
            flags: store::item_flags(put.flags.bits.0),
            keywords: put.flags.keywords.clone(),
            internal_date: put.internal_date,
        })
        .collect();
    let mailbox = target_store(session, putting)?;
    let appended =
        views::append(&mailbox, putting.folder, &messages).map_err(|fault| match fault.class {
            FaultClass::NotFound => no_mailbox(),
            _ => Refusal::from(fault),
        })?;
    let mut uids = Vec::new();
    spans::set(&mut uids, runs(&appended.uids));
    let uids = String::from_utf8_lossy(&uids);
    let code = format!("[APPENDUID {} {uids}]", appended.uid_validity);
    let Some(span) = span else {
        return Ok(Completion::Done(format!("{code} APPEND completed")));
    };
    // Before the expunge, so that a client knows what became of its message (RFC 8508 section 3.3).
    out.line(&format!("* OK {code} The replacement is stored"));
    take_away(session, span)?;
    Ok(Completion::text("REPLACE completed"))
}

/// The message that was replaced goes; the updates at the end of the command tell it.
fn take_away(session: &mut Imap, span: Span) -> Result<(), Refusal> {
    let selection = || Selection::Uids(vec![span]);
    let update = FlagUpdate {
        selection: selection(),
        mode: FlagMode::Add,
        flags: ItemFlags::DELETED,
        keywords: Vec::new(),
        unchanged_since: None,
    };
    let view = session.view()?;
    view.set_flags(&update)?;
    view.expunge(Some(&selection()))?;
    Ok(())
}

/// Ascending numbers as ranges.
fn runs(numbers: &[u32]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    #[test]
    fn uids_in_a_row_are_a_range() {
        assert_eq!(super::runs(&[3, 4, 5, 9]), [(3, 5), (9, 9)]);
    }
}
