//! APPEND (RFC 9051 section 6.3.12), MULTIAPPEND (RFC 3502), APPENDUID (RFC 4315), APPENDLIMIT (RFC 7889).
//!
//! A message never enters the plugin: the host makes a body of it, and the store takes the body. All messages of a command are
//! added or none, durably, before it is answered.

use waxwing_sdk::bodies::Body;
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::views::{self, NewMail};
use waxwing_sdk::stream::{Action, Framing, Receive, Received, Reception};

use super::store;
use crate::names::MailboxName;
use crate::parse::{AppendMessage, NextAppend, Rest, parse_next_append};
use crate::render::spans;
use crate::session::{
    Answer, Appending, Arrived, Completion, Imap, Output, Pending, Refusal, Stage, Updates,
};

/// Messages of one command; the host keeps no more bodies over a hand-over.
const MESSAGES: usize = 60;

/// Octets of a message.
pub(crate) fn limit() -> u64 {
    waxwing_sdk::config::get_or("append_limit", 52_428_800)
}

pub(super) fn run(
    session: &mut Imap,
    tag: &str,
    mailbox: MailboxName,
    message: AppendMessage,
    out: &mut Output,
) -> Answer {
    match target(session, &mailbox).and_then(|folder| acceptable(&message).map(|()| folder)) {
        Ok(folder) => {
            let appending = Appending {
                tag: tag.to_owned(),
                mailbox,
                folder,
                arrived: Vec::new(),
                current: message,
            };
            receive(session, appending, out);
            Ok(Completion::Later)
        }
        Err(refusal) if message.synchronising => Err(refusal),
        Err(refusal) => {
            session.skip_rest(line(tag, &refusal), Rest::Literal(message.size), out);
            Ok(Completion::Later)
        }
    }
}

fn target(session: &mut Imap, mailbox: &MailboxName) -> Result<u64, Refusal> {
    if session.state.stage != Stage::Authenticated {
        return Err(Refusal::Bad("Log in first".to_owned()));
    }
    let tree = session.tree()?;
    let node = tree.selectable(mailbox).ok_or_else(no_mailbox)?;
    Ok(node.folder.id)
}

fn no_mailbox() -> Refusal {
    Refusal::no("[TRYCREATE] There is no such mailbox")
}

fn acceptable(message: &AppendMessage) -> Result<(), Refusal> {
    match message.size {
        // RFC 3502 section 6.3.11: so a client cancels.
        0 => Err(Refusal::no("[CANNOT] A message must not be empty")),
        size if size > limit() => Err(too_big()),
        _ => Ok(()),
    }
}

fn too_big() -> Refusal {
    waxwing_sdk::info!("limit reached: append_limit", limit = limit());
    Refusal::No(format!("[TOOBIG] A message may have {} octets", limit()))
}

fn line(tag: &str, refusal: &Refusal) -> Vec<u8> {
    match refusal {
        Refusal::No(text) => format!("{tag} NO {text}\r\n").into_bytes(),
        Refusal::Bad(text) => format!("{tag} BAD {text}\r\n").into_bytes(),
    }
}

/// Waits for the current message.
fn receive(session: &mut Imap, appending: Appending, out: &mut Output) {
    if appending.current.synchronising {
        out.line("+ OK");
    }
    let framing = Framing::Exact(appending.current.size);
    out.then(Action::ReceiveBody(Receive {
        framing,
        limit: limit(),
    }));
    session.state.pending = Pending::Append(Box::new(appending));
}

fn abandon(session: &mut Imap, refusal: &Refusal, tag: &str, rest: Rest, out: &mut Output) {
    drop(session.take_bodies());
    session.skip_rest(line(tag, refusal), rest, out);
}

/// The current message is here.
pub(crate) fn on_received(session: &mut Imap, received: Received, out: &mut Output) {
    let Pending::Append(mut appending) =
        std::mem::replace(&mut session.state.pending, Pending::Nothing)
    else {
        return;
    };
    let refusal = match (received.outcome, received.body) {
        (Reception::Complete, Some(body)) => {
            let AppendMessage {
                flags,
                internal_date,
                ..
            } = &appending.current;
            appending.arrived.push(Arrived {
                flags: flags.clone(),
                internal_date: *internal_date,
                token: 0,
            });
            session.keep_body(body);
            session.state.pending = Pending::Append(appending);
            return;
        }
        (Reception::OverLimit, _) => too_big(),
        _ => {
            waxwing_sdk::error!("a message could not be received", detail = received.detail);
            Refusal::no("[UNAVAILABLE] The message could not be stored, try later")
        }
    };
    abandon(session, &refusal, &appending.tag, Rest::Line, out);
}

/// What stands behind a message.
pub(crate) fn on_input(session: &mut Imap, input: &[u8], out: &mut Output) -> usize {
    let Pending::Append(mut appending) =
        std::mem::replace(&mut session.state.pending, Pending::Nothing)
    else {
        return 0;
    };
    match parse_next_append(input, appending.current.in_parentheses) {
        NextAppend::Incomplete => {
            session.state.pending = Pending::Append(appending);
            0
        }
        NextAppend::End { consumed } => {
            let answer = commit(session, &appending);
            session.finish(&appending.tag, answer, Updates::All, out);
            consumed
        }
        NextAppend::Message { consumed, message } => {
            let enough = || Refusal::no("[LIMIT] One APPEND may have 60 messages");
            let fits = if appending.arrived.len() < MESSAGES {
                acceptable(&message)
            } else {
                Err(enough())
            };
            match fits {
                Ok(()) => {
                    appending.current = *message;
                    receive(session, *appending, out);
                }
                Err(refusal) => {
                    let rest = if message.synchronising {
                        Rest::Nothing
                    } else {
                        Rest::Literal(message.size)
                    };
                    abandon(session, &refusal, &appending.tag, rest, out);
                }
            }
            consumed
        }
        NextAppend::Bad {
            consumed,
            text,
            rest,
        } => {
            abandon(session, &Refusal::Bad(text), &appending.tag, rest, out);
            consumed
        }
    }
}

fn commit(session: &mut Imap, appending: &Appending) -> Answer {
    let bodies: Vec<Body> = session.take_bodies();
    let with_body = appending.arrived.iter().zip(&bodies);
    let messages: Vec<NewMail<'_>> = with_body
        .map(|(arrived, message)| NewMail {
            message,
            flags: store::item_flags(arrived.flags.bits.0),
            keywords: arrived.flags.keywords.clone(),
            internal_date: arrived.internal_date,
        })
        .collect();
    let appended = views::append(session.mailbox()?, appending.folder, &messages).map_err(
        |fault| match fault.class {
            FaultClass::NotFound => no_mailbox(),
            _ => Refusal::from(fault),
        },
    )?;
    let mut uids = Vec::new();
    spans::set(&mut uids, runs(&appended.uids));
    let uids = String::from_utf8_lossy(&uids);
    Ok(Completion::Done(format!(
        "[APPENDUID {} {uids}] APPEND completed",
        appended.uid_validity
    )))
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
