//! Plays a transcript: the host's part of a connection, without a socket or a clock.

use std::collections::BTreeSet;
use std::fmt;

use super::script::{Mismatch, Request, Script, Step, matches};
use crate::bindings::bodies::Body;
use crate::stream::{
    Action, Cause, Context, Crash, Event, Framing, Receive, Received, Reception, Turn,
};
use crate::turn::STUFFED;

/// Turns that may follow one another without input: a plugin that asks for `more` for ever is caught.
const TURNS_IN_A_ROW: usize = 100_000;

/// Who answers events: a plugin in this process, or a component in wasm.
pub trait Driver {
    /// A connection was accepted.
    ///
    /// # Errors
    /// Why there is no session.
    fn start(&mut self, context: &Context) -> Result<Turn, String>;

    /// One event.
    ///
    /// # Errors
    /// Why the session is lost.
    fn handle(&mut self, event: Event) -> Result<Turn, String>;

    /// The session is frozen and thawed by another instance.
    ///
    /// # Errors
    /// A refusal.
    fn hand_over(&mut self, cause: Cause) -> Result<Turn, String>;
}

/// How a transcript is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Input arrives octet by octet.
    pub cut: bool,
    /// The session is handed over before every event.
    pub handed_over: bool,
}

impl Manner {
    /// Just as it is written.
    pub const AS_IT_IS: Manner = Manner {
        cut: false,
        handed_over: false,
    };
    /// All four.
    pub const ALL: [Manner; 4] = [
        Manner::AS_IT_IS,
        Manner {
            cut: true,
            handed_over: false,
        },
        Manner {
            cut: false,
            handed_over: true,
        },
        Manner {
            cut: true,
            handed_over: true,
        },
    ];
}

impl fmt::Display for Manner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match (self.cut, self.handed_over) {
            (false, false) => "as it is",
            (true, false) => "octet by octet",
            (false, true) => "with a hand-over before every event",
            (true, true) => "octet by octet, with a hand-over before every event",
        })
    }
}

impl Script {
    /// Plays the transcript against a driver.
    ///
    /// # Errors
    /// The first difference.
    pub fn play(
        &self,
        driver: &mut dyn Driver,
        context: &Context,
        manner: Manner,
    ) -> Result<(), Mismatch> {
        let first = self.steps.first().map_or(1, |(line, _)| *line);
        let turn = driver
            .start(context)
            .map_err(|why| Mismatch::at(first, why))?;
        let mut connection = Connection::new(driver, manner);
        connection
            .perform(turn, 0)
            .and_then(|()| connection.settle())
            .map_err(|why| Mismatch::at(first, why))?;
        for (line, step) in &self.steps {
            connection
                .step(step)
                .map_err(|why| Mismatch::at(*line, why))?;
        }
        connection.expect_silence().map_err(Mismatch::at_end)?;
        if connection.asked.contains(&Request::Close) {
            return Err(Mismatch::at_end("the plugin closed the connection"));
        }
        Ok(())
    }
}

/// As the host stuffs: every LF ends a line, and the last line has an end.
fn stuffed(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

struct Connection<'d> {
    driver: &'d mut dyn Driver,
    manner: Manner,
    /// What was not consumed.
    input: Vec<u8>,
    /// Whether the plugin has not seen the input as it is now, or something happened since.
    offer: bool,
    /// What no step has expected yet.
    output: Vec<u8>,
    asked: BTreeSet<Request>,
    timers: BTreeSet<u32>,
    receiving: Option<Receive>,
    /// The next `send-body` leaves dot-stuffed.
    stuffs: bool,
    more: bool,
    awaiting_tls: bool,
    closed: bool,
}

impl<'d> Connection<'d> {
    fn new(driver: &'d mut dyn Driver, manner: Manner) -> Connection<'d> {
        Connection {
            driver,
            manner,
            input: Vec::new(),
            offer: false,
            output: Vec::new(),
            asked: BTreeSet::new(),
            timers: BTreeSet::new(),
            receiving: None,
            stuffs: false,
            more: false,
            awaiting_tls: false,
            closed: false,
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Client(octets) => self.client(octets),
            Step::Line(pattern) => self.expect_line(pattern),
            Step::Octets(octets) => self.expect_octets(octets),
            Step::Asked(request) => match self.asked.remove(request) {
                true => Ok(()),
                false => Err(format!("the plugin did not ask for `{}`", request.name())),
            },
            Step::HandOver => self.hand_over(Cause::Upgrade),
            Step::Timer(id) => match self.timers.remove(id) {
                true => self.event(Event::Timer(*id)),
                false => Err(format!("timer {id} is not set")),
            },
            Step::Tls => match std::mem::take(&mut self.awaiting_tls) {
                true => self.event(Event::TlsEstablished(super::tls())),
                false => Err("TLS was not asked for".into()),
            },
            Step::Closing(reason) => self.event(Event::Closing(*reason)),
            Step::Disconnect => self.event(Event::Closed),
            Step::Crash(line) => {
                self.input.extend_from_slice(line);
                let input = self.input.clone();
                self.hand_over(Cause::Crash(Crash {
                    reason: "trap".into(),
                    input,
                }))
            }
        }
    }

    fn client(&mut self, octets: &[u8]) -> Result<(), String> {
        // Octets that belong to a body, or to a command that is not complete, may be sent before an answer is read.
        if !self.in_the_middle() {
            self.expect_silence()?;
        }
        if self.closed {
            return Err("the plugin has closed the connection".into());
        }
        self.asked.clear();
        for piece in octets.chunks(if self.manner.cut {
            1
        } else {
            octets.len().max(1)
        }) {
            self.input.extend_from_slice(piece);
            self.offer = true;
            self.settle()?;
        }
        Ok(())
    }

    fn in_the_middle(&self) -> bool {
        self.receiving.is_some() || !self.input.is_empty()
    }

    fn event(&mut self, event: Event) -> Result<(), String> {
        self.expect_silence()?;
        self.asked.clear();
        self.tell(event)?;
        self.settle()
    }

    fn hand_over(&mut self, cause: Cause) -> Result<(), String> {
        self.expect_silence()?;
        let turn = self.driver.hand_over(cause)?;
        let offered = self.input.len();
        self.offer = true;
        self.perform(turn, offered)?;
        self.settle()
    }

    fn tell(&mut self, event: Event) -> Result<(), String> {
        if self.manner.handed_over {
            let turn = self.driver.hand_over(Cause::Wake)?;
            self.perform(turn, 0)?;
        }
        let offered = if let Event::Input(input) = &event {
            input.len()
        } else {
            0
        };
        self.offer = offered == 0;
        let turn = self.driver.handle(event)?;
        self.perform(turn, offered)
    }

    fn perform(&mut self, turn: Turn, offered: usize) -> Result<(), String> {
        let consumed = usize::try_from(turn.consumed).unwrap_or(usize::MAX);
        if consumed > offered {
            return Err(format!("the turn consumed {consumed} octets of {offered}"));
        }
        self.input.drain(..consumed.min(self.input.len()));
        for action in turn.actions {
            if self.receiving.is_some() {
                return Err("an action follows `receive-body`".into());
            }
            self.act(action)?;
        }
        Ok(())
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Send(octets) => self.output.extend_from_slice(&octets),
            Action::SendBody(range) => {
                let all = range.body.bytes();
                let start = usize::try_from(range.offset).map_err(|error| error.to_string())?;
                let length = usize::try_from(range.length).map_err(|error| error.to_string())?;
                let octets = all.get(start..).and_then(|rest| rest.get(..length));
                let octets = octets.ok_or("a range leaves its body")?;
                match std::mem::take(&mut self.stuffs) {
                    true => self.output.extend(stuffed(octets)),
                    false => self.output.extend_from_slice(octets),
                }
            }
            Action::ReceiveBody(receive) => self.receiving = Some(receive),
            Action::More => self.more = true,
            Action::StartTls => {
                self.asked.insert(Request::StartTls);
                self.awaiting_tls = true;
                self.input.clear();
            }
            Action::StartCompression => {
                self.asked.insert(Request::StartCompression);
            }
            Action::SetTimer(timer) if timer.after_ms == 0 => {
                self.timers.remove(&timer.id);
            }
            Action::SetTimer(timer) => {
                self.timers.insert(timer.id);
            }
            Action::Extension(extension) => self.stuffs |= extension.code == STUFFED,
            Action::Watch(_) => {}
            Action::Park => {
                self.asked.insert(Request::Park);
            }
            Action::Close => {
                self.asked.insert(Request::Close);
                self.closed = true;
            }
        }
        Ok(())
    }

    /// Everything that happens without a new event from outside.
    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..TURNS_IN_A_ROW {
            if self.closed || self.awaiting_tls {
                return Ok(());
            }
            if let Some(receive) = self.receiving.take() {
                let Some((body, taken)) = cut_body(&self.input, &receive.framing) else {
                    self.receiving = Some(receive);
                    return Ok(());
                };
                self.input.drain(..taken);
                self.tell(Event::BodyReceived(reception(&body, receive.limit)))?;
            } else if std::mem::take(&mut self.more) {
                self.tell(Event::Drained)?;
            } else if self.offer && !self.input.is_empty() {
                self.tell(Event::Input(self.input.clone()))?;
            } else {
                return Ok(());
            }
        }
        Err(format!("{TURNS_IN_A_ROW} turns followed one another"))
    }

    fn expect_silence(&self) -> Result<(), String> {
        match self.output.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "unexpected output `{}`",
                self.output.escape_ascii()
            )),
        }
    }

    fn expect_line(&mut self, pattern: &str) -> Result<(), String> {
        let Some(end) = self.output.windows(2).position(|pair| pair == b"\r\n") else {
            return Err(match self.output.is_empty() {
                true => format!("expected `{pattern}`, but nothing more was sent"),
                false => format!(
                    "expected `{pattern}`, got `{}` without an end",
                    self.output.escape_ascii()
                ),
            });
        };
        let line: Vec<u8> = self.output.drain(..end + 2).collect();
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches("\r\n");
        match matches(pattern, line) {
            true => Ok(()),
            false => Err(format!("expected `{pattern}`, got `{line}`")),
        }
    }

    fn expect_octets(&mut self, expected: &[u8]) -> Result<(), String> {
        if !self.output.starts_with(expected) {
            return Err(format!(
                "expected `{}`, got `{}`",
                expected.escape_ascii(),
                self.output.escape_ascii()
            ));
        }
        self.output.drain(..expected.len());
        Ok(())
    }
}

/// The body at the beginning of the input, and how many octets of input it took.
fn cut_body(input: &[u8], framing: &Framing) -> Option<(Vec<u8>, usize)> {
    match framing {
        Framing::Exact(octets) => {
            let body = input.get(..usize::try_from(*octets).ok()?)?;
            Some((body.to_vec(), body.len()))
        }
        Framing::DotStuffed => {
            let (mut body, mut taken) = (Vec::new(), 0);
            loop {
                let rest = input.get(taken..)?;
                let end = rest.windows(2).position(|pair| pair == b"\r\n")? + 2;
                let line = rest.get(..end)?;
                taken += end;
                if line == b".\r\n" {
                    return Some((body, taken));
                }
                body.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            }
        }
    }
}

fn reception(body: &[u8], limit: u64) -> Received {
    let size = body.len() as u64;
    let over = size > limit;
    Received {
        outcome: if over {
            Reception::OverLimit
        } else {
            Reception::Complete
        },
        body: (!over).then(|| Body::of(body)),
        size,
        detail: String::new(),
    }
}
