//! What a peer has sent and a plugin has not consumed.
//!
//! An offer is made when octets have come since the last one, or another event was handled in between; never
//! twice for the same reason, so that a plugin that waits for the rest of a line is not asked in a circle.

use bytes::Bytes;

/// A plugin that consumes nothing of so many octets will never consume them.
pub(crate) const INPUT_LIMIT: usize = 64 * 1024;

#[derive(Default)]
pub(crate) struct Input {
    /// Empty and without memory while a connection idles.
    pub(crate) octets: Vec<u8>,
    /// How much of the front the plugin has seen.
    offered: usize,
    /// Something happened since the last offer.
    fresh: bool,
}

impl Input {
    pub(crate) fn room(&self) -> usize {
        INPUT_LIMIT.saturating_sub(self.octets.len())
    }

    /// New octets were appended, or another event was handled.
    pub(crate) fn refresh(&mut self) {
        self.fresh = true;
    }

    pub(crate) fn is_due(&self) -> bool {
        self.fresh && !self.octets.is_empty()
    }

    /// Full, offered, and nothing of it consumed.
    pub(crate) fn is_stuck(&self) -> bool {
        self.room() == 0 && !self.fresh
    }

    pub(crate) fn offer(&mut self) -> Bytes {
        self.fresh = false;
        self.offered = self.octets.len();
        Bytes::copy_from_slice(&self.octets)
    }

    /// Drops what a turn is done with. False when it claims more than it was given.
    pub(crate) fn consume(&mut self, count: usize) -> bool {
        let honest = count <= self.offered;
        let count = count.min(self.offered);
        self.offered -= count;
        self.discard(count);
        honest
    }

    /// Drops octets that became part of a body.
    pub(crate) fn discard(&mut self, count: usize) {
        if count >= self.octets.len() {
            self.octets = Vec::new();
        } else {
            self.octets.drain(..count);
        }
        self.offered = self.offered.min(self.octets.len());
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.offered = 0;
        std::mem::take(&mut self.octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(octets: &[u8]) -> Input {
        let mut input = Input {
            octets: octets.to_vec(),
            ..Input::default()
        };
        input.refresh();
        input
    }

    #[test]
    fn what_was_not_consumed_is_offered_again_only_when_something_happened() {
        let mut input = input(b"half a li");
        assert!(input.is_due());
        assert_eq!(input.offer(), "half a li");
        assert!(input.consume(5));
        assert!(!input.is_due());
        input.octets.extend_from_slice(b"ne\r\n");
        input.refresh();
        assert_eq!(input.offer(), "a line\r\n");
    }

    #[test]
    fn a_turn_cannot_consume_what_it_has_not_seen() {
        let mut input = input(b"seen");
        input.offer();
        input.octets.extend_from_slice(b"unseen");
        assert!(!input.consume(9));
        assert_eq!(input.octets, b"unseen");
    }

    #[test]
    fn a_full_buffer_of_which_nothing_is_consumed_is_stuck() {
        let mut input = input(&[b'x'; INPUT_LIMIT]);
        assert!(!input.is_stuck());
        input.offer();
        assert!(input.is_stuck());
        assert!(input.consume(1));
        assert!(!input.is_stuck());
    }
}
