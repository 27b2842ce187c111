//! What a turn says and does, gathered in order.

use waxwing_sdk::bodies::{Body, BodyRange};
use waxwing_sdk::stream::{Action, Turn};

/// The actions of a turn in the making.
#[derive(Default)]
pub(crate) struct Output {
    actions: Vec<Action>,
    text: Vec<u8>,
}

impl Output {
    /// Bytes to append to.
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Part of a line.
    pub(crate) fn word(&mut self, word: &str) {
        self.text.extend_from_slice(word.as_bytes());
    }

    /// A line, to which CRLF is added.
    pub(crate) fn line(&mut self, line: &str) {
        self.text.extend_from_slice(line.as_bytes());
        self.text.extend_from_slice(b"\r\n");
    }

    /// Octets of a body, which never enter the plugin.
    pub(crate) fn body(&mut self, body: Body, offset: u64, length: u64) {
        self.then(Action::SendBody(BodyRange {
            body,
            offset,
            length,
        }));
    }

    /// Any action.
    pub(crate) fn then(&mut self, action: Action) {
        self.flush();
        self.actions.push(action);
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.actions
                .push(Action::Send(std::mem::take(&mut self.text)));
        }
    }

    /// Whether an action of the turn brings another event by itself, or ends the connection.
    pub(crate) fn goes_on(&self) -> bool {
        let goes_on = |action: &Action| {
            matches!(
                action,
                Action::More | Action::ReceiveBody(_) | Action::StartTls | Action::Close
            )
        };
        self.actions.iter().any(goes_on)
    }

    pub(crate) fn into_turn(mut self, consumed: usize) -> Turn {
        self.flush();
        Turn {
            consumed: u32::try_from(consumed).unwrap_or(u32::MAX),
            actions: self.actions,
        }
    }
}
