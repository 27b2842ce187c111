//! How a turn is written: `Turn::new().consumed(n).send("250 OK\r\n").more()`.
//!
//! Actions happen in the order they are added; neighbouring `send`s become one.

use crate::bindings::answered::extensions::Extension;
use crate::bindings::bodies::{Body, BodyRange};
use crate::stream::{Action, FolderRef, Framing, Receive, Timer, Turn};

/// The extension action that has the next `send-body` stuffed.
pub(crate) const STUFFED: u32 = 1;

impl Turn {
    /// Nothing consumed, nothing to do.
    #[must_use]
    pub const fn new() -> Turn {
        Turn {
            consumed: 0,
            actions: Vec::new(),
        }
    }

    /// So many octets of the input are done with.
    #[must_use]
    pub fn consumed(mut self, octets: usize) -> Turn {
        // An input event is far below 4 GiB.
        self.consumed = u32::try_from(octets).unwrap_or(u32::MAX);
        self
    }

    /// Adds any action.
    #[must_use]
    pub fn then(mut self, action: Action) -> Turn {
        self.actions.push(action);
        self
    }

    /// Sends these octets.
    #[must_use]
    pub fn send(mut self, bytes: impl AsRef<[u8]>) -> Turn {
        let bytes = bytes.as_ref();
        match self.actions.last_mut() {
            _ if bytes.is_empty() => {}
            Some(Action::Send(pending)) => pending.extend_from_slice(bytes),
            _ => self.actions.push(Action::Send(bytes.to_vec())),
        }
        self
    }

    /// Sends a whole body; its octets never enter the plugin.
    #[must_use]
    pub fn send_body(self, body: Body) -> Turn {
        let length = body.size();
        self.send_body_range(body, 0, length)
    }

    /// Sends `length` octets of a body from `offset`, dot-stuffed (RFC 5321 4.5.2, RFC 1939 section 3). The host stuffs; the line
    /// with the dot that ends it is the plugin's to send.
    #[must_use]
    pub fn send_stuffed(self, body: Body, offset: u64, length: u64) -> Turn {
        self.then(Action::Extension(Extension {
            code: STUFFED,
            payload: Vec::new(),
        }))
        .send_body_range(body, offset, length)
    }

    /// Sends `length` octets of a body from `offset`.
    #[must_use]
    pub fn send_body_range(self, body: Body, offset: u64, length: u64) -> Turn {
        self.then(Action::SendBody(BodyRange {
            body,
            offset,
            length,
        }))
    }

    /// The next `octets` of input become a body ([`Event::BodyReceived`](crate::stream::Event::BodyReceived)); octets beyond
    /// `limit` are counted and dropped. The last action of a turn.
    #[must_use]
    pub fn receive_exact(self, octets: u64, limit: u64) -> Turn {
        self.then(Action::ReceiveBody(Receive {
            framing: Framing::Exact(octets),
            limit,
        }))
    }

    /// The input up to CRLF.CRLF becomes a body, unstuffed (RFC 5321 4.5.2). The last action of a turn.
    #[must_use]
    pub fn receive_dot_stuffed(self, limit: u64) -> Turn {
        self.then(Action::ReceiveBody(Receive {
            framing: Framing::DotStuffed,
            limit,
        }))
    }

    /// Asks for another turn ([`Event::Drained`](crate::stream::Event::Drained)) once the output has left.
    #[must_use]
    pub fn more(self) -> Turn {
        self.then(Action::More)
    }

    /// TLS begins after the output has left.
    #[must_use]
    pub fn start_tls(self) -> Turn {
        self.then(Action::StartTls)
    }

    /// RFC 4978 DEFLATE begins after the output has left.
    #[must_use]
    pub fn start_compression(self) -> Turn {
        self.then(Action::StartCompression)
    }

    /// Sets timer `id` to run out in `after_ms` milliseconds; 0 cancels it.
    #[must_use]
    pub fn timer(self, id: u32, after_ms: u64) -> Turn {
        self.then(Action::SetTimer(Timer { id, after_ms }))
    }

    /// Replaces the set of watched folders; an empty one ends watching.
    #[must_use]
    pub fn watch(self, folders: impl IntoIterator<Item = FolderRef>) -> Turn {
        self.then(Action::Watch(folders.into_iter().collect()))
    }

    /// Nothing to do until an event: the instance may be frozen and dropped.
    #[must_use]
    pub fn park(self) -> Turn {
        self.then(Action::Park)
    }

    /// The connection ends when the output has left.
    #[must_use]
    pub fn close(self) -> Turn {
        self.then(Action::Close)
    }

    /// Whether the turn ends the connection.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.actions
            .iter()
            .any(|action| matches!(action, Action::Close))
    }
}

impl Default for Turn {
    fn default() -> Turn {
        Turn::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_sends_become_one_action() {
        let turn = Turn::new().send("a").send("").send("b").more().send("c");
        assert!(
            matches!(turn.actions.as_slice(), [Action::Send(first), Action::More, Action::Send(last)] if first == b"ab" && last == b"c")
        );
    }
}
