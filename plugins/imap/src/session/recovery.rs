//! After a crash: the command that was lost is answered with `NO [SERVERBUG]`, everything else stays as it was.

use waxwing_sdk::stream::{Action, Crash, Turn};

use super::{Imap, Output, Pending};
use crate::parse::{Mode, Parsed, Rest, parse_in};

const LOST: &str = "NO [SERVERBUG] Internal error, the command was not completed";

impl Imap {
    pub(super) fn recover(&mut self, crash: &Crash) -> Turn {
        let mut out = Output::default();
        let consumed = self.answer_lost(&crash.input, &mut out);
        if consumed < crash.input.len() && !out.goes_on() {
            out.then(Action::More);
        }
        out.into_turn(consumed)
    }

    fn answer_lost(&mut self, input: &[u8], out: &mut Output) -> usize {
        match std::mem::replace(&mut self.state.pending, Pending::Nothing) {
            Pending::Nothing => self.answer_lost_command(input, out),
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
            Pending::Append(appending) => {
                drop(self.take_bodies());
                self.skip_rest(
                    format!("{} {LOST}\r\n", appending.tag).into_bytes(),
                    Rest::Line,
                    out,
                );
                0
            }
            pending @ (Pending::Skip { .. } | Pending::StartTls) => {
                self.state.pending = pending;
                0
            }
        }
    }

    fn answer_lost_command(&mut self, input: &[u8], out: &mut Output) -> usize {
        let (consumed, tag, rest) = match parse_in(
            input,
            Mode {
                utf8: self.state.enabled.utf8,
            },
        ) {
            Parsed::Incomplete { .. } => return 0,
            Parsed::Bad {
                consumed,
                tag,
                rest,
                ..
            } => (consumed, tag.unwrap_or_else(|| "*".to_owned()), rest),
            Parsed::Command {
                consumed, request, ..
            } => {
                let rest = match &request.command {
                    crate::parse::Command::Append { message, .. } if !message.synchronising => {
                        Rest::Literal(message.size)
                    }
                    _ => Rest::Nothing,
                };
                (consumed, request.tag, rest)
            }
        };
        self.state.continuations = 0;
        self.skip_rest(format!("{tag} {LOST}\r\n").into_bytes(), rest, out);
        consumed
    }
}
