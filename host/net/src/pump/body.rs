//! Input that becomes a body without passing through a plugin: `receive-body`.
//!
//! Bounded by one read of the socket; the body itself grows in the store's spool. A body over its limit, or one
//! that the store cannot keep, is read to its end and dropped, so that the conversation stays in step; a peer
//! that goes on for [`OVERRUN`] beyond the limit is cut off.

use tokio::time::{Instant, timeout_at};
use waxwing_exmdb::{Body, BodyWriter};
use waxwing_runtime::{CloseReason, Event, Framing, Reception};

use super::{Ending, Heard, Pump, Step, framing::Decoder};
use crate::{
    plugin_side::{Attention, StreamSession},
    transport::READ_SIZE,
};

const OVERRUN: u64 = 1 << 30;

/// Where the content goes.
struct Sink {
    /// None once the body is given up.
    writer: Option<BodyWriter>,
    limit: u64,
    size: u64,
    failure: Option<String>,
}

impl Sink {
    async fn take(&mut self, content: &[u8]) {
        self.size = self.size.saturating_add(content.len() as u64);
        if self.size > self.limit {
            self.writer = None;
        }
        if let Some(writer) = &mut self.writer
            && let Err(error) = writer.write(content).await
        {
            self.fail(error.to_string());
        }
    }

    fn fail(&mut self, error: String) {
        tracing::error!(error, "a body cannot be kept");
        self.failure = Some(error);
        self.writer = None;
    }

    async fn finish(mut self) -> Event {
        let body = match self.writer.take() {
            Some(writer) => match writer.finish().await {
                Ok(body) => Some(body),
                Err(error) => {
                    self.fail(error.to_string());
                    None
                }
            },
            None => None,
        };
        self.outcome(body)
    }

    fn outcome(self, body: Option<Body>) -> Event {
        let (outcome, detail) = match (&body, self.failure) {
            (Some(_), _) => (Reception::Complete, String::new()),
            (None, Some(failure)) if self.size <= self.limit => (Reception::Failed, failure),
            (None, _) => (
                Reception::OverLimit,
                format!("more than {} octets", self.limit),
            ),
        };
        Event::BodyReceived {
            outcome,
            body,
            size: self.size,
            detail,
        }
    }
}

impl<S: StreamSession> Pump<S> {
    pub(super) async fn receive_body(&mut self, framing: &Framing, limit: u64) -> Step<Event> {
        let mut decoder = Decoder::new(framing);
        let mut scratch = Vec::new();
        let mut sink = Sink {
            writer: Some(self.terms.store.spool()),
            limit,
            size: 0,
            failure: None,
        };
        if matches!(framing, Framing::Exact(size) if *size > limit) {
            sink.writer = None;
        }
        loop {
            let decoded = decoder.decode(&self.input.octets, &mut scratch);
            sink.take(decoded.content).await;
            let (consumed, complete) = (decoded.consumed, decoded.complete);
            self.input.discard(consumed);
            if complete {
                self.input.refresh();
                return Ok(sink.finish().await);
            }
            if sink.size.saturating_sub(limit) > OVERRUN {
                self.say_goodbye(CloseReason::Limit).await?;
            }
            self.hear_more_of_the_body().await?;
        }
    }

    /// Returns when input has come; sees to what else happens meanwhile.
    async fn hear_more_of_the_body(&mut self) -> Step {
        loop {
            let deadline = self.terms.config.idle_limit();
            let deadline = deadline.map(|limit| self.last_heard + limit);
            let attentive =
                self.held.is_none() && self.closing.is_none() && self.deferred.is_none();
            let wait = async {
                tokio::select! {
                    read = self.transport.read(&mut self.input.octets, READ_SIZE) => Heard::Input(read),
                    attention = self.session.wake(), if attentive => Heard::Attention(attention),
                }
            };
            let heard = match deadline {
                Some(deadline) => timeout_at(deadline, wait).await.unwrap_or(Heard::Deadline),
                None => wait.await,
            };
            match heard {
                Heard::Input(Ok(0)) => return Err(Ending::PeerClosed),
                Heard::Input(Ok(_)) => {
                    self.last_heard = Instant::now();
                    return Ok(());
                }
                Heard::Input(Err(error)) => return Err(error.into()),
                Heard::Attention(Attention::Upgrade) => {
                    let turn = self.session.upgrade().await?;
                    self.deferred = Some(turn);
                }
                Heard::Attention(Attention::Turn(pending)) => self.held = Some(pending),
                Heard::Attention(Attention::Close(CloseReason::Administrator)) => {
                    self.say_goodbye(CloseReason::Administrator).await?;
                }
                Heard::Attention(Attention::Close(reason)) => self.closing = Some(reason),
                Heard::Deadline | Heard::Drain => self.say_goodbye(CloseReason::Idle).await?,
            }
        }
    }
}
