//! A session: what lasts between two turns, and how events reach commands.
//!
//! One command is carried out per turn; when more input waits, the turn asks for another (`more`). So a trap costs exactly the
//! command that trapped: those before it were answered, those behind it are still in the input (RFC 2449 section 6.6).

use waxwing_sdk::frozen::Frozen as _;
use waxwing_sdk::reader::{Endings, Lines};
use waxwing_sdk::stream::{
    Cause, CloseReason, Context, Event, Handoff, Snapshot, StreamPlugin, TlsInfo, Turn,
};

use crate::commands;
use crate::maildrop::Live;
use crate::parse::{LINE_LIMIT, parse_command};
use crate::reply::{Answer, Refusal, err, ok};
use crate::state::{Pending, Stage, State};

/// RFC 1939 section 3: not before ten minutes.
const AUTOLOGOUT_MS: u64 = 10 * 60 * 1_000;
const AUTOLOGOUT: u32 = 1;
/// Lines in a row that are no commands, before log-in and after.
const MAX_REFUSED: (u32, u32) = (10, 50);

/// One connection.
#[derive(Debug)]
pub struct Pop3 {
    pub(crate) context: Context,
    pub(crate) state: State,
    pub(crate) live: Live,
}

impl Pop3 {
    fn with(context: &Context, state: State, live: Live) -> Pop3 {
        Pop3 {
            context: context.clone(),
            state,
            live,
        }
    }

    fn input(&mut self, input: &[u8]) -> Turn {
        if matches!(
            self.state.pending,
            Pending::StartTls | Pending::Listing { .. }
        ) {
            return Turn::new();
        }
        let mut lines = Lines::new(input, Endings::Any, LINE_LIMIT);
        let turn = if self.state.pending == Pending::Skip {
            if lines.skip_line() {
                self.state.pending = Pending::Command;
            }
            Turn::new()
        } else {
            match lines.next_line() {
                Ok(Some(line)) => self.line(line),
                Ok(None) => return Turn::new(),
                Err(_) => {
                    if !lines.skip_line() {
                        self.state.pending = Pending::Skip;
                    }
                    let limit = format!("The limit of a line is {LINE_LIMIT} octets");
                    self.refused(&Refusal::client(limit))
                }
            }
        };
        let consumed = lines.consumed();
        let turn = turn.consumed(consumed);
        if turn.closes() || self.state.pending == Pending::StartTls {
            return turn;
        }
        let turn = turn.timer(AUTOLOGOUT, AUTOLOGOUT_MS);
        let asked = matches!(self.state.pending, Pending::Listing { .. });
        match consumed < input.len() && !asked {
            true => turn.more(),
            false => turn,
        }
    }

    fn line(&mut self, line: &[u8]) -> Turn {
        let answer = match std::mem::replace(&mut self.state.pending, Pending::Command) {
            Pending::Auth(exchange) => commands::auth::answer(self, exchange, line),
            _ => parse_command(line)
                .map_err(Refusal::from)
                .and_then(|command| commands::run(self, command)),
        };
        self.conclude(answer)
    }

    fn conclude(&mut self, answer: Answer<Turn>) -> Turn {
        match answer {
            Ok(turn) => {
                self.state.refused = 0;
                turn
            }
            Err(refusal) => self.refused(&refusal),
        }
    }

    fn refused(&mut self, refusal: &Refusal) -> Turn {
        let turn = Turn::new().send(err(refusal.text()));
        if matches!(refusal, Refusal::Server(_)) {
            return turn;
        }
        waxwing_sdk::debug!("a command was refused", reason = refusal.text());
        self.state.refused += 1;
        let most = match self.state.stage {
            Stage::Authorization { .. } => MAX_REFUSED.0,
            Stage::Transaction(_) => MAX_REFUSED.1,
        };
        if self.state.refused < most {
            return turn;
        }
        waxwing_sdk::info!("limit reached: bad commands in a row", limit = most);
        turn.send(err("Too many bad commands")).close()
    }

    /// RFC 2595 section 4: what was learned before is forgotten.
    fn tls_established(&mut self, tls: TlsInfo) {
        self.context.tls = Some(tls);
        self.state = State::new();
    }

    /// RFC 1939 has no word for a server that ends a session by itself; a line is the answer to the next command at best. In the
    /// middle of a list there is no place for it.
    fn closing(&self, reason: CloseReason) -> Turn {
        let text = match reason {
            CloseReason::Shutdown | CloseReason::Administrator => {
                "[SYS/TEMP] The server is closing"
            }
            CloseReason::Limit => "[SYS/TEMP] A limit was reached",
            // Section 3: an autologout is silent.
            CloseReason::Idle | CloseReason::LoginTimeout => return Turn::new().close(),
        };
        match self.state.pending {
            Pending::Listing { .. } => Turn::new().close(),
            _ => Turn::new().send(err(text)).close(),
        }
    }

    /// Answers the command that was lost.
    fn recovered(&mut self, input: &[u8]) -> Turn {
        match std::mem::replace(&mut self.state.pending, Pending::Command) {
            // It was the news of the handshake that crashed.
            Pending::StartTls => {
                self.state = State::new();
                return Turn::new();
            }
            // Half of the answer has left, and nothing in it can say that the rest will not come.
            Pending::Listing { .. } => return Turn::new().close(),
            Pending::Command | Pending::Auth(_) | Pending::Skip => {}
        }
        let mut lines = Lines::new(input, Endings::Any, LINE_LIMIT);
        if input.is_empty() {
            return Turn::new();
        }
        if !lines.skip_line() {
            self.state.pending = Pending::Skip;
        }
        let consumed = lines.consumed();
        let turn = Turn::new().consumed(consumed).send(err(
            "[SYS/TEMP] The server failed at this command, try again later",
        ));
        match consumed < input.len() {
            true => turn.more(),
            false => turn,
        }
    }
}

impl StreamPlugin for Pop3 {
    fn start(context: &Context) -> (Pop3, Turn) {
        let turn = Turn::new()
            .send(ok(&format!("{} POP3 Waxwing", context.host_name)))
            .timer(AUTOLOGOUT, AUTOLOGOUT_MS);
        (Pop3::with(context, State::new(), Live::default()), turn)
    }

    fn handle(&mut self, event: Event) -> Turn {
        match event {
            Event::Input(input) => self.input(&input),
            Event::TlsEstablished(tls) => {
                self.tls_established(tls);
                Turn::new()
            }
            Event::Drained => commands::list::next_page(self),
            Event::Timer(AUTOLOGOUT) => self.closing(CloseReason::Idle),
            Event::Closing(reason) => self.closing(reason),
            Event::Timer(_)
            | Event::BodyReceived(_)
            | Event::Changed(_)
            | Event::Closed
            | Event::Extension(_) => Turn::new(),
        }
    }
}

impl Handoff for Pop3 {
    fn freeze(&self) -> Result<Snapshot, String> {
        let mut state = self.state.clone();
        if let Stage::Transaction(maildrop) = &mut state.stage {
            maildrop.rows = self.live.keep();
        }
        state.to_snapshot()
    }

    fn thaw(snapshot: Snapshot, context: &Context, cause: Cause) -> Result<(Pop3, Turn), String> {
        let mut state = State::from_snapshot(&snapshot)?;
        let live = match &mut state.stage {
            Stage::Authorization { .. } => Live::default(),
            Stage::Transaction(maildrop) => Live::resume(std::mem::take(&mut maildrop.rows))?,
        };
        let mut session = Pop3::with(context, state, live);
        let turn = match cause {
            Cause::Crash(crash) => session.recovered(&crash.input),
            Cause::Upgrade | Cause::Wake => Turn::new(),
        };
        Ok((session, turn))
    }
}

#[cfg(test)]
mod tests;
