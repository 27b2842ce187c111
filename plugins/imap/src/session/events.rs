//! Events to commands.

use waxwing_sdk::stream::{Action, CloseReason, Event, Framing, Receive, Received, Turn};

use super::updates::Updates;
use super::{Imap, KEEP_ALIVE, Output, Pending, Refusal, Stage};
use crate::commands::{self, Need};
use crate::parse::{Mode, Parsed, Request, Rest, parse_in, skip};

impl Imap {
    pub(super) fn on(&mut self, event: Event) -> Turn {
        let mut out = Output::default();
        let mut consumed = 0;
        match event {
            Event::Input(input) => {
                consumed = self.on_input(&input, &mut out);
                if consumed > 0 && consumed < input.len() && !out.goes_on() {
                    out.then(Action::More);
                }
            }
            Event::TlsEstablished(tls) => {
                self.context.tls = Some(tls);
                self.state.pending = Pending::Nothing;
            }
            Event::BodyReceived(received) => self.on_body(received, &mut out),
            Event::Drained => {
                #[cfg(feature = "fault-injection")]
                if let Pending::Fetch(fetching) = &self.state.pending {
                    crate::faults::between_pages(&fetching.tag);
                }
                commands::fetch::next_page(self, &mut out);
                commands::multi_search::next_turn(self, &mut out);
            }
            Event::Timer(KEEP_ALIVE) => commands::idle::keep_alive(self, &mut out),
            Event::Timer(_) => self.say_bye("Autologout after 30 minutes of silence", &mut out),
            Event::Changed(_) => self.on_change(&mut out),
            Event::Closing(reason) => out.line(&format!("* BYE {}", farewell(reason))),
            Event::Closed | Event::Extension(_) => {}
        }
        out.into_turn(consumed)
    }

    /// A watched folder changed. While a command runs, its end tells what there is to tell.
    fn on_change(&mut self, out: &mut Output) {
        let idle = matches!(self.state.pending, Pending::Idle { .. });
        if idle {
            commands::idle::changed(self, out);
        }
        let notified = !self.state.attention.groups.is_empty();
        if notified && (idle || self.state.pending == Pending::Nothing) {
            match commands::notify::changed(self, out) {
                Ok(()) => out.then(Action::Park),
                Err(refusal) => self.lose_selection(None, &refusal, out),
            }
        }
    }

    fn on_input(&mut self, input: &[u8], out: &mut Output) -> usize {
        if self.state.stage == Stage::Logout {
            return input.len();
        }
        match &self.state.pending {
            Pending::Nothing => self.on_command(input, out),
            Pending::Authenticate { .. } => commands::authenticate::on_input(self, input, out),
            Pending::Idle { .. } => commands::idle::on_input(self, input, out),
            Pending::Put(_) => commands::append::on_input(self, input, out),
            Pending::Skip { .. } => self.on_skipped(input, out),
            Pending::Fetch(_)
            | Pending::MultiSearch(_)
            | Pending::StartTls
            | Pending::Append(_)
            | Pending::Attending(_) => 0,
        }
    }

    fn on_command(&mut self, input: &[u8], out: &mut Output) -> usize {
        match parse_in(
            input,
            Mode {
                utf8: self.state.enabled.utf8,
            },
        ) {
            Parsed::Incomplete { continuations } => {
                self.continue_literals(continuations, out);
                0
            }
            Parsed::Command {
                consumed,
                continuations,
                request,
            } => {
                self.continue_literals(continuations, out);
                self.state.continuations = 0;
                self.run(*request, out);
                consumed
            }
            Parsed::Bad {
                consumed,
                continuations,
                tag,
                text,
                rest,
            } => {
                self.continue_literals(continuations, out);
                self.state.continuations = 0;
                // The DONE of an IDLE that the server had to end.
                let stray = input
                    .get(..consumed)
                    .is_some_and(|line| line.trim_ascii().eq_ignore_ascii_case(b"DONE"));
                if !stray {
                    let answer =
                        format!("{} BAD {text}\r\n", tag.as_deref().unwrap_or("*")).into_bytes();
                    match rest {
                        Rest::Nothing => self.refuse(tag.as_deref(), &text, out),
                        rest => self.skip_rest(answer, rest, out),
                    }
                }
                consumed
            }
        }
    }

    fn continue_literals(&mut self, announced: u32, out: &mut Output) {
        while self.state.continuations < announced {
            self.state.continuations += 1;
            out.line("+ OK");
        }
    }

    /// Drops what is still to come of a command, then answers it.
    pub(crate) fn skip_rest(&mut self, answer: Vec<u8>, rest: Rest, out: &mut Output) {
        match rest {
            Rest::Nothing => {
                out.text().extend_from_slice(&answer);
                self.state.pending = Pending::Nothing;
            }
            Rest::Line => self.state.pending = Pending::Skip { answer, rest },
            Rest::Literal(octets) => {
                self.state.pending = Pending::Skip { answer, rest };
                // The host reads them to their end and keeps none.
                out.then(Action::ReceiveBody(Receive {
                    framing: Framing::Exact(octets),
                    limit: 0,
                }));
            }
        }
    }

    fn on_skipped(&mut self, input: &[u8], out: &mut Output) -> usize {
        let step = skip(input);
        if let Pending::Skip { answer, .. } = &mut self.state.pending {
            let answer = std::mem::take(answer);
            self.skip_rest(answer, step.rest, out);
            if self.state.pending == Pending::Nothing {
                self.count_refusal(out);
            }
        }
        step.consumed
    }

    fn on_body(&mut self, received: Received, out: &mut Output) {
        match &mut self.state.pending {
            Pending::Skip { rest, .. } => *rest = Rest::Line,
            Pending::Put(_) => commands::append::on_received(self, received, out),
            _ => {}
        }
    }

    fn run(&mut self, request: Request, out: &mut Output) {
        let Request { tag, command } = request;
        let updates = commands::updates_after(&command);
        let answer = match self.allows(commands::need(&command)) {
            Ok(()) => commands::run(self, &tag, command, out),
            Err(refusal) => Err(refusal),
        };
        if matches!(answer, Ok(super::Completion::Later)) {
            return;
        }
        self.finish(&tag, answer, updates, out);
    }

    /// Updates, then the tagged line.
    pub(crate) fn finish(
        &mut self,
        tag: &str,
        answer: super::Answer,
        updates: Updates,
        out: &mut Output,
    ) {
        let told = self
            .tell_updates(updates, out)
            .and_then(|_| commands::notify::catch_up(self, updates, out));
        if let Err(refusal) = told {
            return self.lose_selection(Some(tag), &refusal, out);
        }
        self.conclude(tag, answer, out);
    }

    fn allows(&self, need: Need) -> Result<(), Refusal> {
        let bad = |text: &str| Err(Refusal::Bad(text.to_owned()));
        match need {
            Need::NotAuthenticated if self.state.stage != Stage::NotAuthenticated => {
                bad("You are logged in already")
            }
            Need::Authenticated | Need::Selected if self.state.stage != Stage::Authenticated => {
                bad("Log in first")
            }
            Need::Selected if self.state.selected.is_none() => bad("Select a mailbox first"),
            _ => Ok(()),
        }
    }
}

fn farewell(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Shutdown => "[UNAVAILABLE] The server is shutting down",
        CloseReason::Administrator => "The session was ended by an administrator",
        CloseReason::Idle => "Idle for too long",
        CloseReason::LoginTimeout => "No log-in in time",
        CloseReason::Limit => "[LIMIT] A limit was reached",
    }
}
