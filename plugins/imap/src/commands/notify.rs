//! NOTIFY (RFC 5465): what happens in mailboxes is told when it happens, without a command and without IDLE.
//!
//! The host watches the folders that the groups name and wakes the session; nothing polls. Of the selected mailbox come the answers
//! that any command would bring, with the items that MessageNew asks for; of the others a STATUS, when its numbers are not those
//! that were told last. A mailbox that is created later is watched from the next command on. Events of names, subscriptions and
//! metadata are refused with BADEVENT: the store wakes nobody for them.

use waxwing_sdk::stream::{Action, FolderRef};

use super::{fetch, filter, status};
use crate::names::{Node, Tree};
use crate::parse::{NotifyEvents, NotifyRequest, NotifyScope, StatusItem};
use crate::session::{Answer, Completion, Imap, Output, Pending, Refusal, ToldMailbox, Updates};

/// Folders that one session watches.
const WATCHED: usize = 1_000;

pub(super) fn run(session: &mut Imap, request: NotifyRequest, out: &mut Output) -> Answer {
    let attention = &mut session.state.attention;
    match request {
        NotifyRequest::BadEvent => {
            return Err(Refusal::no(
                "[BADEVENT (MessageNew MessageExpunge FlagChange)] Only these events are told",
            ));
        }
        NotifyRequest::None => {
            attention.groups.clear();
            attention.told.clear();
            watch(session, out);
        }
        NotifyRequest::Set { status, groups } => {
            attention.groups = groups;
            attention.told.clear();
            let tree = session.tree()?;
            let wanted = others(session, &tree)?;
            if wanted.len() > WATCHED {
                session.state.attention.groups.clear();
                return Err(Refusal::no(
                    "[LIMIT] More than 1000 mailboxes cannot be watched",
                ));
            }
            for (folder, events) in wanted {
                let Some(node) = tree.nodes().iter().find(|node| node.folder.id == folder) else {
                    continue;
                };
                if status && events.messages {
                    tell(session, node, &events, out)?;
                }
                session.state.attention.told.push(numbers(node));
            }
            remember_uid_next(session)?;
            watch(session, out);
        }
    }
    Ok(Completion::text("NOTIFY completed"))
}

/// Other mailboxes that are in a group, each with the events of the first that it is in.
fn others(session: &mut Imap, tree: &Tree) -> Result<Vec<(u64, NotifyEvents)>, Refusal> {
    let selected = session.selected_own_folder();
    let mut all: Vec<(u64, NotifyEvents)> = Vec::new();
    for group in session.state.attention.groups.clone() {
        let NotifyScope::Others(filter) = group.scope else {
            continue;
        };
        for folder in filter::folders(session, tree, &[filter])? {
            let new = Some(folder) != selected && all.iter().all(|(known, _)| *known != folder);
            if new {
                all.push((folder, group.events.clone()));
            }
        }
    }
    all.retain(|(_, events)| events.messages);
    Ok(all)
}

fn numbers(node: &Node) -> ToldMailbox {
    let folder = &node.folder;
    ToldMailbox {
        folder: folder.id,
        messages: folder.items,
        uid_next: folder.uid_next,
        modseq: folder.highest_modseq,
    }
}

/// `* STATUS …`
fn tell(
    session: &mut Imap,
    node: &Node,
    events: &NotifyEvents,
    out: &mut Output,
) -> Result<(), Refusal> {
    let mut items = vec![
        StatusItem::Messages,
        StatusItem::UidNext,
        StatusItem::UidValidity,
    ];
    if events.flags {
        items.push(StatusItem::Unseen);
    }
    if session.state.enabled.condstore {
        items.push(StatusItem::HighestModSeq);
    }
    let utf8 = session.state.enabled.utf8;
    let described = status::Described {
        name: &node.name,
        folder: &node.folder,
        mailbox: session.mailbox()?,
    };
    described.line(out.text(), &items, utf8)
}

/// Replaces what the host watches: what the groups name, and the selected mailbox in IDLE.
pub(crate) fn watch(session: &Imap, out: &mut Output) {
    let Some(mailbox) = session.state.mailbox else {
        return;
    };
    let attention = &session.state.attention;
    let idle = matches!(session.state.pending, Pending::Idle { .. });
    let of_selected = attention
        .groups
        .iter()
        .any(|group| matches!(group.scope, NotifyScope::Selected { .. }));
    let selected = session.state.selected.as_ref();
    let selected = selected
        .filter(|_| idle || of_selected)
        .map(|selected| selected.folder);
    let told = attention.told.iter().map(|told| FolderRef {
        mailbox,
        folder: told.folder,
    });
    let selected = selected.map(|folder| FolderRef {
        mailbox: attention.account.unwrap_or(mailbox),
        folder,
    });
    let watched = told.chain(selected).collect();
    out.then(Action::Watch(watched));
}

/// Behind every command of a session that is notified: the selected mailbox may be another, mailboxes may have come and gone.
pub(crate) fn catch_up(
    session: &mut Imap,
    updates: Updates,
    out: &mut Output,
) -> Result<(), Refusal> {
    if session.state.attention.groups.is_empty() {
        return Ok(());
    }
    if updates != Updates::None {
        tell_new(session, out)?;
    }
    tell_others(session, out)?;
    remember_uid_next(session)?;
    watch(session, out);
    Ok(())
}

fn remember_uid_next(session: &mut Imap) -> Result<(), Refusal> {
    let uid_next = match session.state.selected {
        Some(_) => session.view()?.info().uid_next,
        None => 0,
    };
    session.state.attention.uid_next = uid_next;
    Ok(())
}

fn tell_others(session: &mut Imap, out: &mut Output) -> Result<(), Refusal> {
    let tree = session.tree()?;
    let wanted = others(session, &tree)?;
    let mut before = std::mem::take(&mut session.state.attention.told);
    let mut now = Vec::with_capacity(before.len());
    for (folder, events) in wanted.into_iter().take(WATCHED) {
        let Some(node) = tree.nodes().iter().find(|node| node.folder.id == folder) else {
            continue;
        };
        let numbers = numbers(node);
        let place = before.iter().position(|told| told.folder == folder);
        let known = place.map(|place| before.swap_remove(place));
        let news = known.is_some_and(|known| {
            (known.messages, known.uid_next) != (numbers.messages, numbers.uid_next)
                || (events.flags && known.modseq != numbers.modseq)
        });
        if news {
            tell(session, node, &events, out)?;
        }
        now.push(numbers);
    }
    session.state.attention.told = now;
    Ok(())
}

/// Events of the selected mailbox, and whether its expunges wait.
fn of_selected(session: &Imap) -> Option<(bool, NotifyEvents)> {
    let groups = &session.state.attention.groups;
    let selected = groups.iter().find_map(|group| match group.scope {
        NotifyScope::Selected { delayed } => Some((delayed, group.events.clone())),
        NotifyScope::Others(_) => None,
    });
    selected.filter(|(_, events)| events.messages)
}

/// What MessageNew asked to be told of each new message; their EXISTS has been told.
fn tell_new(session: &mut Imap, out: &mut Output) -> Result<(), Refusal> {
    let first = session.state.attention.uid_next;
    let Some((_, events)) = of_selected(session) else {
        return Ok(());
    };
    if events.items.is_empty() || first == 0 || session.state.selected.is_none() {
        return Ok(());
    }
    let next = session.view()?.info().uid_next;
    match first < next {
        true => fetch::tell_new(session, (first, next - 1), events.items, out),
        false => Ok(()),
    }
}

/// A watched folder changed, and no command runs (or an IDLE does).
pub(crate) fn changed(session: &mut Imap, out: &mut Output) -> Result<(), Refusal> {
    if let Some((delayed, _)) = of_selected(session) {
        let idle = matches!(session.state.pending, Pending::Idle { .. });
        let updates = match delayed && !idle {
            true => Updates::WithoutExpunge,
            false => Updates::All,
        };
        session.tell_updates(updates, out)?;
        tell_new(session, out)?;
    }
    tell_others(session, out)?;
    remember_uid_next(session)
}
