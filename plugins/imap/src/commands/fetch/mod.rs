//! FETCH (RFC 9051 section 6.4.5), page by page.
//!
//! A page is one turn: one call for its rows, one for its bodies, one for the flags it sets. Then the turn asks for another, which
//! comes when the page has left: a slow client holds one page, and the session can be handed over between two.
//! What comes from a message's bytes is sent by the host from the stored body; only headers that arrive with the row, and fields
//! picked from the header of an embedded message, pass through the plugin.

mod binary;
mod item;
mod plan;

use std::collections::BTreeMap;

use waxwing_sdk::bodies::Body;
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::{FlagMode, FlagUpdate, ItemFlags, Page, Query, Row, Selection, Span};
use waxwing_sdk::stream::Action;

use crate::parse::{FetchItem, FetchRequest, SequenceSet};
use crate::session::{
    Answer, Completion, Fetching, Imap, LeftOut, Output, Pending, Refusal, Targets, Updates,
};
use item::Described;
use plan::Plan;

const EXPUNGED: &str = "[EXPUNGEISSUED] Some of the messages no longer exist";
const UNREADABLE: &str =
    "[SERVERBUG] Some of the messages cannot be read now, the log of the server says why";

pub(super) fn run(
    session: &mut Imap,
    tag: &str,
    uid: bool,
    request: FetchRequest,
    out: &mut Output,
) -> Answer {
    let targets = session.targets(&request.set, uid)?;
    if request.vanished {
        if !session.state.enabled.quick_resync {
            return Err(Refusal::Bad("Enable QRESYNC first".to_owned()));
        }
        super::select::tell_vanished(
            session,
            &targets.selection(),
            request.changed_since.unwrap_or_default(),
            out,
        )?;
    }
    if request.items.contains(&FetchItem::ModSeq) {
        session.enable_condstore(out)?;
    }
    let conclusion = if uid {
        "UID FETCH completed"
    } else {
        "FETCH completed"
    };
    Ok(start(
        session,
        fetching(tag, targets, request, conclusion),
        out,
    ))
}

fn fetching(tag: &str, targets: Targets, request: FetchRequest, conclusion: &str) -> Fetching {
    let Targets { spans, by_uid } = targets;
    let (tag, conclusion) = (tag.to_owned(), conclusion.to_owned());
    Fetching {
        tag,
        request,
        spans,
        by_uid,
        after: 0,
        left_out: LeftOut::Nothing,
        conclusion,
    }
}

/// What SELECT (QRESYNC …) tells of.
pub(super) struct Changes {
    pub(super) targets: Targets,
    pub(super) since: u64,
}

/// Tells flags of what changed since a modseq, then ends the command (RFC 7162 section 3.2.5.1).
pub(super) fn tell_changed(
    session: &mut Imap,
    tag: &str,
    changes: Changes,
    conclusion: &str,
    out: &mut Output,
) -> Completion {
    let Changes { targets, since } = changes;
    let items = vec![FetchItem::Uid, FetchItem::Flags, FetchItem::ModSeq];
    let request = FetchRequest {
        set: SequenceSet::Saved,
        items,
        changed_since: Some(since),
        vanished: false,
    };
    start(session, fetching(tag, targets, request, conclusion), out)
}

fn start(session: &mut Imap, fetching: Fetching, out: &mut Output) -> Completion {
    if fetching.spans.is_empty() {
        return Completion::Done(fetching.conclusion);
    }
    session.state.pending = Pending::Fetch(Box::new(fetching));
    next_page(session, out);
    Completion::Later
}

/// Sends a page, and what ends the command when it was the last.
pub(crate) fn next_page(session: &mut Imap, out: &mut Output) {
    let mut fetching = match std::mem::replace(&mut session.state.pending, Pending::Nothing) {
        Pending::Fetch(fetching) => fetching,
        pending => {
            session.state.pending = pending;
            return;
        }
    };
    let answer = match page(session, &mut fetching, out) {
        Ok(true) => {
            session.state.pending = Pending::Fetch(fetching);
            return out.then(Action::More);
        }
        Ok(false) => match fetching.left_out {
            LeftOut::Nothing => Ok(Completion::Done(std::mem::take(&mut fetching.conclusion))),
            // RFC 5530. What there is was told, so this is no failure.
            LeftOut::Gone => Ok(Completion::text(EXPUNGED)),
            // Never `EXPUNGEISSUED`: a client that keeps a copy would delete it.
            LeftOut::Unreadable => Err(Refusal::no(UNREADABLE)),
        },
        Err(refusal) => Err(refusal),
    };
    session.finish(&fetching.tag, answer, Updates::WithoutExpunge, out);
}

/// Whether there is another page.
fn page(session: &mut Imap, fetching: &mut Fetching, out: &mut Output) -> Result<bool, Refusal> {
    let plan = Plan::new(&fetching.request.items);
    let targets = Targets {
        spans: std::mem::take(&mut fetching.spans),
        by_uid: fetching.by_uid,
    };
    let selection = targets.selection();
    fetching.spans = targets.spans;
    let query = Query {
        selection,
        columns: plan.columns(),
        tags: Vec::new(),
        changed_since: fetching.request.changed_since,
        after: fetching.after,
        limit: plan.rows(),
    };
    let found = session.view()?.fetch(&query)?;
    if leaves_out(fetching, &found) {
        fetching.left_out = fetching.left_out.max(LeftOut::Gone);
    }
    let mut rows = found.rows;
    let seen = mark_seen(session, fetching, &mut rows)?;
    let bodies = open_bodies(session, &plan, &rows)?;
    session.announce_keywords(&rows, out)?;
    for (at, row) in rows.iter().enumerate() {
        let body = match bodies.get(at) {
            Some(Err(left_out)) => {
                fetching.left_out = fetching.left_out.max(*left_out);
                continue;
            }
            Some(Ok(body)) => Some(body),
            None => None,
        };
        // Gone between the look at the index and at the message.
        if plan.needs_structure && row.structure.is_empty() {
            fetching.left_out = fetching.left_out.max(LeftOut::Gone);
            continue;
        }
        let message = item::Message {
            row,
            body,
            described: Described::read(&plan, &row.structure),
            keywords: session.keywords(),
            utf8: session.state.enabled.utf8,
        };
        let told = seen
            .contains(&row.uid)
            .then_some(session.state.enabled.condstore);
        message.render(out, &fetching.request.items, told)?;
    }
    match found.next {
        Some(next) => {
            fetching.after = next;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Whether a message that was asked for by its number is not on the page: another session has expunged it, which this one was not
/// told yet. UIDs may be of nobody, and those that did not change are left out on purpose.
fn leaves_out(fetching: &Fetching, page: &Page) -> bool {
    if fetching.by_uid || fetching.request.changed_since.is_some() {
        return false;
    }
    let (after, last) = (fetching.after, page.next.unwrap_or(u32::MAX));
    let wanted = fetching.spans.iter().map(|&(first, end)| {
        let (first, end) = (first.max(after.saturating_add(1)), end.min(last));
        u64::from(end.saturating_add(1).saturating_sub(first))
    });
    wanted.sum::<u64>() > page.rows.len() as u64
}

/// Sets `\Seen` where an item of the FETCH does (RFC 9051 section 6.4.5), in one call; the rows get their new flags. UIDs of
/// those that changed.
fn mark_seen(
    session: &mut Imap,
    fetching: &Fetching,
    rows: &mut [Row],
) -> Result<Vec<u32>, Refusal> {
    let read_only = session
        .state
        .selected
        .as_ref()
        .is_none_or(|selected| selected.read_only);
    if read_only || !fetching.request.sets_seen() {
        return Ok(Vec::new());
    }
    let unseen: Vec<u32> = rows
        .iter()
        .filter(|row| (row.flags & ItemFlags::SEEN) != ItemFlags::SEEN)
        .map(|row| row.uid)
        .collect();
    if unseen.is_empty() {
        return Ok(unseen);
    }
    let update = FlagUpdate {
        selection: Selection::Uids(
            unseen
                .iter()
                .map(|&uid| Span {
                    first: uid,
                    last: uid,
                })
                .collect(),
        ),
        mode: FlagMode::Add,
        flags: ItemFlags::SEEN,
        keywords: Vec::new(),
        unchanged_since: None,
    };
    let result = session.view()?.set_flags(&update)?;
    let mut changed: BTreeMap<u32, Row> =
        result.rows.into_iter().map(|row| (row.uid, row)).collect();
    for row in rows {
        if let Some(now) = changed.remove(&row.uid) {
            (row.flags, row.keywords, row.modseq) = (now.flags, now.keywords, now.modseq);
        }
    }
    Ok(unseen)
}

/// One for each row, or why there is none.
fn open_bodies(
    session: &mut Imap,
    plan: &Plan,
    rows: &[Row],
) -> Result<Vec<Result<Body, LeftOut>>, Refusal> {
    if !plan.needs_bodies || rows.is_empty() {
        return Ok(Vec::new());
    }
    let items: Vec<u64> = rows.iter().map(|row| row.item).collect();
    let opened = session.view()?.open_bodies(&items);
    let body = |result: Result<Body, waxwing_sdk::Fault>| {
        result.map_err(|fault| {
            if fault.class == FaultClass::NotFound {
                waxwing_sdk::debug!("a message is gone", detail = fault.detail);
                LeftOut::Gone
            } else {
                waxwing_sdk::error!("a message could not be opened", detail = fault.detail);
                LeftOut::Unreadable
            }
        })
    };
    Ok(opened.into_iter().map(body).collect())
}
