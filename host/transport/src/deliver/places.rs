//! Where the message of several recipients goes.

use std::collections::{BTreeMap, HashSet};

use waxwing_exmdb::MailboxGuid;

use crate::{Envelope, Recipient, destination::Destination, retries::Place};

/// A recipient elsewhere.
pub(super) struct Forward {
    /// The address of ours that leads there; none: it was written to itself.
    pub(super) origin: Option<String>,
    pub(super) recipient: Recipient,
}

/// All places that a message goes to, each once.
pub(super) struct Places {
    /// With the recipient that leads there, of several the first.
    pub(super) mailboxes: BTreeMap<MailboxGuid, String>,
    pub(super) foreign: BTreeMap<String, Forward>,
    /// Those that have it already.
    pub(super) known: usize,
}

impl Places {
    pub(super) fn of(
        envelope: &Envelope,
        destinations: &[Destination],
        before: &HashSet<Place>,
    ) -> Places {
        let mut known = 0;
        let mut is_new = |place: &Place| {
            let new = !before.contains(place);
            known += usize::from(!new);
            new
        };
        let mut mailboxes: BTreeMap<MailboxGuid, String> = BTreeMap::new();
        for (recipient, destination) in envelope.recipients.iter().zip(destinations) {
            for mailbox in destination.mailboxes() {
                let first = || recipient.address.clone();
                mailboxes.entry(mailbox).or_insert_with(first);
            }
        }
        mailboxes.retain(|mailbox, _| is_new(&Place::Mailbox(*mailbox)));
        let mut foreign: BTreeMap<String, Forward> = BTreeMap::new();
        for (written, destination) in envelope.recipients.iter().zip(destinations) {
            let origin = destination.is_forwarded().then(|| written.address.clone());
            for recipient in destination.foreign() {
                let new = Forward {
                    origin: origin.clone(),
                    recipient: recipient.clone(),
                };
                // Who was written to directly keeps what was said about it.
                match foreign.get_mut(&recipient.address) {
                    Some(kept) if origin.is_none() || recipient.notify.success => *kept = new,
                    Some(_) => {}
                    None => drop(foreign.insert(recipient.address.clone(), new)),
                }
            }
        }
        foreign.retain(|address, _| is_new(&Place::Foreign(address.clone())));
        Places {
            mailboxes,
            foreign,
            known,
        }
    }
}
