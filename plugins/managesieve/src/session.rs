//! A session: what lasts between two turns, and how events reach commands.
//!
//! One command is carried out per turn; when more input waits, the turn asks for another (`more`). So a trap costs exactly the
//! command that trapped. A literal is received by the host and read when the command is whole.

use waxwing_sdk::bodies::{self, Body};
use waxwing_sdk::frozen::Frozen as _;
use waxwing_sdk::reader::{Endings, Lines, Literal};
use waxwing_sdk::store::Mailbox;
use waxwing_sdk::stream::{
    Cause, CloseReason, Context, Event, Handoff, Received, Reception, Snapshot, StreamPlugin,
    TlsInfo, Turn,
};

use crate::commands;
use crate::parse::{LINE_LIMIT, Piece, parse_command, parse_string};
use crate::reply::{Answer, Refusal, bye};
use crate::state::{Gathered, Pending, State};

/// RFC 5804 section 1.2: at least thirty minutes.
const AUTOLOGOUT_MS: u64 = 31 * 60 * 1_000;
const AUTOLOGOUT: u32 = 1;
/// Octets of a literal; a script is smaller.
const MAX_LITERAL: u64 = 256 * 1024;
/// Literals of one command.
const MAX_LITERALS: usize = 4;
/// Commands in a row that are none, before log-in and after.
const MAX_REFUSED: (u32, u32) = (10, 50);

/// One connection.
#[derive(Debug)]
pub struct ManageSieve {
    pub(crate) context: Context,
    pub(crate) state: State,
    /// Of the lines gathered, where they were not dropped.
    literals: Vec<Option<Body>>,
    pub(crate) mailbox: Option<Mailbox>,
}

impl ManageSieve {
    fn with(context: &Context, state: State, literals: Vec<Option<Body>>) -> ManageSieve {
        ManageSieve {
            context: context.clone(),
            state,
            literals,
            mailbox: None,
        }
    }

    fn input(&mut self, input: &[u8]) -> Turn {
        if matches!(self.state.pending, Pending::StartTls | Pending::Literal) {
            return Turn::new();
        }
        let mut lines = Lines::new(input, Endings::Any, LINE_LIMIT);
        let turn = if self.state.pending == Pending::Skip {
            if lines.skip_line() {
                self.state.pending = Pending::Line;
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
                    self.forget_command();
                    let limit = format!("The limit of a line is {LINE_LIMIT} octets");
                    self.refused(&Refusal::client(limit))
                }
            }
        };
        let consumed = lines.consumed();
        let turn = turn.consumed(consumed);
        if turn.closes() || matches!(self.state.pending, Pending::StartTls | Pending::Literal) {
            return turn;
        }
        match consumed < input.len() {
            true => turn.more(),
            false => turn,
        }
    }

    /// A line without its end: the whole or the rest of a command, or its beginning up to a literal.
    fn line(&mut self, line: &[u8]) -> Turn {
        if let Some(literal) = Literal::announced_by(line) {
            self.state.gathered.push(Gathered {
                line: line.to_vec(),
                token: 0,
                dropped: false,
            });
            self.state.pending = Pending::Literal;
            // The host's own time-outs hold while it comes in.
            return Turn::new()
                .timer(AUTOLOGOUT, 0)
                .receive_exact(literal.size, MAX_LITERAL);
        }
        if line.is_empty() && self.state.gathered.is_empty() && self.state.exchange.is_none() {
            return Turn::new();
        }
        let answer = self.pieces(line).and_then(|pieces| self.run(&pieces));
        self.forget_command();
        let turn = match answer {
            Ok(turn) => {
                self.state.refused = 0;
                turn
            }
            Err(refusal) => self.refused(&refusal),
        };
        turn.timer(AUTOLOGOUT, AUTOLOGOUT_MS)
    }

    fn run(&mut self, pieces: &[Piece]) -> Answer<Turn> {
        match self.state.exchange.take() {
            Some(exchange) => {
                let response = parse_string(pieces)?;
                commands::authenticate::answer(self, exchange, &response)
            }
            None => commands::run(self, parse_command(pieces)?),
        }
    }

    /// Everything of a command, its literals read.
    fn pieces(&self, last: &[u8]) -> Answer<Vec<Piece>> {
        let mut pieces = Vec::new();
        for (at, gathered) in self.state.gathered.iter().enumerate() {
            let literal = self.literals.get(at).and_then(Option::as_ref);
            let Some(literal) = literal.filter(|_| !gathered.dropped) else {
                return Err(Refusal::coded(
                    "(QUOTA/MAXSIZE)",
                    format!("limit reached: octets of a literal = {MAX_LITERAL}"),
                ));
            };
            pieces.push(Piece {
                line: gathered.line.clone(),
                literal: Some(bodies::read_all(literal, MAX_LITERAL)?),
            });
        }
        pieces.push(Piece {
            line: last.to_vec(),
            literal: None,
        });
        Ok(pieces)
    }

    fn forget_command(&mut self) {
        self.state.gathered.clear();
        self.literals.clear();
    }

    fn received(&mut self, received: Received) -> Turn {
        self.state.pending = Pending::Line;
        let body = received
            .body
            .filter(|_| received.outcome == Reception::Complete);
        if let Some(last) = self.state.gathered.last_mut() {
            last.dropped = body.is_none();
        }
        self.literals.push(body);
        let turn = Turn::new().timer(AUTOLOGOUT, AUTOLOGOUT_MS);
        if self.state.gathered.len() <= MAX_LITERALS {
            return turn;
        }
        self.forget_command();
        // Where the command ends cannot be told any more.
        let text = format!("limit reached: literals of a command = {MAX_LITERALS}");
        turn.send(bye("", &text)).close()
    }

    fn refused(&mut self, refusal: &Refusal) -> Turn {
        let turn = Turn::new().send(refusal.line());
        if !refusal.is_clients {
            return turn;
        }
        self.state.refused += 1;
        let most = match self.state.owner {
            None => MAX_REFUSED.0,
            Some(_) => MAX_REFUSED.1,
        };
        if self.state.refused < most {
            return turn;
        }
        waxwing_sdk::info!("limit reached: bad commands in a row", limit = most);
        turn.send(bye("", "Too many bad commands")).close()
    }

    /// RFC 5804 section 2.2: what was learned before is forgotten, and the capabilities are told again.
    fn tls_established(&mut self, tls: TlsInfo) -> Turn {
        self.context.tls = Some(tls);
        self.state = State::new();
        self.forget_command();
        let told = commands::capability::told(self, "TLS is on");
        Turn::new().send(told)
    }

    fn closing(reason: CloseReason) -> Turn {
        let (code, text) = match reason {
            CloseReason::Shutdown | CloseReason::Administrator => {
                ("(TRYLATER)", "The server is closing")
            }
            CloseReason::Limit => ("(TRYLATER)", "A limit was reached"),
            CloseReason::Idle | CloseReason::LoginTimeout => ("", "Nothing was heard for too long"),
        };
        Turn::new().send(bye(code, text)).close()
    }

    /// Answers the command that was lost.
    fn recovered(&mut self, input: &[u8]) -> Turn {
        let failed = Refusal::coded(
            "(TRYLATER)",
            "The server failed at this command, try again later",
        );
        self.state.exchange = None;
        self.forget_command();
        match std::mem::replace(&mut self.state.pending, Pending::Line) {
            // It was the news of the handshake that crashed.
            Pending::StartTls => {
                let told = commands::capability::told(self, "TLS is on");
                return Turn::new().send(told);
            }
            // The rest of that command is an empty line at best.
            Pending::Literal => return Turn::new().send(failed.line()),
            Pending::Line | Pending::Skip => {}
        }
        if input.is_empty() {
            return Turn::new();
        }
        let mut lines = Lines::new(input, Endings::Any, LINE_LIMIT);
        if !lines.skip_line() {
            self.state.pending = Pending::Skip;
        }
        let consumed = lines.consumed();
        let turn = Turn::new().consumed(consumed).send(failed.line());
        match consumed < input.len() {
            true => turn.more(),
            false => turn,
        }
    }
}

impl StreamPlugin for ManageSieve {
    fn start(context: &Context) -> (ManageSieve, Turn) {
        let session = ManageSieve::with(context, State::new(), Vec::new());
        let greeting = format!("{} Waxwing", context.host_name);
        let turn = Turn::new()
            .send(commands::capability::told(&session, &greeting))
            .timer(AUTOLOGOUT, AUTOLOGOUT_MS);
        (session, turn)
    }

    fn handle(&mut self, event: Event) -> Turn {
        match event {
            Event::Input(input) => self.input(&input),
            Event::BodyReceived(received) => self.received(received),
            Event::TlsEstablished(tls) => self.tls_established(tls),
            Event::Timer(AUTOLOGOUT) => ManageSieve::closing(CloseReason::Idle),
            Event::Closing(reason) => ManageSieve::closing(reason),
            Event::Timer(_)
            | Event::Drained
            | Event::Changed(_)
            | Event::Closed
            | Event::Extension(_) => Turn::new(),
        }
    }
}

impl Handoff for ManageSieve {
    fn freeze(&self) -> Result<Snapshot, String> {
        let mut state = self.state.clone();
        for (gathered, literal) in state.gathered.iter_mut().zip(&self.literals) {
            gathered.token = literal.as_ref().map_or(0, Body::keep);
        }
        state.to_snapshot()
    }

    fn thaw(
        snapshot: Snapshot,
        context: &Context,
        cause: Cause,
    ) -> Result<(ManageSieve, Turn), String> {
        let mut state = State::from_snapshot(&snapshot)?;
        let mut literals = Vec::new();
        for gathered in &mut state.gathered {
            match std::mem::take(&mut gathered.token) {
                0 if gathered.dropped => literals.push(None),
                // The one that is still to come.
                0 => {}
                token => {
                    let body = bodies::resume(token).map_err(|fault| fault.to_string())?;
                    literals.push(Some(body));
                }
            }
        }
        let mut session = ManageSieve::with(context, state, literals);
        let turn = match cause {
            Cause::Crash(crash) => session.recovered(&crash.input),
            Cause::Upgrade | Cause::Wake => Turn::new(),
        };
        Ok((session, turn))
    }
}

#[cfg(test)]
mod tests;
