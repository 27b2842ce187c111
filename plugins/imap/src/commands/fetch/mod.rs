//! FETCH (RFC 9051 section 6.4.5), page by page.
//!
//! A page is one turn: one call for its rows, one for its bodies, one for the flags it sets. Then the turn asks for another, which
//! comes when the page has left: a slow client holds one page, and the session can be handed over between two.
//! What comes from a message's bytes is sent by the host from the stored body; only headers that arrive with the row, and fields
//! picked from the header of an embedded message, pass through the plugin.

mod binary;
mod item;
pub(super) mod part;
mod plan;

use waxwing_sdk::bodies::Body;
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::{
    FlagMode, FlagUpdate, ItemFlags, Query, RestrictionNode, Selection, Span, Table, TablePage,
    TableRow,
};
use waxwing_sdk::stream::Action;

use super::search::pairs;
use crate::parse::{FetchItem, FetchRequest, Partial, SequenceSet};
use crate::session::{
    Answer, Completion, Fetching, Imap, LeftOut, Output, Pending, Refusal, Targets, Updates,
};
use item::Described;
use plan::Plan;

const EXPUNGED: &str = "[EXPUNGEISSUED] Some of the messages no longer exist";
const UNREADABLE: &str =
    "[SERVERBUG] Some of the messages cannot be read now, the log of the server says why";

/// A FETCH as it was asked for.
pub(super) struct Wanted {
    pub(super) uid: bool,
    pub(super) request: FetchRequest,
    pub(super) partial: Option<Partial>,
}

pub(super) fn run(session: &mut Imap, tag: &str, wanted: Wanted, out: &mut Output) -> Answer {
    let Wanted {
        uid,
        request,
        partial,
    } = wanted;
    let mut targets = session.targets(&request.set, uid)?;
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
    if let Some(partial) = partial {
        let there = RestrictionNode::Uids(targets.uid_spans());
        let found = session.view()?.search(&[there])?;
        targets.spans = partial.of(&pairs(&found.uids));
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

/// Pages that are told of new messages at once; what is beyond, a client fetches itself.
const NEW_PAGES: usize = 8;

/// Tells items of new messages, outside of any command (RFC 5465 section 5.2).
pub(super) fn tell_new(
    session: &mut Imap,
    (first, last): (u32, u32),
    items: Vec<FetchItem>,
    out: &mut Output,
) -> Result<(), Refusal> {
    let targets = Targets {
        spans: vec![(first, last)],
        by_uid: true,
    };
    let request = FetchRequest {
        set: SequenceSet::Saved,
        items,
        changed_since: None,
        vanished: false,
    };
    let mut fetching = fetching("*", targets, request, "");
    for _ in 0..NEW_PAGES {
        if !page(session, &mut fetching, out)? {
            break;
        }
    }
    Ok(())
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
    let found = session
        .view()?
        .fetch_table(&query(fetching, &plan, selection))?;
    if leaves_out(fetching, &found) {
        fetching.left_out = fetching.left_out.max(LeftOut::Gone);
    }
    let seen = mark_seen(session, fetching, &found.rows)?;
    let bodies = open_bodies(session, &plan, &found.rows)?;
    session.announce_keywords(found.rows.keywords.iter().copied(), out)?;
    let newer = seen.iter().flat_map(|table| table.keywords.iter().copied());
    session.announce_keywords(newer, out)?;
    let mut seen = seen.iter().flat_map(Table::rows).peekable();
    for (at, row) in found.rows.rows().enumerate() {
        // As it is since the FETCH itself set its flag.
        let now = seen.next_if(|now| now.uid == row.uid);
        let row = now.map_or(row, |now| TableRow {
            modseq: now.modseq,
            flags: now.flags,
            keywords: now.keywords,
            ..row
        });
        let told = now.map(|_| session.state.enabled.condstore);
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
            described: Described::read(&plan, row.structure),
            keywords: session.keywords(),
            enabled: session.state.enabled,
        };
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

fn query(fetching: &Fetching, plan: &Plan, selection: Selection) -> Query {
    Query {
        selection,
        columns: plan.columns(),
        tags: plan.tags(),
        changed_since: fetching.request.changed_since,
        after: fetching.after,
        limit: plan.rows(),
    }
}

/// Whether a message that was asked for by its number is not on the page: another session has expunged it, which this one was not
/// told yet. UIDs may be of nobody, and those that did not change are left out on purpose.
fn leaves_out(fetching: &Fetching, page: &TablePage) -> bool {
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

/// Sets `\Seen` where an item of the FETCH does (RFC 9051 section 6.4.5), in one call. The rows that changed, as they are now and in
/// the order of `rows`.
fn mark_seen(
    session: &mut Imap,
    fetching: &Fetching,
    rows: &Table,
) -> Result<Option<Table>, Refusal> {
    let read_only = session
        .state
        .selected
        .as_ref()
        .is_none_or(|selected| selected.read_only);
    if read_only || !fetching.request.sets_seen() {
        return Ok(None);
    }
    let unseen: Vec<u32> = rows
        .rows()
        .filter(|row| (row.flags & ItemFlags::SEEN) != ItemFlags::SEEN)
        .map(|row| row.uid)
        .collect();
    if unseen.is_empty() {
        return Ok(None);
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
    match session.view()?.set_flags_table(&update) {
        Ok(result) => Ok(Some(result.rows)),
        // RFC 4314 section 4: who has no right to \Seen reads all the same.
        Err(fault) if fault.class == FaultClass::Denied => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

/// One for each row, or why there is none.
fn open_bodies(
    session: &mut Imap,
    plan: &Plan,
    rows: &Table,
) -> Result<Vec<Result<Body, LeftOut>>, Refusal> {
    if !plan.needs_bodies || rows.is_empty() {
        return Ok(Vec::new());
    }
    let opened = session.view()?.open_bodies(&rows.items);
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
