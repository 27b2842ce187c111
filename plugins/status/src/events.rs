//! `GET /events`: server-sent events (HTML Living Standard, 9.2) about the inbox of whoever asks.
//!
//! The first event tells the counts as they are, each further one follows a change; a comment every [`HEARTBEAT_MS`] keeps
//! proxies from closing the connection. Between two of them the response is parked: what is left of it is the [`Ticket`].
//! A ticket that a newer version cannot read ends the stream; the client comes back by itself after [`RETRY_MS`].

use serde::{Deserialize, Serialize};
use waxwing_sdk::fault::Fault;
use waxwing_sdk::frozen::Frozen as _;
use waxwing_sdk::http::{Action, FolderRef, Head, Park, Request, Wake, respond};
use waxwing_sdk::store::{Mailbox, folders};
use waxwing_sdk::{Frozen, accounts};

/// A comment is sent when nothing else was for so long.
const HEARTBEAT_MS: u64 = 15_000;
/// A client that lost the stream comes back after this.
const RETRY_MS: u64 = 2_000;
/// `folder.role` of the inbox.
const INBOX: u32 = 1;

/// What a parked stream needs to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Frozen)]
#[frozen(format = 1)]
struct Ticket {
    mailbox: u32,
    folder: u64,
    /// As last told.
    counts: Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    items: u32,
    unread: u32,
    uid_next: u32,
    highest_modseq: u64,
}

impl From<&folders::Folder> for Counts {
    fn from(folder: &folders::Folder) -> Counts {
        Counts {
            items: folder.items,
            unread: folder.unread,
            uid_next: folder.uid_next,
            highest_modseq: folder.highest_modseq,
        }
    }
}

impl Counts {
    fn event(&self) -> Vec<u8> {
        let Counts {
            items,
            unread,
            uid_next,
            highest_modseq,
        } = self;
        format!(
            "event: mail\nid: {highest_modseq}\ndata: {{\"items\":{items},\"unread\":{unread},\"uid_next\":{uid_next},\"modseq\":{highest_modseq}}}\n\n"
        )
        .into_bytes()
    }
}

/// The head of every stream.
pub(crate) fn head() -> Head {
    Head::new(200)
        .header("content-type", "text/event-stream")
        .header("cache-control", "no-store")
        .header("x-accel-buffering", "no")
}

/// A stream begins.
pub(crate) fn open(_request: &Request) -> Vec<Action> {
    let Some(principal) = accounts::current() else {
        return respond(401, "text/plain; charset=utf-8", "Who are you?\n");
    };
    match principal
        .open_mailbox(None)
        .and_then(|mailbox| inbox(&mailbox))
    {
        Ok(ticket) => {
            let mut first = format!("retry: {RETRY_MS}\n\n").into_bytes();
            first.extend(ticket.counts.event());
            let mut actions = vec![Action::Head(head()), Action::Send(first)];
            actions.extend(park(&ticket));
            actions
        }
        Err(fault) => {
            waxwing_sdk::warning!("no event stream: {fault}");
            respond(
                503,
                "text/plain; charset=utf-8",
                "Your inbox cannot be opened now.\n",
            )
        }
    }
}

/// A parked stream goes on.
pub(crate) fn resume(ticket: &[u8], wake: &Wake) -> Vec<Action> {
    if matches!(wake, Wake::Closing) {
        return vec![Action::Finish];
    }
    let resumed = Ticket::from_ticket(ticket).and_then(|ticket| {
        let now = ticket.look().map_err(|fault| fault.to_string())?;
        Ok(ticket.tell(now, wake))
    });
    resumed.unwrap_or_else(|reason| {
        waxwing_sdk::info!("an event stream ends: {reason}");
        vec![Action::Finish]
    })
}

fn inbox(mailbox: &Mailbox) -> Result<Ticket, Fault> {
    let folder = folders::by_role(mailbox, INBOX)?;
    Ok(Ticket {
        mailbox: mailbox.number(),
        folder: folder.id,
        counts: Counts::from(&folder),
    })
}

impl Ticket {
    /// The counts of the folder now.
    fn look(&self) -> Result<Counts, Fault> {
        let mailbox = accounts::reopen_mailbox(self.mailbox)?;
        folders::get(&mailbox, self.folder).map(|folder| Counts::from(&folder))
    }

    /// What the stream says when the counts are these, and the next park.
    fn tell(self, now: Counts, wake: &Wake) -> Vec<Action> {
        let mut actions = Vec::new();
        if now != self.counts {
            actions.push(Action::Send(now.event()));
        } else if matches!(wake, Wake::Timeout) {
            actions.push(Action::Send(b": still here\n\n".to_vec()));
        }
        actions.extend(park(&Ticket {
            counts: now,
            ..self
        }));
        actions
    }
}

fn park(ticket: &Ticket) -> Vec<Action> {
    match ticket.to_ticket() {
        Ok(octets) => {
            let watch = vec![FolderRef {
                mailbox: ticket.mailbox,
                folder: ticket.folder,
            }];
            vec![Action::Park(Park {
                watch,
                timeout_ms: HEARTBEAT_MS,
                ticket: octets,
            })]
        }
        Err(reason) => {
            waxwing_sdk::error!("an event stream ends: {reason}");
            vec![Action::Finish]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Counts = Counts {
        items: 3,
        unread: 1,
        uid_next: 9,
        highest_modseq: 40,
    };

    fn ticket() -> Ticket {
        Ticket {
            mailbox: 1,
            folder: 13,
            counts: BEFORE,
        }
    }

    fn sent(actions: &[Action]) -> String {
        let octets = actions.iter().filter_map(|action| {
            if let Action::Send(octets) = action {
                Some(octets.as_slice())
            } else {
                None
            }
        });
        String::from_utf8(octets.collect::<Vec<_>>().concat()).unwrap()
    }

    fn parked(actions: &[Action]) -> Option<Ticket> {
        let Some(Action::Park(park)) = actions.last() else {
            return None;
        };
        assert_eq!(park.timeout_ms, HEARTBEAT_MS);
        Some(Ticket::from_ticket(&park.ticket).unwrap())
    }

    #[test]
    fn a_change_is_told_once_and_kept_in_the_next_ticket() {
        let now = Counts {
            items: 4,
            unread: 2,
            uid_next: 10,
            highest_modseq: 41,
        };
        let actions = ticket().tell(now, &Wake::Changed(Vec::new()));
        assert_eq!(
            sent(&actions),
            "event: mail\nid: 41\ndata: {\"items\":4,\"unread\":2,\"uid_next\":10,\"modseq\":41}\n\n"
        );
        let next = parked(&actions).unwrap();
        assert_eq!(next.counts, now);
        assert_eq!(sent(&next.tell(now, &Wake::Changed(Vec::new()))), "");
    }

    #[test]
    fn a_quiet_quarter_of_a_minute_gets_a_comment() {
        let actions = ticket().tell(BEFORE, &Wake::Timeout);
        assert_eq!(sent(&actions), ": still here\n\n");
        assert_eq!(parked(&actions), Some(ticket()));
    }

    #[test]
    fn the_stream_ends_when_the_server_stops_or_the_ticket_is_foreign() {
        assert!(matches!(
            resume(&ticket().to_ticket().unwrap(), &Wake::Closing).as_slice(),
            [Action::Finish]
        ));
        for foreign in [&b""[..], b"\x01\0\0", b"\x07\0\0\0abc", b"\x01\0\0\0\xff"] {
            assert!(matches!(
                resume(foreign, &Wake::Timeout).as_slice(),
                [Action::Finish]
            ));
        }
    }
    #[test]
    fn tickets_of_every_release_are_read() {
        waxwing_sdk::testing::check_formats(
            &[(1, include_str!("../frozen/1.txt"))],
            &[("parked", ticket())],
        );
    }
}
