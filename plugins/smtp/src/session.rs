//! Events in, turns out. Lines are cut here and each is given to its command; a command that changes what the following
//! octets mean (DATA, BDAT, STARTTLS, QUIT) ends the turn, and the host offers the rest again afterwards.

use waxwing_sdk::bodies::{self, Body};
use waxwing_sdk::frozen::Frozen as _;
use waxwing_sdk::stream::{
    Cause, CloseReason, Context, Event, Handoff, Received, Reception, Snapshot, StreamPlugin,
    TlsInfo, Turn,
};
use waxwing_sdk::{accounts, config, warning};

use crate::commands::{self, Next};
use crate::parse::{LINE_LIMIT, parse_command};
use crate::state::{Dialect, Receiving, State, Submission};
use crate::{chunks, deliver, reply};

/// RFC 5321 4.5.3.2.7: five minutes between commands.
const COMMAND_TIMEOUT_MS: u64 = 300_000;
const COMMAND_TIMER: u32 = 1;
/// Errors since the last message after which the connection is no mail client's.
const MAX_ERRORS: u32 = 50;

/// One connection.
#[derive(Debug)]
pub struct Smtp {
    pub(crate) context: Context,
    pub(crate) state: State,
    /// Bodies of BDAT so far.
    pub(crate) chunks: Vec<Body>,
    pub(crate) max_message_size: u64,
    pub(crate) max_recipients: usize,
}

impl Smtp {
    fn with(context: &Context, state: State, chunks: Vec<Body>) -> Smtp {
        Smtp {
            context: context.clone(),
            state,
            chunks,
            max_message_size: config::get_or("max_message_size", 50 << 20),
            max_recipients: config::get_or("max_recipients", 1000),
        }
    }

    /// Ends the transaction, if there is one (RFC 5321 4.1.1.5).
    pub(crate) fn reset(&mut self) {
        self.state.transaction = None;
        self.state.receiving = None;
        if let Some(submission) = self.state.submission() {
            submission.hold_until = None;
            submission.require_tls = false;
        }
        self.chunks.clear();
    }

    /// Octets of a line with its end: a token may be longer than any command (RFC 4954 section 4).
    fn line_limit(&self) -> usize {
        match self.state.dialect {
            Dialect::Submission(_) => LINE_LIMIT.max(12_288),
            Dialect::Smtp | Dialect::Lmtp => LINE_LIMIT,
        }
    }

    /// RFC 2920: commands are answered in their order, as many as have come.
    fn input(&mut self, input: &[u8]) -> Turn {
        let mut turn = Turn::new();
        let mut consumed = 0;
        while let Some(rest) = input.get(consumed..).filter(|rest| !rest.is_empty()) {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                if rest.len() > self.line_limit() || self.state.skipping_line {
                    self.state.skipping_line = true;
                    consumed = input.len();
                }
                break;
            };
            let (line, _) = rest.split_at(end);
            consumed += end + 1;
            let (reply, next) = self.line(line);
            turn = turn.send(reply);
            if self.state.errors >= MAX_ERRORS && next == Next::Command {
                warning!("connection ended after too many errors", limit = MAX_ERRORS);
                turn = turn
                    .send(reply::line(421, "4.7.0", "Too many errors"))
                    .close();
                break;
            }
            match next {
                Next::Command => {}
                // A body may take longer than a command: the host's own time-outs hold while it comes in.
                Next::Data => {
                    turn = turn
                        .timer(COMMAND_TIMER, 0)
                        .receive_dot_stuffed(self.max_message_size);
                    break;
                }
                Next::Chunk { size, limit } => {
                    turn = turn.timer(COMMAND_TIMER, 0).receive_exact(size, limit);
                    break;
                }
                Next::StartTls => {
                    turn = turn.start_tls();
                    break;
                }
                Next::Close => {
                    turn = turn.close();
                    break;
                }
            }
        }
        let waits_for_a_body = matches!(
            turn.actions.last(),
            Some(waxwing_sdk::stream::Action::ReceiveBody(_))
        );
        let turn = turn.consumed(consumed);
        if consumed == 0 || waits_for_a_body || turn.closes() {
            turn
        } else {
            turn.timer(COMMAND_TIMER, COMMAND_TIMEOUT_MS)
        }
    }

    /// One line without its LF.
    fn line(&mut self, line: &[u8]) -> (String, Next) {
        let limit = self.line_limit();
        if std::mem::take(&mut self.state.skipping_line) || line.len() + 1 > limit {
            self.state.errors += 1;
            return (
                reply::line(
                    500,
                    "5.5.2",
                    &format!("Line too long, the limit is {limit} octets"),
                ),
                Next::Command,
            );
        }
        // RFC 5321 2.3.8: a bare LF or CR ends nothing.
        let Some(line) = line
            .strip_suffix(b"\r")
            .filter(|line| !line.contains(&b'\r'))
        else {
            self.state.errors += 1;
            return (
                reply::line(500, "5.5.2", "Lines end with CR LF"),
                Next::Command,
            );
        };
        if let Some(reply) = commands::auth::on_line(self, line) {
            return (reply, Next::Command);
        }
        match parse_command(line) {
            Ok(command) => commands::run(self, command),
            Err(error) => {
                self.state.errors += 1;
                (reply::syntax(&error), Next::Command)
            }
        }
    }

    fn body_received(&mut self, received: Received) -> Turn {
        let turn = Turn::new().timer(COMMAND_TIMER, COMMAND_TIMEOUT_MS);
        match self.state.receiving.take() {
            Some(Receiving::Data) => turn.send(self.message(received)),
            Some(Receiving::Chunk { last }) => turn.send(self.chunk(received, last)),
            // Its refusal was sent when BDAT came.
            Some(Receiving::Refused) | None => turn,
        }
    }

    fn message(&mut self, received: Received) -> String {
        let reply = match received.body {
            Some(body) if received.outcome == Reception::Complete => {
                self.chunks.push(body);
                self.deliver()
            }
            _ => self.not_received(&received),
        };
        self.reset();
        reply
    }

    fn chunk(&mut self, received: Received, last: bool) -> String {
        let Some(body) = received
            .body
            .filter(|_| received.outcome == Reception::Complete)
        else {
            let failed = Received {
                body: None,
                ..received
            };
            let reply = self.not_received(&failed);
            self.reset();
            return reply;
        };
        self.chunks.push(body);
        let reply = if last {
            self.deliver()
        } else {
            match chunks::merge(&mut self.chunks) {
                Ok(()) => {
                    let text = format!("{} octets received", received.size);
                    return reply::line(250, "2.0.0", &text);
                }
                Err(fault) => {
                    warning!("chunks could not be put together: {fault}");
                    deliver::refusal(
                        &self.state,
                        self.state.transaction.as_ref(),
                        452,
                        "4.3.1",
                        "Not enough storage, try again later",
                    )
                }
            }
        };
        self.reset();
        reply
    }

    fn deliver(&mut self) -> String {
        let reply = match &self.state.transaction {
            Some(transaction) => {
                deliver::message(&self.context, &self.state, transaction, &self.chunks)
            }
            None => return reply::out_of_order("MAIL"),
        };
        // A relay keeps its connection for hours.
        if reply.starts_with('2') {
            self.state.errors = 0;
        }
        reply
    }

    fn not_received(&self, received: &Received) -> String {
        let transaction = self.state.transaction.as_ref();
        match received.outcome {
            Reception::OverLimit => {
                warning!(
                    "message refused: limit max_message_size",
                    size = received.size,
                    limit = self.max_message_size
                );
                let text = format!(
                    "Message too big, the limit is {} octets",
                    self.max_message_size
                );
                deliver::refusal(&self.state, transaction, 552, "5.3.4", &text)
            }
            _ => {
                warning!("message could not be kept", reason = received.detail);
                deliver::refusal(
                    &self.state,
                    transaction,
                    452,
                    "4.3.1",
                    "Not enough storage, try again later",
                )
            }
        }
    }

    fn closing(&self, reason: CloseReason) -> Turn {
        let text = match reason {
            CloseReason::Shutdown | CloseReason::Administrator => "Service is closing",
            CloseReason::Idle | CloseReason::LoginTimeout => "Nothing was heard for too long",
            CloseReason::Limit => "A limit was reached",
        };
        let enhanced = if reason == CloseReason::Idle || reason == CloseReason::LoginTimeout {
            "4.4.2"
        } else {
            "4.3.2"
        };
        Turn::new()
            .send(reply::line(
                421,
                enhanced,
                &format!("{} {text}", self.context.host_name),
            ))
            .close()
    }

    /// RFC 3207 4.2: what was learned before is forgotten.
    fn tls_established(&mut self, tls: TlsInfo) {
        self.state.tls = Some((tls.protocol.clone(), tls.cipher.clone()));
        self.context.tls = Some(tls);
        self.state.client = None;
        if let Some(submission) = self.state.submission() {
            *submission = Submission::default();
            accounts::forget();
        }
        self.reset();
    }

    /// Answers what the crashed turn did not: the message it was given, else the line.
    fn recovered(&mut self, input: &[u8]) -> Turn {
        if let Some(submission) = self.state.submission() {
            submission.exchange = None;
        }
        if self.state.tls.is_none()
            && let Some(tls) = self.context.tls.clone()
        {
            // It was the news of the handshake that crashed.
            self.tls_established(tls);
            return Turn::new();
        }
        const TEXT: &str = "The server failed at this command, try again later";
        if self.state.receiving.take().is_some() {
            let reply = deliver::refusal(
                &self.state,
                self.state.transaction.as_ref(),
                451,
                "4.3.0",
                TEXT,
            );
            self.reset();
            return Turn::new().send(reply);
        }
        let line = input
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(input.len(), |at| at + 1);
        self.state.skipping_line = false;
        Turn::new().consumed(line).send(if line == 0 {
            String::new()
        } else {
            reply::line(451, "4.3.0", TEXT)
        })
    }
}

impl StreamPlugin for Smtp {
    fn start(context: &Context) -> (Smtp, Turn) {
        let dialect = match context.protocol.as_str() {
            "lmtp" => Dialect::Lmtp,
            "submission" => Dialect::Submission(Submission::default()),
            _ => Dialect::Smtp,
        };
        let tls = context
            .tls
            .as_ref()
            .map(|tls| (tls.protocol.clone(), tls.cipher.clone()));
        let name = if dialect == Dialect::Lmtp {
            "LMTP"
        } else {
            "ESMTP"
        };
        let greeting = format!("220 {} {name} Waxwing\r\n", context.host_name);
        (
            Smtp::with(context, State::new(dialect, tls), Vec::new()),
            Turn::new()
                .send(greeting)
                .timer(COMMAND_TIMER, COMMAND_TIMEOUT_MS),
        )
    }

    fn handle(&mut self, event: Event) -> Turn {
        match event {
            Event::Input(bytes) => self.input(&bytes),
            Event::BodyReceived(received) => self.body_received(received),
            Event::TlsEstablished(tls) => {
                self.tls_established(tls);
                Turn::new()
            }
            Event::Timer(COMMAND_TIMER) => self.closing(CloseReason::Idle),
            Event::Closing(reason) => self.closing(reason),
            Event::Timer(_)
            | Event::Changed(_)
            | Event::Drained
            | Event::Closed
            | Event::Extension(_) => Turn::new(),
        }
    }
}

impl Handoff for Smtp {
    fn freeze(&self) -> Result<Snapshot, String> {
        let kept_chunks = self.chunks.iter().map(Body::keep).collect();
        State {
            kept_chunks,
            ..self.state.clone()
        }
        .to_snapshot()
    }

    fn thaw(snapshot: Snapshot, context: &Context, cause: Cause) -> Result<(Smtp, Turn), String> {
        let mut state = State::from_snapshot(&snapshot)?;
        let tokens = std::mem::take(&mut state.kept_chunks);
        let chunks: Result<Vec<Body>, _> = tokens.into_iter().map(bodies::resume).collect();
        let mut session = Smtp::with(
            context,
            state,
            chunks.map_err(|fault| format!("a chunk is lost: {fault}"))?,
        );
        let turn = match cause {
            Cause::Crash(crash) => session.recovered(&crash.input),
            Cause::Upgrade | Cause::Wake => Turn::new(),
        };
        Ok((session, turn))
    }
}

#[cfg(test)]
mod submission_tests;
#[cfg(test)]
mod tests;
