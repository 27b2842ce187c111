//! The pump of one stream connection: input becomes events, turns become output.
//!
//! One task owns the transport, the input and the session, and does one thing at a time: wait, ask the plugin
//! for a turn, carry the turn out. There is no queue between them: what a slow client does not take is not
//! produced, so a connection holds at most one turn's output or [`QUEUE_SIZE`] of a body, and [`input::INPUT_LIMIT`]
//! of input.
//!
//! Promises, in the words of `waxwing:session`: actions are carried out in order; `drained`, `tls-established`
//! and `body-received` come before any input; an upgrade happens only when no output waits, which includes
//! between the pages of a long answer and while a body is received; `closed` is told once.
//!
//! While it waits a connection holds no buffer. The steps are boxed, so that the resting task is no larger
//! than its longest wait.

mod body;
mod ending;
mod framing;
mod input;
mod stuffing;

use std::{collections::VecDeque, net::SocketAddr, sync::Arc};

use bytes::Bytes;
pub(crate) use ending::Ending;
use futures_util::FutureExt;
use input::Input;
use rustls::ServerConfig;
use stuffing::Stuffer;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use waxwing_exmdb::{Body, Store};
use waxwing_runtime::{Action, CloseReason, Event, Turn};

use crate::{
    admission::{Admission, Place},
    config::ListenerConfig,
    plugin_side::{Attention, StreamSession},
    refusal::Refusal,
    tls,
    transport::Transport,
};

/// Output is written when it reaches this size, else at the end of a turn.
const QUEUE_SIZE: usize = 256 * 1024;

/// What a pump needs to know beside its session and transport.
pub(crate) struct Terms {
    pub(crate) session: Arc<str>,
    pub(crate) peer: SocketAddr,
    pub(crate) config: Arc<ListenerConfig>,
    pub(crate) store: Store,
    /// For `start-tls`.
    pub(crate) starttls: Option<Arc<ServerConfig>>,
    pub(crate) users: Arc<Admission>,
    pub(crate) user_limit: Option<u32>,
    pub(crate) host_name: Arc<str>,
    /// Cancelled when the server begins to stop.
    pub(crate) drain: CancellationToken,
}

pub(crate) struct Pump<S: StreamSession> {
    pub(crate) session: S,
    pub(crate) transport: Transport,
    terms: Terms,
    input: Input,
    output: VecDeque<Bytes>,
    queued: usize,
    /// Events that the last turn asked for.
    due: VecDeque<Event>,
    /// A timer or change that came while the plugin could not be asked.
    held: Option<S::Pending>,
    /// A turn of a hand-over that came while a body was received.
    deferred: Option<Turn>,
    closing: Option<CloseReason>,
    peer_is_done: bool,
    /// The last turn left its answer unfinished (`more`): nothing else may be said.
    within_answer: bool,
    place: Option<Place>,
    started: Instant,
    last_heard: Instant,
}

/// How a step failed to lead to another.
type Step<T = ()> = Result<T, Ending>;

enum Heard<P> {
    Input(std::io::Result<usize>),
    Attention(Attention<P>),
    Deadline,
    Drain,
}

impl<S: StreamSession> Pump<S> {
    /// `first` is what `start` answered.
    pub(crate) fn new(session: S, transport: Transport, terms: Terms, first: Turn) -> Pump<S> {
        let now = Instant::now();
        Pump {
            session,
            transport,
            terms,
            input: Input::default(),
            output: VecDeque::new(),
            queued: 0,
            due: VecDeque::new(),
            held: None,
            deferred: Some(first),
            closing: None,
            peer_is_done: false,
            within_answer: false,
            place: None,
            started: now,
            last_heard: now,
        }
    }

    /// Until the connection ends.
    pub(crate) async fn run(&mut self) -> Ending {
        loop {
            let step = match self.next_turn() {
                Some(next) => {
                    let span = self.session.span();
                    Box::pin(self.take(next).instrument(span)).await
                }
                None => {
                    let heard = self.wait().await;
                    let span = self.session.span();
                    Box::pin(self.hear(heard).instrument(span)).await
                }
            };
            if let Err(ending) = step {
                let span = self.session.span();
                Box::pin(self.part(&ending).instrument(span)).await;
                return ending;
            }
        }
    }

    /// What can be done without waiting.
    fn next_turn(&mut self) -> Option<Next<S::Pending>> {
        if let Some(turn) = self.deferred.take() {
            return Some(Next::Perform(turn));
        }
        if let Some(event) = self.due.pop_front() {
            return Some(Next::Tell(event));
        }
        if let Some(reason) = self.closing.take() {
            return Some(Next::Close(reason));
        }
        if let Some(pending) = self.held.take() {
            return Some(Next::Pending(pending));
        }
        if self.input.is_due() {
            return Some(Next::Offer);
        }
        if self.input.is_stuck() {
            let limit = input::INPUT_LIMIT;
            tracing::info!(limit, "limit on unconsumed input reached");
            return Some(Next::Close(CloseReason::Limit));
        }
        self.peer_is_done.then_some(Next::PeerIsDone)
    }

    async fn take(&mut self, next: Next<S::Pending>) -> Step {
        let turn = match next {
            Next::Perform(turn) => turn,
            Next::Offer => {
                let octets = self.input.offer();
                return self.perform_after(Event::Input(octets)).await;
            }
            Next::Tell(event) => {
                if matches!(event, Event::Drained) {
                    self.hand_over_if_asked().await?;
                }
                self.input.refresh();
                return self.perform_after(event).await;
            }
            Next::Pending(pending) => {
                self.input.refresh();
                self.session.turn_for(pending).await?
            }
            Next::Close(reason) => return self.say_goodbye(reason).await,
            Next::PeerIsDone => return Err(Ending::PeerClosed),
        };
        self.perform(turn).await
    }

    async fn perform_after(&mut self, event: Event) -> Step {
        let turn = self.session.handle(event).await?;
        self.perform(turn).await
    }

    async fn wait(&mut self) -> Heard<S::Pending> {
        self.tell_moved();
        let deadline = self.deadline();
        let room = self.input.room();
        tokio::select! {
            read = self.transport.read(&mut self.input.octets, room) => Heard::Input(read),
            attention = self.session.wake() => Heard::Attention(attention),
            () = sleep_until(deadline.unwrap_or(self.last_heard)), if deadline.is_some() => Heard::Deadline,
            () = self.terms.drain.cancelled() => Heard::Drain,
        }
    }

    async fn hear(&mut self, heard: Heard<S::Pending>) -> Step {
        match heard {
            Heard::Input(Ok(0)) => self.peer_is_done = true,
            Heard::Input(Ok(_)) => {
                self.last_heard = Instant::now();
                self.input.refresh();
            }
            Heard::Input(Err(error)) => return Err(error.into()),
            Heard::Attention(Attention::Turn(pending)) => self.held = Some(pending),
            Heard::Attention(Attention::Close(reason)) => self.closing = Some(reason),
            Heard::Attention(Attention::Upgrade) => {
                let turn = self.session.upgrade().await?;
                self.input.refresh();
                return self.perform(turn).await;
            }
            Heard::Deadline => {
                self.closing = Some(match self.login_deadline() {
                    Some(deadline) if deadline <= Instant::now() => CloseReason::LoginTimeout,
                    _ => CloseReason::Idle,
                });
            }
            Heard::Drain => self.closing = Some(CloseReason::Shutdown),
        }
        Ok(())
    }

    fn login_deadline(&self) -> Option<Instant> {
        let limit = self
            .terms
            .config
            .login_limit()
            .filter(|_| self.session.principal().is_none())?;
        Some(self.started + limit)
    }

    fn deadline(&self) -> Option<Instant> {
        let idle = self.terms.config.idle_limit();
        let idle = idle.map(|limit| self.last_heard + limit);
        [idle, self.login_deadline()].into_iter().flatten().min()
    }

    /// Before another page is asked for: the only moment in a long answer when no output waits.
    async fn hand_over_if_asked(&mut self) -> Step {
        if self.held.is_some() || self.closing.is_some() {
            return Ok(());
        }
        match self.session.wake().now_or_never() {
            Some(Attention::Upgrade) => {
                let turn = self.session.upgrade().await?;
                self.perform(turn).await?;
                self.within_answer = true;
                Ok(())
            }
            Some(Attention::Turn(pending)) => {
                self.held = Some(pending);
                Ok(())
            }
            Some(Attention::Close(CloseReason::Administrator)) => {
                self.say_goodbye(CloseReason::Administrator).await
            }
            Some(Attention::Close(reason)) => {
                self.closing = Some(reason);
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn say_goodbye(&mut self, reason: CloseReason) -> Step {
        let turn = self.session.handle(Event::Closing(reason)).await?;
        for action in turn.actions {
            match action {
                Action::Send(bytes) => self.queue(bytes).await?,
                Action::SendBody {
                    body,
                    offset,
                    length,
                    stuffed,
                } => self.send_body(body, offset, length, stuffed).await?,
                _ => {}
            }
        }
        self.flush().await?;
        Err(Ending::Goodbye(reason))
    }

    /// Carries out a turn. What it asks to be told afterwards stands in `due` then.
    async fn perform(&mut self, turn: Turn) -> Step {
        if !self.input.consume(turn.consumed) {
            return Err(Ending::PluginFault(
                "consumed more input than it was offered",
            ));
        }
        self.admit_user();
        self.within_answer = false;
        let mut park = false;
        for action in turn.actions {
            match action {
                Action::Send(bytes) => self.queue(bytes).await?,
                Action::SendBody {
                    body,
                    offset,
                    length,
                    stuffed,
                } => self.send_body(body, offset, length, stuffed).await?,
                Action::ReceiveBody { framing, limit } => {
                    self.flush().await?;
                    let received = Box::pin(self.receive_body(&framing, limit)).await?;
                    self.due.push_back(received);
                }
                Action::More => {
                    self.within_answer = true;
                    self.due.push_back(Event::Drained);
                }
                Action::StartTls => self.start_tls().await?,
                Action::StartCompression => self.start_compression().await?,
                Action::Park => park = true,
                Action::Close => {
                    self.flush().await?;
                    return Err(Ending::PluginClosed);
                }
            }
        }
        self.flush().await?;
        if park
            && self.due.is_empty()
            && self.held.is_none()
            && self.closing.is_none()
            && !self.input.is_due()
        {
            self.session.park().await;
        }
        Ok(())
    }

    /// Once there is a principal, the session counts as one of that user's.
    fn admit_user(&mut self) {
        if self.place.is_some() || self.closing.is_some() {
            return;
        }
        let Some(user) = self.session.principal() else {
            return;
        };
        let (protocol, limit) = (&self.terms.config.protocol, self.terms.user_limit);
        match self.terms.users.enter_user(protocol, &user, limit) {
            Some(place) => self.place = Some(place),
            None => {
                tracing::info!(user, limit, "limit max_connections_per_user reached");
                self.closing = Some(CloseReason::Limit);
            }
        }
    }

    async fn queue(&mut self, bytes: Bytes) -> Step {
        self.queued += bytes.len();
        self.output.push_back(bytes);
        if self.queued >= QUEUE_SIZE {
            self.flush().await
        } else {
            Ok(())
        }
    }

    async fn flush(&mut self) -> Step {
        self.queued = 0;
        if self.output.is_empty() {
            return Ok(());
        }
        self.transport.write(&mut self.output).await?;
        self.output = VecDeque::new();
        self.tell_moved();
        Ok(())
    }

    fn tell_moved(&self) {
        let (bytes_in, bytes_out) = (self.transport.bytes_in, self.transport.bytes_out);
        self.session.has_moved(bytes_in, bytes_out);
    }

    async fn send_body(&mut self, body: Body, offset: u64, length: u64, stuffed: bool) -> Step {
        let end = offset.checked_add(length).filter(|end| *end <= body.size());
        let Some(end) = end else {
            return Err(Ending::PluginFault("asked to send more than a body holds"));
        };
        let mut stuffer = stuffed.then(Stuffer::default);
        let mut at = offset;
        while at < end {
            let wanted = usize::try_from(end - at)
                .unwrap_or(usize::MAX)
                .min(QUEUE_SIZE);
            let chunk = body
                .read(at, wanted)
                .await
                .map_err(|error| Ending::Body(error.to_string()))?;
            if chunk.is_empty() {
                return Err(Ending::Body("it is shorter than its size".to_owned()));
            }
            at += chunk.len() as u64;
            let chunk = match &mut stuffer {
                Some(stuffer) => stuffer.stuff(chunk),
                None => chunk,
            };
            self.queue(chunk).await?;
        }
        if let Some(stuffer) = stuffer {
            self.queue(Bytes::from_static(stuffer.end())).await?;
        }
        Ok(())
    }

    /// What was sent in plaintext after the command is dropped: it may be an attacker's (RFC 3207 section 6).
    async fn start_tls(&mut self) -> Step {
        self.flush().await?;
        if self.transport.tls().is_some() || self.transport.is_compressed() {
            return Err(Ending::PluginFault(
                "start-tls on a stream that is encrypted or compressed",
            ));
        }
        let Some(config) = self.terms.starttls.clone() else {
            return Err(Ending::PluginFault("start-tls on a listener without it"));
        };
        self.input.take();
        Box::pin(self.transport.start_tls(config))
            .await
            .map_err(|error| Ending::Tls(error.to_string()))?;
        self.last_heard = Instant::now();
        self.due.extend(
            self.transport
                .tls()
                .map(|connection| Event::TlsEstablished(tls::describe(connection))),
        );
        Ok(())
    }

    async fn start_compression(&mut self) -> Step {
        self.flush().await?;
        if self.transport.is_compressed() {
            return Err(Ending::PluginFault("start-compression twice"));
        }
        let early = self.input.take();
        self.transport.start_compression(early);
        Ok(())
    }

    /// One line for every connection.
    pub(crate) fn log(&mut self, ending: &Ending) {
        let _in_span = self.session.span().entered();
        let Terms {
            session,
            peer,
            config,
            ..
        } = &self.terms;
        let (listener, lasted) = (&config.name, self.started.elapsed());
        let principal = self.session.principal();
        let (bytes_in, bytes_out) = (self.transport.bytes_in, self.transport.bytes_out);
        if ending.is_a_defect() {
            tracing::error!(%session, %listener, %peer, principal, bytes_in, bytes_out, ?lasted, %ending, "connection ended");
        } else {
            tracing::info!(%session, %listener, %peer, principal, bytes_in, bytes_out, ?lasted, %ending, "connection ended");
        }
    }

    /// The last words between pump and plugin, and between pump and peer.
    async fn part(&mut self, ending: &Ending) {
        if ending.peer_is_gone() {
            let _ = self.session.handle(Event::Closed).await;
        }
        if matches!(ending, Ending::SessionLost(_)) && !self.within_answer {
            let (protocol, host_name) = (&self.terms.config.protocol, &self.terms.host_name);
            let farewell = Bytes::from(Refusal::Unavailable.words(protocol, host_name));
            let _ = self.transport.write(&mut VecDeque::from([farewell])).await;
        }
        if ending.is_orderly() {
            self.transport.close().await;
        }
    }
}

enum Next<P> {
    Perform(Turn),
    Tell(Event),
    Close(CloseReason),
    Pending(P),
    Offer,
    PeerIsDone,
}
