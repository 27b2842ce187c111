//! A message on its way through the filters: what they have made of it so far.

use waxwing_exmdb::Body;

use crate::{Envelope, Notify, Outcome, Recipient};

/// A message that has passed the filters.
pub(crate) struct Passed {
    pub(crate) envelope: Envelope,
    pub(crate) message: Body,
    /// Of each recipient of the envelope as it was, what is decided; none: it is in the envelope still.
    pub(crate) decided: Vec<Option<Outcome>>,
    /// Those that filters have added, wherever they are.
    pub(crate) added: Vec<Recipient>,
}

impl Passed {
    /// One that nobody has looked at.
    pub(crate) fn new(envelope: Envelope, message: Body) -> Passed {
        Passed {
            decided: vec![None; envelope.recipients.len()],
            envelope,
            message,
            added: Vec::new(),
        }
    }

    /// What is no address changes nothing.
    pub(crate) fn set_sender(&mut self, address: &str) {
        let address = plain(address);
        if !address.contains(char::is_control) {
            self.envelope.sender = address;
        }
    }

    pub(crate) fn add_recipient(&mut self, address: &str) {
        // The sender is not to hear of those whom he did not write to.
        let notify = Notify {
            never: true,
            ..Notify::default()
        };
        self.added.push(Recipient {
            address: plain(address),
            notify,
            ..Recipient::default()
        });
    }

    /// The sender is not told.
    pub(crate) fn remove_recipient(&mut self, address: &str) {
        let address = plain(address);
        self.added.retain(|added| added.address != address);
        self.settle(&address, &Outcome::discarded());
    }

    /// The answers when a filter ends it. What was decided of a recipient before holds against being taken or thrown away: nobody has
    /// the message for him.
    pub(crate) fn stopped(self, outcome: &Outcome) -> Vec<Outcome> {
        let Envelope {
            session,
            source,
            sender,
            ..
        } = &self.envelope;
        tracing::info!(session, source, from = ?sender, %outcome, "stopped");
        let answer = |decided: Option<Outcome>| match outcome.is_success() {
            true => decided.unwrap_or_else(|| outcome.clone()),
            false => outcome.clone(),
        };
        self.decided.into_iter().map(answer).collect()
    }

    /// A recipient leaves the envelope with an outcome.
    pub(crate) fn settle(&mut self, address: &str, outcome: &Outcome) {
        let is_meant = |other: &str| other.eq_ignore_ascii_case(address);
        let mut still = self.envelope.recipients.iter();
        for decided in self.decided.iter_mut().filter(|decided| decided.is_none()) {
            if still
                .next()
                .is_some_and(|recipient| is_meant(&recipient.address))
            {
                *decided = Some(outcome.clone());
            }
        }
        let recipients = &mut self.envelope.recipients;
        recipients.retain(|recipient| !is_meant(&recipient.address));
    }
}

/// Without angle brackets.
pub(crate) fn plain(address: &str) -> String {
    let address = address.trim().trim_start_matches('<');
    address.trim_end_matches('>').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::envelope;

    #[test]
    fn who_was_put_off_is_not_told_that_the_message_was_taken() {
        let stopped = |outcome: Outcome| {
            let message = Body::from_bytes("x".into());
            let mut passed = Passed::new(envelope("a@b.c", &["d@e.f", "g@h.i"]), message);
            passed.settle("d@e.f", &Outcome::put_off_by_filter());
            let answers = passed.stopped(&outcome).into_iter();
            answers.map(|answer| answer.code).collect::<Vec<_>>()
        };
        assert_eq!(stopped(Outcome::discarded()), [451, 250]);
        assert_eq!(stopped(Outcome::refused_by_filter()), [550, 550]);
    }
}
