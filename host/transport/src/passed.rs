//! A message on its way through the filters: what they have made of it so far.

use waxwing_exmdb::Body;

use crate::{Envelope, Outcome, Recipient};

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
        self.added.push(Recipient {
            address: plain(address),
            ..Recipient::default()
        });
    }

    /// The sender is not told.
    pub(crate) fn remove_recipient(&mut self, address: &str) {
        let address = plain(address);
        self.added.retain(|added| added.address != address);
        self.settle(&address, &Outcome::discarded());
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
fn plain(address: &str) -> String {
    let address = address.trim().trim_start_matches('<');
    address.trim_end_matches('>').to_owned()
}
