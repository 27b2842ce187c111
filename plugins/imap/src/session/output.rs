//! What a turn says and does, gathered in order.

use waxwing_sdk::bodies::{Body, BodyRange};
use waxwing_sdk::stream::{Action, Turn};

/// The actions of a turn in the making.
#[derive(Default)]
pub(crate) struct Output {
    actions: Vec<Action>,
    text: Vec<u8>,
}

/// See [`Output::mark`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    actions: usize,
    text: usize,
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

    /// A place to come back to.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            actions: self.actions.len(),
            text: self.text.len(),
        }
    }

    /// Forgets what was said since: a line is sent whole or not at all.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        // Text from before the mark may have become the first action behind it.
        if let Some(Action::Send(text)) = self.actions.drain(mark.actions..).next() {
            self.text = text;
        }
        self.text.truncate(mark.text);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewind_forgets_bodies_and_text_behind_the_mark_only() {
        let mut out = Output::default();
        out.word("kept ");
        let mark = out.mark();
        out.word("lost");
        out.body(Body::of(b"x"), 0, 1);
        out.word("lost too");
        out.rewind(mark);
        out.word("and told");
        assert!(
            matches!(out.into_turn(0).actions.as_slice(), [Action::Send(text)] if text == b"kept and told")
        );
    }
}
