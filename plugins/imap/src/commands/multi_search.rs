//! ESEARCH (RFC 7377): one search of several mailboxes, with INPROGRESS (RFC 9585) while it lasts.
//!
//! A turn searches mailboxes for a second at most and then asks for another, so that neither a long search nor a slow client holds
//! more than that, and the session can be handed over in between. A mailbox is told of when something in it fits. Only those of the own account are searched.

use std::time::{SystemTime, UNIX_EPOCH};

use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::{View, views};
use waxwing_sdk::stream::Action;

use super::search::{Extended, extended, nodes_within, pairs};
use super::{filter, search};
use crate::names::Node;
use crate::parse::{Charset, MailboxFilter, MultiSearchRequest, SearchReturn};
use crate::render::text;
use crate::session::{Answer, Completion, Imap, MultiSearching, Output, Pending, Refusal, Updates};

/// A turn ends after so many milliseconds.
const TURN_MS: u64 = 1_000;

/// Seconds between two words of progress; RFC 9585 section 3 proposes 10 to 15.
fn interval() -> u64 {
    waxwing_sdk::config::get_or("progress_seconds", 10)
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

pub(super) fn run(
    session: &mut Imap,
    tag: &str,
    request: MultiSearchRequest,
    out: &mut Output,
) -> Answer {
    let MultiSearchRequest { sources, search } = request;
    if search.charset == Charset::Unknown {
        return Err(search::bad_charset());
    }
    let away = session.state.attention.account.is_some();
    if away && sources.contains(&MailboxFilter::Selected) {
        return Err(Refusal::no(
            "[CANNOT] The selected mailbox is of another account: use SEARCH",
        ));
    }
    if search.mentions_modseq {
        session.enable_condstore(out)?;
    }
    let returns = search.returns.unwrap_or(SearchReturn::ALL);
    if returns.update {
        out.line(&format!(
            "* NO [NOUPDATE \"{tag}\"] A search of several mailboxes is not kept up to date"
        ));
    }
    let tree = session.tree()?;
    let mut folders = filter::folders(session, &tree, &sources)?;
    let total = u32::try_from(folders.len()).unwrap_or(u32::MAX);
    folders.reverse();
    session.state.pending = Pending::MultiSearch(Box::new(MultiSearching {
        tag: tag.to_owned(),
        key: search.key,
        returns,
        mentions_modseq: search.mentions_modseq,
        folders,
        total,
        said_ms: now_ms(),
    }));
    next_turn(session, out);
    Ok(Completion::Later)
}

/// Searches on, and ends the command when every mailbox was searched.
pub(crate) fn next_turn(session: &mut Imap, out: &mut Output) {
    let mut searching = match std::mem::replace(&mut session.state.pending, Pending::Nothing) {
        Pending::MultiSearch(searching) => searching,
        pending => {
            session.state.pending = pending;
            return;
        }
    };
    let answer = match some(session, &mut searching, out) {
        Ok(true) => {
            session.state.pending = Pending::MultiSearch(searching);
            return out.then(Action::More);
        }
        Ok(false) => Ok(Completion::text("ESEARCH completed")),
        Err(refusal) => Err(refusal),
    };
    session.finish(&searching.tag, answer, Updates::All, out);
}

/// Whether there is more to search.
fn some(
    session: &mut Imap,
    searching: &mut MultiSearching,
    out: &mut Output,
) -> Result<bool, Refusal> {
    let begun = now_ms();
    let tree = session.tree()?;
    while let Some(folder) = searching.folders.pop() {
        // One that was deleted meanwhile has no messages.
        if let Some(node) = tree.nodes().iter().find(|node| node.folder.id == folder) {
            one(session, searching, node, out)?;
        }
        let now = now_ms();
        let says = now.saturating_sub(searching.said_ms) >= interval() * 1_000;
        if says && !searching.folders.is_empty() {
            let left = u32::try_from(searching.folders.len()).unwrap_or(u32::MAX);
            let (tag, total) = (&searching.tag, searching.total);
            let done = total.saturating_sub(left);
            out.line(&format!(
                "* OK [INPROGRESS (\"{tag}\" {done} {total})] Searching mailboxes"
            ));
            searching.said_ms = now;
        }
        if says || now.saturating_sub(begun) >= TURN_MS {
            break;
        }
    }
    Ok(!searching.folders.is_empty())
}

fn one(
    session: &mut Imap,
    searching: &MultiSearching,
    node: &Node,
    out: &mut Output,
) -> Result<(), Refusal> {
    let view = match views::open(session.mailbox()?, node.folder.id, true) {
        Err(fault) if fault.class == FaultClass::NotFound => return Ok(()),
        opened => opened?,
    };
    let told = within(session, searching, (node, &view), out);
    view.close();
    told
}

fn within(
    session: &mut Imap,
    searching: &MultiSearching,
    (node, view): (&Node, &View),
    out: &mut Output,
) -> Result<(), Refusal> {
    let nodes = nodes_within(session, &searching.key, view)?;
    let found = view.search(&nodes)?;
    if found.count == 0 {
        return Ok(());
    }
    let utf8 = session.state.enabled.utf8;
    let mut mailbox = Vec::new();
    text::astring(&mut mailbox, &node.name.to_wire(utf8), utf8);
    let correlator = format!(
        "TAG \"{}\" MAILBOX {} UIDVALIDITY {}",
        searching.tag,
        String::from_utf8_lossy(&mailbox),
        view.info().uid_validity
    );
    let answer = Extended {
        correlator: &correlator,
        uid: true,
        returns: searching.returns,
        numbers: &pairs(&found.uids),
        count: found.count,
        modseq: searching.mentions_modseq.then_some(found.highest_modseq),
    };
    extended(out.text(), &answer);
    Ok(())
}
