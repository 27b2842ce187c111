//! After a crash: the command that was lost is answered with `NO [SERVERBUG]`, everything else stays as it was.

use waxwing_sdk::stream::{Action, Crash, Turn};

use super::{Imap, Output, Pending};
use crate::parse::{Frame, Rest, frame, tag};

const LOST: &str = "NO [SERVERBUG] Internal error, the command was not completed";

impl Imap {
    pub(super) fn recover(&mut self, crash: &Crash) -> Turn {
        let mut out = Output::default();
        let Some(consumed) = self.answer_lost(&crash.input, &mut out) else {
            // Nothing can be answered yet; the rest of the command will come.
            return Turn::new();
        };
        if consumed < crash.input.len() && !out.goes_on() {
            out.then(Action::More);
        }
        out.into_turn(consumed)
    }

    fn answer_lost(&mut self, input: &[u8], out: &mut Output) -> Option<usize> {
        Some(
            match std::mem::replace(&mut self.state.pending, Pending::Nothing) {
                Pending::Nothing => return self.answer_lost_command(input, out),
                Pending::Authenticate { tag, .. } | Pending::Idle { tag } => {
                    out.line(&format!("{tag} {LOST}"));
                    input
                        .iter()
                        .position(|&byte| byte == b'\n')
                        .map_or(0, |end| end + 1)
                }
                Pending::Fetch(fetching) => {
                    out.line(&format!("{} {LOST}", fetching.tag));
                    0
                }
                Pending::MultiSearch(searching) => {
                    out.line(&format!("{} {LOST}", searching.tag));
                    0
                }
                Pending::Append(_) | Pending::Attending(_) => 0,
                Pending::Put(putting) => {
                    drop(self.take_bodies());
                    self.skip_rest(
                        format!("{} {LOST}\r\n", putting.tag).into_bytes(),
                        Rest::Line,
                        out,
                    );
                    0
                }
                // The handshake is over: commands follow.
                Pending::StartTls if self.context.tls.is_some() => 0,
                pending @ (Pending::Skip { .. } | Pending::StartTls) => {
                    self.state.pending = pending;
                    0
                }
            },
        )
    }

    /// Only the extent and the tag of the command are looked at: its grammar may be what broke.
    fn answer_lost_command(&mut self, input: &[u8], out: &mut Output) -> Option<usize> {
        let (consumed, rest) = match frame(input) {
            Frame::Partial { .. } => return None,
            Frame::Whole { length, .. } => (length, Rest::Nothing),
            Frame::Message {
                length, literal, ..
            } if literal.synchronising => (length, Rest::Nothing),
            Frame::Message {
                length, literal, ..
            } => (length, Rest::Literal(literal.size)),
            Frame::Refused { length, rest, .. } => (length, rest),
        };
        if selects(input) && self.deselect() {
            // RFC 9051 section 6.3.2: after a SELECT that failed, no mailbox is selected.
            out.line("* OK [CLOSED] Previous mailbox is closed");
        }
        let tag = tag(input).unwrap_or_else(|| "*".to_owned());
        self.state.continuations = 0;
        self.skip_rest(format!("{tag} {LOST}\r\n").into_bytes(), rest, out);
        Some(consumed)
    }
}

fn selects(input: &[u8]) -> bool {
    let word = input.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
    [&b"SELECT"[..], b"EXAMINE"]
        .iter()
        .any(|command| word.eq_ignore_ascii_case(command))
}
